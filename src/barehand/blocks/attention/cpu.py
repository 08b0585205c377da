"""Attention kernels on tiles of scores that BLAS has filled: s is (rows, keys), a row a query, contiguous.

The products are BLAS's; everything between two of them is here, in one sweep over a tile that is still in the cache.
m is a row's largest score so far, z the sum of its exponentials. `limits` says how many keys of the tile each query of
a head may see, and repeats from head to head; empty, it hides nothing.
"""

from __future__ import annotations

import math

from barehand.core.jit import kernel
from barehand.core.numeric import exp_nonpositive, maximum
from barehand.core.rows import fill, row_maximum

BLOCK = 1024  # terms summed in their own type before the sum moves to float64


@kernel
def hide(s, keep):
    """s = -inf where a key is not kept."""
    nothing = s.dtype.type(-math.inf)
    for i in range(s.shape[0]):
        si = s[i]
        ki = keep[i]
        for j in range(si.size):
            si[j] = si[j] if ki[j] else nothing


@kernel
def shift(s, bias):
    """s = s + bias; a bias of -inf hides the key, whatever its score is."""
    nothing = s.dtype.type(-math.inf)
    for i in range(s.shape[0]):
        si = s[i]
        bi = bias[i]
        for j in range(si.size):
            si[j] = nothing if bi[j] == nothing else si[j] + bi[j]


@kernel
def weigh(s, limits, m, z, shrink):
    """s becomes exp(s - m) for the maximum m so far, z its sum; shrink = exp(old m - m) corrects earlier tiles."""
    zero = s.dtype.type(0)
    for i in range(s.shape[0]):
        seen = limits[i % limits.size] if limits.size > 0 else s.shape[1]
        visible = s[i][:seen]
        fill(s[i][seen:], zero)
        old = m[i]
        top = maximum(old, row_maximum(visible)) if seen > 0 else old
        if top == -math.inf:  # nothing to attend to yet
            fill(visible, zero)
            shrink[i] = zero
            continue
        total = 0.0
        for start in range(0, seen, BLOCK):
            block = visible[start : start + BLOCK]
            part = zero
            for j in range(block.size):
                e = exp_nonpositive(block[j] - top)
                block[j] = e
                part += e
            total += part
        m[i] = top
        shrink[i] = exp_nonpositive(old - top)
        z[i] = z[i] * shrink[i] + total


@kernel
def gather(total, part, shrink):
    """total = shrink total + part, row by row."""
    for i in range(total.shape[0]):
        ti = total[i]
        pi = part[i]
        r = shrink[i]
        for j in range(ti.size):
            ti[j] = ti[j] * r + pi[j]


@kernel
def divide(x, z):
    """x / z, row by row; a row that attends to nothing is zeros."""
    zero = x.dtype.type(0)
    for i in range(x.shape[0]):
        xi = x[i]
        if z[i] == 0.0:
            fill(xi, zero)
            continue
        r = x.dtype.type(1.0 / z[i])
        for j in range(xi.size):
            xi[j] *= r


@kernel
def slopes(p, g):
    """g becomes p (g - sum p g), the gradient of the scores; a weight of 0 takes nothing, not even nan."""
    zero = p.dtype.type(0)
    for i in range(p.shape[0]):
        pi = p[i]
        gi = g[i]
        total = 0.0
        for start in range(0, pi.size, BLOCK):
            pb = pi[start : start + BLOCK]
            gb = gi[start : start + BLOCK]
            part = zero
            for j in range(pb.size):
                part += zero if pb[j] == zero else pb[j] * gb[j]
            total += part
        mean = p.dtype.type(total)
        for j in range(pi.size):
            gi[j] = zero if pi[j] == zero else pi[j] * (gi[j] - mean)
