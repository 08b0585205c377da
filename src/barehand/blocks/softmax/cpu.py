"""Softmax kernels: x, y, g, dx are (rows, n), contiguous, of one floating type; m is a row's maximum, s its sum."""

from __future__ import annotations

import math

from barehand.core.jit import kernel
from barehand.core.numeric import exp_nonpositive, minus_in_turn
from barehand.core.rows import BLOCK, exp_row, fill, row_maximum, sum_exp


@kernel
def softmax(lo, hi, x, y, nothing):
    """y = exp(x - m) / s; a row of only -inf becomes `nothing` (zero under a mask, else nan)."""
    for i in range(lo, hi):
        yi = y[i]
        m = row_maximum(x[i])
        if m == -math.inf:
            fill(yi, nothing)
            continue
        r = x.dtype.type(1.0 / exp_row(x[i], m, yi))
        for j in range(yi.size):
            yi[j] *= r


@kernel
def log_softmax(lo, hi, x, y, nothing):
    """y = (x - m) - log s; a row of only -inf becomes `nothing` (-inf under a mask, else nan)."""
    for i in range(lo, hi):
        xi = x[i]
        yi = y[i]
        m = row_maximum(xi)
        if m == -math.inf:
            fill(yi, nothing)
            continue
        log_s = x.dtype.type(math.log(sum_exp(xi, m)))
        for j in range(xi.size):
            yi[j] = minus_in_turn(xi[j], m, log_s)


@kernel
def softmax_backward(lo, hi, y, g, dx):
    """dx = y (g - sum g y)."""
    for i in range(lo, hi):
        yi = y[i]
        gi = g[i]
        di = dx[i]
        total = 0.0
        for start in range(0, yi.size, BLOCK):
            yb = yi[start : start + BLOCK]
            gb = gi[start : start + BLOCK]
            s = y.dtype.type(0)
            for j in range(yb.size):
                s += gb[j] * yb[j]
            total += s
        dot = y.dtype.type(total)
        for j in range(yi.size):
            di[j] = yi[j] * (gi[j] - dot)


@kernel
def log_softmax_backward(lo, hi, y, g, dx):
    """dx = g - exp(y) sum g, with y the log-softmax; a masked entry (y = -inf) has none."""
    zero = y.dtype.type(0)
    for i in range(lo, hi):
        yi = y[i]
        gi = g[i]
        di = dx[i]
        wide = 0.0
        for start in range(0, gi.size, BLOCK):
            gb = gi[start : start + BLOCK]
            s = zero
            for j in range(gb.size):
                s += gb[j]
            wide += s
        total = y.dtype.type(wide)
        for j in range(yi.size):
            di[j] = gi[j] - exp_nonpositive(yi[j]) * total
