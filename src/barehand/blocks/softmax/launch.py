"""From any array and axis to the kernels' rows and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays, memory
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.softmax.cpu")
threads = LazyModule("barehand.core.threads")

_NOTHING_LEFT = {"softmax": 0.0, "log_softmax": -np.inf}


def _door(name: str, x: ArrayLike, axis: int, mask: ArrayLike | None) -> tuple[arrays.Array, int, arrays.Array | None]:
    x = arrays.as_floating(name, "x", x)
    return x, arrays.check_axis(name, axis, x), None if mask is None else arrays.check_mask(name, mask, x.shape)


def _rows(x: arrays.Array, axis: int, kept: arrays.Array | None) -> arrays.Array:
    return arrays.to_rows(x if kept is None else np.where(kept, x, x.dtype.type(-np.inf)), axis)


def _forward(name: str, rows: arrays.Array, y: arrays.Array, masked: bool) -> None:
    nothing = _NOTHING_LEFT[name] if masked else np.nan
    threads.over_rows(getattr(cpu, name), len(rows), rows.shape[1], rows, y, rows.dtype.type(nothing))


def forward(name: str, x: ArrayLike, axis: int, mask: ArrayLike | None, out: arrays.Array | None) -> Any:
    """Softmax or log-softmax, by name."""
    x, axis, kept = _door(name, x, axis, mask)
    if out is not None:
        arrays.check_out(name, out, x)
    rows = _rows(x, axis, kept)
    y = arrays.new_rows(x, rows, axis, out)
    if rows.size:
        _forward(name, rows, y, kept is not None)
    return arrays.from_rows(y, x, axis, out)


def _pull_back(
    name: str, y: arrays.Array, g: arrays.Array, axis: int, kept: arrays.Array | None, dx: arrays.Array
) -> None:
    g_rows = arrays.to_rows(g if kept is None else np.where(kept, g, g.dtype.type(0)), axis)
    threads.over_rows(getattr(cpu, f"{name}_backward"), len(y), y.shape[1], y, g_rows, dx)


def backward(
    name: str, x: ArrayLike, axis: int, mask: ArrayLike | None, cotangent: ArrayLike | None, with_value: bool
) -> Any:
    """The gradient for x, after the forward pass that it needs."""
    x, axis, kept = _door(name, x, axis, mask)
    g = arrays.check_cotangent(name, cotangent, x.shape, x.dtype)
    rows = _rows(x, axis, kept)
    y, dx = memory.empty_like(rows), memory.empty_like(rows)
    if rows.size:
        _forward(name, rows, y, kept is not None)
        _pull_back(name, y, g, axis, kept, dx)
    gradient = (arrays.from_rows(dx, x, axis),)
    return (arrays.from_rows(y, x, axis), gradient) if with_value else gradient


def from_result(name: str, y: arrays.Array, axis: int, mask: arrays.Array | None, g: arrays.Array) -> Any:
    """The gradient for x where the result y is at hand, and g its cotangent."""
    y, axis, kept = _door(name, y, axis, mask)
    rows = arrays.to_rows(y, axis)
    dx = memory.empty_like(rows)
    if rows.size:
        _pull_back(name, rows, arrays.narrow(g, y.dtype), axis, kept, dx)
    return arrays.from_rows(dx, y, axis)
