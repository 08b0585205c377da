"""Cross-entropy between logits and class indices or probabilities."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.cross_entropy import launch
from barehand.core.arrays import Reduction
from barehand.core.dispatch import by_kind


@by_kind
def cross_entropy(
    logits: ArrayLike,
    target: ArrayLike,
    *,
    axis: int = -1,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
    from_probabilities: bool = False,
) -> Any:
    """How many nats the predicted distribution spends on the true class: -log p[target], p the softmax of the logits.

    loss = -sum_j w_j ((1 - e) q_j + e / n) log p_j, with q the target, w the class weights and e the label smoothing.

    Args:
        logits: scores in nats with n classes along `axis`; float16, float32 or float64 are kept.
        target: integers, the class of each row, in the shape of logits without `axis`; or floating probabilities from
            0 to 1 in the shape of logits.
        axis: the class axis.
        weight: shape (n,), at least 0: what each class counts.
        ignore_index: rows with this target have no loss and no gradient; for integer targets.
        label_smoothing: e, from 0 to 1: the share of the target spread evenly over the classes.
        reduction: "mean", "sum" or "none". The mean divides by the sum of the targets' weights; by the number of rows
            where the targets are probabilities.
        from_probabilities: logits are probabilities from 0 to 1 already; no softmax is taken.

    Returns:
        A number, or an array in the shape of logits without `axis`, in the dtype of logits.

    Raises:
        TypeError: an argument is not numbers of the right kind.
        ValueError: a shape, label, probability, weight or option is out of range; the message names the value.

    Edge cases: 0 log 0 is 0. A mean over nothing (all ignored, or no rows) is 0 with zero gradients. A target that the
    model gives probability 0 costs inf. A row with nan or +inf is nan. A confident right row keeps its digits: logits
    [20, 0] and label 0 cost 2.06e-9, in float32 too.

    Cost: logits are read twice, from cache when a row fits there; the gradient comes from the same sweep.

    Source: I. J. Good (1952), Rational decisions, J. R. Stat. Soc. B 14(1); label smoothing: C. Szegedy et al. (2015),
    arXiv:1512.00567, section 7.

    >>> round(float(cross_entropy([[2.0, 0.0], [0.0, 0.0]], [0, 1])), 4)
    0.41
    """
    given = launch.Arguments(logits, target, axis, weight, ignore_index, label_smoothing, reduction, from_probabilities)
    return launch.forward(given)
