"""Attention as on paper, with heads and of a sequence to itself; one head by itself is in scaled_dot_product.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.blocks.attention.scaled_dot_product import attention, attention_vjp
from barehand.blocks.attention.weights import AttentionWeights

__all__ = ["attention", "attention_vjp"]


def linear(x: Any, w: Any, b: Any) -> Any:
    """x W^T + b; x itself without a W."""
    return np.multiply(x, 1.0) if w is None else np.multiply(x, 1.0) @ np.transpose(w) + (0 if b is None else b)


def linear_vjp(x: Any, w: Any, b: Any, g: Any) -> tuple[Any, Any, Any]:
    """dx = g W, dW = g^T x, db = sum g; a row of x whose gradient is 0 may hold nan."""
    if w is None:
        return g, None, None
    x = np.where((g != 0).any(axis=-1, keepdims=True), np.multiply(x, 1.0), 0)
    rows = g.reshape(-1, g.shape[-1])
    return g @ w, rows.T @ x.reshape(-1, x.shape[-1]), None if b is None else rows.sum(axis=0)


def apart(x: Any, heads: int) -> Any:
    """(..., L, heads d) as (..., heads, L, d)."""
    return np.swapaxes(x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads), -2, -3)


def together(x: Any) -> Any:
    """(..., heads, L, d) as (..., L, heads d)."""
    x = np.swapaxes(x, -2, -3)
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def for_heads(mask: Any, *parts: Any) -> Any:
    """A mask with no more axes than queries, keys and values is shared by the heads."""
    return mask if np.ndim(mask) < 3 or np.ndim(mask) > max(map(np.ndim, parts)) else np.expand_dims(mask, -3)


def multi_head_attention(
    query: Any, key: Any, value: Any, weights: AttentionWeights, *, num_heads: int, mask: Any = None,
    causal: Any = False, scale: Any = None, return_weights: bool = False,
) -> Any:  # fmt: skip
    """Attention of the projections cut into heads; the heads side by side, projected once more."""
    w = weights
    parts = linear(query, w.w_q, w.b_q), linear(key, w.w_k, w.b_k), linear(value, w.w_v, w.b_v)
    heads, p = attention(
        *(apart(x, num_heads) for x in parts), mask=for_heads(mask, *parts), causal=causal, scale=scale,
        return_weights=True,
    )  # fmt: skip
    result = linear(together(heads), w.w_o, w.b_o)
    return (result, p) if return_weights else result


def multi_head_attention_vjp(
    query: Any, key: Any, value: Any, weights: Any, *, num_heads: int, cotangent: Any, **given: Any
) -> tuple[Any, Any, Any, AttentionWeights]:
    """The result's projection, the heads and the three projections pulled back in turn."""
    w = weights
    parts = linear(query, w.w_q, w.b_q), linear(key, w.w_k, w.b_k), linear(value, w.w_v, w.b_v)
    several = given.pop("return_weights", False)
    options = {**given, "mask": for_heads(given.get("mask"), *parts)}
    cut = [apart(x, num_heads) for x in parts]
    g, gp = cotangent if several else (cotangent, 0)
    g, w_o, b_o = linear_vjp(together(attention(*cut, **options)), w.w_o, w.b_o, g)
    inner = attention_vjp(*cut, **options, return_weights=True, cotangent=(apart(g, num_heads), gp))
    (q, w_q, b_q), (k, w_k, b_k), (v, w_v, b_v) = (
        linear_vjp(x, *ends, together(d))
        for x, ends, d in zip((query, key, value), ((w.w_q, w.b_q), (w.w_k, w.b_k), (w.w_v, w.b_v)), inner, strict=True)
    )
    return q, k, v, AttentionWeights(w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o)


def self_attention(
    x: Any, weights: AttentionWeights, *, mask: Any = None, causal: Any = False, scale: Any = None,
    return_weights: bool = False,
) -> Any:  # fmt: skip
    """One head whose queries, keys and values all come from x."""
    options = {"mask": mask, "causal": causal, "scale": scale}
    result, p = multi_head_attention(x, x, x, weights, num_heads=1, **options, return_weights=True)
    return (result, p[..., 0, :, :]) if return_weights else result


def self_attention_vjp(
    x: Any, weights: Any, *, return_weights: bool = False, cotangent: Any, **given: Any
) -> tuple[Any, AttentionWeights]:
    """x takes part three times: its gradient is the sum of the three."""
    given["return_weights"] = return_weights
    cotangent = (cotangent[0], np.expand_dims(cotangent[1], -3)) if return_weights else cotangent
    q, k, v, dw = multi_head_attention_vjp(x, x, x, weights, num_heads=1, cotangent=cotangent, **given)
    return q + k + v, dw
