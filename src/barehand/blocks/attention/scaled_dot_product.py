"""Attention as on paper: softmax(Q K^T / sqrt(d_k)) V; the textbook's part without heads."""

from __future__ import annotations

from typing import Any

import numpy as np


def _weigh(weights: Any, rows: Any) -> Any:
    """sum_j weights_ij rows_j, where a weight of 0 takes nothing, not even nan."""
    w = weights[..., None]
    return np.where(w == 0, w, w * rows[..., None, :, :]).sum(axis=-2)


def _to(shape: Any, gradient: Any) -> Any:
    """Summed over the axes that were broadcast."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    return gradient.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 != gradient.shape[i]), keepdims=True)


def _factor(query: Any, scale: Any) -> Any:
    return query.dtype.type(scale) if scale is not None else 1 / np.sqrt(query.dtype.type(max(query.shape[-1], 1)))


def _probabilities(query: Any, key: Any, mask: Any, causal: Any, scale: Any) -> Any:
    """The softmax of the scores over the keys; what is hidden has the score -inf and the weight 0."""
    s = query @ np.swapaxes(key, -1, -2) * _factor(query, scale)
    if mask is not None and np.asarray(mask).dtype == bool:
        s = np.where(mask, s, -np.inf)
    elif mask is not None:
        s = np.where(mask == -np.inf, -np.inf, s + mask).astype(s.dtype)
    if causal:
        queries, keys = s.shape[-2:]
        s = np.where(np.tri(queries, keys, keys - queries if causal == "bottom_right" else 0, dtype=bool), s, -np.inf)
    top = s.max(axis=-1, keepdims=True, initial=-np.inf)
    e = np.exp(s - np.where(top == -np.inf, 0, top))
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total == 0, 1, total)  # nothing to attend to: zeros


def attention(
    query: Any, key: Any, value: Any, *, mask: Any = None, causal: Any = False, scale: Any = None,
    return_weights: bool = False,
) -> Any:  # fmt: skip
    """Each query's average of the values, weighted by the softmax of its scaled products with the keys."""
    q, k, v = (np.multiply(x, 1.0) for x in (query, key, value))
    p = _probabilities(q, k, mask, causal, scale)
    result = _weigh(p, v)
    return (result, np.broadcast_to(p, (*result.shape[:-1], p.shape[-1])).copy()) if return_weights else result


def attention_vjp(
    query: Any, key: Any, value: Any, *, mask: Any = None, causal: Any = False, scale: Any = None,
    return_weights: bool = False, cotangent: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """dV = P^T G; dP = G V^T; dS = P (dP - rowsum(P dP)); dQ = dS K scale; dK = dS^T Q scale."""
    q, k, v = (np.multiply(x, 1.0) for x in (query, key, value))
    p = _probabilities(q, k, mask, causal, scale)
    g, gp = cotangent if return_weights else (cotangent, 0)
    dp = g @ np.swapaxes(v, -1, -2) + gp
    p = np.broadcast_to(p, dp.shape)
    ds = np.where(p == 0, p, p * (dp - np.where(p == 0, p, p * dp).sum(axis=-1, keepdims=True))) * _factor(q, scale)
    dk, dv = _weigh(np.swapaxes(ds, -1, -2), q), _weigh(np.swapaxes(p, -1, -2), g)
    return _to(q.shape, _weigh(ds, k)), _to(k.shape, dk), _to(v.shape, dv)
