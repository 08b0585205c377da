"""Queries, keys and values of any leading axes as units of one head each: shapes, masks and alignment settled once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays
from barehand.core.arrays import Array
from barehand.core.lazy import LazyModule

tiles = LazyModule("barehand.blocks.attention.tiles")

Shape = tuple[int, ...]


def check_matrices(name: str, arguments: Sequence[str], parts: Sequence[Array]) -> Shape:
    """Queries, keys and values that go together; the leading axes they share."""
    for argument, x in zip(arguments, parts, strict=True):
        if x.ndim < 2:
            raise ValueError(
                f"{name}: {argument} has shape {x.shape}, not (..., length, width); add the axis that is missing"
            )
    query, key, value = parts
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"{name}: key has {key.shape[-2]} rows and value {value.shape[-2]} (shapes {key.shape} and "
            f"{value.shape}); give each key one value"
        )
    try:
        return np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    except ValueError:
        raise ValueError(
            f"{name}: the leading axes of query {query.shape}, key {key.shape} and value {value.shape} do not "
            "broadcast; give them one shape, or 1 in an axis"
        ) from None


def _diagonal(name: str, causal: object, queries: int, keys: int) -> int | None:
    """Query i may see the keys up to i + diagonal; None for all of them."""
    if isinstance(causal, (bool, np.bool_)):
        if causal and queries != keys:
            raise ValueError(
                f"{name}: causal is True with {queries} queries and {keys} keys, which leaves open how they line up; "
                "use causal='top_left' (query i sees keys 0 to i) or 'bottom_right' (the last query sees all keys)"
            )
        return 0 if causal else None
    if not isinstance(causal, str) or causal not in ("top_left", "bottom_right"):
        raise ValueError(f"{name}: causal is {causal!r}; use False, True, 'top_left' or 'bottom_right'")
    return keys - queries if causal == "bottom_right" else 0


def _check_mask(name: str, mask: ArrayLike, shape: Shape, heads: bool) -> Array:
    """The mask in its own leading axes, of `shape` in the last two; with heads, one for all of them gets their axis."""
    mask = arrays.as_array(name, "mask", mask)
    if mask.dtype != bool and mask.dtype.char not in "efd":
        raise TypeError(
            f"{name}: mask has dtype {mask.dtype}, neither bool nor floating; pass mask.astype(bool), True where a "
            "query may attend"
        )
    given = mask.shape
    if heads and 2 < mask.ndim < len(shape):
        mask = mask[..., None, :, :]
    try:
        np.broadcast_to(mask, shape)
    except ValueError:
        wanted = f"{(*shape[:-3], *shape[-2:])} or {shape}" if heads else f"{shape}"
        raise ValueError(
            f"{name}: mask of shape {given} does not broadcast to {wanted}; give it that shape, or 1 in an axis"
        ) from None
    return mask.reshape((1,) * (2 - mask.ndim) + mask.shape)


def _units(x: Array, lead: Shape) -> Any:
    """An array of matrices as the tiles read it: one unit for each place in `lead`."""
    own = x.shape[:-2]
    count = math.prod(own)
    flat = x.reshape(count, *x.shape[-2:])
    whole = (1,) * (len(lead) - len(own)) + own == lead
    return tiles.Units(flat, None if whole else np.broadcast_to(np.arange(count).reshape(own), lead).ravel())


class Heads:
    """Attention of arrays in the type of the arithmetic; results and gradients in the shapes of those arrays."""

    def __init__(
        self, name: str, parts: list[Array], mask: ArrayLike | None, causal: object, scale: object, several: bool
    ) -> None:
        query, key, value = self.parts = parts
        self.lead = np.broadcast_shapes(*(x.shape[:-2] for x in parts))
        plane = query.shape[-2], key.shape[-2]
        self.shape, self.plane = (*self.lead, query.shape[-2], value.shape[-1]), (*self.lead, *plane)
        diagonal = _diagonal(name, causal, *plane)
        width = max(query.shape[-1], 1)
        factor = 1 / math.sqrt(width) if scale is None else arrays.check_number(name, "scale", scale)
        hidden = None
        if mask is not None:
            mask = _check_mask(name, mask, self.plane, several)
            if mask.dtype != bool:
                mask = arrays.narrow(mask, query.dtype)
            hidden = _units(mask, self.lead)
            hidden = tiles.Units(np.broadcast_to(hidden.flat, (len(hidden.flat), *plane)), hidden.order)
        units = (_units(arrays.for_kernel(x), self.lead) for x in parts)
        self.problem = tiles.Problem(math.prod(self.lead), *units, hidden, diagonal, factor)

    def forward(self, with_weights: bool) -> tuple[Array, Array | None]:
        """The result, and the weights where wanted."""
        return self.shaped(*tiles.forward(self.problem, with_weights))

    def shaped(self, out: Array, weights: Array | None) -> tuple[Array, Array | None]:
        """Units in the leading axes."""
        return out.reshape(self.shape), None if weights is None else weights.reshape(self.plane)

    def backward(
        self, g: Array, g_weights: Array | None, with_value: bool, with_weights: bool
    ) -> tuple[tuple[Array, Array | None] | None, list[Array]]:
        """The result and the weights where wanted, and the gradients for queries, keys and values."""
        units = self.problem.units
        flat = [None if x is None else arrays.for_kernel(x).reshape(units, *x.shape[-2:]) for x in (g, g_weights)]
        pulled = tiles.backward(self.problem, *flat, with_value, with_weights)
        gradients = [
            _summed(d.reshape(*self.lead, *x.shape[-2:]), x.shape)
            for d, x in zip((pulled.dq, pulled.dk, pulled.dv), self.parts, strict=True)
        ]
        return (self.shaped(pulled.out, pulled.weights) if with_value else None), gradients


def _summed(gradient: Array, shape: Shape) -> Array:
    """Summed over the axes that were broadcast."""
    extra = gradient.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n != gradient.shape[i + extra])
    return gradient.sum(axis=axes, dtype=np.float64).reshape(shape) if axes else gradient
