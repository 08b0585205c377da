"""BPR: matrix factorisation that ranks what a user liked above the rest."""

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


def _gradients(params: Params, users: Array, liked: Array, drawn: Array) -> tuple[float, tuple[Array, ...]]:
    """A score is a user's row times a film's; the BPR loss of the film liked against the film drawn."""
    U, V = params
    u, p, n = U[users], V[liked], V[drawn]
    loss, (dp, dn) = vjp.bpr_loss((u * p).sum(axis=1), (u * n).sum(axis=1), with_value=True)
    dp, dn = dp[:, None], dn[:, None]
    films, moves = np.concatenate((liked, drawn)), np.concatenate((dp * u, dn * u))
    return loss, (models.scatter(users, dp * p + dn * n, len(U)), models.scatter(films, moves, len(V)))


def _torch_loss(params: Any, users: Any, liked: Any, drawn: Any) -> Any:
    from torch.nn.functional import embedding, logsigmoid

    U, V = params
    u = embedding(users, U)
    return -logsigmoid((u * embedding(liked, V)).sum(1) - (u * embedding(drawn, V)).sum(1)).mean()


def visit(context: Context) -> Found:
    """A loop of Adam over vjp.bpr_loss, judged by each user's last film against all films they have not liked."""
    likes = logs.likes(context)
    rng = context.rng()
    start = models.factors(rng, len(likes.held), len(likes.titles), np.float32)
    epochs = likes.triples(rng, 1024, 20)

    def judge(params: Params) -> float:
        return likes.auc(params[0] @ params[1].T)

    trained = train(start, _gradients, epochs, Adam(lr=0.01, decay=1e-5), peer=_torch_loss, watch=judge)
    popular = likes.auc(likes.popularity())
    scores = trained.params[0] @ trained.params[1].T
    rank, by_count = likes.ranks(scores), likes.ranks(likes.popularity())

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import MUTED, OURS, curve

        left, right = figure.subplots(1, 2)
        curve(left, "AUC of the film held out", {"BPR": trained.watched}, {"by popularity": popular})
        places = np.arange(1, len(likes.titles) + 1)
        for ranks, label, colour in ((rank, "BPR", OURS), (by_count, "by popularity", MUTED)):
            right.plot(
                places, np.searchsorted(np.sort(ranks), places, side="right") / len(ranks), color=colour, label=label
            )
        right.set(xscale="log", xlabel="length of the list", title="users whose film held out is on their list")
        right.legend(fontsize=8)

    return Found(
        measure=f"AUC, the last film of {len(likes.held)} users",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge, one_flip=likes.one_swap),
        seen=f"{len(likes.users):,} ratings of 4 stars or more, {len(likes.titles):,} films, 32 numbers a user and a "
        f"film. The film held out is among the first 100 for {np.mean(rank <= 100):.0%} of the users, by popularity "
        f"for {np.mean(by_count <= 100):.0%}; among the first 10 for {np.mean(rank <= 10):.1%}, by popularity for "
        f"{np.mean(by_count <= 10):.1%}.",
        baseline=("by popularity", popular),
        picture=draw,
    )


STOP = Stop("bpr", ("bpr_loss", "Adam"), "matrix factorisation", "MovieLens", visit, needs=("pyarrow",))
