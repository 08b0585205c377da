"""Recompute the polynomial coefficients of `core/numeric.py` and print the error each leaves.

exp(r) = 1 + r + r² P(r) on |r| <= ln(2)/2, and atanh(s)/s = 1 + z Q(z) with z = s², on |s| <= 1/3. Both are Chebyshev
fits in 60 digits (near-minimax), rounded to the working precision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np

mp.mp.dps = 60


def exp_tail(r: mp.mpf) -> mp.mpf:
    """(exp(r) - 1 - r) / r², by its series near zero."""
    if abs(r) < mp.mpf("1e-8"):
        return mp.mpf(1) / 2 + r / 6 + r * r / 24
    return (mp.expm1(r) - r) / (r * r)


def atanh_tail(z: mp.mpf) -> mp.mpf:
    """(atanh(s)/s - 1) / z with s = sqrt(z)."""
    if abs(z) < mp.mpf("1e-12"):
        return mp.mpf(1) / 3 + z / 5
    s = mp.sqrt(z)
    return (mp.atanh(s) / s - 1) / z


def fit(
    tail: Callable[[mp.mpf], mp.mpf], interval: list[mp.mpf], terms: int, dtype: type[np.floating[Any]]
) -> tuple[list[float], float]:
    """Coefficients rounded to dtype, lowest power first, and the worst error they leave in the interval."""
    coefficients = [float(dtype(float(c))) for c in reversed(mp.chebyfit(tail, interval, terms))]
    worst = max(
        abs(tail(x) - sum(mp.mpf(c) * x**p for p, c in enumerate(coefficients)))
        for x in mp.linspace(interval[0], interval[1], 401)
    )
    return coefficients, float(worst)


if __name__ == "__main__":
    half_ln2 = mp.log(2) / 2
    third = mp.mpf(1) / 9
    for dtype, exp_terms, atanh_terms in ((np.float32, 5, 4), (np.float64, 10, 10)):
        for name, tail, interval, terms in (
            ("EXP", exp_tail, [-half_ln2, half_ln2], exp_terms),
            ("ATANH", atanh_tail, [mp.mpf(0), third], atanh_terms),
        ):
            coefficients, worst = fit(tail, interval, terms, dtype)
            print(f"{name} {dtype.__name__}: worst {worst:.2e}")
            for c in coefficients:
                print("   ", repr(c))
