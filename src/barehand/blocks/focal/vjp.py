"""Gradients of the focal losses for NumPy users."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.focal import launch
from barehand.core.arrays import Reduction


def focal_loss(
    logits: ArrayLike,
    target: ArrayLike,
    *,
    alpha: float | tuple[float, float] | None = 0.25,
    gamma: float = 2.0,
    reduction: Reduction = "mean",
    from_probabilities: bool = False,
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradient of the focal loss for the logits, as a tuple of one.

    With q = 1 - p_t: alpha_t q^gamma ((p - t) + gamma (q'/q) ce), times the cotangent shared out by the reduction.
    `with_value=True` returns (focal_loss(...), gradients) from the same pass.

    >>> focal_loss([0.0], [1], alpha=None, gamma=0.0)
    (array([-0.5]),)
    """
    return launch.backward(logits, target, alpha, gamma, reduction, from_probabilities, cotangent, with_value)


def softmax_focal_loss(
    logits: ArrayLike,
    target: ArrayLike,
    *,
    axis: int = -1,
    alpha: ArrayLike | None = None,
    gamma: float = 2.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradient of the focal loss over classes for the logits, as a tuple of one.

    With q = 1 - p_t: alpha_t q^gamma (p_j - [j = t]) (1 + gamma p_t (-log p_t) / q), times the cotangent shared out by
    the reduction. `with_value=True` returns (softmax_focal_loss(...), gradients) from the same pass.

    >>> softmax_focal_loss([[0.0, 0.0]], [0], gamma=0.0)
    (array([[-0.5,  0.5]]),)
    """
    given = (logits, target, axis, alpha, gamma, ignore_index, reduction)
    return launch.backward_classes(*given, cotangent=cotangent, with_value=with_value)
