"""Slopes for corners, area and angle as slopes for the numbers that the boxes were given by."""

from __future__ import annotations

from typing import Any

from barehand.core.jit import inlined, kernel
from barehand.core.numeric import minus_in_turn


@inlined
def _axis(form: Any, side: Any, by_size: Any, start: Any, stop: Any, unit: Any, zero: Any) -> Any:
    """Along one axis: the size, if there is one, moves with its stop and against its start."""
    if not side <= 0:
        start, stop = start - by_size, stop + by_size
    if side < 0:  # inverted: the stop is where the start is
        start, stop = start + stop, zero
    if form == 1:
        start = start + stop
    elif form == 2:
        start, stop = start + stop, (stop - start) / 2
    return start * unit, stop * unit


@kernel
def to_boxes(lo: Any, hi: Any, level: Any, form: Any, offset: Any, unit: Any, columns: Any, d: Any, out: Any) -> None:
    """Rows of out (n, 4) from the columns of the boxes and the rows of d; the forms are those of `cpu.columns`."""
    x, y, u, v = columns[0][lo:hi], columns[1][lo:hi], columns[2][lo:hi], columns[3][lo:hi]
    d0, d1, d2, d3, by_area, by_turn = d[0][lo:hi], d[1][lo:hi], d[2][lo:hi], d[3][lo:hi], d[4][lo:hi], d[5][lo:hi]
    zero, none = columns.dtype.type(0), d.dtype.type(0)
    rows = out[lo:hi]
    for j in range(x.size):
        wide, high = minus_in_turn(u[j], x[j], -offset), minus_in_turn(v[j], y[j], -offset)
        w, h = zero if wide <= zero else wide, zero if high <= zero else high
        by_w, by_h = by_area[j] * h, by_area[j] * w
        if len(level) == 3:
            square = w * w + h * h
            turn = by_turn[j] if square == zero else by_turn[j] / square
            by_w, by_h = by_w + turn * h, by_h - turn * w
        rows[j, 0], rows[j, 2] = _axis(form, wide, by_w, d0[j], d2[j], unit, none)
        rows[j, 1], rows[j, 3] = _axis(form, high, by_h, d1[j], d3[j], unit, none)
