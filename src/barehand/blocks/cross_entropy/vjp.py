"""Gradients of cross-entropy for NumPy users."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.cross_entropy import launch
from barehand.core.arrays import Reduction


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
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradient of cross-entropy for the logits, as a tuple of one.

    dlogits = g (p sum_j a_j - a), a_j = w_j ((1 - e) q_j + e / n), g the cotangent shared out by the reduction; for
    probabilities dp = -g a / p. `with_value=True` returns (cross_entropy(...), gradients) from the same pass.

    >>> cross_entropy([[0.0, 0.0]], [1])
    (array([[ 0.5, -0.5]]),)
    """
    given = launch.Arguments(logits, target, axis, weight, ignore_index, label_smoothing, reduction, from_probabilities)
    return launch.backward(given, cotangent, with_value)
