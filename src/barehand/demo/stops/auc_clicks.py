"""AUC and the ROC curve: how well a model tells the clicks of a log, over all thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import barehand as bh
from barehand.demo.clicking import FOLDS, scored
from barehand.demo.measure import Array, in_turns
from barehand.demo.outcome import Check, Comparison, Found
from barehand.demo.stop import Context, Stop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EPS = float(np.finfo(np.float64).eps)


def visit(context: Context) -> Found:
    """One area and one curve a fold, each of impressions that its model has not seen."""
    from sklearn import metrics

    log = scored(context)
    folds = [(log.clicked[log.fold == k], log.scores[log.fold == k]) for k in range(FOLDS)]

    def measure(library: Any) -> tuple[list[float], list[tuple[Array, Array, Array]]]:
        return [float(library.roc_auc_score(*f)) for f in folds], [library.roc_curve(*f) for f in folds]

    ((areas, curves), (their_areas, their_curves)), (seconds, their_seconds) = in_turns(
        [lambda: measure(bh), lambda: measure(metrics)]
    )
    thresholds = max(len(np.unique(z)) for _, z in folds)
    gap = max(abs(a - b) for a, b in zip(areas, their_areas, strict=True))
    apart = max(
        float(np.abs(a - b).max())
        for ours, theirs in zip(curves, their_curves, strict=True)
        for a, b in zip(ours[:2], theirs[:2], strict=True)
    )
    because = (
        f"ours divides once; theirs adds up to {thresholds:,} strips of the area, each rounded by eps = {_EPS:.0e}"
    )
    checks = (
        Check("areas", gap, thresholds * _EPS, because),
        Check("curves", apart, _EPS, "a rate is one quotient of two counts"),
    )

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import MUTED, OURS, PEER

        left, right = figure.subplots(1, 2)
        for k, (fpr, tpr, _) in enumerate(curves):
            left.plot(fpr, tpr, color=OURS, alpha=0.75, linewidth=1.3, label=None if k else f"the {FOLDS} folds")
        left.plot((0, 1), (0, 1), color=MUTED, linestyle="--", linewidth=1.2, label="at random")
        left.set(xlabel="share of the other impressions", title="share of the clicks above a threshold", aspect="equal")
        left.legend(fontsize=8, loc="lower right")
        low, high = np.quantile(log.scores, (0.001, 0.999))
        bins = np.linspace(low, high, 50)
        for value, label, colour in ((0, "not clicked", MUTED), (1, "clicked", PEER)):
            rows = log.scores[log.clicked == value]
            style: dict[str, Any] = {"density": True, "histtype": "step", "linewidth": 1.6, "color": colour}
            right.hist(rows, bins=bins, label=label, **style)
        right.set(xlabel="score: log-odds of a click", yticks=[], title="scores of both kinds")
        right.legend(fontsize=8)

    return Found(
        measure=f"AUC, mean of {FOLDS} folds of {len(log.scores):,} impressions",
        result=float(np.mean(areas)),
        seconds=seconds,
        timed=f"{FOLDS} areas and curves of {len(folds[0][0]):,} rows",
        comparison=Comparison("scikit-learn", float(np.mean(their_areas)), their_seconds, checks),
        seen=f"A logistic regression learns from two thirds of the log and scores the last. With {log.clicked.sum()} "
        f"clicks in all it hardly tells them: its areas are {', '.join(f'{a:.3f}' for a in areas)}, a random order has "
        "0.5.",
        baseline=("at random", 0.5),
        picture=draw,
    )


STOP = Stop(
    "auc",
    ("roc_auc_score", "roc_curve", "LogisticRegression"),
    "clicks over all thresholds",
    "Open Bandit clicks",
    visit,
    needs=("pyarrow", "sklearn"),
)
