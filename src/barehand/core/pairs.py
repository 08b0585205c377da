"""Losses on rows of embeddings that go together: what the contrastive and the pairwise margin loss share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays
from barehand.core.arrays import Reduction
from barehand.core.lazy import LazyModule

threads = LazyModule("barehand.core.threads")


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
        self.losses = np.zeros(int(np.prod(self.shape)))
        # Squares below this have lost digits to underflow.
        info = np.finfo(self.rows[0].dtype)
        self.tiny = float(info.tiny) / float(info.eps) ** 2

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
        g = arrays.check_cotangent(self.name, cotangent, shape, self.like.dtype).astype(np.float64)
        if self.reduction == "mean":
            g = g / max(self.losses.size, 1)
        coef = np.broadcast_to(g, self.shape).reshape(-1).copy()
        laid_out = self._laid_out()
        slopes = [np.empty_like(x) for x in laid_out]
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
