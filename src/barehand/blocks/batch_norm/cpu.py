"""Batch norm kernels: x, y, g, dx are (N, C, L), and a channel at a time stays in cache; or (N, C), taken row by row.

A channel's mean is held as k + c, with k in the data's type and c the small rest, so that (x - k) - c loses nothing.
`var` is the biased variance. Where `training` is false, k, c and var are given; else they are found and stored.
"""

from __future__ import annotations

import math

import numpy as np

from barehand.core.jit import kernel
from barehand.core.numeric import minus_in_turn

BLOCK = 2048  # elements summed in the data's own type before the sum moves to float64
TINY = 1e-30  # sums of squares below this may have lost digits in float32
FEW_ROWS = 32  # rows of columns summed likewise


@kernel
def rstd_of(variance, eps):
    """1 / sqrt(variance + eps); a constant channel without eps has no spread: 0."""
    return 1.0 / math.sqrt(variance + eps) if variance + eps != 0.0 else 0.0


@kernel
def wide_moments(x):
    """k, c and the variance of (N, L) numbers in float64, where float32 squares underflow or overflow."""
    kind = x.dtype.type
    count = x.shape[0] * x.shape[1]
    pivot = np.float64(x[0, 0])
    total = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            total += np.float64(x[i, j]) - pivot
    k = kind(pivot + total / count)
    c = 0.0
    q = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            d = np.float64(x[i, j]) - k
            c += d / count
            q += d * d
    return k, kind(c), q / count - c * c


@kernel
def moments(x, channel):
    """k, c and the variance of one channel of planes."""
    kind = x.dtype.type
    count = x.shape[0] * x.shape[2]
    pivot = x[0, channel, 0]
    total = 0.0
    for i in range(x.shape[0]):
        plane = x[i, channel]
        for start in range(0, plane.size, BLOCK):
            xb = plane[start : start + BLOCK]
            s = kind(0)
            for j in range(xb.size):
                s += xb[j] - pivot
            total += s
    k = kind(pivot + total / count)
    first = 0.0
    second = 0.0
    for i in range(x.shape[0]):
        plane = x[i, channel]
        for start in range(0, plane.size, BLOCK):
            xb = plane[start : start + BLOCK]
            s = kind(0)
            q = kind(0)
            for j in range(xb.size):
                d = xb[j] - k
                s += d
                q += d * d
            first += s
            second += q
    c = first / count
    if not TINY < second < math.inf:
        return wide_moments(x[:, channel])
    return k, kind(c), second / count - c * c


@kernel
def forward_planes(lo, hi, x, w, b, eps, training, k, c, var, y):
    """y = (x - mean) / sqrt(var + eps) * w + b for channels lo to hi."""
    kind = x.dtype.type
    for channel in range(lo, hi):
        if training:
            k[channel], c[channel], var[channel] = moments(x, channel)
        high = k[channel]
        low = c[channel]
        a = kind(w[channel] * rstd_of(var[channel], eps))
        shift = b[channel]
        for i in range(x.shape[0]):
            xi = x[i, channel]
            yi = y[i, channel]
            for j in range(xi.size):
                yi[j] = minus_in_turn(xi[j], high, low) * a + shift


@kernel
def gradient_planes(lo, hi, x, w, b, eps, training, k, c, var, g, y, dx, dw, db):
    """dx, dw and db for channels lo to hi; y is written too, unless it has no rows."""
    kind = x.dtype.type
    count = x.shape[0] * x.shape[2]
    if y.shape[0] > 0:
        forward_planes(lo, hi, x, w, b, eps, training, k, c, var, y)
    for channel in range(lo, hi):
        if training and y.shape[0] == 0:
            k[channel], c[channel], var[channel] = moments(x, channel)
        high = k[channel]
        low = c[channel]
        r = rstd_of(var[channel], eps)
        rstd = kind(r)
        first = 0.0
        second = 0.0
        for i in range(x.shape[0]):
            xi = x[i, channel]
            gi = g[i, channel]
            for start in range(0, xi.size, BLOCK):
                xb = xi[start : start + BLOCK]
                gb = gi[start : start + BLOCK]
                s = kind(0)
                q = kind(0)
                for j in range(xb.size):
                    s += gb[j]
                    q += gb[j] * (minus_in_turn(xb[j], high, low) * rstd)
                first += s
                second += q
        dw[channel] = second
        db[channel] = first
        a = kind(w[channel] * r)
        mean_g = kind(first / count) if training else kind(0)
        mean_gx = kind(second / count) if training else kind(0)
        for i in range(x.shape[0]):
            xi = x[i, channel]
            gi = g[i, channel]
            di = dx[i, channel]
            for j in range(xi.size):
                xhat = minus_in_turn(xi[j], high, low) * rstd
                di[j] = a * minus_in_turn(gi[j], mean_g, xhat * mean_gx)


@kernel
def move(few, total):
    """Sums of a few rows, in the data's own type, to those of all."""
    for j in range(few.size):
        total[j] += few[j]
        few[j] = 0


@kernel
def column_sums(lo, hi, x, k, few, total):
    """Add each column's sums of x - k and of its square over rows lo to hi to total (2, C); few (3, C) are zeros."""
    s, q = few[0], few[1]
    for start in range(lo, hi, FEW_ROWS):
        stop = start + FEW_ROWS if start + FEW_ROWS < hi else hi
        whole = stop - (stop - start) % 4
        for i in range(start, whole, 4):  # four rows, so that the sums are read and written once for them
            x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
            for j in range(s.size):
                d0, d1, d2, d3 = x0[j] - k[j], x1[j] - k[j], x2[j] - k[j], x3[j] - k[j]
                s[j] += (d0 + d1) + (d2 + d3)
                q[j] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
        for i in range(whole, stop):
            xi = x[i]
            for j in range(s.size):
                d = xi[j] - k[j]
                s[j] += d
                q[j] += d * d
        move(s, total[0])
        move(q, total[1])


@kernel
def settle(rows, total, k, c, var, last):
    """c and the variances from the sums of x - k: how many k lay too far from a mean, and moved there, and in how many
    columns the squares left the range, whose variance is -1."""
    moved = 0
    lost = 0
    for j in range(k.size):
        mean = total[0, j] / rows
        second = total[1, j]
        c[j] = mean
        var[j] = second / rows - mean * mean
        if not TINY < second < math.inf:
            var[j] = -1.0
            lost += 1
        elif 4 * mean * mean > var[j] and not last:  # the difference above has lost digits
            k[j] += c[j]
            moved += 1
    return moved, lost


@kernel
def lost_columns(x, k, c, var):
    """The moments of the columns whose variance is -1."""
    for j in range(k.size):
        if var[j] == -1.0:
            k[j], c[j], var[j] = wide_moments(x[:, j : j + 1])


@kernel
def scales(w, eps, var, rstd, a):
    """1 / sqrt(var + eps), and that times w."""
    for j in range(w.size):
        rstd[j] = rstd_of(var[j], eps)
        a[j] = w[j] * rstd[j]


@kernel
def forward_columns(lo, hi, x, k, c, a, b, y):
    """y = (x - k - c) * a + b for rows lo to hi."""
    for i in range(lo, hi):
        xi = x[i]
        yi = y[i]
        for j in range(xi.size):
            yi[j] = minus_in_turn(xi[j], k[j], c[j]) * a[j] + b[j]


@kernel
def gradient_sums(lo, hi, x, k, c, g, few, total):
    """Add each column's sums of g and of g (x - mean) over rows lo to hi to total (2, C); few (3, C) are zeros."""
    s, q = few[0], few[1]
    for start in range(lo, hi, FEW_ROWS):
        stop = start + FEW_ROWS if start + FEW_ROWS < hi else hi
        for i in range(start, stop, 2):
            last = i + 1 == stop
            x0 = x[i]
            x1 = x0 if last else x[i + 1]
            g0 = g[i]
            g1 = few[2] if last else g[i + 1]  # zeros
            for j in range(s.size):
                s[j] += g0[j] + g1[j]
                q[j] += g0[j] * minus_in_turn(x0[j], k[j], c[j]) + g1[j] * minus_in_turn(x1[j], k[j], c[j])
        move(s, total[0])
        move(q, total[1])


@kernel
def gradient_columns(lo, hi, x, k, c, rstd, a, g, mean_g, mean_gx, dx):
    """dx = a (g - mean g - xhat mean(g xhat)) for rows lo to hi."""
    for i in range(lo, hi):
        xi = x[i]
        gi = g[i]
        di = dx[i]
        for j in range(xi.size):
            xhat = minus_in_turn(xi[j], k[j], c[j]) * rstd[j]
            di[j] = a[j] * minus_in_turn(gi[j], mean_g[j], xhat * mean_gx[j])


@kernel
def update_running(running_mean, running_var, momentum, count, k, c, var):
    """Both move towards the batch's by `momentum`; the variance is made unbiased."""
    for channel in range(k.size):
        mean = np.float64(k[channel]) + c[channel]
        running_mean[channel] += momentum * (mean - running_mean[channel])
        unbiased = var[channel] * count / (count - 1)
        running_var[channel] += momentum * (unbiased - running_var[channel])
