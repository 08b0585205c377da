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
        given = arrays.all_floating(name, **embeddings)
        self.like = like = given[0]
        for x in given:
            if x.shape != like.shape:
                arrays.check_same_shape(name, **dict(zip(embeddings, given, strict=True)))
        arrays.check_reduction(name, reduction)
        if like.ndim == 0:
            first = next(iter(embeddings))
            raise ValueError(f"{name}: {first} is a single number; embeddings need an axis of features, as in (N, D)")
        self.name, self.reduction = name, reduction
        self.shape = like.shape[:-1]
        if like.ndim == 2:
            count = like.shape[0]
            self.rows = [*map(arrays.for_kernel, given)]
        else:
            count = math.prod(self.shape)
            self.rows = [arrays.for_kernel(x).reshape(count, like.shape[-1]) for x in given]
        self.losses = np.zeros(count)
        self.tiny = _TINY[self.rows[0].dtype.char]

    def value(self, kernel: Any, *options: Any) -> Any:
        """The loss, from kernel(lo, hi, *rows, *options, tiny, losses)."""
        if self.losses.size:
            n = self.like.shape[-1]
            cost = len(self.rows) * max(n, 1)
            threads.over_rows(kernel, self.losses.size, cost, *self.rows, *options, self.tiny, self.losses)
        return self._reduced()

    def gradients(self, kernel: Any, cotangent: ArrayLike | None, with_value: bool, *options: Any) -> Any:
        """A gradient an embedding, from kernel(lo, hi, *rows, *options, tiny, coef, losses, *gradients)."""
        shape = self.shape if self.reduction == "none" else ()
        g = arrays.check_cotangent(self.name, cotangent, shape, self.like.dtype)
        rows = self.losses.size
        coef = arrays.row_coefficients(g, rows, rows if self.reduction == "mean" else None)
        slopes = [*map(memory.empty_like, self.rows)]
        if self.losses.size:
            cost = 2 * len(slopes) * max(self.like.shape[-1], 1)
            threads.over_rows(
                kernel, self.losses.size, cost, *self.rows, *options, self.tiny, coef, self.losses, *slopes
            )
        like = self.like
        if slopes[0].dtype is like.dtype and like.ndim == 2:
            found = tuple(slopes)
        else:
            found = tuple(arrays.narrow(d.reshape(like.shape), like.dtype) for d in slopes)
        return (self._reduced(), found) if with_value else found

    def _reduced(self) -> Any:
        return arrays.reduce_losses(self.losses, self.reduction, self.losses.size, self.like.dtype, self.shape)
