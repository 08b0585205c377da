"""IoU and NMS kernels. Boxes are the columns of an (8, n) matrix; its rows are

start x, start y, stop x, stop y, area, end x, end y (the stop, or the start less `offset` where the side is inverted)
and the angle atan(width / height). `level` is (), (1,), (1, 1) or (1, 1, 1) for iou, giou, diou and ciou: its length is
part of its type, so that each kind is compiled by itself, when it is first used.
"""

from __future__ import annotations

import math

import numpy as np

from barehand.core.jit import inlined, kernel
from barehand.core.numeric import maximum, minus_in_turn
from barehand.core.stores import past_caches, publish

TILE = 1024  # columns that stay in the nearest cache
BAND = 64  # rows whose slopes for the columns are summed in the columns' own type
ANGLES = 4 / math.pi**2
SLACK = 1e-6  # of a cell: more than any rounding


@kernel
def columns(lo, hi, boxes, form, offset, level, out):
    """Fill the columns; the largest and the smallest size of a number other than 0 in boxes that are finite.

    form: 0 (start, stop), 1 (start, size), 2 (centre, size). The area of a box that is not finite is nan.
    """
    kind, lo, hi = boxes.dtype.type, np.uint64(lo), np.uint64(hi)
    zero, inf, largest, least = kind(0), kind(np.inf), kind(0), kind(-np.inf)
    x, y, u, v = out[0], out[1], out[2], out[3]
    for i in range(lo, hi):
        x[i], y[i], u[i], v[i] = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
    for k in range(2):
        starts, stops, ends = out[k], out[k + 2], out[k + 5]
        for i in range(lo, hi):
            p, q = starts[i], stops[i]
            a, b = abs(p), abs(q)
            largest = maximum(largest, maximum(a if a < inf else zero, b if b < inf else zero))
            least = maximum(least, maximum(-a if zero < a < inf else -inf, -b if zero < b < inf else -inf))
            reach = q - offset
            start = p - reach * kind(0.5) if form == 2 else p
            stop = q if form == 0 else p + (reach if form == 1 else reach * kind(0.5))
            starts[i], stops[i] = start, stop
            if len(level) > 0:
                ends[i] = start - offset if minus_in_turn(stop, start, -offset) < zero else stop
    for i in range(lo, hi):
        w, h = minus_in_turn(u[i], x[i], -offset), minus_in_turn(v[i], y[i], -offset)
        finite = maximum(maximum(abs(x[i]), abs(y[i])), maximum(abs(u[i]), abs(v[i]))) < inf
        out[4, i] = product(w, h, zero) if finite else kind(np.nan)
        if len(level) == 3:
            w, h = w if w > zero else zero, h if h > zero else zero
            out[7, i] = math.atan2(np.float64(w), np.float64(h))
    return np.float64(largest), -np.float64(least)


@inlined
def box(c, j):
    """Column j."""
    return c[0, j], c[1, j], c[2, j], c[3, j], c[4, j], c[5, j], c[6, j], c[7, j]


@inlined
def ratio(a, b, zero):
    """a / b, and 0 over nothing."""
    return zero if b <= zero else a / b


@inlined
def product(w, h, zero):
    """w h of sides that count from 0 on. Not fused into a sum: with one rounding less IoU could exceed 1."""
    w = zero if w <= zero else w
    return zero if h <= zero else w * h


@inlined
def overlap(offset, a, b):
    """The sides of the intersection, its area and that of the union."""
    zero = type(offset)(0)
    w = minus_in_turn(a[2] if a[2] < b[2] else b[2], a[0] if a[0] > b[0] else b[0], -offset)
    h = minus_in_turn(a[3] if a[3] < b[3] else b[3], a[1] if a[1] > b[1] else b[1], -offset)
    inter = product(w, h, zero)
    return w, h, inter, a[4] + b[4] - inter


@inlined
def edges(by_shared, by_hull, by_apart, a, stop, end, b, stop_b, end_b):
    """Slopes for the start and the stop of a and of b along one axis; corners that tie share them."""
    zero, half, one = type(a)(0), type(a)(0.5), type(a)(1)
    s = one if a > b else (half if a == b else zero)
    t = one if stop < stop_b else (half if stop == stop_b else zero)
    u = one if end > end_b else (half if end == end_b else zero)
    return (
        by_apart - by_shared * s - by_hull * (one - s),
        by_apart + by_shared * t + by_hull * u,
        -by_apart - by_shared * (one - s) - by_hull * s,
        -by_apart + by_shared * (one - t) + by_hull * (one - u),
    )


@inlined
def pair(level, offset, a, b):
    """The measure of two boxes, then its slopes: for the sides of the intersection; of the hull; for the distance of
    the centres, along x and y; for both areas; for the angle of a. What is not used costs nothing."""
    ax, ay, _, _, _, ae, af, turn = a
    bx, by, _, _, _, be, bf, bturn = b
    kind = type(offset)
    zero, one, two, curve = kind(0), kind(1), kind(2), kind(ANGLES)
    w, h, inter, union = overlap(offset, a, b)
    value = ratio(inter, union, zero)
    by_inter, by_area = ratio(one + value, union, zero), -ratio(value, union, zero)
    by_turn = px = py = by_wide = by_high = zero
    if len(level) > 0:
        wide = minus_in_turn(ae if ae > be else be, ax if ax < bx else bx, -offset)
        high = minus_in_turn(af if af > bf else bf, ay if ay < by else by, -offset)
    if len(level) == 1:
        c = product(wide, high, zero)
        value -= ratio(c - union, c, zero)
        by_inter, by_area = by_inter - ratio(one, c, zero), by_area + ratio(one, c, zero)
        full = ratio(union, c, zero)
        by_wide, by_high = -ratio(full, wide, zero), -ratio(full, high, zero)
    if len(level) == 3:
        turn = bturn - turn
        v = curve * turn * turn
        alpha = ratio(v, minus_in_turn(one, value, -v), zero)
        by_inter, by_area = by_inter * (one - alpha * alpha), by_area * (one - alpha * alpha)
        by_turn = two * curve * alpha * (two - alpha) * turn
        value -= alpha * v
    if len(level) > 1:
        dx, dy = minus_in_turn(ax, bx, be - ae) / two, minus_in_turn(ay, by, bf - af) / two
        far = wide * wide + high * high
        rho = ratio(dx * dx + dy * dy, far, zero)
        value -= rho
        px, py, pull = -ratio(dx, far, zero), -ratio(dy, far, zero), two * ratio(rho, far, zero)
        by_wide, by_high = pull * wide, pull * high
    both = w > zero and h > zero
    by_w, by_h = by_inter * h if both else zero, by_inter * w if both else zero
    return value, (by_w, by_h), (by_wide, by_high), (px, py), by_area, by_turn


@inlined
def slopes(level, offset, a, b):
    """For start and stop of a and of b along x; along y; for both areas; for the angle of a, the negative of b's."""
    _, shared, hull, apart, by_area, by_turn = pair(level, offset, a, b)
    alongx = edges(shared[0], hull[0], apart[0], a[0], a[2], a[5], b[0], b[2], b[5])
    alongy = edges(shared[1], hull[1], apart[1], a[1], a[3], a[6], b[1], b[3], b[6])
    return alongx, alongy, by_area, by_turn


@kernel
def pairwise(lo, hi, level, a, b, offset, out, past, room):
    """Rows of out: every box of a with every box of b. They go past the caches, through `room` for a tile, where `past`
    is (1,) and not (): as with `level` each is compiled by itself."""
    for left in range(0, b.shape[1], TILE):
        for i in range(lo, hi):
            row, own = out[i][left : left + TILE], box(a, i)
            tile = room[: row.size] if len(past) > 0 else row
            for j in range(np.uint64(row.size)):
                tile[j] = pair(level, offset, own, box(b, np.uint64(left) + j))[0]
            if len(past) > 0:
                past_caches(tile, row)
    if len(past) > 0:
        publish()


@kernel
def aligned(lo, hi, level, a, b, offset, out):
    """Each box of a with its own of b."""
    for j in range(np.uint64(lo), np.uint64(hi)):
        out[j] = pair(level, offset, box(a, j), box(b, j))[0]


@kernel
def pairwise_slopes(lo, hi, step, level, a, b, offset, g, da, db, sums):
    """da (6, n) += g times the slopes of rows lo·step to hi·step, and the same for b: for corners, area and angle.

    Both in float64; within a band of rows and a tile of columns sums (6, TILE), zeros, are in the columns' type.
    """
    zero, n = a.dtype.type(0), b.shape[1]
    p0, p1, p2, p3, p4, p5 = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    last = min(hi * step, a.shape[1])
    for top in range(lo * step, last, BAND):
        for left in range(0, n, TILE):
            tile, width = np.uint64(left), np.uint64(min(TILE, n - left))
            for i in range(top, min(top + BAND, last)):
                row, own = g[i], box(a, i)
                s0 = s1 = s2 = s3 = s4 = s5 = zero
                for j in range(width):
                    x, y, by_area, by_turn = slopes(level, offset, own, box(b, tile + j))
                    c = row[tile + j]
                    s0 += c * x[0]
                    s1 += c * y[0]
                    s2 += c * x[1]
                    s3 += c * y[1]
                    s4 += c * by_area
                    s5 += c * by_turn
                    p0[j] += c * x[2]
                    p1[j] += c * y[2]
                    p2[j] += c * x[3]
                    p3[j] += c * y[3]
                    p4[j] += c * by_area
                    p5[j] -= c * by_turn
                for k, s in enumerate((s0, s1, s2, s3, s4, s5)):
                    da[k, i] += s
            for k in range(6):
                for j in range(width):
                    db[k, tile + j] += sums[k, j]
                    sums[k, j] = zero


@kernel
def aligned_slopes(lo, hi, level, a, b, offset, g, da):
    """g times the slopes for a, in the first six of eight rows: for corners, area and angle. Those for b are had with a
    and b exchanged: with twice as many rows to write to the loop would stay scalar."""
    for j in range(np.uint64(lo), np.uint64(hi)):
        x, y, by_area, by_turn = slopes(level, offset, box(a, j), box(b, j))
        c = g[j]
        da[0, j], da[1, j], da[2, j], da[3, j] = c * x[0], c * y[0], c * x[1], c * y[1]
        da[4, j], da[5, j] = c * by_area, c * by_turn


@inlined
def clip(v, last):
    """The cell of a place, or the first or last where it lies outside."""
    return int(0.0 if v < 0.0 else (last if v > last else v))


@kernel
def suppress(order, c, cell, first_cell, grid, near, reach, offset, threshold, starts, filled, slots, kept):
    """Fill `kept`, best first, and count it. A box kept goes into the slots of the cell that its centre is in.

    A box can only be suppressed by one whose centre is near: at most `reach` of its own sides away, and no farther than
    lets the two touch. Each class has cells of its own, from first_cell on. grid holds, for x and y: where it begins,
    cells per unit of length, the last cell, and the longest side of any box. `near` (2, 2) is room for the cells to
    look at: first and last, along x and y.
    """
    corner, per_cell, last, longest, count = grid[0], grid[1], grid[2], grid[3], 0
    for i in order:
        own = box(c, np.uint64(i))
        for k in range(2):
            side = max(own[k + 2] - own[k] + offset, 0.0)
            middle = ((own[k] + own[k + 2]) * 0.5 - corner[k]) * per_cell[k]
            far = min(reach * side, (side + longest[k]) * 0.5) * per_cell[k] + SLACK
            near[0, k], near[1, k] = clip(middle - far, last[k]), clip(middle + far, last[k])
        met = 0
        for y in range(near[0, 1], near[1, 1] + 1):
            for x in range(near[0, 0], near[1, 0] + 1):
                k = first_cell[i] + y * (int(last[0]) + 1) + x
                for j in range(np.uint64(starts[k]), np.uint64(filled[k] if met == 0 else starts[k])):
                    _, _, inter, union = overlap(offset, own, box(slots, j))
                    met += ratio(inter, union, 0.0) > threshold
        if met == 0:
            kept[count] = i
            count += 1
            k = cell[i]
            for m in range(8):
                slots[m, filled[k]] = c[m, i]
            filled[k] += 1
    return count
