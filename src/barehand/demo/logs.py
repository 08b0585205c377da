"""The inputs read from examples/data: likes from MovieLens, and a log of clicks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from barehand.demo.descent import Batch
from barehand.demo.measure import Array
from barehand.demo.stop import Context
from barehand.demo.training import shuffled

# A film that few people liked cannot be learnt, and leaving such films in only flatters everyone: any model ranks them
# last and is right. So only films with 5 likes, and then users with 5 likes left.
_LEAST = 5
_LIKED = 4.0  # stars
_THE = re.compile(r"^(.+), (The|A|An)$")


@dataclass(frozen=True)
class Likes:
    """Who liked which film, both counted from 0; every user's latest film is held out."""

    users: Array
    films: Array
    held: Array  # one film a user
    titles: list[str]

    def triples(self, rng: np.random.Generator, size: int, epochs: int) -> list[list[Batch]]:
        """Batches of (user, film liked, film drawn at random); a draw is now and then a film the user likes, too."""
        rows = len(self.users)
        drawn = [rng.integers(0, len(self.titles), rows) for _ in range(epochs)]
        return [shuffled(rng, rows, size, 1, self.users, self.films, others)[0] for others in drawn]

    @cached_property
    def others(self) -> Array:
        """(users, films): the films that a user has not liked."""
        rest = np.ones((len(self.held), len(self.titles)), bool)
        rest[self.users, self.films] = False
        rest[np.arange(len(self.held)), self.held] = False
        return rest

    def ranks(self, scores: Array) -> Array:
        """The place of each user's held-out film among the films they have not liked; a tie counts a half."""
        own = np.take_along_axis(scores, self.held[:, None], axis=1)
        above = np.count_nonzero((scores > own) & self.others, axis=1)
        ties = np.count_nonzero((scores == own) & self.others, axis=1)
        return np.asarray(1 + above + 0.5 * ties)

    def auc(self, scores: Array) -> float:
        """How often a user's held-out film scores above a film that they have not liked, averaged over the users."""
        return float(np.mean(1 - (self.ranks(scores) - 1) / self.others.sum(axis=1)))

    @property
    def one_swap(self) -> float:
        """What the AUC changes by when two films of one user change places."""
        return float(1 / (len(self.held) * self.others.sum(axis=1).min()))

    def popularity(self) -> Array:
        """The scores that are the same for everybody: how many like the film."""
        counts = np.bincount(self.films, minlength=len(self.titles))
        return np.broadcast_to(counts, (len(self.held), len(self.titles)))


def _columns(path: Any, *names: str) -> list[Array]:
    from pyarrow import parquet

    table = parquet.read_table(path, columns=list(names))
    return [table[name].to_numpy() for name in names]


def likes(context: Context) -> Likes:
    """MovieLens latest small, 4 stars and more; of two films rated in one second the larger number is the later."""
    users, films, stars, when = _columns(
        context.file("movielens-small/ratings.parquet"), "user_id", "item_id", "rating", "timestamp"
    )
    keep = stars >= _LIKED
    keep[keep] = np.bincount(films[keep])[films[keep]] >= _LEAST
    keep[keep] = np.bincount(users[keep])[users[keep]] >= _LEAST
    _, users = np.unique(users[keep], return_inverse=True)
    numbers, films = np.unique(films[keep], return_inverse=True)
    order = np.lexsort((films, when[keep], users))
    users, films = users[order], films[order]
    last = np.append(users[1:] != users[:-1], True)
    ids, names = _columns(context.file("movielens-small/items.parquet"), "item_id", "title")
    title = {i: name or f"film {i}" for i, name in zip(ids.tolist(), names.tolist(), strict=True)}  # five have no title
    return Likes(users[~last], films[~last], films[last], [_THE.sub(r"\2 \1", title[n]) for n in numbers.tolist()])


def contexts(context: Context) -> dict[str, Array]:
    """What the rows of `clicks` may be grouped by: where an item stood, for whom, in which campaign, and the item."""
    path = context.file("open-bandit/clicks.parquet")
    position, campaign, item, *user = _columns(
        path, "position", "campaign", "item_id", *(f"user_feature_{k}" for k in range(4))
    )
    _, campaign = np.unique(campaign, return_inverse=True)
    several = {"user features": np.stack(user, axis=1), "item": np.stack((campaign, item), axis=1)}
    found = {name: np.unique(columns, axis=0, return_inverse=True)[1] for name, columns in several.items()}
    return {"position": position, "campaign": campaign, **found}


def clicks(context: Context) -> tuple[Array, Array]:
    """The Open Bandit sample: impressions in columns of zeros and ones, and which of them were clicked.

    One column for each value of policy, position and the four user features and for each item of each campaign (the
    campaigns number their items anew), and one for how often the user has clicked the item before.
    """
    path = context.file("open-bandit/clicks.parquet")
    names = ("policy", "position", *(f"user_feature_{k}" for k in range(4)))
    clicked, affinity, campaign, item, *features = _columns(path, "click", "affinity", "campaign", "item_id", *names)
    own_items = np.unique(campaign, return_inverse=True)[1] * (item.max() + 1) + item
    columns = [affinity[:, None].astype(np.float32)]
    for feature in (own_items, *features):
        values, place = np.unique(feature, return_inverse=True)
        columns.append(np.eye(len(values), dtype=np.float32)[place])
    return np.hstack(columns), clicked
