"""Focal loss, binary and over classes."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.focal import launch
from barehand.core.arrays import Reduction
from barehand.core.dispatch import by_kind


@by_kind
def focal_loss(
    logits: ArrayLike,
    target: ArrayLike,
    *,
    alpha: float | tuple[float, float] | None = 0.25,
    gamma: float = 2.0,
    reduction: Reduction = "mean",
    from_probabilities: bool = False,
) -> Any:
    """Binary cross-entropy in which easy examples count little, for labels of which one kind is rare.

    loss = alpha_t (1 - p_t)^gamma (-log p_t), with p = sigmoid(logit), p_t = p for label 1 and 1 - p for label 0.

    Args:
        logits: any shape, binary or multi-label; float16, float32 or float64 are kept, integers become float64.
        target: labels 0 and 1 of any type, or probabilities between, in the shape of logits.
        alpha: a number from 0 to 1 weighs positives with alpha and negatives with 1 - alpha, as the paper does; a pair
            gives (positives, negatives); None weighs both with 1.
        gamma: the focusing exponent, at least 0; at 0 this is a weighted cross-entropy.
        reduction: "mean" over all elements, "sum" or "none".
        from_probabilities: logits are probabilities from 0 to 1 already.

    Returns:
        A number, or an array in the shape of logits, in their dtype.

    Raises:
        TypeError: an argument is not real numbers.
        ValueError: shapes differ (nothing is broadcast), a label is outside [0, 1], or an option is out of range.

    Edge cases: finite with finite gradients for every finite logit and gamma. A probability target t takes
    p_t = p t + (1 - p)(1 - t). nan logits give nan. The mean over nothing is 0.

    Cost: one pass; nothing but the result is stored, and with the gradient nothing but the gradient.

    Source: T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár (2017), arXiv:1708.02002, equation 5.

    >>> round(float(focal_loss([0.0, 4.0], [1, 1])), 5)
    0.02166
    """
    return launch.forward(logits, target, alpha, gamma, reduction, from_probabilities)


@by_kind
def softmax_focal_loss(
    logits: ArrayLike,
    target: ArrayLike,
    *,
    axis: int = -1,
    alpha: ArrayLike | None = None,
    gamma: float = 2.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Any:
    """Cross-entropy over classes in which rows that are right already count little.

    loss = alpha_t (1 - p_t)^gamma (-log p_t), p the softmax of the logits, t the row's class.

    Args:
        logits: scores in nats with n classes along `axis`.
        target: integers, the class of each row, in the shape of logits without `axis`.
        axis: the class axis.
        alpha: None, a number, or one number a class, at least 0.
        gamma, reduction: as in `focal_loss`; the mean divides by the number of rows not ignored.
        ignore_index: rows with this target have no loss and no gradient.

    Returns:
        A number, or an array in the shape of logits without `axis`, in the dtype of logits.

    Raises: as `cross_entropy`. Edge cases: 1 - p_t is summed from the other classes, so confident rows keep their
    digits. The mean over nothing is 0. Cost: as `cross_entropy`. Source: as `focal_loss`, for the softmax.

    >>> round(float(softmax_focal_loss([[2.0, 0.0]], [0])), 6)
    0.001804
    """
    return launch.forward_classes(logits, target, axis, alpha, gamma, ignore_index, reduction)
