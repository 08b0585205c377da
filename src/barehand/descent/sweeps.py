"""Kernels that walk over the rows of a data matrix of either floating type; all else is float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from barehand.core.jit import kernel

Array = NDArray[Any]


@kernel
def scores(x: Array, w: Array, b: float, z: Array) -> None:
    """z = x w + b, four rows at a time so that w is read once for them."""
    n, d = x.shape
    whole = n - n % 4
    ws = w[:d]
    for i in range(0, whole, 4):
        x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
        z0 = z1 = z2 = z3 = 0.0
        for j in range(ws.size):
            c = ws[j]
            z0 += x0[j] * c
            z1 += x1[j] * c
            z2 += x2[j] * c
            z3 += x3[j] * c
        z[i], z[i + 1], z[i + 2], z[i + 3] = z0 + b, z1 + b, z2 + b, z3 + b
    for i in range(whole, n):
        xi = x[i]
        s = 0.0
        for j in range(ws.size):
            s += xi[j] * ws[j]
        z[i] = s + b


@kernel
def gather(x: Array, r: Array, g: Array) -> float:
    """g += x' r, four rows at a time so that g is written once for them; the sum of r."""
    n, d = x.shape
    whole = n - n % 4
    gs = g[:d]
    total = 0.0
    for i in range(0, whole, 4):
        x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
        r0, r1, r2, r3 = r[i], r[i + 1], r[i + 2], r[i + 3]
        for j in range(gs.size):
            gs[j] += (x0[j] * r0 + x1[j] * r1) + (x2[j] * r2 + x3[j] * r3)
        total += (r0 + r1) + (r2 + r3)
    for i in range(whole, n):
        xi = x[i]
        for j in range(gs.size):
            gs[j] += xi[j] * r[i]
        total += r[i]
    return total


@kernel
def project(lo: int, hi: int, x: Array, w: Array, b: float, z: Array) -> None:
    """The scores of rows lo to hi."""
    scores(x[lo:hi], w, b, z[lo:hi])


@kernel
def total(lo: int, hi: int, x: Array) -> float:
    """The sum of all elements of rows lo to hi: finite unless one is not, or the sum itself overflows."""
    flat = x[lo:hi].reshape(-1)
    s = 0.0
    for j in range(flat.size):
        s += np.float64(flat[j])
    return s
