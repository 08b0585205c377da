"""From logits and either kind of target to the kernels and back."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays, memory
from barehand.core.arrays import Array, Reduction
from barehand.core.labels import check_probabilities, class_indices, class_weight
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.cross_entropy.cpu")
threads = LazyModule("barehand.core.threads")

_NO_INDICES = np.empty(0, np.int64)
_NO_PROBABILITIES = np.empty((0, 0))
_NO_COEFFICIENTS = np.empty(0)


class Arguments(NamedTuple):
    """The arguments of cross_entropy, as the caller gave them."""

    logits: ArrayLike
    target: ArrayLike
    axis: int
    weight: ArrayLike | None
    ignore_index: int
    label_smoothing: float
    reduction: Reduction
    from_probabilities: bool


class _Door:
    """The arguments checked; rows, targets and weights as the kernels take them."""

    def __init__(self, given: Arguments) -> None:
        name = "cross_entropy"
        self.given = given
        self.x = x = arrays.as_floating(name, "logits", given.logits)
        if x.ndim == 0:
            raise ValueError(f"{name}: logits is a single number; it needs a class axis, as in (N, classes)")
        arrays.check_reduction(name, given.reduction)
        self.axis = arrays.check_axis(name, given.axis, x)
        self.classes = x.shape[self.axis]
        if self.classes == 0:
            raise ValueError(
                f"{name}: logits of shape {x.shape} have no classes along axis {given.axis}; give at least 1"
            )
        self.shape = x.shape[: self.axis] + x.shape[self.axis + 1 :]
        self.smoothing = arrays.check_number(name, "label_smoothing", given.label_smoothing, low=0.0, high=1.0)
        self.w = None if given.weight is None else class_weight(name, given.weight, self.classes)
        target = arrays.as_array(name, "target", given.target)
        count = math.prod(self.shape)
        self.t, self.q, self.kept = _NO_INDICES, _NO_PROBABILITIES, count
        if target.dtype.kind in "iub":
            self.t, self.kept = class_indices(name, target, self.shape, self.classes, given.ignore_index)
        else:
            probabilities = arrays.as_floating(name, "target", target)
            if probabilities.shape != x.shape:
                raise ValueError(
                    f"{name}: floating target has shape {target.shape}, logits {x.shape}; give probabilities in that "
                    "shape, or integer class indices"
                )
            check_probabilities(name, "target", probabilities)
            self.q = self.probability_rows(probabilities)
        self.rows = arrays.to_rows(x, self.axis)
        if given.from_probabilities:
            kept = self.rows if self.t is _NO_INDICES else self.rows[self.t >= 0]  # what is ignored may hold anything
            check_probabilities(name, "logits", kept)
        self.losses = np.zeros(count)

    def probability_rows(self, target: Array) -> Array:
        """The target's rows in the type of the arithmetic."""
        kind = np.dtype(np.float64 if self.x.dtype == np.float64 else np.float32)
        return arrays.to_rows(arrays.narrow(target, kind), self.axis)

    def row_weights(self) -> Array | None:
        """What each row weighs in the mean, if not 1: the weight of its target's class."""
        if self.w is None or self.t is _NO_INDICES:
            return None
        return np.where(self.t >= 0, self.w[self.t], 0.0)

    def denominator(self) -> float:
        weights = self.row_weights()
        return float(self.kept if weights is None else weights.sum())

    @property
    def plain(self) -> bool:
        """Class indices of logits, without smoothing: the fused kernels."""
        return self.t is not _NO_INDICES and self.smoothing == 0 and not self.given.from_probabilities

    def launch(self, coef: Array, dx: Array) -> None:
        """Fill `losses`, weighted, and `dx` unless it has no rows."""
        rows, n = self.rows.shape
        if self.plain:
            weights = self.row_weights()
            if len(dx):
                coef = coef if weights is None else coef * weights
                threads.over_rows(cpu.indices_gradient, rows, n, self.rows, self.t, coef, self.losses, dx)
            else:
                threads.over_rows(cpu.indices, rows, n, self.rows, self.t, self.losses)
            if weights is not None:
                self.losses = np.where(weights == 0, 0.0, self.losses) * weights  # 0 also where the loss is inf
            return
        kind = self.rows.dtype
        w = np.ones(n, kind) if self.w is None else self.w.astype(kind)
        q = np.zeros((1, n), kind) if self.q is _NO_PROBABILITIES else self.q
        kernel = cpu.given_probabilities if self.given.from_probabilities else cpu.shares
        threads.over_rows(kernel, rows, 4 * n, self.rows, self.t, q, w, self.smoothing, coef, self.losses, dx)

    def value(self) -> Any:
        reduction = self.given.reduction
        weight = self.denominator() if reduction == "mean" else 1.0
        return arrays.reduce_losses(self.losses, reduction, weight, self.x.dtype, self.shape)


def forward(given: Arguments) -> Any:
    """The loss."""
    door = _Door(given)
    if door.rows.size:
        door.launch(_NO_COEFFICIENTS, door.rows[:0])
    return door.value()


def backward(given: Arguments, cotangent: ArrayLike | None, with_value: bool) -> Any:
    """The gradient for the logits, or for the probabilities given in their place."""
    door = _Door(given)
    shape = door.shape if given.reduction == "none" else ()
    g = arrays.check_cotangent("cross_entropy", cotangent, shape, door.x.dtype)
    coef = arrays.row_coefficients(g, door.losses.size, door.denominator() if given.reduction == "mean" else None)
    dx = memory.empty_like(door.rows)
    if door.rows.size:
        door.launch(coef, dx)
    gradient = (arrays.from_rows(dx, door.x, door.axis),)
    return (door.value(), gradient) if with_value else gradient
