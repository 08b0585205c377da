"""Pairwise margin loss."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.pairwise_margin import launch
from barehand.core.arrays import Reduction
from barehand.core.dispatch import by_kind


@by_kind
def pairwise_margin_loss(
    anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, *, margin: float = 1.0, reduction: Reduction = "mean"
) -> Any:
    """Ask each anchor to be nearer to its positive than to its negative, by a margin: the triplet loss of two towers.

    loss = max(d(a, p) - d(a, n) + margin, 0), with d the Euclidean distance.

    Args:
        anchor, positive, negative: embeddings (..., D) of one shape; float16, float32 or float64 are kept, integers
            become float64.
        margin: by how much the negative must be farther, in the units of d.
        reduction: "mean" over all rows, also those that cost nothing; "sum" or "none".

    Returns:
        A number, or an array of shape (...), in the widest dtype of the three.

    Raises:
        TypeError: an argument is not real numbers.
        ValueError: shapes differ (nothing is broadcast), or an option is out of range.

    Edge cases: a distance of 0 has no slope: its gradient is 0. Where the hinge is shut, or exactly at its edge, all
    gradients are 0. Distances whose squares overflow or underflow the dtype are still right. The mean over no rows
    is 0.

    Cost: the three are read once; the gradient comes from the same sweep.

    Source: F. Schroff, D. Kalenichenko, J. Philbin (2015), arXiv:1503.03832, equation 3 (there with squared
    distances); V. Balntas et al. (2016), doi:10.5244/C.30.119.

    >>> float(pairwise_margin_loss([[0.0, 0.0]], [[0.0, 2.0]], [[1.5, 0.0]]))
    1.5
    """
    return launch.forward(anchor, positive, negative, margin, reduction)
