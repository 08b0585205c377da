"""From logits and either kind of target to the kernels and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays
from barehand.core.arrays import Array, Reduction
from barehand.core.labels import check_probabilities, class_indices, class_weight
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.cross_entropy.cpu")
threads = LazyModule("barehand.core.threads")

_NO_INDICES = np.empty(0, np.int64)


@dataclass(frozen=True)
class Arguments:
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
            raise ValueError(f"{name}: logits of shape {x.shape} have no classes along axis {given.axis}; give at least 1")
        self.shape = x.shape[: self.axis] + x.shape[self.axis + 1 :]
        self.smoothing = arrays.check_number(name, "label_smoothing", given.label_smoothing, low=0.0, high=1.0)
        if isinstance(given.ignore_index, bool) or not isinstance(given.ignore_index, int | np.integer):
            raise TypeError(f"{name}: ignore_index must be an integer, not {given.ignore_index!r}")
        self.w = None if given.weight is None else class_weight(name, given.weight, self.classes)
        target = arrays.as_array(name, "target", given.target)
        self.t, self.q = _NO_INDICES, np.empty((0, self.classes))
        if target.dtype.kind in "iub":
            self.t = class_indices(name, target, self.shape, self.classes, int(given.ignore_index))
        else:
            probabilities = arrays.as_floating(name, "target", target)
            if probabilities.shape != x.shape:
                raise ValueError(
                    f"{name}: floating target has shape {target.shape}, logits {x.shape}; give probabilities in that "
                    "shape, or integer class indices"
                )
            check_probabilities(name, "target", probabilities)
            self.q = arrays.to_rows(probabilities, self.axis).astype(np.float64, copy=False)
        if given.from_probabilities:
            check_probabilities(name, "logits", x)
        self.rows = arrays.to_rows(x, self.axis)
        self.losses = np.zeros(int(np.prod(self.shape)))

    def row_weights(self) -> Array | float:
        """What each row weighs in the mean: the weight of its target's class; 1 for probabilities."""
        if self.t is _NO_INDICES:
            return 1.0
        kept = self.t >= 0
        return np.where(kept, 1.0 if self.w is None else self.w[self.t], 0.0)

    def denominator(self) -> float:
        return float(np.sum(np.broadcast_to(self.row_weights(), self.losses.shape)))

    @property
    def plain(self) -> bool:
        """Class indices of logits, without smoothing: the fused kernels."""
        return self.t is not _NO_INDICES and self.smoothing == 0 and not self.given.from_probabilities

    def launch(self, coef: Array, dx: Array) -> None:
        """Fill `losses`, weighted, and `dx` unless it has no rows."""
        rows, n = self.rows.shape
        if self.plain:
            if len(dx):
                coef = coef * self.row_weights()
                threads.over_rows(cpu.indices_gradient, rows, n, self.rows, self.t, coef, self.losses, dx)
            else:
                threads.over_rows(cpu.indices, rows, n, self.rows, self.t, self.losses)
            self.losses *= self.row_weights()
            return
        w = np.ones(n) if self.w is None else self.w
        kernel = cpu.given_probabilities if self.given.from_probabilities else cpu.shares
        threads.over_rows(
            kernel, rows, 4 * n, self.rows, self.t, self.q, w, self.smoothing, coef, self.losses, dx
        )

    def value(self) -> Any:
        reduction = self.given.reduction
        weight = self.denominator() if reduction == "mean" else 1.0
        return arrays.reduce_losses(self.losses, reduction, weight, self.x.dtype, self.shape)


def forward(given: Arguments) -> Any:
    """The loss."""
    door = _Door(given)
    if door.rows.size:
        door.launch(np.zeros(0), door.rows[:0])
    return door.value()


def backward(given: Arguments, cotangent: ArrayLike | None, with_value: bool) -> Any:
    """The gradient for the logits, or for the probabilities given in their place."""
    door = _Door(given)
    shape = door.shape if given.reduction == "none" else ()
    g = arrays.check_cotangent("cross_entropy", cotangent, shape, door.x.dtype).astype(np.float64)
    if given.reduction == "mean":
        denominator = door.denominator()
        g = g / denominator if denominator else np.zeros(())
    dx = np.empty_like(door.rows)
    if door.rows.size:
        door.launch(np.broadcast_to(g, door.shape).reshape(-1).copy(), dx)
    gradient = (arrays.from_rows(dx, door.x, door.axis),)
    return (door.value(), gradient) if with_value else gradient
