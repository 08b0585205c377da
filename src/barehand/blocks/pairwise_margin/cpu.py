"""Pairwise margin kernels: anchors a, positives p, negatives n and their gradients are (rows, n), contiguous.

`tiny` is where squares lose digits to underflow; coef is the row's weight in the gradient.
"""

from __future__ import annotations

import numpy as np

from barehand.core.jit import kernel
from barehand.core.numeric import minus_in_turn
from barehand.core.rows import distance, fill


@kernel
def forward(lo, hi, a, p, n, margin, tiny, losses):
    """max(d(a, p) - d(a, n) + margin, 0)."""
    for i in range(lo, hi):
        h = minus_in_turn(distance(a[i], p[i], tiny), distance(a[i], n[i], tiny), -margin)
        losses[i] = 0.0 if h <= 0.0 else h


@kernel
def units(a, x, d, c, out):
    """out = c (a - x) / d, in float64 where 1 / d may overflow; 0 at d = 0."""
    for j in range(a.size):
        out[j] = 0.0 if d == 0.0 else c * ((np.float64(a[j]) - x[j]) / d)


@kernel
def gradient(lo, hi, a, p, n, margin, tiny, coef, losses, da, dp, dn):
    """da = u_p - u_n, dp = -u_p, dn = u_n, with u the unit differences from the anchor; 0 where the hinge is shut."""
    kind = a.dtype.type
    for i in range(lo, hi):
        ai = a[i]
        pi = p[i]
        ni = n[i]
        dai = da[i]
        dpi = dp[i]
        dni = dn[i]
        to_p = distance(ai, pi, tiny)
        to_n = distance(ai, ni, tiny)
        h = minus_in_turn(to_p, to_n, -margin)
        losses[i] = 0.0 if h <= 0.0 else h
        if h <= 0.0:
            fill(dai, kind(0))
            fill(dpi, kind(0))
            fill(dni, kind(0))
        elif to_p >= tiny and to_n >= tiny:
            c = kind(coef[i] / to_p)
            k = kind(coef[i] / to_n)
            for j in range(ai.size):
                u = c * (ai[j] - pi[j])
                v = k * (ai[j] - ni[j])
                dai[j] = u - v
                dpi[j] = -u
                dni[j] = v
        else:
            units(ai, pi, to_p, -coef[i], dpi)
            units(ai, ni, to_n, coef[i], dni)
            for j in range(ai.size):
                dai[j] = -dpi[j] - dni[j]
