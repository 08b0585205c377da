"""Contrastive loss."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.contrastive import launch
from barehand.core.arrays import Reduction
from barehand.core.dispatch import by_kind


@by_kind
def contrastive_loss(
    x1: ArrayLike, x2: ArrayLike, same: ArrayLike, *, margin: float = 1.0, reduction: Reduction = "mean"
) -> Any:
    """Pull the embeddings of similar pairs together and push those of dissimilar pairs a margin apart.

    loss = same · d² + (1 - same) · max(margin - d, 0)², with d = ||x1 - x2|| the Euclidean distance.

    Args:
        x1, x2: embeddings (..., D) of one shape; float16, float32 or float64 are kept, integers become float64.
        same: one label a pair, shape (...): 1 for similar, 0 for dissimilar, of any type; or a share between.
        margin: the distance beyond which dissimilar pairs cost nothing; at least 0, in the units of d.
        reduction: "mean" over all pairs, "sum" or "none".

    Returns:
        A number, or an array of shape (...), in the wider dtype of x1 and x2.

    Raises:
        TypeError: an argument is not real numbers.
        ValueError: shapes differ (nothing is broadcast), a label is outside [0, 1], or the margin is negative.

    Edge cases: identical rows have a finite gradient: 0 for the term of dissimilar pairs, whose slope is undefined
    there. Distances whose squares overflow or underflow the dtype are still right. The mean over no pairs is 0.

    Cost: x1 and x2 are read once; the gradient comes from the same sweep.

    Source: R. Hadsell, S. Chopra, Y. LeCun (2006), doi:10.1109/CVPR.2006.100, equation 4 (there with a factor 1/2, and
    labels the other way round).

    >>> float(contrastive_loss([[0.0, 0.0], [0.0, 0.0]], [[0.0, 3.0], [0.0, 0.5]], [1, 0]))
    4.625
    """
    return launch.forward(x1, x2, same, margin, reduction)
