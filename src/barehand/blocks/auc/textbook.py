"""Area under the ROC curve as on paper: the share of pairs of a positive and a negative that are ranked rightly."""

from __future__ import annotations

from typing import Any

import numpy as np


def _weights(sample_weight: Any, rows: int) -> Any:
    """In long double: what judges others may not lose digits in its sums."""
    return np.ones(rows, np.longdouble) if sample_weight is None else np.asarray(sample_weight, np.longdouble)


def _area(positive: Any, s: Any, w: Any) -> Any:
    """P(a positive scores above a negative) + P(they tie) / 2, each pair counted with the product of its weights."""
    p, n, wp, wn = s[positive], s[~positive], w[positive], w[~positive]
    order = np.argsort(n)
    below = np.append(0, wn[order].cumsum())  # the weight of the first k negatives
    under, upto = (below[np.searchsorted(n[order], p, side)] for side in ("left", "right"))
    pairs = wp.sum() * wn.sum()
    return (wp * (under + upto)).sum() / (2 * pairs) if pairs > 0 else np.nan


def _steps(positive: Any, s: Any, w: Any) -> tuple[Any, Any, Any]:
    """Distinct scores from the highest down, and the weight of negatives and of positives that reach each."""
    s, positive, w = (a[w > 0] for a in (s, positive, w))
    order = np.argsort(s)[::-1]
    s, positive, w = s[order], positive[order], w[order]
    last = np.append(s[1:] != s[:-1], True)
    return s[last], np.cumsum(w * ~positive)[last], np.cumsum(w * positive)[last]


def _partial_area(positive: Any, s: Any, w: Any, max_fpr: float) -> Any:
    """The area up to max_fpr, rescaled so that chance is 1/2 and the best 1 (McClish 1989)."""
    _, fps, tps = _steps(positive, s, w)
    fpr, tpr = (np.append(0, a) / a[-1] for a in (fps, tps))
    k = np.searchsorted(fpr, max_fpr, "right")
    slope = (tpr[k] - tpr[k - 1]) / (fpr[k] - fpr[k - 1])
    x, y = np.append(fpr[:k], max_fpr), np.append(tpr[:k], tpr[k - 1] + slope * (max_fpr - fpr[k - 1]))
    area, least = np.trapezoid(y, x), np.longdouble(max_fpr) ** 2 / 2
    return (1 + (area - least) / (max_fpr - least)) / 2


def roc_auc_score(
    y_true: Any, y_score: Any, *, sample_weight: Any = None, max_fpr: Any = None, multi_class: Any = "raise",
    average: Any = "macro", labels: Any = None
) -> Any:  # fmt: skip
    """One area for two classes; else those of the columns, of each class against the rest, or of pairs of classes."""
    y, s, w = np.asarray(y_true), np.asarray(y_score), _weights(sample_weight, len(y_true))

    def one(positive: Any, s: Any, w: Any) -> Any:
        return _area(positive, s, w) if max_fpr in (None, 1) else _partial_area(positive, s, w, max_fpr)

    if s.ndim == 1:
        return np.float64(one(y == np.unique(y)[-1], s, w))
    classes = np.unique(y) if labels is None else np.asarray(labels)
    if y.ndim == 1 and multi_class == "ovo":  # Hand and Till (2001), equations 3 and 7
        both = [((a, b), (y == classes[a]) | (y == classes[b])) for b in range(classes.size) for a in range(b)]
        areas = [sum(_area((y == classes[c])[m], s[m, c], w[m]) for c in pair) / 2 for pair, m in both]
        share = [m.mean() for _, m in both]
        return np.float64(np.average(areas, weights=share if average == "weighted" else None))
    positive = y[:, None] == classes if y.ndim == 1 else y == y.max()
    if average == "micro":
        return np.float64(one(positive.ravel(), s.ravel(), np.repeat(w, s.shape[1])))
    support = w @ positive if average == "weighted" else w if average == "samples" else np.ones(s.shape[1])
    if average == "samples":
        positive, s, w = positive.T, s.T, np.ones(s.shape[1])
    each = np.array([one(positive[:, c], s[:, c], w) for c in range(s.shape[1])])
    return np.float64(each) if average is None else np.float64((each * support).sum() / support.sum())


def grouped_roc_auc_score(
    y_true: Any, y_score: Any, groups: Any, *, sample_weight: Any = None, average: str = "rows"
) -> tuple[Any, int, int]:
    """The areas within groups, averaged over those that have both classes; how many groups, how many left out."""
    y, s, g = np.asarray(y_true), np.asarray(y_score), np.asarray(groups)
    w, positive = _weights(sample_weight, y.size), y == np.unique(y)[-1]
    number = {name: k for k, name in enumerate(dict.fromkeys(g.tolist()))}
    codes = np.array([number[name] for name in g.tolist()])
    rows = np.split(np.argsort(codes), np.bincount(codes).cumsum()[:-1])
    areas = np.array([_area(positive[m], s[m], w[m]) for m in rows])
    counted = {"rows": w, "positives": w * positive, "groups": None}[average]
    share = np.array([1 if average == "groups" else counted[m].sum() for m in rows])
    ok = ~np.isnan(areas)
    return np.float64((areas * share)[ok].sum() / share[ok].sum()), len(number), int((~ok).sum())


def roc_curve(
    y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None, drop_intermediate: bool = True
) -> tuple[Any, Any, Any]:
    """False and true positive rates at each distinct score, without the points that lie on a line between others."""
    y, s = np.asarray(y_true), np.asarray(y_score)
    positive = y == (np.unique(y)[-1] if pos_label is None else pos_label)
    thresholds, fps, tps = _steps(positive, s, _weights(sample_weight, y.size))
    keep = np.full(fps.size, not drop_intermediate)
    keep[[0, -1]] = True
    keep[1:-1] |= (np.diff(fps, 2) != 0) | (np.diff(tps, 2) != 0)
    fpr, tpr = (np.float64(np.append(0, a[keep]) / a[-1]) for a in (fps, tps))
    return fpr, tpr, np.float64(np.append(np.inf, thresholds[keep]))
