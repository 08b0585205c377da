"""From anchors, positives and negatives to the kernels' rows and back."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.core import arrays
from barehand.core.arrays import Reduction
from barehand.core.lazy import LazyModule
from barehand.core.pairs import Pairs

cpu = LazyModule("barehand.blocks.pairwise_margin.cpu")
NAME = "pairwise_margin_loss"


def _door(
    anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, margin: float, reduction: Reduction
) -> tuple[Pairs, float]:
    pairs = Pairs(NAME, reduction, anchor=anchor, positive=positive, negative=negative)
    return pairs, arrays.check_number(NAME, "margin", margin)


def forward(anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, margin: float, reduction: Reduction) -> Any:
    """The loss."""
    pairs, margin = _door(anchor, positive, negative, margin, reduction)
    return pairs.value(cpu.forward, margin)


def backward(
    anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike, margin: float, reduction: Reduction,
    cotangent: ArrayLike | None, with_value: bool,
) -> Any:  # fmt: skip
    """The gradients for anchors, positives and negatives."""
    pairs, margin = _door(anchor, positive, negative, margin, reduction)
    return pairs.gradients(cpu.gradient, cotangent, with_value, margin)
