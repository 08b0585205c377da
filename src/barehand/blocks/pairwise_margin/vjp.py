"""Gradients of the pairwise margin loss for NumPy users."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.pairwise_margin import launch
from barehand.core.arrays import Reduction


def pairwise_margin_loss(
    anchor: ArrayLike,
    positive: ArrayLike,
    negative: ArrayLike,
    *,
    margin: float = 1.0,
    reduction: Reduction = "mean",
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradients of the pairwise margin loss for anchor, positive and negative.

    With u the unit differences from the anchor: u_p - u_n, -u_p and u_n, times the cotangent shared out by the
    reduction; nothing where the hinge is shut. `with_value=True` returns (pairwise_margin_loss(...), gradients) from
    the same pass.

    >>> [float(g[0, 0]) for g in pairwise_margin_loss([[0.0]], [[2.0]], [[-1.5]])]
    [-2.0, 1.0, 1.0]
    """
    return launch.backward(anchor, positive, negative, margin, reduction, cotangent, with_value)
