"""From pairs of embeddings to the kernels' rows and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays
from barehand.core.arrays import Reduction
from barehand.core.labels import check_probabilities
from barehand.core.lazy import LazyModule
from barehand.core.pairs import Pairs

cpu = LazyModule("barehand.blocks.contrastive.cpu")
NAME = "contrastive_loss"


def _door(x1: ArrayLike, x2: ArrayLike, same: ArrayLike, margin: float, reduction: Reduction) -> tuple[Pairs, Any]:
    pairs = Pairs(NAME, reduction, x1=x1, x2=x2)
    labels = arrays.as_array(NAME, "same", same)
    if labels.shape != pairs.shape:
        raise ValueError(
            f"{NAME}: same has shape {labels.shape}, x1 without its last axis {pairs.shape}; give one label a pair"
        )
    if labels.dtype != bool:
        labels = arrays.as_floating(NAME, "same", labels)
        check_probabilities(NAME, "same", labels)
    weights = arrays.for_kernel(labels.astype(np.float64, copy=False)).reshape(-1)
    return pairs, (weights, arrays.check_number(NAME, "margin", margin, low=0.0))


def forward(x1: ArrayLike, x2: ArrayLike, same: ArrayLike, margin: float, reduction: Reduction) -> Any:
    """The loss."""
    pairs, options = _door(x1, x2, same, margin, reduction)
    return pairs.value(cpu.forward, *options)


def backward(
    x1: ArrayLike, x2: ArrayLike, same: ArrayLike, margin: float, reduction: Reduction,
    cotangent: ArrayLike | None, with_value: bool,
) -> Any:  # fmt: skip
    """The gradients for both sides."""
    pairs, options = _door(x1, x2, same, margin, reduction)
    return pairs.gradients(cpu.gradient, cotangent, with_value, *options)
