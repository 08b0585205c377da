"""From boxes in any format to the kernels' columns and back."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays, memory
from barehand.core.arrays import Array
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.iou.cpu")
slopes = LazyModule("barehand.blocks.iou.slopes")
stores = LazyModule("barehand.core.stores")
threads = LazyModule("barehand.core.threads")

BoxFormat = Literal["xyxy", "xywh", "cxcywh"]
Kind = Literal["iou", "giou", "diou", "ciou"]
_FORMATS, _KINDS = get_args(BoxFormat), get_args(Kind)

_DOUBLE = np.dtype(np.float64)
# Between these no square of a float32 difference overflows or loses digits to underflow, nor of a large float64 one.
_LEAST, _MOST = 2.0**-36, 2.0**58
_LEAST_DOUBLE, _MOST_DOUBLE = 2.0**-400, 2.0**480
_COLUMN_COST, _SLOPE_COST = 8, 8  # a box, and a pair's slopes, cost as much as so many plain elements
_MOST_RANGES, _FEWEST_ROWS = 16, 64  # of rows for a gradient, each range with sums for all columns


def read_boxes(name: str, argument: str, value: Array, ndim: int) -> Array:
    """The boxes for the kernel: four numbers each, in `ndim` axes or, for 0, any number of them."""
    if value.ndim == 0 or value.shape[-1] != 4 or (ndim and value.ndim != ndim):
        hint = "give four numbers a box in the last axis"
        if value.shape == (4,):
            hint = f"pass {argument}[None] for one box"
        elif value.ndim and value.shape[-1] == 5:
            hint = f"drop the extra column or pass {argument}[..., :4]"
        wanted = "(N, 4)" if ndim else "(..., 4)"
        raise ValueError(f"{name}: {argument} has shape {value.shape}, not {wanted}; {hint}")
    return arrays.for_kernel(value)


class Door:
    """The options checked; boxes laid out as columns, in a unit in which no area leaves the range."""

    def __init__(self, name: str, box_format: str, offset: float, kind: str = "iou") -> None:
        arrays.check_option(name, "box_format", box_format, _FORMATS)
        arrays.check_option(name, "kind", kind, _KINDS)
        self.name, self.form = name, _FORMATS.index(box_format)
        self.level = (1,) * _KINDS.index(kind)  # its length makes the kernel's type
        self.wide = arrays.check_number(name, "offset", offset, low=0.0)
        self.unit = 1.0

    def lay_out(self, *boxes: Array) -> list[Array]:
        """Columns of each; float32 goes to float64 where squares would leave its range, float64 to a smaller unit."""
        columns = [memory.empty((8, len(b)), b.dtype) for b in boxes]
        most, least = self.wide, self.wide or math.inf
        for b, c in zip(boxes, columns, strict=True):
            given = b, self.form, self.offset(c), self.level, c
            for high, low in threads.partial_results(cpu.columns, len(b), _COLUMN_COST, *given):
                most, least = max(most, high), min(least, low)
        if boxes[0].dtype != _DOUBLE:
            if most > _MOST or least < _LEAST:
                return self.lay_out(*(b.astype(_DOUBLE) for b in boxes))
        elif most > _MOST_DOUBLE or 0.0 < most < _LEAST_DOUBLE:
            unit = 2.0 ** -math.frexp(most)[1]
            self.unit, self.wide = self.unit * unit, self.wide * unit
            return self.lay_out(*(b * unit for b in boxes))
        return columns

    def offset(self, like: Array) -> Any:
        """In the kernel's type."""
        return like.dtype.type(self.wide)

    def to_boxes(self, columns: Array, d: Array) -> Array:
        """Slopes for corners, area and angle, the rows of d, as slopes for what the boxes were given by, (n, 4)."""
        out = memory.empty((d.shape[1], 4), d.dtype)
        given = self.level, self.form, self.offset(columns), d.dtype.type(self.unit), columns, d, out
        threads.over_rows(slopes.to_boxes, len(out), _COLUMN_COST, *given)
        return out


class _Pairs(Door):
    """Two sets of boxes, every one with every one or each with its own."""

    def __init__(self, every: bool, boxes1: ArrayLike, boxes2: ArrayLike, *options: Any) -> None:
        super().__init__("pairwise_iou" if every else "iou", *options)
        self.every = every
        self.x, self.y = arrays.all_floating(self.name, boxes1=boxes1, boxes2=boxes2)
        x, y = (read_boxes(self.name, k, v, 2 * every) for k, v in (("boxes1", self.x), ("boxes2", self.y)))
        self.dtype = x.dtype
        if every:
            self.shape: tuple[int, ...] = len(x), len(y)
        else:
            x, y = self._broadcast(x, y)
        self.a, self.b = self.lay_out(x, y)

    def _broadcast(self, x: Array, y: Array) -> list[Array]:
        try:
            self.shape = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
        except ValueError:
            raise ValueError(
                f"iou: boxes1 of shape {x.shape} and boxes2 of shape {y.shape} do not broadcast; give as many of each, "
                "or use pairwise_iou for every box with every box"
            ) from None
        return [arrays.for_kernel(np.broadcast_to(b, (*self.shape, 4)).reshape(-1, 4)) for b in (x, y)]

    def value(self) -> Any:
        out = memory.empty(self.shape, self.dtype)
        given = self.level, self.a, self.b, self.offset(self.a)
        cost = 1 + len(self.level)
        if self.every:
            threads.over_rows(_pairwise, len(out), cost * out.shape[1], *given, out)
        else:
            threads.over_rows(cpu.aligned, out.size, cost * _COLUMN_COST, *given, out.reshape(-1))
        return arrays.narrow(out, self.x.dtype)[()]

    def gradients(self, cotangent: ArrayLike | None) -> tuple[Array, Array]:
        g = arrays.for_kernel(np.asarray(arrays.check_cotangent(self.name, cotangent, self.shape, self.x.dtype)))
        given = self.level, self.a, self.b, self.offset(self.a)
        if self.every:
            n, m = self.shape
            step = max(_FEWEST_ROWS, -(-n // _MOST_RANGES))
            da, cost = np.zeros((6, n)), _SLOPE_COST * step * m
            db = sum(threads.partial_results(_pairwise_slopes, -(-n // step), cost, step, *given, g, da))
        else:
            da, db = (memory.empty((8, g.size), self.a.dtype) for _ in range(2))
            for d, own, other in (da, self.a, self.b), (db, self.b, self.a):
                sides = self.level, own, other, self.offset(own), g.reshape(-1), d
                threads.over_rows(cpu.aligned_slopes, g.size, _SLOPE_COST, *sides)
        return self._for(self.x, self.to_boxes(self.a, da)), self._for(self.y, self.to_boxes(self.b, db))

    def _for(self, boxes: Array, d: Array) -> Array:
        """Slopes summed over the axes along which the boxes were broadcast, in their type."""
        if not self.every and (*self.shape, 4) != boxes.shape:
            ones = (1,) * (len(self.shape) - boxes.ndim + 1) + boxes.shape
            axes = tuple(i for i, n in enumerate(ones) if n == 1)
            d = d.reshape(*self.shape, 4).sum(axis=axes, dtype=np.float64)
        return np.ascontiguousarray(arrays.narrow(d.reshape(boxes.shape), boxes.dtype))


def _pairwise(lo: int, hi: int, level: Any, a: Array, b: Array, offset: Any, out: Array) -> None:
    past: tuple[int, ...] = (1,) if out.nbytes >= stores.LARGE else ()
    cpu.pairwise(lo, hi, level, a, b, offset, out, past, np.empty(cpu.TILE if past else 0, out.dtype))


def _pairwise_slopes(lo: int, hi: int, step: int, level: Any, a: Array, b: Array, *given: Any) -> Array:
    """The slopes for b; those for a go to the last of `given`."""
    db = np.zeros((6, b.shape[1]))
    cpu.pairwise_slopes(lo, hi, step, level, a, b, *given, db, np.zeros((6, cpu.TILE), a.dtype))
    return db


def forward(*given: Any) -> Any:
    """The measure."""
    return _Pairs(*given).value()


def backward(cotangent: ArrayLike | None, with_value: bool, *given: Any) -> Any:
    """The gradients for both sets of boxes."""
    pairs = _Pairs(*given)
    gradients = pairs.gradients(cotangent)
    return (pairs.value(), gradients) if with_value else gradients
