"""Area under the ROC curve, the same within groups, and the curve."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from numpy.typing import ArrayLike

from barehand.blocks.auc import launch
from barehand.core.arrays import Array
from barehand.core.dispatch import by_kind


class GroupedAuc(NamedTuple):
    """The average AUC within groups, the number of groups, and how many of those have no AUC."""

    value: Any
    n_groups: int
    n_skipped: int


@by_kind
def roc_auc_score(
    y_true: ArrayLike, y_score: ArrayLike, *, sample_weight: Any = None, max_fpr: float | None = None,
    multi_class: Literal["raise", "ovr", "ovo"] = "raise",
    average: Literal["macro", "weighted", "micro", "samples"] | None = "macro", labels: Any = None
) -> Any:  # fmt: skip
    """How often a positive scores above a negative: the exact area under the ROC curve, as scikit-learn's.

    AUC = P(s+ > s-) + P(s+ = s-) / 2 over all pairs of a positive and a negative.

    Args:
        y_true: (n,), two classes of any type, the greater is positive; or several classes; or (n, c) of 0 or -1, and 1.
        y_score: (n,), any scale; (n, c) for c labels, or probabilities of c classes. Integers rank in float64.
        sample_weight: (n,), finite, at least 0.
        max_fpr: in (0, 1]: only the area up to there, rescaled so that chance is 1/2 (McClish).
        multi_class: classes one against the rest ("ovr") or one against one ("ovo", Hand and Till).
        average: of several areas: "macro", "weighted" by positives, "micro", "samples" (rows), or None: each.
        labels: the classes of the columns, sorted; by default those in y_true.

    Returns:
        A float64, or an array of c with average=None.

    Raises:
        TypeError, ValueError: labels, scores or weights of a wrong type, shape or value, nan and no rows among them.
        NotImplementedError: average=None with "ovo".

    Edge cases: equal scores count 1/2, so constant scores give 1/2; -0.0 equals 0.0; inf ranks last and -inf first. One
    class only, or weight on one class only: nan and an UndefinedMetricWarning (scikit-learn's where that is loaded).

    Cost: a sort by digits, O(n); 8 to 16 bytes a row. Unweighted pairs are counted in int64, and divided once.

    Source: J. Hanley, B. McNeil (1982), doi:10.1148/radiology.143.1.7063747; D. McClish (1989),
    doi:10.1177/0272989X8900900307, equation 5; D. Hand, R. Till (2001), doi:10.1023/A:1010920819831, equation 7.

    >>> float(roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8]))
    0.875
    """
    return launch.roc_auc_score(y_true, y_score, sample_weight, max_fpr, multi_class, average, labels)


@by_kind
def grouped_roc_auc_score(
    y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, *, sample_weight: Any = None, average: str = "rows"
) -> GroupedAuc:
    """AUC within each group (a user, a request), averaged: the GAUC of ranking and recommendation.

    value = sum of w_g AUC_g / sum of w_g over the groups with both classes.

    Args:
        y_true, y_score, sample_weight: (n,), as for `roc_auc_score`, two classes.
        groups: (n,), the name of each row's group: integers, words, any objects that hash; in any order.
        average: w_g is the group's "rows" or "positives", by weight where there are weights, or 1 ("groups").

    Returns:
        GroupedAuc(value, n_groups, n_skipped): a float64, all groups, and those of one class, which are left out.

    Raises:
        TypeError, ValueError: as `roc_auc_score`; groups of another length, nan or None for a name, or a third class.

    Edge cases: no group with both classes: nan and the warning. Weight on one class only: left out, but a group.
    Cost: O(n): rows are dealt out to their groups and sorted there; names that are not integers cost a lookup each.

    Source: H. Zhu et al. (2017), "Optimized Cost per Click in Taobao Display Advertising", KDD, arXiv:1703.02091.

    >>> float(grouped_roc_auc_score([0, 1, 1, 0, 1], [0.2, 0.7, 0.1, 0.3, 0.9], ["a", "a", "b", "b", "c"]).value)
    0.5
    """
    return GroupedAuc(*launch.grouped_roc_auc_score(y_true, y_score, groups, sample_weight, average))


@by_kind
def roc_curve(
    y_true: ArrayLike, y_score: ArrayLike, *, pos_label: Any = None, sample_weight: Any = None,
    drop_intermediate: bool = True
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The false and the true positive rate at each threshold, from the highest score down, as scikit-learn's.

    fpr(t) = P(s- >= t), tpr(t) = P(s+ >= t).

    Args:
        y_true, y_score, sample_weight: (n,), as for `roc_auc_score`.
        pos_label: the positive class; by default 1, if the labels are 0 and 1, or -1 and 1.
        drop_intermediate: leave out points that lie on a line between their neighbours.

    Returns:
        (fpr, tpr, thresholds) in float64, from (0, 0, inf) to (1, 1, the lowest score).

    Raises:
        TypeError, ValueError: as `roc_auc_score`; several classes, or words, without pos_label.

    Edge cases: one point for equal scores; a row of weight 0 has none; without a class its rate is nan, with a warning.
    Cost: a sort by digits, O(n), and 24 bytes a threshold.

    Source: T. Fawcett (2006), doi:10.1016/j.patrec.2005.10.010, algorithm 1.

    >>> [a.tolist() for a in roc_curve([0, 1, 1], [0.1, 0.4, 0.8])]
    [[0.0, 0.0, 0.0, 1.0], [0.0, 0.5, 1.0, 1.0], [inf, 0.8, 0.4, 0.1]]
    """
    return launch.roc_curve(y_true, y_score, pos_label, sample_weight, drop_intermediate)
