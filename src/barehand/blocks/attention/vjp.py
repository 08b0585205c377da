"""Gradients of attention for NumPy users. A floating mask has none."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.attention import launch
from barehand.blocks.attention.weights import AttentionWeights


def attention(
    query: ArrayLike, key: ArrayLike, value: ArrayLike, *, mask: ArrayLike | None = None, causal: Any = False,
    scale: float | None = None, return_weights: bool = False, cotangent: Any = None, with_value: bool = False,
) -> Any:  # fmt: skip
    """The gradients of attention for queries, keys and values, each in its own shape.

    With weights P and cotangent G: dV = P^T G, dP = G V^T, dS = P (dP - rowsum(P dP)), dQ = scale dS K and
    dK = scale dS^T Q. With return_weights the cotangent is a pair, for the result and the weights; None for one of
    them is zeros. `with_value=True` returns (attention(...), gradients) from the same pass.

    >>> dq, dk, dv = attention([[0.0]], [[1.0], [3.0]], [[0.0], [4.0]], cotangent=[[1.0]])
    >>> dq, dv.ravel()
    (array([[2.]]), array([0.5, 0.5]))
    """
    given = query, key, value, mask, causal, scale
    return launch.backward(given, return_weights, cotangent, with_value)


def multi_head_attention(
    query: ArrayLike, key: ArrayLike, value: ArrayLike, weights: AttentionWeights, *, num_heads: int,
    mask: ArrayLike | None = None, causal: Any = False, scale: float | None = None, return_weights: bool = False,
    cotangent: Any = None, with_value: bool = False,
) -> Any:  # fmt: skip
    """The gradients for queries, keys, values and, as `AttentionWeights`, for the weights; None for what is not given.

    The cotangent goes back through W_o, the heads and the three projections. With return_weights it is a pair, for
    the result and the weights of the heads. `with_value=True` returns (multi_head_attention(...), gradients).

    >>> w = AttentionWeights([[1.0]], [[1.0]], [[1.0]], [[3.0]])
    >>> multi_head_attention([[1.0]], [[2.0]], [[5.0]], w, num_heads=1, cotangent=[[1.0]])[3].w_o
    array([[5.]])
    """
    parts, given = {"query": query, "key": key, "value": value}, (weights, num_heads, mask, causal, scale)
    return launch.backward_several(
        "multi_head_attention", parts, *given, return_weights=return_weights, cotangent=cotangent, with_value=with_value
    )


def self_attention(
    x: ArrayLike, weights: AttentionWeights, *, mask: ArrayLike | None = None, causal: Any = False,
    scale: float | None = None, return_weights: bool = False, cotangent: Any = None, with_value: bool = False,
) -> Any:  # fmt: skip
    """The gradients for x, which is query, key and value at once, and for the weights.

    dx is the sum of the three parts. `with_value=True` returns (self_attention(...), gradients).

    >>> w = AttentionWeights([[1.0]], [[1.0]], [[3.0]], None)
    >>> dx, dw = self_attention([[2.0]], w, cotangent=[[1.0]])
    >>> dx, dw.w_v, dw.w_o
    (array([[3.]]), array([[2.]]), None)
    """
    given = weights, 1, mask, causal, scale
    return launch.backward_several(
        "self_attention", {"x": x}, *given, return_weights=return_weights, cotangent=cotangent, with_value=with_value
    )
