"""Layer norm as on paper: each sample's features brought to mean 0 and variance 1, then scaled and moved."""

from __future__ import annotations

from typing import Any

import numpy as np


def _normalised(x: Any, axis: int, eps: float) -> tuple[Any, Any, tuple[int, ...]]:
    """xhat, 1 / sqrt(variance + eps), and the axes normalised over: from `axis` to the last."""
    x = np.multiply(x, 1.0)
    axes = tuple(range(axis % x.ndim, x.ndim))
    centred = x - x.mean(axis=axes, keepdims=True)
    centred = centred - centred.mean(axis=axes, keepdims=True)  # what rounding left in the first mean
    rstd = 1 / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + eps)
    return centred * rstd, rstd, axes


def layer_norm(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    """y = (x - mean) / sqrt(variance + eps) * weight + bias, the variance divided by n, not n - 1."""
    y, _, _ = _normalised(x, axis, eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def layer_norm_vjp(
    x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5, cotangent: Any
) -> tuple[Any, ...]:
    """dx = rstd (gw - mean(gw) - xhat mean(gw xhat)) with gw = g weight; dweight = sum g xhat; dbias = sum g."""
    xhat, rstd, axes = _normalised(x, axis, eps)
    rows = tuple(range(axes[0]))
    gw = cotangent if weight is None else cotangent * weight
    dx = rstd * (gw - gw.mean(axis=axes, keepdims=True) - xhat * (gw * xhat).mean(axis=axes, keepdims=True))
    gradients = [dx]
    if weight is not None:
        gradients.append((cotangent * xhat).sum(axis=rows))
    if bias is not None:
        gradients.append(cotangent.sum(axis=rows))
    return tuple(gradients)
