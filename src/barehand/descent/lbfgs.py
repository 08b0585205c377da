"""L-BFGS in coordinates in which the Hessian is nearly the identity.

Source: J. Nocedal (1980), doi:10.1090/S0025-5718-1980-0572855-7, the two-loop recursion (algorithm 7.4 of Nocedal and
Wright). The coordinates are u = L' x with L L' an estimate of the Hessian: the first step is then Newton's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from barehand.descent.line_search import Function, search

Array = NDArray[Any]

_MEMORY = 12


class Outcome(NamedTuple):
    """Where the search ended, the values along the way, and whether its condition was met."""

    x: Array
    value: float
    curve: list[float]
    converged: bool


def minimise(
    function: Function,
    x: Array,
    *,
    tol: float,
    max_iter: int,
    watch: Callable[[int, float], None] = lambda step, value: None,
) -> Outcome:
    """Down to a gradient of Euclidean length `tol`, or as far as the function's digits go."""
    pairs: deque[tuple[Array, Array, float]] = deque(maxlen=_MEMORY)
    value, gradient = function(x)
    curve = [value]
    scale = 1.0
    while np.linalg.norm(gradient) > tol:
        if len(curve) > max_iter:
            return Outcome(x, value, curve, False)
        found = search(function, x, value, gradient, -_two_loops(gradient, pairs, scale))
        if found is None:
            if not pairs:
                return Outcome(x, value, curve, True)  # no digits left
            pairs.clear()
            continue
        x_new, value_new, gradient_new = found
        s, y = x_new - x, gradient_new - gradient
        curvature = float(np.vdot(s, y))
        if curvature > 1e-14 * float(np.vdot(y, y)):
            pairs.append((s, y, 1 / curvature))
            scale = curvature / float(np.vdot(y, y))
        stalled = value_new >= value and not np.linalg.norm(gradient_new) < 0.9 * np.linalg.norm(gradient)
        x, value, gradient = x_new, value_new, gradient_new
        curve.append(value)
        watch(len(curve) - 1, value)
        if stalled:
            return Outcome(x, value, curve, True)
    return Outcome(x, value, curve, True)


def _two_loops(gradient: Array, pairs: deque[tuple[Array, Array, float]], scale: float) -> Array:
    """The inverse Hessian that the pairs of steps and gradient changes suggest, times the gradient."""
    q = gradient.copy()
    shares = []
    for s, y, inverse in reversed(pairs):
        share = inverse * float(np.vdot(s, q))
        q -= share * y
        shares.append(share)
    q *= scale
    for (s, y, inverse), share in zip(pairs, reversed(shares), strict=True):
        q += (share - inverse * float(np.vdot(y, q))) * s
    return q
