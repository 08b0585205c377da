"""From (N, C, ...) arrays and running statistics to the kernels and back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays, memory
from barehand.core.arrays import Array
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.batch_norm.cpu")
threads = LazyModule("barehand.core.threads")

_FEW = 1024  # rows from which the mean of a column is guessed


class Arguments(NamedTuple):
    """The arguments of batch_norm, as the caller gave them."""

    x: ArrayLike
    weight: ArrayLike | None
    bias: ArrayLike | None
    running_mean: Any
    running_var: Any
    training: bool
    momentum: float
    eps: float


class _Door:
    """The arguments checked, and the arrays that a kernel takes."""

    def __init__(self, given: Arguments) -> None:
        self.x, self.weight, self.bias = arrays.all_floating(
            "batch_norm", x=given.x, weight=given.weight, bias=given.bias
        )
        x = self.x
        if x.ndim < 2:
            raise ValueError(
                f"batch_norm: x has shape {x.shape}; it needs a batch and a channel axis, (N, C) or (N, C, ...)"
            )
        self.channels = x.shape[1]
        self.count = x.size // max(self.channels, 1)
        for name, parameter in (("weight", self.weight), ("bias", self.bias)):
            self._check_channel(name, parameter)
        self.eps = arrays.check_number("batch_norm", "eps", given.eps, low=0.0)
        self.momentum = arrays.check_number("batch_norm", "momentum", given.momentum, low=0.0, high=1.0)
        if not isinstance(given.training, (bool, np.bool_, int)):
            raise TypeError(
                f"batch_norm: training must be True or False, not {given.training!r}; True for statistics of the batch"
            )
        self.training = bool(given.training)
        self.running = self._check_running(given.running_mean, given.running_var)
        if self.training and self.count == 1 and x.size:
            raise ValueError(
                f"batch_norm: x of shape {x.shape} has one value in each channel, which has no variance to divide by; "
                "pass a larger batch, or training=False with running statistics"
            )
        self.rows = arrays.for_kernel(x)
        length = self.count // x.shape[0] if x.size else 1
        self.planes = length > 1
        self.shape = (x.shape[0], self.channels, length) if self.planes else (x.shape[0], self.channels)

    def _check_channel(self, name: str, parameter: Array | None) -> None:
        if parameter is not None and parameter.shape != (self.channels,):
            raise ValueError(
                f"batch_norm: {name} has shape {parameter.shape}, x has {self.channels} channels (axis 1); "
                f"give it shape ({self.channels},)"
            )

    def _check_running(self, mean: Any, var: Any) -> tuple[Array, Array] | None:
        if mean is None and var is None:
            if not self.training:
                raise ValueError(
                    "batch_norm: training=False needs running statistics; pass running_mean and running_var"
                )
            return None
        if mean is None or var is None:
            raise ValueError("batch_norm: running_mean and running_var go together; pass both or neither")
        for name, value in (("running_mean", mean), ("running_var", var)):
            if type(value) not in (np.ndarray, np.memmap) or value.dtype.kind != "f":
                kind = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
                raise TypeError(
                    f"batch_norm: {name} is {kind}, and it is updated in place; pass a floating numpy array, as "
                    f"np.zeros({self.channels})"
                )
            self._check_channel(name, value)
        if not self.training and not np.all(var >= 0):
            raise ValueError(f"batch_norm: running_var holds {var.min()}; a variance is at least 0")
        return mean, var

    def check_writable(self) -> None:
        """Running statistics that training will move."""
        if self.running is not None and self.training:
            for name, value in zip(("running_mean", "running_var"), self.running, strict=True):
                if not value.flags.writeable:
                    raise ValueError(f"batch_norm: {name} is read-only and training updates it; pass a writable array")

    def kernel_arguments(self) -> tuple[Any, ...]:
        """x, w, b, eps, training, k, c, var."""
        kind, n = self.rows.dtype, self.channels
        w = np.ones(n, kind) if self.weight is None else arrays.for_kernel(self.weight)
        b = np.zeros(n, kind) if self.bias is None else arrays.for_kernel(self.bias)
        if self.training or self.running is None:
            k, c, var = np.empty(n, kind), np.empty(n, kind), np.empty(n)
        else:
            mean = self.running[0].astype(np.float64)
            k = mean.astype(kind)
            c, var = (mean - k).astype(kind), self.running[1].astype(np.float64)
        return self.rows.reshape(self.shape), w, b, self.eps, self.training, k, c, var

    def forward(self, inputs: tuple[Any, ...], y: Array) -> None:
        y = y.reshape(self.shape)
        if self.planes:
            threads.over_rows(cpu.forward_planes, self.channels, self.count, *inputs, y)
        else:
            _Columns(*inputs).forward(y)

    def gradient(self, inputs: tuple[Any, ...], g: Array, y: Array | None, dx: Array, sums: Array) -> None:
        """dx, and the gradients for bias and weight in sums (2, C); y too, unless it is None."""
        g, dx = g.reshape(self.shape), dx.reshape(self.shape)
        values = np.empty((0, *self.shape[1:]), dx.dtype) if y is None else y.reshape(self.shape)
        if self.planes:
            threads.over_rows(cpu.gradient_planes, self.channels, self.count, *inputs, g, values, dx, sums[1], sums[0])
            return
        columns = _Columns(*inputs)
        if len(values):
            columns.forward(values)
        columns.gradient(g, dx, sums)

    def update(self, k: Array, c: Array, var: Array) -> None:
        """The running statistics move by `momentum` towards this batch's; the variance is the unbiased one."""
        if self.running is not None and self.training:
            mean, variance = (running.astype(np.float64) for running in self.running)
            cpu.update_running(mean, variance, self.momentum, self.count, k, c, var)
            for running, moved in zip(self.running, (mean, variance), strict=True):
                running[...] = arrays.narrow(moved, running.dtype)


class _Columns:
    """Sweeps over the rows of (N, C) numbers; in training it finds k, c and var first."""

    def __init__(
        self, x: Array, w: Array, b: Array, eps: float, training: bool, k: Array, c: Array, var: Array
    ) -> None:
        self.x, self.b, self.training, self.k, self.c, self.var = x, b, training, k, c, var
        if training:
            self._find_moments()
        self.rstd, self.a = np.empty_like(k), np.empty_like(k)
        cpu.scales(w, eps, var, self.rstd, self.a)

    def _find_moments(self) -> None:
        """From the first rows where the mean may lie; once more wherever that was far off."""
        x, k, few = self.x, self.k, min(len(self.x), _FEW)
        k[:] = x[0]
        cpu.settle(few, self._part(0, few, cpu.column_sums, k), k, self.c, self.var, False)
        for last in (False, True):
            moved, lost = cpu.settle(len(x), self._sums(cpu.column_sums, k), k, self.c, self.var, last)
            if not moved:
                break
        if lost:
            cpu.lost_columns(x, k, self.c, self.var)

    def _part(self, lo: int, hi: int, kernel: Any, *arguments: Any) -> Array:
        """Two sums for each column over rows lo to hi, in float64."""
        n = self.x.shape[1]
        total = np.zeros((2, n))
        kernel(lo, hi, self.x, *arguments, np.zeros((3, n), self.x.dtype), total)
        return total

    def _sums(self, kernel: Any, *arguments: Any) -> Array:
        rows, n = self.x.shape
        parts = threads.partial_results(self._part, rows, n, kernel, *arguments)
        if len(parts) == 1:
            return parts[0]  # type: ignore[no-any-return]
        with np.errstate(all="ignore"):
            return np.asarray(sum(parts))

    def forward(self, y: Array) -> None:
        rows, n = self.x.shape
        threads.over_rows(cpu.forward_columns, rows, n, self.x, self.k, self.c, self.a, self.b, y)

    def gradient(self, g: Array, dx: Array, sums: Array) -> None:
        rows, n = self.x.shape
        sums[:] = self._sums(cpu.gradient_sums, self.k, self.c, g)
        sums[1] *= self.rstd
        means = np.zeros((2, n), g.dtype)
        if self.training:
            with np.errstate(all="ignore"):
                means[:] = sums / rows
        threads.over_rows(cpu.gradient_columns, rows, n, self.x, self.k, self.c, self.rstd, self.a, g, *means, dx)


def forward(given: Arguments, out: Array | None) -> Array:
    """The normalised array; updates the running statistics when training."""
    door = _Door(given)
    door.check_writable()
    x = door.x
    if out is not None:
        arrays.check_out("batch_norm", out, x)
    y = arrays.new_rows(x, door.rows, x.ndim - 1, out, door.weight, door.bias)
    if x.size:
        inputs = door.kernel_arguments()
        door.forward(inputs, y)
        door.update(*inputs[5:])
    return arrays.from_rows(y, x, x.ndim - 1, out)  # type: ignore[no-any-return]


def backward(given: Arguments, cotangent: ArrayLike | None, with_value: bool) -> Any:
    """The gradients for x, weight and bias; the running statistics stay as they are."""
    door = _Door(given)
    x = door.x
    g = arrays.for_kernel(arrays.check_cotangent("batch_norm", cotangent, x.shape, x.dtype))
    y = memory.empty_like(door.rows) if with_value else None
    dx, sums = memory.empty_like(door.rows), np.zeros((2, door.channels))
    if x.size:
        door.gradient(door.kernel_arguments(), g, y, dx, sums)
    gradients = [arrays.narrow(dx, x.dtype)]
    db, dw = arrays.narrow(sums, x.dtype)
    gradients += [d for parameter, d in ((door.weight, dw), (door.bias, db)) if parameter is not None]
    return tuple(gradients) if y is None else (arrays.narrow(y, x.dtype), tuple(gradients))
