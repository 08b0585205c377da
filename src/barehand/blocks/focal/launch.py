"""From logits, targets and alpha in its three forms to the kernels and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays, memory
from barehand.core.arrays import Array, Reduction
from barehand.core.labels import class_indices
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.focal.cpu")
threads = LazyModule("barehand.core.threads")

_COST = 8  # a focal term costs as much as so many plain elements


LARGEST = 1e30  # a weight or exponent that every type can hold


def pair_of(alpha: Any) -> tuple[float, float]:
    """What positives and negatives count."""
    if alpha is None:
        return 1.0, 1.0
    if isinstance(alpha, (tuple, list, np.ndarray)) and np.ndim(alpha):
        if len(alpha) != 2:
            raise ValueError(f"focal_loss: alpha is {alpha!r}; give a number, a pair (positives, negatives), or None")
        pos, neg = (arrays.check_number("focal_loss", "alpha", a, low=0.0, high=LARGEST) for a in alpha)
        return pos, neg
    pos = arrays.check_number("focal_loss", "alpha", alpha, low=0.0, high=1.0)
    return pos, 1.0 - pos


def _labels(t: Array) -> Array:
    """Targets as they are, since a copy would cost memory: the kernels turn each into the type of the logits."""
    if t.dtype == bool:
        t = t.view(np.uint8)
    elif t.dtype.kind not in "iu":
        t = arrays.as_floating("focal_loss", "target", t)
    return arrays.for_kernel(t).reshape(-1)


class _Binary:
    """The arguments of focal_loss checked; flat vectors as the kernels take them."""

    def __init__(
        self, logits: ArrayLike, target: ArrayLike, alpha: Any, gamma: float, reduction: Reduction, given: bool
    ) -> None:
        self.x = x = arrays.as_floating("focal_loss", "logits", logits)
        arrays.check_reduction("focal_loss", reduction)
        t = arrays.as_array("focal_loss", "target", target)
        shape = t.shape
        if shape != x.shape:
            raise ValueError(
                f"focal_loss: logits has shape {x.shape} and target {shape}; give them one shape (nothing is broadcast)"
            )
        self.reduction, self.given = reduction, given
        self.v = arrays.for_kernel(x).reshape(-1)
        if given and x.size and not (x.min() >= 0 and x.max() <= 1):
            bad = x[~((x >= 0) & (x <= 1))].ravel()[0]
            raise ValueError(f"focal_loss: logits holds {bad}; with from_probabilities=True they run from 0 to 1")
        self.target = t
        self.t = _labels(t)
        gamma = arrays.check_number("focal_loss", "gamma", gamma, low=0.0, high=LARGEST)
        kind = self.v.dtype.type
        self.options = tuple(map(kind, (*pair_of(alpha), gamma)))

    def launch(self, name: str, *arguments: Any) -> float:
        """Run a kernel over all elements; the sum of the losses, or an error for a target outside [0, 1]."""
        if not self.v.size:
            return 0.0
        kernel = getattr(cpu, name)
        parts = threads.partial_results(kernel, self.v.size, _COST, self.v, self.t, *self.options, *arguments)
        if not all(outside <= 0 for _, outside in parts):
            self.refuse_targets()
        return float(sum(loss for loss, _ in parts))

    def refuse_targets(self) -> None:
        bad = self.target[~((self.target >= 0) & (self.target <= 1))].ravel()[0]
        raise ValueError(f"focal_loss: target holds {bad}; labels are 0 or 1, or probabilities between")

    def from_probabilities(self) -> tuple[Array, Array]:
        """Losses and slopes in float64."""
        if self.t.size and not (self.t.min() >= 0 and self.t.max() <= 1):
            self.refuse_targets()
        losses, slopes = np.zeros(self.v.size), np.zeros(self.v.size)
        options = tuple(map(float, self.options))
        threads.over_rows(cpu.given_probabilities, self.v.size, _COST, self.v, self.t, *options, losses, slopes)
        return losses, slopes

    def reduced(self, total: float) -> Any:
        if self.reduction == "mean":
            total = total / self.v.size if self.v.size else 0.0
        return arrays.to_dtype(total, self.x.dtype)

    def shaped(self, flat: Array) -> Any:
        return arrays.narrow(flat.reshape(self.x.shape), self.x.dtype)[()]


def forward(logits: ArrayLike, target: ArrayLike, alpha: Any, gamma: float, reduction: Reduction, given: bool) -> Any:
    """The binary focal loss."""
    door = _Binary(logits, target, alpha, gamma, reduction, given)
    if given:
        losses, _ = door.from_probabilities()
        return door.shaped(losses) if reduction == "none" else door.reduced(float(losses.sum()))
    if reduction == "none":
        each = memory.empty_like(door.v)
        door.launch("each", each)
        return door.shaped(each)
    return door.reduced(door.launch("total", door.v.dtype.type(0), door.v[:0]))


def backward(
    logits: ArrayLike, target: ArrayLike, alpha: Any, gamma: float, reduction: Reduction, given: bool,
    cotangent: ArrayLike | None, with_value: bool,
) -> Any:  # fmt: skip
    """The gradient of the binary focal loss for the logits, or the probabilities in their place."""
    door = _Binary(logits, target, alpha, gamma, reduction, given)
    single = reduction == "none"
    g = arrays.check_cotangent("focal_loss", cotangent, door.x.shape if single else (), door.x.dtype)
    scale = 1.0 if single else float(g) / (max(door.v.size, 1) if reduction == "mean" else 1)
    if given:
        losses, slopes = door.from_probabilities()
        total, dv = float(losses.sum()), slopes * scale
    else:
        dv = memory.empty_like(door.v)
        total = door.launch("total", door.v.dtype.type(scale), dv)
        losses = memory.empty_like(door.v if single and with_value else door.v[:0])
        if losses.size:
            door.launch("each", losses)
    if single:
        with np.errstate(under="ignore"):
            dv *= arrays.for_kernel(g).reshape(-1)
    gradient = (door.shaped(dv),)
    if not with_value:
        return gradient
    return (door.shaped(losses) if single else door.reduced(total)), gradient


def _class_alpha(name: str, alpha: ArrayLike, classes: int) -> Array:
    try:
        weight = np.asarray(alpha, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: alpha is {alpha!r}; give None, a number, or {classes} numbers") from None
    if weight.shape not in ((), (classes,)) or not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ValueError(
            f"{name}: alpha is {alpha!r}; give None, a number, or {classes} numbers, one a class, at least 0"
        )
    return np.full(classes, weight) if weight.ndim == 0 else weight


class _Classes:
    """The arguments of softmax_focal_loss checked; rows, indices and weights as the kernel takes them."""

    def __init__(
        self, logits: ArrayLike, target: ArrayLike, axis: int, alpha: Any, gamma: float, ignore_index: int,
        reduction: Reduction,
    ) -> None:  # fmt: skip
        name = "softmax_focal_loss"
        self.x = x = arrays.as_floating(name, "logits", logits)
        if x.ndim == 0:
            raise ValueError(f"{name}: logits is a single number; it needs a class axis, as in (N, classes)")
        arrays.check_reduction(name, reduction)
        self.axis, self.reduction = arrays.check_axis(name, axis, x), reduction
        n = x.shape[self.axis]
        if n == 0:
            raise ValueError(f"{name}: logits of shape {x.shape} have no classes along axis {axis}; give at least 1")
        self.shape = x.shape[: self.axis] + x.shape[self.axis + 1 :]
        labels = arrays.as_array(name, "target", target)
        if labels.dtype.kind not in "iub":
            raise TypeError(f"{name}: target has dtype {labels.dtype}; give class indices, integers from 0 to {n - 1}")
        self.t, self.kept = class_indices(name, labels, self.shape, n, ignore_index)
        self.gamma = arrays.check_number(name, "gamma", gamma, low=0.0, high=LARGEST)
        self.alpha = np.ones(n) if alpha is None else _class_alpha(name, alpha, n)
        self.rows = arrays.to_rows(x, self.axis)
        self.losses = np.zeros(math.prod(self.shape))

    def launch(self, coef: Array, dx: Array) -> None:
        if self.rows.size:
            rows, n = self.rows.shape
            threads.over_rows(cpu.classes, rows, n, self.rows, self.t, self.alpha, self.gamma, coef, self.losses, dx)

    def value(self) -> Any:
        return arrays.reduce_losses(self.losses, self.reduction, self.kept, self.x.dtype, self.shape)


def forward_classes(*given: Any) -> Any:
    """The focal loss over classes."""
    door = _Classes(*given)
    door.launch(np.zeros(0), door.rows[:0])
    return door.value()


def backward_classes(*given: Any, cotangent: ArrayLike | None, with_value: bool) -> Any:
    """The gradient of the focal loss over classes for the logits."""
    door = _Classes(*given)
    shape = door.shape if door.reduction == "none" else ()
    g = arrays.check_cotangent("softmax_focal_loss", cotangent, shape, door.x.dtype)
    dx = memory.empty_like(door.rows)
    door.launch(arrays.row_coefficients(g, door.losses.size, door.kept if door.reduction == "mean" else None), dx)
    gradient = (arrays.from_rows(dx, door.x, door.axis),)
    return (door.value(), gradient) if with_value else gradient
