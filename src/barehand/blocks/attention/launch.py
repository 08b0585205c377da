"""From arguments to heads and back: what is checked, projected, cut into heads, put together and narrowed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.blocks.attention.units import Heads, Shape, check_matrices
from barehand.blocks.attention.weights import AttentionWeights
from barehand.core import arrays
from barehand.core.arrays import Array
from barehand.core.lazy import LazyModule

tiles = LazyModule("barehand.blocks.attention.tiles")


def _check_cotangents(
    name: str, cotangent: Any, shape: Shape, weights: Shape | None, dtype: np.dtype[Any]
) -> tuple[Array, Array | None]:
    """The cotangent of the result and, where the weights are returned too, theirs; None stands for zeros."""
    if weights is None:
        return _wide(arrays.check_cotangent(name, cotangent, shape, dtype)), None
    if not isinstance(cotangent, (tuple, list)) or len(cotangent) != 2 or cotangent[0] is None is cotangent[1]:
        raise ValueError(
            f"vjp.{name}: with return_weights=True the cotangent is a pair, for the result and for the weights; pass "
            "cotangent=(array, None) where one of them has none"
        )
    first, second = cotangent
    g = np.zeros(shape, dtype) if first is None else arrays.check_cotangent(name, first, shape, dtype)
    return _wide(g), None if second is None else _wide(arrays.check_cotangent(name, second, weights, dtype))


def _wide(x: Array) -> Array:
    """float16 is computed in float32."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _flat(x: Array) -> Array:
    """(..., L, E) as contiguous rows."""
    return arrays.for_kernel(x).reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _narrowed(values: tuple[Array, Array | None], dtype: np.dtype[Any]) -> Any:
    """The result in its type, with the weights where there are some."""
    result, weights = (None if x is None else arrays.narrow(x, dtype) for x in values)
    return result if weights is None else (result, weights)


class _Single:
    """`attention`: the arguments as they are."""

    def __init__(self, query: Any, key: Any, value: Any, mask: Any, causal: object, scale: object) -> None:
        q, k, v = arrays.all_floating("attention", query=query, key=key, value=value)
        check_matrices("attention", ("query", "key", "value"), (q, k, v))
        if q.shape[-1] != k.shape[-1]:
            raise ValueError(
                f"attention: query has width {q.shape[-1]} and key {k.shape[-1]} (shapes {q.shape} and {k.shape}); "
                "give them one width"
            )
        self.dtype = q.dtype
        self.heads = Heads("attention", [_wide(x) for x in (q, k, v)], mask, causal, scale, several=False)


def forward(
    query: ArrayLike, key: ArrayLike, value: ArrayLike, mask: Any, causal: object, scale: object, return_weights: bool
) -> Any:
    """Attention of one head."""
    door = _Single(query, key, value, mask, causal, scale)
    return _narrowed(door.heads.forward(bool(return_weights)), door.dtype)


def backward(given: tuple[Any, ...], return_weights: bool, cotangent: Any, with_value: bool) -> Any:
    """The gradients for queries, keys and values; `given` is what `forward` takes up to the scale."""
    door = _Single(*given)
    heads = door.heads
    g = _check_cotangents("attention", cotangent, heads.shape, heads.plane if return_weights else None, door.dtype)
    values, gradients = heads.backward(*g, with_value, bool(return_weights))
    narrow = tuple(arrays.narrow(d, door.dtype) for d in gradients)
    return narrow if values is None else (_narrowed(values, door.dtype), narrow)


class _Several:
    """Attention with projections: `multi_head_attention` and, with one head and without its axis, `self_attention`."""

    def __init__(
        self, name: str, parts: dict[str, Any], weights: Any, num_heads: Any, mask: Any, causal: object, scale: object
    ) -> None:
        if not isinstance(weights, tuple) or not 3 <= len(weights) <= len(AttentionWeights._fields):
            raise TypeError(
                f"{name}: weights is a {type(weights).__name__}, not AttentionWeights; pass "
                "AttentionWeights(w_q, w_k, w_v, w_o, ...)"
            )
        self.name, self.several = name, name == "multi_head_attention"
        found = arrays.all_floating(name, **parts, **AttentionWeights(*weights)._asdict())
        self.parts, self.dtype = found[: len(parts)], found[0].dtype
        self.inputs = [_wide(x) for x in (self.parts if len(parts) == 3 else 3 * self.parts)]
        self.w = AttentionWeights(*(None if x is None else _wide(x) for x in found[len(parts) :]))
        arguments = list(parts) if len(parts) == 3 else 3 * list(parts)
        self.lead = check_matrices(name, arguments, self.inputs)
        self.count = _check_heads(name, num_heads, self.w)
        _check_weights(name, arguments, self.inputs, self.w)
        self.ends = [(arrays.for_kernel(w), b) for w, b in zip(self.w[:3], self.w[4:7], strict=True)]
        self.last = None if self.w.w_o is None else arrays.for_kernel(self.w.w_o), self.w.b_o
        self.rows = [_flat(x) for x in self.inputs]
        with np.errstate(all="ignore"):
            cut = [
                self.apart(tiles.linear(rows, *end), x.shape[:-1])
                for rows, end, x in zip(self.rows, self.ends, self.inputs, strict=True)
            ]
        self.heads = Heads(name, cut, mask, causal, scale, several=True)
        self.shape = (*self.lead, cut[0].shape[-2], (self.w.w_v if self.w.w_o is None else self.w.w_o).shape[0])
        plane = self.heads.plane
        self.plane = plane if self.several else (*plane[:-3], *plane[-2:])

    def apart(self, rows: Array, shape: Shape) -> Array:
        """Rows (..., L, heads d) as (..., heads, L, d)."""
        return rows.reshape(*shape, self.count, rows.shape[1] // self.count).swapaxes(-2, -3)

    def together(self, heads: Array) -> Array:
        """The inverse, as rows."""
        x = heads.swapaxes(-2, -3)
        return _flat(x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1]))

    def values(self, side_by_side: Array, weights: Array | None) -> Any:
        """What the function returns, from the heads put together."""
        with np.errstate(all="ignore"):
            result = tiles.linear(side_by_side, *self.last).reshape(self.shape)
        return _narrowed((result, None if weights is None else weights.reshape(self.plane)), self.dtype)

    def forward(self, with_weights: bool) -> Any:
        out, weights = self.heads.forward(with_weights)
        return self.values(self.together(out), weights)

    def backward(self, with_weights: bool, cotangent: Any, with_value: bool) -> Any:
        plane = self.plane if with_weights else None
        g, g_weights = _check_cotangents(self.name, cotangent, self.shape, plane, self.dtype)
        # The gradient of w_o needs the heads' results before anything flows back into them.
        values = None if self.w.w_o is None else self.heads.forward(with_value and with_weights)
        side_by_side = _flat(g) if values is None else self.together(values[0])
        g_heads, d_w_o, d_b_o = tiles.linear_backward(side_by_side, *self.last, _flat(g))
        g_heads = self.apart(g_heads, self.shape[:-1])
        if g_weights is not None:
            g_weights = g_weights.reshape(self.heads.plane)
        late, pulled = self.heads.backward(g_heads, g_weights, with_value and values is None, with_weights)
        values = late if values is None else values
        ends = [
            tiles.linear_backward(rows, *end, self.together(d))
            for rows, end, d in zip(self.rows, self.ends, pulled, strict=True)
        ]
        d_x = [d[0].reshape(x.shape) for d, x in zip(ends, self.inputs, strict=True)]
        if len(self.parts) == 1:
            d_x = [d_x[0] + d_x[1] + d_x[2]]
        d_w = [*(d[1] for d in ends), d_w_o, *(d[2] for d in ends), d_b_o]
        gradients = (
            *(arrays.narrow(d, self.dtype) for d in d_x),
            AttentionWeights(*(None if d is None else arrays.narrow(d, self.dtype) for d in d_w)),
        )
        if not with_value or values is None:
            return gradients
        return self.values(self.together(values[0]), values[1]), gradients


def _check_heads(name: str, num_heads: Any, w: AttentionWeights) -> int:
    if isinstance(num_heads, bool) or not isinstance(num_heads, (int, np.integer)):
        raise TypeError(f"{name}: num_heads must be an integer, not {num_heads!r}; pass an int")
    for field, x in zip(w._fields[:4], w[:4], strict=True):
        if x is None and field == "w_o":
            continue
        if x is None or x.ndim != 2:
            shape = "None" if x is None else f"of shape {x.shape}"
            raise ValueError(f"{name}: {field} is {shape}, not (out, in); pass a matrix as in torch.nn.Linear")
    if num_heads < 1 or len(w.w_q) % num_heads or len(w.w_v) % num_heads:
        raise ValueError(
            f"{name}: num_heads is {num_heads}, but w_q has {len(w.w_q)} rows and w_v {len(w.w_v)}; use a number from "
            "1 on that divides both"
        )
    return int(num_heads)


def _check_weights(name: str, arguments: list[str], inputs: list[Array], w: AttentionWeights) -> None:
    """Every projection fits what goes in, every bias what comes out."""
    for field, x, argument in zip(("w_q", "w_k", "w_v"), inputs, arguments, strict=True):
        if getattr(w, field).shape[1] != x.shape[-1]:
            raise ValueError(
                f"{name}: {field} has shape {getattr(w, field).shape} and {argument} {x.shape}; the columns of {field} "
                f"are to be the width of {argument}: weights are (out, in)"
            )
    if len(w.w_q) != len(w.w_k):
        raise ValueError(
            f"{name}: w_q has {len(w.w_q)} rows and w_k {len(w.w_k)}; give them one number, the heads times d_k"
        )
    if w.w_o is None and w.b_o is not None:
        raise ValueError(f"{name}: b_o is given without a w_o; pass b_o=None")
    if w.w_o is not None and w.w_o.shape[1] != len(w.w_v):
        raise ValueError(
            f"{name}: w_o has shape {w.w_o.shape} for {len(w.w_v)} rows of w_v; its columns are to be the heads side "
            "by side"
        )
    for field, matrix, bias in zip(w._fields[4:], w[:4], w[4:], strict=True):
        if bias is not None and bias.shape != (len(matrix),):
            raise ValueError(f"{name}: {field} has shape {bias.shape}, not ({len(matrix)},); give it one number a row")


def forward_several(name: str, parts: dict[str, Any], *given: Any, return_weights: bool) -> Any:
    """Attention with projections; `given` is the weights, the number of heads, the mask, causal and the scale."""
    return _Several(name, parts, *given).forward(bool(return_weights))


def backward_several(
    name: str, parts: dict[str, Any], *given: Any, return_weights: bool, cotangent: Any, with_value: bool
) -> Any:
    """The gradients for what is projected and for the weights."""
    return _Several(name, parts, *given).backward(bool(return_weights), cotangent, with_value)
