"""Grouped AUC: what a click model knows once an impression's place, user or item is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import barehand as bh
from barehand.demo import logs
from barehand.demo.clicking import FOLDS, scored
from barehand.demo.measure import Array, in_turns
from barehand.demo.outcome import Check, Comparison, Found
from barehand.demo.stop import Context, Stop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EPS = float(np.finfo(np.float64).eps)
_TIMED = "user features"


def _by_loop(clicked: Array, scores: Array, groups: Array) -> float:
    """scikit-learn's AUC group by group, weighted by rows."""
    from sklearn.metrics import roc_auc_score

    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order])) + 1
    parts = [rows for rows in np.split(order, starts) if 0 < clicked[rows].sum() < len(rows)]
    return float(np.average([roc_auc_score(clicked[r], scores[r]) for r in parts], weights=[len(r) for r in parts]))


def visit(context: Context) -> Found:
    """The same scores, compared within ever smaller groups; rows of different folds never meet."""
    log = scored(context)
    groups = {"fold": log.fold}
    groups |= {name: column * FOLDS + log.fold for name, column in logs.contexts(context).items()}
    found = {name: bh.grouped_roc_auc_score(log.clicked, log.scores, column) for name, column in groups.items()}
    (_, theirs), (seconds, their_seconds) = in_turns(
        [
            lambda: bh.grouped_roc_auc_score(log.clicked, log.scores, groups[_TIMED]),
            lambda: _by_loop(log.clicked, log.scores, groups[_TIMED]),
        ],
        repeat=1,
    )
    ours = found[_TIMED]
    rows = len(log.scores)
    gap = abs(float(ours.value) - theirs)
    because = f"theirs adds up {rows:,} strips of area in all, each rounded by eps = {_EPS:.0e}"
    check = Check("areas", gap, rows * _EPS, because)

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import MUTED, OURS

        ax = figure.subplots()
        figure.set_figheight(2.2)
        labels = ["all of a fold", *(f"equal {name}" for name in list(groups)[1:])]
        values = [float(found[name].value) for name in groups]
        bars = ax.barh(labels, np.array(values) - 0.5, left=0.5, color=OURS, height=0.6)
        notes = [
            f"{v:.3f}, {f.n_groups - f.n_skipped:,} of {f.n_groups:,} groups"
            for v, f in zip(values, found.values(), strict=True)
        ]
        ax.bar_label(bars, notes, padding=4, fontsize=8)
        ax.axvline(0.5, color=MUTED, linewidth=1.2)
        ax.invert_yaxis()
        ax.set(xlim=(0.495, 0.5 + 1.45 * (max(values) - 0.5)), title="AUC among impressions of")

    return Found(
        measure=f"AUC, within {ours.n_groups - ours.n_skipped} groups of users",
        result=float(ours.value),
        seconds=seconds,
        timed=f"a call on {rows:,} rows in {ours.n_groups:,} groups",
        comparison=Comparison("scikit-learn, in a loop", theirs, their_seconds, (check,)),
        seen="Part of what an AUC over all rows credits a model with is telling groups apart. Among impressions for "
        "equal users what is left is which item to show; among impressions of one item, which user to show it to. A "
        "group without a click has no AUC and is left out.",
        baseline=("over all of a fold", float(found["fold"].value)),
        picture=draw,
    )


STOP = Stop(
    "auc",
    ("grouped_roc_auc_score", "LogisticRegression"),
    "what is left within a group",
    "Open Bandit clicks",
    visit,
    needs=("pyarrow", "sklearn"),
)
