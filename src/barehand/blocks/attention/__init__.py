"""Attention: scaled dot products, several heads with projections, and a sequence's attention to itself."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import ArrayLike

from barehand.blocks.attention import launch
from barehand.blocks.attention.weights import AttentionWeights
from barehand.core.dispatch import by_kind

__all__ = ["AttentionWeights", "attention", "multi_head_attention", "self_attention"]

Causal = bool | Literal["top_left", "bottom_right"]


@by_kind
def attention(
    query: ArrayLike, key: ArrayLike, value: ArrayLike, *, mask: ArrayLike | None = None, causal: Causal = False,
    scale: float | None = None, return_weights: bool = False,
) -> Any:  # fmt: skip
    """What each query finds among the keys: the average of their values, weighted by how well they match.

    result = softmax(query key^T scale) value, the softmax over the keys.

    Args:
        query: (..., Lq, d); float16, float32 or float64 are kept, integers become float64; mixed ones the widest.
        key: (..., Lk, d); the leading axes of all three broadcast.
        value: (..., Lk, dv).
        mask: broadcast to (..., Lq, Lk); boolean, True = may attend, or floating, added to the scores (-inf hides).
        causal: True hides the keys after a query's own place, only for Lq = Lk; otherwise "top_left" (query i sees
            keys 0 to i) or "bottom_right" (the last query sees all keys).
        scale: what the scores are multiplied by; 1/sqrt(d) unless given.
        return_weights: also the weights, (..., Lq, Lk), rows that sum to 1.

    Returns:
        (..., Lq, dv) in the widest type of the three; with return_weights the pair (result, weights).

    Raises:
        TypeError: numbers that are not real, a mask neither boolean nor floating.
        ValueError: shapes that do not go together, causal=True with Lq != Lk.

    Edge cases: a query with nothing to attend to gets zeros and has zero gradients. A key whose weight is 0, because
    it is hidden or far below the best, may hold nan or inf in key and value: it touches nothing. Scores of 1e4 are
    exact. Without keys all is 0.

    Cost: 4 Lq Lk d multiplications and additions at the speed of BLAS; tiles of scores, never all of them.

    Source: A. Vaswani et al. (2017), arXiv:1706.03762, equation 1; in tiles, M. Milakov and N. Gimelshein (2018),
    arXiv:1805.02867, algorithm 3, and T. Dao (2023), arXiv:2307.08691.

    >>> attention([[1.0, 0.0]], [[8.0, 0.0], [0.0, 8.0]], [[1.0], [2.0]]).round(4)
    array([[1.0035]])
    """
    return launch.forward(query, key, value, mask, causal, scale, return_weights)


@by_kind
def multi_head_attention(
    query: ArrayLike, key: ArrayLike, value: ArrayLike, weights: AttentionWeights, *, num_heads: int,
    mask: ArrayLike | None = None, causal: Causal = False, scale: float | None = None, return_weights: bool = False,
) -> Any:  # fmt: skip
    """Attention of several heads, each with projections of its own; their results side by side, projected.

    head_h = attention(query W_q,h^T + b_q,h, ...), result = [head_1 ... head_H] W_o^T + b_o.

    Args:
        query, key, value: (..., Lq, Eq), (..., Lk, Ek), (..., Lk, Ev), as for `attention`.
        weights: `AttentionWeights`, each (out, in) as in torch.nn.Linear; w_o None leaves the heads side by side.
        num_heads: divides the rows of w_q and w_k into heads of d_k, those of w_v into heads of d_v.
        mask: as for `attention`, the same for all heads; with one axis more than the result, its axis -3 is the heads'.
        causal, scale: as for `attention`; the scale is 1/sqrt(d_k) of one head unless given.
        return_weights: also the weights of each head, (..., H, Lq, Lk).

    Returns:
        (..., Lq, Eo), Eo the rows of w_o; with return_weights the pair (result, weights).

    Raises:
        TypeError: numbers that are not real, weights of another kind.
        ValueError: shapes that do not go together, num_heads that divides no rows, causal=True with Lq != Lk.

    Edge cases: as for `attention`; a query with nothing to attend to has heads of zeros, hence the result b_o.

    Cost: the projections and `attention` of each head.

    Source: A. Vaswani et al. (2017), arXiv:1706.03762, section 3.2.2.

    >>> w = AttentionWeights([[1.0], [2.0]], [[1.0], [1.0]], [[1.0], [-1.0]], [[1.0, 1.0]])
    >>> multi_head_attention([[1.0]], [[0.0], [1.0]], [[0.0], [1.0]], w, num_heads=2).round(4)
    array([[-0.1497]])
    """
    parts = {"query": query, "key": key, "value": value}
    given = weights, num_heads, mask, causal, scale
    return launch.forward_several("multi_head_attention", parts, *given, return_weights=return_weights)


@by_kind
def self_attention(
    x: ArrayLike, weights: AttentionWeights, *, mask: ArrayLike | None = None, causal: Causal = False,
    scale: float | None = None, return_weights: bool = False,
) -> Any:  # fmt: skip
    """Attention of a sequence to itself with one head: queries, keys and values are three projections of x.

    result = attention(x W_q^T + b_q, x W_k^T + b_k, x W_v^T + b_v) W_o^T + b_o.

    Args: x (..., L, E); weights with any d_k and d_v, w_o often None; the others as for `attention`.
    Returns: (..., L, Eo), or (..., L, d_v) without w_o; with return_weights the pair with the weights (..., L, L).
    Raises: as `multi_head_attention`.
    Edge cases: as `multi_head_attention`. Cost: likewise, with one head.
    Source: A. Vaswani et al. (2017), arXiv:1706.03762, sections 3.2.1 and 3.2.3.

    >>> self_attention([[0.0], [1.0]], AttentionWeights([[1.0]], [[1.0]], [[2.0]], None), causal=True).round(4)
    array([[0.    ],
           [1.4621]])
    """
    given = weights, 1, mask, causal, scale
    return launch.forward_several("self_attention", {"x": x}, *given, return_weights=return_weights)
