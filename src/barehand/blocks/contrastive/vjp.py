"""Gradients of the contrastive loss for NumPy users."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.contrastive import launch
from barehand.core.arrays import Reduction


def contrastive_loss(
    x1: ArrayLike,
    x2: ArrayLike,
    same: ArrayLike,
    *,
    margin: float = 1.0,
    reduction: Reduction = "mean",
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradients of the contrastive loss for x1 and x2.

    dx1 = 2 same (x1 - x2) - 2 (1 - same) max(margin - d, 0) (x1 - x2) / d and dx2 = -dx1, times the cotangent shared
    out by the reduction. `with_value=True` returns (contrastive_loss(...), gradients) from the same pass.

    >>> contrastive_loss([[3.0]], [[1.0]], [1])
    (array([[4.]]), array([[-4.]]))
    """
    return launch.backward(x1, x2, same, margin, reduction, cotangent, with_value)
