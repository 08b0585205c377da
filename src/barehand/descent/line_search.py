"""A step length that lowers the value enough and leaves little slope: weak Wolfe conditions by bisection.

Source: A. Lewis, M. Overton (2013), Nonsmooth optimization via quasi-Newton methods, doi:10.1007/s10107-012-0514-2,
algorithm 2.6; the test on slopes where the value has no digits left: W. Hager, H. Zhang (2005),
doi:10.1137/030601880, equation (4.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Function = Callable[[Array], tuple[float, Array]]

_ENOUGH, _SLOPE = 1e-4, 0.9
_ROUNDING = 8 * float(np.finfo(np.float64).eps)


def search(
    function: Function, x: Array, value: float, gradient: Array, direction: Array, first: float = 1.0, most: int = 40
) -> tuple[Array, float, Array] | None:
    """The point along the direction, its value and gradient; None where no step lowers the value any more."""
    slope = float(np.vdot(gradient, direction))
    if not slope < 0:
        return None
    low, high, t = 0.0, np.inf, first
    found = None
    for _ in range(most):
        point = x + t * direction
        there, gradient_there = function(point)
        slope_there = float(np.vdot(gradient_there, direction))
        lowered = there <= value + _ENOUGH * t * slope
        # Close to the optimum the two values agree in all their digits; the slopes still tell.
        flat = abs(there - value) <= _ROUNDING * abs(value) and slope_there <= (2 * _ENOUGH - 1) * slope
        if not (lowered or flat):
            high = t
        else:
            found = point, there, gradient_there
            if slope_there >= _SLOPE * slope:
                return found
            low = t
        t = 0.5 * (low + high) if high < np.inf else 2 * low
        if high < np.inf and high - low <= 1e-14 * high:
            break
    return found
