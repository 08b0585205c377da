"""BPR loss."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.bpr import launch
from barehand.core.arrays import Reduction
from barehand.core.dispatch import by_kind


@by_kind
def bpr_loss(positive_scores: ArrayLike, negative_scores: ArrayLike, *, reduction: Reduction = "mean") -> Any:
    """How far each positive is from scoring above its negatives: Bayesian personalised ranking.

    loss = -log sigmoid(p - n) = log(1 + exp(-(p - n))).

    Args:
        positive_scores: any shape, in nats; float16, float32 or float64 are kept, integers become float64.
        negative_scores: the same shape, or one more axis at the end: several negatives a positive.
        reduction: "mean" over all pairs, "sum" or "none".

    Returns:
        A number, or an array in the shape of negative_scores; its dtype is the wider of the two.

    Raises:
        TypeError: the scores are not real numbers.
        ValueError: the shapes do not go together (nothing is broadcast), or reduction is another word.

    Edge cases: finite with a gradient of at most 1 a pair for all finite scores: a pair wrong by 200 costs 200, and its
    gradient is 1. Infinitely far apart the right way round costs 0. inf - inf and nan give nan. The mean over nothing
    is 0.

    Cost: one pass; nothing but the result is stored. Several negatives copy the positives once a negative.

    Source: S. Rendle, C. Freudenthaler, Z. Gantner, L. Schmidt-Thieme (2009), UAI, arXiv:1205.2618, section 4.1.

    >>> round(float(bpr_loss([2.0, -200.0], [0.0, 0.0])), 4)
    100.0635
    """
    return launch.forward(positive_scores, negative_scores, reduction)
