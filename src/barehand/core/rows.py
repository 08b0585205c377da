"""Sweeps over one row that several kernels share.

Sums run in the row's own type over blocks that are short enough to lose nothing, and from block to block in float64.
"""

from __future__ import annotations

import numpy as np

from barehand.core.jit import kernel
from barehand.core.numeric import exp_nonpositive, maximum

BLOCK = 1024


@kernel
def fill(x, value):
    """x[:] = value; Numba takes seconds to compile an assignment to a slice."""
    for j in range(x.size):
        x[j] = value


@kernel
def block_sum(x):
    """The sum of a block at most, of float64; NumPy's takes longer to start."""
    s = 0.0
    for j in range(x.size):
        s += x[j]
    return s


@kernel
def first_outside(x):
    """The place of the first that is not from 0 to 1, nan for one; -1 for none."""
    inside = True
    for j in range(x.size):
        inside &= (x[j] >= 0) & (x[j] <= 1)
    if inside:
        return -1
    for j in range(x.size):
        if not 0 <= x[j] <= 1:
            return j
    return -1


@kernel
def row_maximum(x):
    """The largest entry, nan if there is one."""
    m = x[0]
    for j in range(x.size):
        m = maximum(m, x[j])
    return m


@kernel
def sum_exp(x, m):
    """The sum of exp(x - m), for m no smaller than any entry."""
    total = 0.0
    for start in range(0, x.size, BLOCK):
        xb = x[start : start + BLOCK]
        s = x.dtype.type(0)
        for j in range(xb.size):
            s += exp_nonpositive(xb[j] - m)
        total += s
    return total


@kernel
def exp_row(x, m, y):
    """y = exp(x - m), for m no smaller than any entry; the sum of y."""
    total = 0.0
    for start in range(0, x.size, BLOCK):
        xb = x[start : start + BLOCK]
        yb = y[start : start + BLOCK]
        s = x.dtype.type(0)
        for j in range(xb.size):
            e = exp_nonpositive(xb[j] - m)
            yb[j] = e
            s += e
        total += s
    return total


@kernel
def squared_distance(a, b):
    """The sum of (a - b)²."""
    total = 0.0
    for start in range(0, a.size, BLOCK):
        ab = a[start : start + BLOCK]
        bb = b[start : start + BLOCK]
        s = a.dtype.type(0)
        for j in range(ab.size):
            d = ab[j] - bb[j]
            s += d * d
        total += s
    return total


@kernel
def distance(a, b, tiny):
    """The Euclidean distance; where the squares leave the type's range, in units of the largest difference."""
    square = squared_distance(a, b)
    if tiny <= square < np.inf:
        return square**0.5
    largest = 0.0
    for j in range(a.size):
        d = abs(np.float64(a[j]) - b[j])
        if not d <= largest:  # nan too
            largest = d
    if not 0.0 < largest < np.inf:
        return largest
    q = 0.0
    for j in range(a.size):
        d = (np.float64(a[j]) - b[j]) / largest
        q += d * d
    return largest * q**0.5


@kernel
def clean_indices(t, classes, ignored):
    """Set ignored targets to -1; the place of the first that is no class (-1 for none), and how many are kept."""
    kept = 0
    for i in range(t.size):
        if t[i] == ignored:
            t[i] = -1
        elif 0 <= t[i] < classes:
            kept += 1
        else:
            return i, kept
    return -1, kept
