"""Focal loss: predicting the one click in two hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import barehand as bh
from barehand import vjp
from barehand.demo import logs
from barehand.demo.descent import Gradients
from barehand.demo.measure import Array
from barehand.demo.outcome import Found
from barehand.demo.rules import SGD, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import shuffled, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ALPHA, _GAMMA = 0.25, 2.0  # the paper's
_FOLDS = 3
_BATCH = 2000


def _gradients(alpha: float | None, gamma: float) -> Gradients:
    """One column of logits a fold; `kept` is zero where the row is held out from the column's model, and else 1/n."""

    def gradients(params: Params, x: Array, y: Array, kept: Array) -> tuple[float, tuple[Array, Array]]:
        W, b = params
        options: dict[str, Any] = {"alpha": alpha, "gamma": gamma, "reduction": "none"}
        losses, (dz,) = vjp.focal_loss(x @ W + b, y, **options, cotangent=kept, with_value=True)
        return float(np.vdot(losses, kept)), (x.T @ dz, dz.sum(axis=0))

    return gradients


def _torch_loss(params: Any, x: Any, y: Any, kept: Any) -> Any:
    """As torchvision writes it; torch itself has no focal loss."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    W, b = params
    z = x @ W + b
    t, p = y.to(z.dtype), z.sigmoid()
    missed, alpha = p * (1 - t) + (1 - p) * t, _ALPHA * t + (1 - _ALPHA) * (1 - t)
    return (kept * alpha * missed**_GAMMA * binary_cross_entropy_with_logits(z, t, reduction="none")).sum()


def visit(context: Context) -> Found:
    """The focal loss and plain cross-entropy on the same log; each row is scored by a model that has not seen it."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    x, clicked = logs.clicks(context)
    rng, share = context.rng(), clicked.mean()
    fold = np.empty(len(x), np.int64)
    for value in (0, 1):  # as many clicks in every fold
        rows = rng.permutation(np.flatnonzero(clicked == value))
        fold[rows] = np.arange(len(rows)) % _FOLDS
    kept = (fold[:, None] != np.arange(_FOLDS)).astype(np.float32) * np.float32(_FOLDS / (_FOLDS - 1) / _BATCH)
    y = np.repeat(clicked[:, None], _FOLDS, axis=1)
    # Starting at the log-odds of a click spares the steps that would only learn that clicks are rare.
    start = [np.zeros((x.shape[1], _FOLDS), np.float32), np.full(_FOLDS, np.log(share / (1 - share)), np.float32)]
    epochs = shuffled(rng, len(x), _BATCH, 10, x, y, kept)
    trained = train(start, _gradients(_ALPHA, _GAMMA), epochs, SGD(lr=20.0, momentum=0.9), peer=_torch_loss)
    entropy = train(start, _gradients(None, 0.0), epochs, SGD(lr=2.0, momentum=0.9))

    def folds(params: Params) -> list[tuple[Array, Array]]:
        """The clicks and the scores of each fold, the scores by the model that has not seen it."""
        z = (x @ params[0] + params[1])[np.arange(len(x)), fold]
        return [(clicked[fold == k], z[fold == k]) for k in range(_FOLDS)]

    def judge(params: Params) -> float:
        return float(np.mean([average_precision_score(*one) for one in folds(params)]))

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import MUTED, OURS, PEER

        left, right = figure.subplots(1, 2)
        shown = np.unique(np.geomspace(20, len(x) / _FOLDS, 80).astype(int))
        models = (("focal loss", trained.params, OURS), ("cross-entropy", entropy.params, PEER))
        for label, params, colour in models:
            ranked = [t[np.argsort(-z, kind="stable")] for t, z in folds(params)]
            rates = [100 * np.mean([t[:k].mean() for t in ranked]) for k in shown]
            left.plot(shown, rates, color=colour, label=label)
        left.axhline(100 * share, color=MUTED, linestyle="--", linewidth=1.2, label="at random")
        left.set(xscale="log", xlabel="impressions of a fold, best first", title="clicks in a hundred of them")
        left.legend(fontsize=8)
        p = np.linspace(0.01, 0.999, 200)
        z = np.log(p / (1 - p))
        for label, gamma, colour in ((f"focal, gamma = {_GAMMA:g}", _GAMMA, OURS), ("cross-entropy", 0.0, PEER)):
            loss = bh.focal_loss(z, np.ones(len(z), np.int64), alpha=None, gamma=gamma, reduction="none")
            right.plot(p, loss, color=colour, label=label)
        right.axvline(1 - share, color=MUTED, linestyle="--", linewidth=1.2, label="most of the log")
        right.set(
            xlabel="probability of what happened", yscale="log", ylim=(1e-6, 10), title="what an impression costs"
        )
        right.legend(fontsize=8, loc="lower left")

    clicks = int(clicked.sum())
    auc = np.mean([roc_auc_score(*one) for one in folds(trained.params)])
    scores = [(x[fold == k, 0], z) for k, (_, z) in enumerate(folds(trained.params))]
    again = np.mean([known[np.argsort(-z, kind="stable")[:20]] > 0 for known, z in scores])
    return Found(
        measure=f"average precision, {_FOLDS} folds of {len(x):,} impressions",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge),
        seen=f"{clicks} clicks, so a random order has an average precision of about {share:.4f}. Of the first "
        f"20 in a fold {again:.0%} show users what they have clicked before; over the whole list the AUC is {auc:.3f}, "
        "where 0.5 is chance.",
        baseline=("cross-entropy", judge(entropy.params)),
        picture=draw,
    )


STOP = Stop("focal", ("focal_loss",), "rare clicks", "Open Bandit clicks", visit, needs=("pyarrow", "sklearn"))
