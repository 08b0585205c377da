"""Softmax and its logarithm as on paper: p = exp(x - max) / sum exp(x - max), along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np


def _shifted(x: Any, axis: int, mask: Any) -> Any:
    """x minus its largest entry in each slice, with -inf where the mask takes an entry away."""
    x = np.multiply(x, 1.0)  # integers become float64
    if mask is not None:
        x = np.where(mask, x, -np.inf).astype(x.dtype)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    if mask is not None:
        top = np.where(top == -np.inf, 0, top).astype(x.dtype)  # nothing left: exp(-inf) = 0 everywhere
    with np.errstate(invalid="ignore"):
        return x - top


def softmax(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    """Exponentials of the scores, divided by their sum; a slice with nothing left by the mask is zeros."""
    e = np.exp(_shifted(x, axis, mask))
    total = e.sum(axis=axis, keepdims=True)
    return e / (total if mask is None else np.where(total == 0, 1, total))


def softmax_vjp(x: Any, *, axis: int = -1, mask: Any = None, cotangent: Any) -> tuple[Any]:
    """dx_i = p_i (g_i - sum_j g_j p_j)."""
    p = softmax(x, axis=axis, mask=mask)
    return (p * (cotangent - np.sum(cotangent * p, axis=axis, keepdims=True)),)


def log_softmax(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    """x - max - log sum exp(x - max): never the logarithm of a softmax, which is log 0 far below the maximum."""
    d = _shifted(x, axis, mask)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = d - np.log(np.exp(d).sum(axis=axis, keepdims=True))
    return result if mask is None else np.where(mask, result, -np.inf).astype(d.dtype)


def log_softmax_vjp(x: Any, *, axis: int = -1, mask: Any = None, cotangent: Any) -> tuple[Any]:
    """dx_i = g_i - p_i sum_j g_j, over the entries kept."""
    g = cotangent if mask is None else np.where(mask, cotangent, 0)
    return (g - softmax(x, axis=axis, mask=mask) * np.sum(g, axis=axis, keepdims=True),)
