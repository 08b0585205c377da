"""How an error is measured: in eps of what was added up.

A result's rounding error is bounded by eps times the size of the terms it is made of, not by the size of the result: a
loss of 1e-8 left over from 10 - 10 may be off by 10 eps and be perfectly computed. Each spec states that size as its
`scale`; there is no absolute tolerance anywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def negligible(dtype: np.dtype[Any]) -> float:
    """Errors up to this are none: float32 and float64 kernels may flush subnormal results to zero."""
    info = np.finfo(dtype)
    return float(info.smallest_subnormal if dtype == np.float16 else info.smallest_normal)


def error_in_eps(got: Array, expected: Array, scale: Array | float, dtype: np.dtype[Any]) -> Array:
    """|got - expected| / (eps · scale), element by element; inf where one is nan or infinite and the other is not.

    got: what came out, in `dtype`. expected: the reference, in a wider type. scale: the size of what was added up,
    broadcast against expected. A reference beyond the range of `dtype` counts as the infinity it rounds to.
    """
    info = np.finfo(dtype)
    wide = np.result_type(np.float64, expected.dtype)
    expected = expected.astype(wide)
    with np.errstate(all="ignore"):
        limit = wide.type(info.max)
        rounded = np.where(
            np.abs(expected) > limit * (1 + wide.type(info.eps) / 4), np.copysign(np.inf, expected), expected
        )
        same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
        apart = np.abs(got.astype(wide) - rounded)
        error = apart / (wide.type(info.eps) * np.maximum(np.broadcast_to(scale, expected.shape), wide.type(info.tiny)))
        error = np.where(same | (apart <= negligible(dtype)), 0.0, error)
        return np.where(np.isnan(error), np.inf, error).astype(np.float64)
