"""Losses on rows of embeddings that go together: what the contrastive and the pairwise margin loss share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays, memory
from barehand.core.arrays import Reduction
from barehand.core.lazy import LazyModule

threads = LazyModule("barehand.core.threads")

# Squares below this have lost digits to underflow.
_TINY = {k: float(np.finfo(k).tiny) / float(np.finfo(k).eps) ** 2 for k in "fd"}


class Pairs:
    """Embeddings (..., D) of one shape, checked and laid out as (rows, D); their kernels give one loss a row."""

    def __init__(self, name: str, reduction: Reduction, **embeddings: ArrayLike) -> None:
        given = dict(zip(embeddings, arrays.all_floating(name, **embeddings), strict=True))
        arrays.check_same_shape(name, **given)
        arrays.check_reduction(name, reduction)
        first, self.like = next(iter(given.items()))
        if self.like.ndim == 0:
            raise ValueError(f"{name}: {first} is a single number; embeddings need an axis of features, as in (N, D)")
        self.name, self.reduction = name, reduction
        self.shape = self.like.shape[:-1]
        self.rows = [arrays.to_rows(x, x.ndim - 1) for x in given.values()]
        self.losses = np.zeros(math.prod(self.shape))
        self.tiny = _TINY[self.rows[0].dtype.char]

    def value(self, kernel: Any, *options: Any) -> Any:
        """The loss, from kernel(lo, hi, *rows, *options, tiny, losses)."""
        if self.losses.size:
            n = self.like.shape[-1]
            cost = len(self.rows) * max(n, 1)
            threads.over_rows(kernel, self.losses.size, cost, *self._laid_out(), *options, self.tiny, self.losses)
        return self._reduced()

    def gradients(self, kernel: Any, cotangent: ArrayLike | None, with_value: bool, *options: Any) -> Any:
        """A gradient an embedding, from kernel(lo, hi, *rows, *options, tiny, coef, losses, *gradients)."""
        shape = self.shape if self.reduction == "none" else ()
        g = arrays.check_cotangent(self.name, cotangent, shape, self.like.dtype)
        rows = self.losses.size
        coef = arrays.row_coefficients(g, rows, rows if self.reduction == "mean" else None)
        laid_out = self._laid_out()
        slopes = [memory.empty_like(x) for x in laid_out]
        if self.losses.size:
            cost = 2 * len(laid_out) * max(self.like.shape[-1], 1)
            threads.over_rows(
                kernel, self.losses.size, cost, *laid_out, *options, self.tiny, coef, self.losses, *slopes
            )
        found = tuple(d.reshape(self.like.shape).astype(self.like.dtype, copy=False) for d in slopes)
        return (self._reduced(), found) if with_value else found

    def _laid_out(self) -> list[arrays.Array]:
        rows = self.losses.size
        return [x if len(x) == rows else np.empty((rows, 0), x.dtype) for x in self.rows]

    def _reduced(self) -> Any:
        return arrays.reduce_losses(self.losses, self.reduction, self.losses.size, self.like.dtype, self.shape)
