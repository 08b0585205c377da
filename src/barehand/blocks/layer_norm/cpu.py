"""Layer norm kernels: x, y, g, dx are (rows, n), w and b (n,), contiguous, of one floating type.

A row's mean is held as k + c, with k in the row's type and c the small rest, so that (x - k) - c loses nothing.
"""

from __future__ import annotations

import math

import numpy as np

from barehand.core.jit import kernel
from barehand.core.numeric import minus_in_turn

BLOCK = 2048  # elements summed in the row's own type before the sum moves to float64
TINY = 1e-30  # sums of squares below this may have lost digits in float32
FEW = 16  # numbers by which a row's mean is guessed
FEW_ROWS = 32  # rows of parameter gradients summed likewise


@kernel
def moments(x, eps):
    """k, c and 1 / sqrt(variance + eps) of a row.

    One sweep around a guess at the mean is enough where the guess is within half a standard deviation, which the sweep
    tells; else a second one goes around what the first has found.
    """
    kind = x.dtype.type
    n = x.size
    k = guess(x)
    c, variance = spread(x, k)
    if 4 * c * c > variance:
        k = kind(k + c)
        c, variance = spread(x, k)
    if not TINY < variance * n < math.inf:  # constant, beyond the type's range, or nan
        return wide_moments(x, eps)
    return k, kind(c), kind(1.0 / math.sqrt(variance + eps))


@kernel
def guess(x):
    """The mean of a few numbers of the row."""
    kind = x.dtype.type
    s = 0.0
    step = max(x.size // FEW, 1)
    few = x[::step]
    for j in range(few.size):
        s += few[j]
    return kind(s / few.size)


@kernel
def spread(x, k):
    """How far the row's mean is from k, and its variance."""
    kind = x.dtype.type
    first = 0.0
    second = 0.0
    for start in range(0, x.size, BLOCK):
        xb = x[start : start + BLOCK]
        s = kind(0)
        q = kind(0)
        for j in range(xb.size):
            d = xb[j] - k
            s += d
            q += d * d
        first += s
        second += q
    c = first / x.size
    return c, second / x.size - c * c


@kernel
def wide_moments(x, eps):
    """The same in float64, for rows whose squares underflow or overflow float32; a constant row has no spread: 0."""
    kind = x.dtype.type
    pivot = np.float64(x[0])
    total = 0.0
    for j in range(x.size):
        total += np.float64(x[j]) - pivot
    k = kind(pivot + total / x.size)
    c = 0.0
    for j in range(x.size):
        c += (np.float64(x[j]) - k) / x.size
    q = 0.0
    for j in range(x.size):
        d = (np.float64(x[j]) - k) - c
        q += d * d
    variance = q / x.size + eps
    return k, kind(c), kind(1.0 / math.sqrt(variance) if variance != 0.0 else 0.0)


@kernel
def forward(lo, hi, x, w, b, eps, y):
    """y = (x - mean) / sqrt(variance + eps) * w + b."""
    for i in range(lo, hi):
        xi = x[i]
        yi = y[i]
        k, c, r = moments(xi, eps)
        for j in range(xi.size):
            yi[j] = minus_in_turn(xi[j], k, c) * r * w[j] + b[j]


@kernel
def gradient(lo, hi, x, w, b, eps, g, y, dx):
    """dx = r (g w - mean(g w) - xhat mean(g w xhat)); returns dw = sum g xhat and db = sum g over these rows.

    y is written too, unless it has no rows.
    """
    kind = x.dtype.type
    n = x.shape[1]
    dw = np.zeros(n)
    db = np.zeros(n)
    few_w = np.zeros(n, x.dtype)
    few_b = np.zeros(n, x.dtype)
    for i in range(lo, hi):
        xi = x[i]
        gi = g[i]
        di = dx[i]
        k, c, r = moments(xi, eps)
        yi = y[i] if y.shape[0] > 0 else di  # which is written over below
        first = 0.0
        second = 0.0
        for start in range(0, n, BLOCK):
            stop = min(start + BLOCK, n)
            xb, gb, wb, bb = xi[start:stop], gi[start:stop], w[start:stop], b[start:stop]
            yb, fw, fb = yi[start:stop], few_w[start:stop], few_b[start:stop]
            s = kind(0)
            q = kind(0)
            for j in range(xb.size):
                xhat = minus_in_turn(xb[j], k, c) * r
                gj = gb[j]
                gw = gj * wb[j]
                s += gw
                q += gw * xhat
                fw[j] += gj * xhat
                fb[j] += gj
                yb[j] = xhat * wb[j] + bb[j]
            first += s
            second += q
        mean_gw = kind(first / n)
        mean_gwx = kind(second / n)
        for j in range(n):
            xhat = minus_in_turn(xi[j], k, c) * r
            di[j] = r * (minus_in_turn(gi[j] * w[j], mean_gw, xhat * mean_gwx))
        if (i - lo) % FEW_ROWS == FEW_ROWS - 1 or i == hi - 1:
            for j in range(n):
                dw[j] += few_w[j]
                db[j] += few_b[j]
                few_w[j] = kind(0)
                few_b[j] = kind(0)
    return dw, db
