"""Pairwise margin loss: users and films as points, what a user liked nearer than the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from barehand import vjp
from barehand.demo import logs, models
from barehand.demo.measure import Array
from barehand.demo.outcome import Found
from barehand.demo.rules import Adam, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN = 0.8


def _gradients(params: Params, users: Array, liked: Array, drawn: Array) -> tuple[float, tuple[Array, ...]]:
    """The user is the anchor, the film liked the positive, the film drawn the negative."""
    U, V = params
    loss, (du, dp, dn) = vjp.pairwise_margin_loss(U[users], V[liked], V[drawn], margin=_MARGIN, with_value=True)
    films, moves = np.concatenate((liked, drawn)), np.concatenate((dp, dn))
    return loss, (models.scatter(users, du, len(U)), models.scatter(films, moves, len(V)))


def _torch_loss(params: Any, users: Any, liked: Any, drawn: Any) -> Any:
    """Not triplet_margin_loss: that adds 1e-6 to every coordinate before it takes the distance."""
    from torch.linalg import vector_norm
    from torch.nn.functional import embedding

    U, V = params
    u = embedding(users, U)
    near, far = vector_norm(u - embedding(liked, V), dim=1), vector_norm(u - embedding(drawn, V), dim=1)
    return (near - far + _MARGIN).clamp(min=0).mean()


def _distances(a: Array, b: Array) -> Any:
    squares = (a * a).sum(axis=1)[:, None] - 2 * a @ b.T + (b * b).sum(axis=1)
    return np.sqrt(np.maximum(squares, 0))


def visit(context: Context) -> Found:
    """A loop of Adam over vjp.pairwise_margin_loss, judged as BPR is; draw the neighbours of well-known films.

    In float64, unlike the other loops: the hinge's gradient jumps, and in float32 two runs that differ in rounding
    sooner or later find a triple on either side of the jump, and part.
    """
    likes = logs.likes(context)
    rng = context.rng()
    start = models.factors(rng, len(likes.held), len(likes.titles), np.float64)
    epochs = likes.triples(rng, 1024, 25)

    def judge(params: Params) -> float:
        return likes.auc(-_distances(*params))

    trained = train(start, _gradients, epochs, Adam(lr=0.012, decay=3e-5), peer=_torch_loss, watch=judge)
    popular = likes.auc(likes.popularity())
    films = trained.params[1]

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import curve, words

        figure.set_figheight(3.4)
        left, right = figure.subplots(1, 2)
        curve(left, "AUC of the film held out", {"margin": trained.watched}, {"by popularity": popular})
        known = np.argsort(-likes.popularity()[0])[:120]  # of films with few likes the neighbours are mostly noise
        lines = []
        for film in known[[0, 15, 30, 45]]:
            near = [f for f in known[np.argsort(_distances(films[[film]], films[known])[0])] if f != film][:3]
            lines.append((likes.titles[film], [likes.titles[f] for f in near]))
        words(right, "films, and the nearest of the 120 most liked", lines)

    return Found(
        measure=f"AUC, the last film of {len(likes.held)} users",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge, one_flip=likes.one_swap),
        seen="Users and films are points in 32 dimensions, and what a user liked shall lie nearer than other films, "
        "by a margin. Films liked by the same people become neighbours, though nobody told the model what they are "
        "about.",
        baseline=("by popularity", popular),
        picture=draw,
    )


STOP = Stop(
    "pairwise_margin", ("pairwise_margin_loss", "Adam"), "a space of tastes", "MovieLens", visit, needs=("pyarrow",)
)
