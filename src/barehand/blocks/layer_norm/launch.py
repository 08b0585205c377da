"""From any array and first axis to the kernels' rows and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays, memory
from barehand.core.arrays import Array
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.layer_norm.cpu")
threads = LazyModule("barehand.core.threads")


def _door(
    x: Any, weight: Any, bias: Any, axis: int, eps: float
) -> tuple[Array, Array | None, Array | None, Array, Array, Array, float]:
    """x, weight and bias checked, then the rows, w and b that a kernel takes, and eps."""
    x, weight, bias = arrays.all_floating("layer_norm", x=x, weight=weight, bias=bias)
    if x.ndim == 0:
        raise ValueError(
            "layer_norm: x is a single number, with no axis to normalise over; pass an array of shape (n,)"
        )
    shape = x.shape[arrays.check_axis("layer_norm", axis, x) :]
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.shape != shape:
            raise ValueError(
                f"layer_norm: {name} has shape {parameter.shape}, the axes normalised over {shape}; give it that shape"
            )
    eps = arrays.check_number("layer_norm", "eps", eps, low=0.0)
    n = math.prod(shape)
    rows = arrays.for_kernel(x).reshape(-1, n) if x.size else np.empty((0, n), np.float32)
    w = np.ones(n, rows.dtype) if weight is None else arrays.for_kernel(weight).reshape(n)
    b = np.zeros(n, rows.dtype) if bias is None else arrays.for_kernel(bias).reshape(n)
    return x, weight, bias, rows, w, b, eps


def forward(x: Any, weight: Any, bias: Any, axis: int, eps: float, out: Array | None) -> Array:
    """The normalised array."""
    x, weight, bias, rows, w, b, eps = _door(x, weight, bias, axis, eps)
    if out is not None:
        arrays.check_out("layer_norm", out, x)
    y = arrays.new_rows(x, rows, x.ndim - 1, out, weight, bias)
    if rows.size:
        threads.over_rows(cpu.forward, len(rows), rows.shape[1], rows, w, b, eps, y)
    return arrays.from_rows(y, x, x.ndim - 1, out)  # type: ignore[no-any-return]


def backward(
    x: Any,
    weight: Any,
    bias: Any,
    axis: int,
    eps: float,
    cotangent: ArrayLike | None,
    with_value: bool,
) -> Any:
    """The gradients for x, weight and bias."""
    x, weight, bias, rows, w, b, eps = _door(x, weight, bias, axis, eps)
    g = arrays.check_cotangent("layer_norm", cotangent, x.shape, x.dtype)
    dx, dw, db = memory.empty_like(rows), None, None
    y = memory.empty_like(rows if with_value else rows[:0])
    if rows.size:
        g_rows = arrays.for_kernel(g).reshape(rows.shape)
        parts = threads.partial_results(cpu.gradient, len(rows), 3 * rows.shape[1], rows, w, b, eps, g_rows, y, dx)
        dw, db = parts[0]
        for part in parts[1:]:
            dw += part[0]
            db += part[1]
    gradients = [arrays.narrow(dx.reshape(x.shape), x.dtype)]
    gradients += [
        np.zeros(parameter.shape, x.dtype) if total is None else arrays.narrow(total.reshape(parameter.shape), x.dtype)
        for parameter, total in ((weight, dw), (bias, db))
        if parameter is not None
    ]
    return (arrays.from_rows(y, x, x.ndim - 1), tuple(gradients)) if with_value else tuple(gradients)
