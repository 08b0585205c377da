"""Two-tower recommendation on MovieLens: one model, four losses, and a next-film model beside it.

    python examples/two_tower.py [--epochs N] [--seed S] [--quick] [--plot FILE]

It needs `pip install 'barehand[all]'`, and takes a minute or two (`--quick`: half a minute, a few epochs).

A user tower and a film tower (a row for each id, and a projection of the genres) are trained with the BPR, pairwise
margin, contrastive and softmax cross-entropy losses in turn; a small model of self-attention reads each user's films in
order and names the next. Everything is trained by `barehand.optim.Adam` and judged on the last fifth of what each user
liked, which no model has seen:

- AUC: how often a film liked stands above one not liked, over all users' films at once;
- grouped AUC: the same within each user, averaged over the users;
- recall@20: how much of what a user came to like is among the 20 films recommended.

Each model must beat the list of the most popular films in all three, and must come out as its twin does: the same model
from the same start over the same batches, with torch's own losses, attention, layer norm and Adam. The script prints a
table, saves a plot, and exits with 1 if one of that fails.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from pyarrow import parquet
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from torch import Tensor, nn

import barehand as bh
from barehand.nn import LayerNorm, SelfAttention
from barehand.optim import Adam

F = torch.nn.functional
DATA = Path(__file__).resolve().parent / "data" / "movielens-small"
WIDTH = 32  # numbers a user and a film
BATCH = 1024
WINDOW = 50  # films that the next-film model reads at a time
TOP = 20  # films recommended

# How far a model may end from its twin, in each figure. The users are a sample: their own AUCs spread by about 0.12
# around the mean and their recalls by 0.2, so over 659 users the means have standard errors of 0.005 and 0.008. The
# twins differ in rounding alone; a tenth of the smaller one is nothing that could be told apart.
TOLERANCE = 5e-4


# The data


@dataclass(frozen=True)
class Likes:
    """Who liked which film (4 stars or more), in each user's order of time; `held` is the last fifth of each."""

    users: Tensor
    films: Tensor
    held: Tensor  # (users, films): True for what is held out
    known: Tensor  # (users, films): True for what is trained on
    genres: Tensor  # (films, genres): shares that add up to 1

    @property
    def popularity(self) -> Tensor:
        """How many like each film, of what is trained on."""
        return self.known.sum(0).float()


def read(least: int = 5) -> Likes:
    """Films with `least` likes at least, and then users with so many: about the others nothing can be learnt."""
    table = parquet.read_table(DATA / "ratings.parquet")
    users, films, stars, when = (table[c].to_numpy() for c in ("user_id", "item_id", "rating", "timestamp"))
    keep = stars >= 4
    keep[keep] = np.bincount(films[keep])[films[keep]] >= least
    keep[keep] = np.bincount(users[keep])[users[keep]] >= least
    _, users = np.unique(users[keep], return_inverse=True)
    ids, films = np.unique(films[keep], return_inverse=True)
    order = np.lexsort((films, when[keep], users))
    users, films = users[order], films[order]

    count = np.bincount(users)
    place = np.arange(len(users)) - np.repeat(count.cumsum() - count, count)  # among the user's own
    last = place >= count[users] - np.maximum(count[users] // 5, 1)
    known, held = (np.zeros((len(count), len(ids)), bool) for _ in range(2))
    known[users[~last], films[~last]] = True
    held[users[last], films[last]] = True

    table = parquet.read_table(DATA / "items.parquet")
    words = dict(zip(table["item_id"].to_pylist(), table["genres"].to_pylist(), strict=True))
    own = [(words[i] or "").split("|") for i in ids.tolist()]
    names = sorted({g for gs in own for g in gs})
    genres = np.array([[(name in gs) / len(gs) for name in names] for gs in own], np.float32)
    tensors = (torch.from_numpy(a) for a in (users[~last], films[~last], held, known, genres))
    return Likes(*tensors)


# What the two sides bring: ours, and torch's own


class TorchSelfAttention(nn.Module):
    """`barehand.nn.SelfAttention` as people write it with torch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor, *, causal: bool) -> Tensor:
        """What each place finds among itself and those before."""
        q, k, v = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, is_causal=causal))


def torch_contrastive(x1: Tensor, x2: Tensor, same: Tensor, *, margin: float) -> Tensor:
    """The formula, which torch has no function for."""
    d = torch.linalg.vector_norm(x1 - x2, dim=-1)
    return (same * d**2 + (1 - same) * (margin - d).clamp(min=0) ** 2).mean()


@dataclass(frozen=True)
class Kit:
    """Losses, layers and the optimizer of one side."""

    bpr_loss: Callable[..., Tensor]
    pairwise_margin_loss: Callable[..., Tensor]
    contrastive_loss: Callable[..., Tensor]
    cross_entropy: Callable[..., Tensor]
    self_attention: Callable[[int], nn.Module]
    layer_norm: Callable[[int], nn.Module]
    adam: Callable[..., torch.optim.Optimizer]


def ours() -> Kit:
    """barehand's."""
    losses = (bh.bpr_loss, bh.pairwise_margin_loss, bh.contrastive_loss, bh.cross_entropy)
    return Kit(*losses, SelfAttention, LayerNorm, Adam)


def torchs() -> Kit:
    """torch's, or what people write with it where it has none."""
    return Kit(
        lambda p, n: -F.logsigmoid(p - n).mean(),
        lambda a, p, n, *, margin: F.triplet_margin_loss(a, p, n, margin=margin, eps=0.0),
        torch_contrastive,
        F.cross_entropy,
        TorchSelfAttention,
        nn.LayerNorm,
        torch.optim.Adam,
    )


# The models


class Towers(nn.Module):
    """A user's vector and a film's, of their ids and of genres: a film's own, and those that the user likes."""

    def __init__(self, likes: Likes) -> None:
        super().__init__()
        known = likes.known.float()
        tastes = known @ likes.genres / known.sum(1, keepdim=True)
        self.register_buffer("tastes", tastes)
        self.register_buffer("genres", likes.genres)
        self.user, self.film = (nn.Embedding(n, WIDTH) for n in likes.known.shape)
        self.of_tastes, self.of_genres = (nn.Linear(likes.genres.shape[1], WIDTH, bias=False) for _ in range(2))
        for part in (self.user, self.film, self.of_tastes, self.of_genres):
            nn.init.normal_(part.weight, std=0.1)

    def users(self, u: Tensor) -> Tensor:
        """The vectors of these users."""
        return self.user(u) + self.of_tastes(self.tastes[u])

    def films(self, i: Tensor) -> Tensor:
        """The vectors of these films."""
        return self.film(i) + self.of_genres(self.genres[i])

    def all(self) -> tuple[Tensor, Tensor]:
        """The vectors of all users and of all films."""
        return self.users(torch.arange(self.user.num_embeddings)), self.films(torch.arange(self.film.num_embeddings))


def products(model: Towers) -> Tensor:
    """Every user's score of every film."""
    u, v = model.all()
    return u @ v.T


def nearness(model: Towers) -> Tensor:
    """The same for vectors that are points in space."""
    return -torch.cdist(*model.all())


class NextFilm(nn.Module):
    """Self-attention over the films so far (after SASRec: W. Kang, J. McAuley (2018), arXiv:1808.09781)."""

    def __init__(self, likes: Likes, kit: Kit) -> None:
        super().__init__()
        self.film = nn.Embedding(likes.known.shape[1] + 1, WIDTH)  # the last is padding
        self.place = nn.Embedding(WINDOW, WIDTH)
        self.bias = nn.Parameter(torch.zeros(likes.known.shape[1]))
        self.attend, self.before, self.after = kit.self_attention(WIDTH), kit.layer_norm(WIDTH), kit.layer_norm(WIDTH)
        for table in (self.film, self.place):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, films: Tensor) -> Tensor:
        """(rows, WINDOW) films to (rows, WINDOW, films) scores of the one that follows each."""
        x = self.film(films) + self.place.weight
        x = self.after(x + self.attend(self.before(x), causal=True))
        return x @ self.film.weight[:-1].T + self.bias


def windows(likes: Likes) -> tuple[Tensor, Tensor, Tensor]:
    """Each user's films cut into rows of WINDOW with the film that follows each; and each user's last row."""
    padding, rows, following, latest = likes.known.shape[1], [], [], []
    for films in likes.films.split(likes.known.sum(1).tolist()):
        for start in range(0, max(len(films) - 1, 1), WINDOW):
            row, after = films[start : start + WINDOW], films[start + 1 : start + WINDOW + 1]
            rows.append(F.pad(row, (0, WINDOW - len(row)), value=padding))
            following.append(F.pad(after, (0, WINDOW - len(after)), value=-100))  # cross-entropy leaves it out
        latest.append(F.pad(films[-WINDOW:], (0, WINDOW - len(films[-WINDOW:])), value=padding))
    return torch.stack(rows), torch.stack(following), torch.stack(latest)


# The ways to train


@dataclass(frozen=True)
class Way:
    """A model, its batches, the loss of one, and the scores it gives."""

    name: str
    make: Callable[[Likes, Kit], nn.Module]
    batches: Callable[[Likes, torch.Generator], Iterator[tuple[Tensor, ...]]]  # of one epoch
    loss: Callable[..., Tensor]  # (kit, model, likes, *batch)
    scores: Callable[[Any], Tensor]
    options: dict[str, float]  # Adam's
    share: float = 1.0  # of the epochs

    def epochs(self, epochs: int) -> int:
        """How many of them it is trained for."""
        return math.ceil(self.share * epochs)


def triples(likes: Likes, generator: torch.Generator) -> Iterator[tuple[Tensor, ...]]:
    """(user, film liked, film drawn at random), which is now and then one that the user likes, too."""
    order = torch.randperm(len(likes.users), generator=generator)
    drawn = torch.randint(likes.known.shape[1], order.shape, generator=generator)
    for rows, others in zip(order.split(BATCH), drawn.split(BATCH), strict=True):
        yield likes.users[rows], likes.films[rows], others


def bpr(kit: Kit, model: Towers, likes: Likes, users: Tensor, liked: Tensor, drawn: Tensor) -> Tensor:
    """A score is a product; the film liked against the film drawn."""
    u = model.users(users)
    return kit.bpr_loss((u * model.films(liked)).sum(1), (u * model.films(drawn)).sum(1))


def margin(kit: Kit, model: Towers, likes: Likes, users: Tensor, liked: Tensor, drawn: Tensor) -> Tensor:
    """Vectors are points: the user nearer to the film liked than to the film drawn."""
    return kit.pairwise_margin_loss(model.users(users), model.films(liked), model.films(drawn), margin=0.8)


def contrastive(kit: Kit, model: Towers, likes: Likes, users: Tensor, liked: Tensor, drawn: Tensor) -> Tensor:
    """Points again, two pairs each: the film liked belongs with the user, the film drawn does not."""
    u, films = model.users(users), model.films(torch.cat((liked, drawn)))
    same = torch.cat((torch.ones(len(liked)), torch.zeros(len(drawn))))
    return kit.contrastive_loss(torch.cat((u, u)), films, same, margin=1.5)


def softmax(kit: Kit, model: Towers, likes: Likes, users: Tensor, liked: Tensor, drawn: Tensor) -> Tensor:
    """Each user's film among all films of the batch.

    Popular films stand there often, so the logarithm of how often comes off their scores: X. Yi and others (2019),
    doi:10.1145/3298689.3346996, section 4.
    """
    frequency = (likes.popularity[liked] / len(likes.users)).log()
    return kit.cross_entropy(model.users(users) @ model.films(liked).T - frequency, torch.arange(len(users)))


def next_film(kit: Kit, model: NextFilm, likes: Likes, films: Tensor, following: Tensor) -> Tensor:
    """At each place, the film that follows among all films."""
    return kit.cross_entropy(model(films).flatten(0, 1), following.flatten())


def ways(likes: Likes) -> list[Way]:
    """Four losses for the towers, and the next-film model."""
    rows, following, latest = windows(likes)
    ends = (latest < likes.known.shape[1]).sum(1) - 1

    def sequences(likes: Likes, generator: torch.Generator) -> Iterator[tuple[Tensor, ...]]:
        for some in torch.randperm(len(rows), generator=generator).split(16):
            yield rows[some], following[some]

    def towers(likes: Likes, kit: Kit) -> Towers:
        return Towers(likes)

    def at_the_end(model: NextFilm) -> Tensor:
        parts = zip(latest.split(64), ends.split(64), strict=True)
        return torch.cat([model(rows)[torch.arange(len(rows)), end] for rows, end in parts])

    return [
        Way("BPR", towers, triples, bpr, products, {"lr": 0.01, "weight_decay": 1e-5}),
        Way("pairwise margin", towers, triples, margin, nearness, {"lr": 0.005, "weight_decay": 3e-5}),
        Way("contrastive", towers, triples, contrastive, nearness, {"lr": 0.01, "weight_decay": 3e-5}),
        Way("softmax", towers, triples, softmax, products, {"lr": 0.01, "weight_decay": 1e-5}),
        Way("next film", NextFilm, sequences, next_film, at_the_end, {"lr": 0.005, "weight_decay": 1e-5}, 0.5),
    ]


# Judging


class Figures(NamedTuple):
    """What a list of scores is worth on what was held out."""

    auc: float
    grouped: float
    recall: float


def judge(likes: Likes, scores: Tensor) -> Figures:
    """By all films that a user is not known to like."""
    open_ = ~likes.known
    liked, values = likes.held[open_], scores[open_]
    groups = torch.arange(len(scores))[:, None].expand_as(open_)[open_]
    top = scores.masked_fill(likes.known, -torch.inf).topk(TOP).indices
    hits = likes.held.gather(1, top).sum(1) / likes.held.sum(1).clamp(max=TOP)
    grouped = bh.grouped_roc_auc_score(liked, values, groups, average="groups")
    return Figures(float(bh.roc_auc_score(liked, values)), float(grouped.value), float(hits.mean()))


@dataclass
class Trained:
    """Figures after each epoch, and the seconds of training alone."""

    figures: list[Figures] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def last(self) -> Figures:
        """Those of the model that is kept."""
        return self.figures[-1]


def train(way: Way, kit: Kit, likes: Likes, epochs: int, seed: int, tick: Callable[[], None]) -> Trained:
    """From the seed's start over the seed's batches; `tick` is called after each epoch."""
    torch.manual_seed(seed)
    model, generator, result = way.make(likes, kit), torch.Generator().manual_seed(seed), Trained()
    optimizer = kit.adam(model.parameters(), **way.options)
    for _ in range(way.epochs(epochs)):
        start = time.perf_counter()
        for batch in way.batches(likes, generator):
            optimizer.zero_grad()
            way.loss(kit, model, likes, *batch).backward()
            optimizer.step()
        result.seconds += time.perf_counter() - start
        with torch.no_grad():
            result.figures.append(judge(likes, way.scores(model)))
        tick()
    return result


# The report


@dataclass(frozen=True)
class Line:
    """A model, its twin, and what they must do."""

    name: str
    model: Trained
    twin: Trained
    popular: Figures

    @property
    def beats(self) -> bool:
        """Whether the list of popular films is behind in every figure."""
        return all(a > b for a, b in zip(self.model.last, self.popular, strict=True))

    @property
    def matches(self) -> bool:
        """Whether the twin came out the same."""
        return self.apart <= TOLERANCE

    @property
    def apart(self) -> float:
        """The largest difference from the twin's figures."""
        return max(abs(a - b) for a, b in zip(self.model.last, self.twin.last, strict=True))


def table(lines: list[Line], popular: Figures) -> Table:
    """The losses side by side."""
    caption = (
        "better: than the popular films, in all three; twin: the largest difference from the same model with torch's "
        "own losses, layers and Adam; s and its s: seconds of training, and the twin's"
    )
    found = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, caption=caption, caption_justify="left")
    for head in ("", "AUC", "grouped", f"recall@{TOP}", "better", "twin", "s", "its s"):
        found.add_column(head, justify="right" if head else "left", no_wrap=True)
    found.add_row("popular films", *(f"{x:.4f}" for x in popular), end_section=True)
    for line in lines:
        times = (f"{t.seconds:.1f}" for t in (line.model, line.twin))
        marks = ("yes" if line.beats else "NO", f"{line.apart:.0e}")
        found.add_row(line.name, *(f"{x:.4f}" for x in line.model.last), *marks, *times)
    return found


def plot(lines: list[Line], popular: Figures, file: Path) -> None:
    """Grouped AUC and recall from epoch to epoch; the twins as rings on the lines."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    both = figure.subplots(1, 2)
    for axes, name in zip(both, ("grouped", "recall"), strict=True):
        for line, colour in zip(lines, ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"), strict=True):
            epochs = range(1, len(line.model.figures) + 1)
            axes.plot(epochs, [getattr(f, name) for f in line.model.figures], color=colour, label=line.name)
            rings = [getattr(f, name) for f in line.twin.figures]
            axes.plot(epochs, rings, "o", color=colour, markersize=5, fillstyle="none", alpha=0.6)
        axes.axhline(getattr(popular, name), color="#777777", linestyle="--", label="popularity")
        axes.set(xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
    both[0].set_title("grouped AUC of the films held out", loc="left")
    both[1].set_title(f"recall@{TOP}", loc="left")
    both[0].plot([], [], "o", color="#777777", fillstyle="none", label="torch's twin")
    figure.legend(*both[0].get_legend_handles_labels(), frameon=False, loc="outside right upper")
    figure.savefig(file, dpi=150)


def main() -> int:
    """Train all, print the table, save the plot; 1 if a model fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--epochs", type=int, help="rounds over the data; 12 unless given, 4 with --quick")
    parser.add_argument("--seed", type=int, default=0, help="of starts and batches")
    parser.add_argument("--quick", action="store_true", help="a few epochs")
    parser.add_argument("--plot", type=Path, default=Path("two_tower.png"), help="where the plot goes")
    asked = parser.parse_args()
    epochs = (4 if asked.quick else 12) if asked.epochs is None else asked.epochs
    if epochs < 1:
        parser.error(f"--epochs is {epochs}; give 1 or more")
    # Batches this small run no faster on two threads, and on one every sum is taken in the same order everywhere.
    torch.set_num_threads(1)
    bh.set_num_threads(1)

    likes = read()
    popular = judge(likes, likes.popularity.expand(likes.known.shape))
    lines, trained = [], ways(likes)
    columns = (TextColumn("{task.description:>24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=2 * sum(way.epochs(epochs) for way in trained))
        for way in trained:
            both = []
            for side, kit in (("", ours()), (" (torch)", torchs())):
                progress.update(task, description=way.name + side)
                both.append(train(way, kit, likes, epochs, asked.seed, lambda: progress.advance(task)))
            lines.append(Line(way.name, *both, popular))

    plot(lines, popular, asked.plot)
    console = Console()
    console.print(table(lines, popular))
    console.print(f"the plot: {asked.plot}", soft_wrap=True)
    for line in lines:
        if not line.beats:
            console.print(f"{line.name} does not beat the list of popular films")
        if not line.matches:
            console.print(f"{line.name} is {line.apart:.1e} from torch's twin, more than {TOLERANCE:.0e}")
    return 0 if all(line.beats and line.matches for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
