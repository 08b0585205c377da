"""From scores of either shape to flat vectors and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays, memory
from barehand.core.arrays import Array, Reduction
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.bpr.cpu")
threads = LazyModule("barehand.core.threads")

_COST = 8  # a term costs as much as so many plain elements


class _Door:
    """The arguments checked; a positive is repeated for each of its negatives."""

    def __init__(self, positive_scores: ArrayLike, negative_scores: ArrayLike, reduction: Reduction) -> None:
        p, n = arrays.all_floating("bpr_loss", positive_scores=positive_scores, negative_scores=negative_scores)
        arrays.check_reduction("bpr_loss", reduction)
        self.several = n.ndim == p.ndim + 1
        if (n.shape[:-1] if self.several else n.shape) != p.shape:
            raise ValueError(
                f"bpr_loss: positive_scores has shape {p.shape} and negative_scores {n.shape}; give them one shape, or "
                f"negatives of shape {(*p.shape, 'k')} for k a positive (nothing is broadcast)"
            )
        self.like, self.shape, self.reduction = p, n.shape, reduction
        self.n = arrays.for_kernel(n).reshape(-1)
        self.p = arrays.for_kernel(p).reshape(-1)
        if self.several:
            self.p = np.repeat(self.p, n.shape[-1])

    def reduced(self, total: float) -> Any:
        if self.reduction == "mean":
            total = total / self.n.size if self.n.size else 0.0
        return arrays.to_dtype(total, self.like.dtype)

    def shaped(self, flat: Array) -> Any:
        return arrays.narrow(flat.reshape(self.shape), self.like.dtype)[()]

    def each(self) -> Any:
        losses = memory.empty_like(self.n)
        threads.over_rows(cpu.each, self.n.size, _COST, self.p, self.n, losses)
        return self.shaped(losses)


def forward(positive_scores: ArrayLike, negative_scores: ArrayLike, reduction: Reduction) -> Any:
    """The loss."""
    door = _Door(positive_scores, negative_scores, reduction)
    if reduction == "none":
        return door.each()
    return door.reduced(sum(threads.partial_results(cpu.total, door.n.size, _COST, door.p, door.n)))


def backward(
    positive_scores: ArrayLike,
    negative_scores: ArrayLike,
    reduction: Reduction,
    cotangent: ArrayLike | None,
    with_value: bool,
) -> Any:
    """The gradients for the positives and the negatives."""
    door = _Door(positive_scores, negative_scores, reduction)
    single, count = reduction == "none", door.n.size
    g = arrays.check_cotangent("bpr_loss", cotangent, door.shape if single else (), door.like.dtype)
    scale = 1.0 if single else float(g) / (max(count, 1) if reduction == "mean" else 1)
    dn = memory.empty_like(door.n)
    dp = memory.empty_like(door.n[:0] if door.several or single else door.n)
    kind = door.n.dtype.type
    parts = threads.partial_results(cpu.gradient, count, _COST, door.p, door.n, kind(scale), dp, dn)
    if single:
        dn *= arrays.for_kernel(g).reshape(-1)
    if door.several:
        dp = -dn.reshape(door.shape).sum(axis=-1, dtype=np.float64)
    elif single:
        dp = -dn
    gradients = arrays.narrow(dp.reshape(door.like.shape), door.like.dtype)[()], door.shaped(dn)
    if not with_value:
        return gradients
    return (door.each() if single else door.reduced(sum(parts))), gradients
