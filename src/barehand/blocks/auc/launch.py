"""From labels, scores and group names to areas under ROC curves, their averages, and the curve itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.blocks.auc import labels as door
from barehand.blocks.auc.ranking import Scores, area, partial_area, steps
from barehand.core import arrays
from barehand.core.arrays import Array
from barehand.core.labels import numbered, read_names
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.auc.cpu")
threads = LazyModule("barehand.core.threads")

_ONE_CLASS = "Only one class is present in y_true. ROC AUC score is not defined in that case."
_NOTHING = np.empty(0)


def _one(s: Array, positive: Array, w: Array, max_fpr: float | None) -> float:
    return area(s, positive, w) if max_fpr in (None, 1) else partial_area(s, positive, w, float(max_fpr or 1))


def _averaged(s: Array, positive: Array, w: Array, average: str | None, max_fpr: float | None) -> tuple[Any, Any]:
    """The areas of the columns, or of the rows for "samples", averaged; and these areas."""
    if average == "micro":
        area = _one(s.reshape(-1), positive.reshape(-1), np.repeat(w, s.shape[1]), max_fpr)
        return area, area
    support = np.ones(s.shape[1])
    if average == "samples":
        s, positive, support, w = s.T, positive.T, w if w.size else np.ones(len(s)), _NOTHING
    elif average == "weighted":
        support = w @ positive if w.size else positive.sum(axis=0)
        if not support.any():
            return 0.0, 0.0
    areas = np.array([_one(s[:, c], positive[:, c], w, max_fpr) for c in range(s.shape[1])])
    if average is None:
        return areas, areas
    return (np.where(support == 0, 0.0, areas) * support).sum() / support.sum(), areas  # nan without weight is nothing


def _one_against_one(s: Array, places: Array, average: str | None) -> float:
    """Hand and Till: each pair of classes both ways round, by itself."""
    areas, share = [], []
    there = np.unique(places).tolist()
    for pair in ((a, b) for i, b in enumerate(there) for a in there[:i]):
        rows = np.isin(places, pair)
        ends = [area(s[rows, c], places[rows] == c, _NOTHING) for c in pair]
        areas.append(sum(ends) / 2)
        share.append(rows.mean() if average == "weighted" else 1.0)
    return float(np.dot(areas, share) / sum(share)) if areas else math.nan


def _multiclass(
    found: door.Labels, s: Array, weight: Any, max_fpr: Any, how: str, average: Any, labels: Any
) -> tuple[Any, Any]:
    if max_fpr not in (None, 1):
        raise ValueError(
            "roc_auc_score: Partial AUC computation not available in multiclass setting, 'max_fpr' must be set to "
            f"`None`, received `max_fpr={max_fpr}` instead; leave it out"
        )
    if how == "raise":
        raise ValueError("roc_auc_score: y_true has several classes; multi_class must be in ('ovo', 'ovr')")
    if s.ndim != 2:
        raise ValueError(
            f"roc_auc_score: `y_score` needs to be of shape `(n_samples, n_classes)`, since `y_true` contains multiple "
            f"classes. Got `y_score.shape={s.shape}`; give a column for each class"
        )
    if not np.allclose(1, s.sum(axis=1)):
        raise ValueError(
            "roc_auc_score: Target scores need to be probabilities for multiclass roc_auc, i.e. they should sum up to "
            "1.0 over classes; apply softmax"
        )
    options = ("micro", "macro", "weighted", None)[how == "ovo" :]
    if average not in options:
        raise ValueError(
            f"roc_auc_score: average must be one of {options} for multiclass problems, not {average!r}; 'macro' is the "
            "plain mean"
        )
    if how == "ovo" and average is None:
        raise NotImplementedError(
            "roc_auc_score: average=None is not implemented for multi_class='ovo'; use 'macro', or 'ovr'"
        )
    places = door.class_places("roc_auc_score", found, labels, s.shape[1])
    if how == "ovo":
        if weight is not None:
            raise ValueError(
                "roc_auc_score: sample_weight is not supported for multiclass one-vs-one ROC AUC, 'sample_weight' must "
                "be None in this case; leave it out, or use 'ovr'"
            )
        value = _one_against_one(s, places, average)
        return value, value
    w = door.read_weights("roc_auc_score", weight, len(s))
    return _averaged(s, places[:, None] == np.arange(s.shape[1]), w, average, None)


def roc_auc_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    sample_weight: ArrayLike | None,
    max_fpr: float | None,
    multi_class: str,
    average: str | None,
    labels: ArrayLike | None,
) -> Any:
    """The area, or one for each column."""
    name = "roc_auc_score"
    arrays.check_option(name, "multi_class", multi_class, ("raise", "ovr", "ovo"))
    if average is not None:
        arrays.check_option(name, "average", average, ("micro", "macro", "samples", "weighted"))
    if max_fpr is not None:
        max_fpr = arrays.check_number(name, "max_fpr", max_fpr, low=0.0, high=1.0, above=True)
    found = door.read(name, y_true)
    s = door.read_scores(name, y_score, len(found.y))
    if found.positive is None or (found.y.ndim == 1 and s.ndim == 2 and s.shape[1] > 2):
        value, areas = _multiclass(found, s, sample_weight, max_fpr, multi_class, average, labels)
    elif found.y.ndim == 2:
        if s.shape != found.y.shape:
            raise ValueError(
                f"{name}: y_true has shape {found.y.shape} and y_score {s.shape}; give one score for each label"
            )
        door.check_indicators(name, found)
        w = door.read_weights(name, sample_weight, len(s))
        value, areas = _averaged(s, found.positive, w, average, max_fpr)
    else:
        s = door.one_column(name, s)
        value = areas = _one(s, found.positive, door.read_weights(name, sample_weight, len(s)), max_fpr)
    if np.isnan(areas).any():
        door.undefined(name, _ONE_CLASS)
    return np.float64(value) if np.ndim(value) == 0 else value


def _group_codes(groups: ArrayLike, rows: int) -> tuple[Array, int, int]:
    """A number for each row's group, the lowest number, and how many numbers there may be."""
    name = "grouped_roc_auc_score"
    g = read_names(name, "groups", groups)
    if g.shape != (rows,):
        raise ValueError(f"{name}: groups has shape {g.shape}, y_true {rows} rows; give one group for each label")
    if g.dtype.char in "efd":
        g = (g.astype(np.float64) + 0.0).view(np.int64)
    elif g.dtype.kind in "mM":
        g = g.view(np.int64)
    if g.dtype.kind in "biu":
        low, high = int(g.min()), int(g.max())
        g = arrays.for_kernel(g.astype(np.int64, copy=False))
        if high - low < max(rows // 2, 1024) and high < 2**63:  # a table of all numbers between
            return g, low, high - low + 1
        codes = np.empty(rows, np.int64)
        return codes, 0, cpu.number(g, codes)
    codes, numbers = numbered(name, "groups", g)
    return codes, 0, numbers


def grouped_roc_auc_score(
    y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, sample_weight: ArrayLike | None, average: str
) -> tuple[Any, int, int]:
    """The average area, the groups, and those without one."""
    name = "grouped_roc_auc_score"
    arrays.check_option(name, "average", average, ("rows", "positives", "groups"))
    found = door.read(name, y_true)
    if found.positive is None or found.y.ndim == 2:
        raise ValueError(f"{name}: y_true has more than two classes or several columns; give labels of two classes")
    s = door.one_column(name, door.read_scores(name, y_score, len(found.y)))
    w = door.read_weights(name, sample_weight, len(s))
    g, first, numbers = _group_codes(groups, len(s))
    scores = Scores(s)
    codes = np.empty(len(s), np.uint32)
    threads.over_rows(cpu.halve, len(s), 2, g, first, scores.bits, scores.last, codes)
    _, _, edges, table = scores.count(codes, 2 * numbers, found.positive, w)
    low, high = table.reshape(numbers, 2, 4).swapaxes(0, 1)  # negative scores, and the others
    present = int(np.count_nonzero(np.diff(edges[::2])))
    p, n = low[:, 1] + high[:, 1], low[:, 2] + high[:, 2]
    both = (p > 0) & (n > 0)
    if not both.any():
        door.undefined(name, f"No group has both classes. {_ONE_CLASS}")
        return np.float64(np.nan), present, present
    twice = (low[:, 0] + high[:, 0] + 2 * high[:, 1] * low[:, 2])[both]
    p, n = p[both], n[both]
    areas = twice / (2 * p * n)
    share = {"rows": p + n, "positives": p, "groups": np.ones(p.size)}[average]
    return np.float64((areas * share).sum() / share.sum()), present, present - p.size


def roc_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    pos_label: Any,
    sample_weight: ArrayLike | None,
    drop_intermediate: bool,
) -> tuple[Array, Array, Array]:
    """False and true positive rates, and the thresholds."""
    name = "roc_curve"
    found = door.read(name, y_true)
    if found.y.ndim == 2:
        raise ValueError(f"{name}: y_true: multilabel-indicator format is not supported; give one column of labels")
    positive = door.positive_label(name, found, pos_label)
    s = door.one_column(name, door.read_scores(name, y_score, len(found.y)))
    thresholds, fps, tps = steps(s, positive, door.read_weights(name, sample_weight, len(s)))
    if drop_intermediate and fps.size > 2:
        corner = (np.diff(fps, 2) != 0) | (np.diff(tps, 2) != 0)
        keep = np.concatenate([[True], corner, [True]])
        thresholds, fps, tps = thresholds[keep], fps[keep], tps[keep]
    rates = []
    for counts, kind, rate in ((fps, "negative", "false"), (tps, "positive", "true")):
        if not counts[-1] > 0:
            door.undefined(name, f"No {kind} samples in y_true, {rate} positive value should be meaningless")
        rates.append(np.append(0.0, counts) / counts[-1] if counts[-1] > 0 else np.full(counts.size + 1, np.nan))
    return rates[0], rates[1], np.append(np.inf, thresholds)
