"""Gradients of the BPR loss for NumPy users."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.bpr import launch
from barehand.core.arrays import Reduction


def bpr_loss(
    positive_scores: ArrayLike,
    negative_scores: ArrayLike,
    *,
    reduction: Reduction = "mean",
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradients of the BPR loss for the positive and the negative scores.

    dn = sigmoid(n - p) and dp = -dn, summed over a positive's negatives, times the cotangent shared out by the
    reduction. `with_value=True` returns (bpr_loss(...), gradients) from the same pass.

    >>> bpr_loss([0.0], [0.0])
    (array([-0.5]), array([0.5]))
    """
    return launch.backward(positive_scores, negative_scores, reduction, cotangent, with_value)
