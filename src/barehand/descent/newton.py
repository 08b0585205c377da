"""Second-order descent: damped Newton steps, and L-BFGS in coordinates from the Hessian of a sample.

Source: S. Boyd, L. Vandenberghe (2004), Convex Optimization, section 9.5: the Newton decrement, half of whose square is
what the value may still fall. Both stop by it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from barehand.descent import lbfgs
from barehand.descent.curved import EACH, Coordinates, Second, telling, whole
from barehand.descent.lbfgs import Outcome
from barehand.descent.line_search import search
from barehand.descent.objective import Objective

Array = NDArray[Any]
Watch = Callable[[int, float], None]

_SHARE, _LEAST = 8, 4096  # a sample is an eighth of the rows, and at least so many
_MARGIN = 0.1  # what the decrement in a sample's coordinates may be too small by
_FOLLOWED = 0.1  # decrement down to which a sample is followed, in units of what its minimum is away from the whole's
_FRESH = 20  # iterations after which the coordinates are computed anew; twice as many where that takes all rows


def damped(objective: Objective, second: Second, theta: Array, tol: float, max_iter: int, watch: Watch) -> Outcome:
    """Newton steps with a line search, each with the whole Hessian, until the decrement is at most `tol`."""
    value, gradient = objective(theta)
    curve = [value]
    while True:
        factor = whole(objective, second, theta)
        direction = -factor.solve(gradient.ravel()).reshape(theta.shape)
        close = -float(np.vdot(gradient, direction)) <= tol**2
        if len(curve) > max_iter:
            return Outcome(theta, value, curve, False)
        found = search(objective, theta, value, gradient, direction)
        if found is None:
            return Outcome(theta, value, curve, True)  # no digits left
        theta, value, gradient = found
        curve.append(value)
        watch(len(curve) - 1, value)
        if close:  # and the step just taken doubles the digits
            return Outcome(theta, value, curve, True)


def preconditioned(
    objective: Objective, second: Second, theta: Array, value: float, tol: float, max_iter: int, watch: Watch
) -> Outcome:
    """L-BFGS, first on a sample and then on all rows, in coordinates from the sample's Hessian.

    A sample costs little and its minimum is close by: few passes over all rows remain. `value` is that at theta.
    """
    size = max(objective.rows // _SHARE, _LEAST, EACH * objective.shape[1])
    bending = objective  # the rows that give the coordinates
    curve = [value]
    if size < objective.rows // 2:
        sample = objective.sample(size)
        loose = _FOLLOWED * np.sqrt(theta.size / size)
        near = _in_coordinates(sample, sample, second, theta, loose, 2 * _FRESH)
        there = objective(near.x)[0]
        if there < value:
            theta = near.x
            curve.append(there)  # a step like any other
        bending = telling(objective, sample, second, theta)
    fresh = _FRESH if bending is objective else 2 * _FRESH
    while True:
        done = len(curve) - 1
        outcome = _in_coordinates(
            objective, bending, second, theta, _MARGIN * tol, min(fresh, max_iter - done), partial(_later, watch, done)
        )
        theta = outcome.x
        curve += outcome.curve[1:]
        # Far from where the coordinates were made the decrement in them says little: look once more in fresh ones.
        settled = outcome.converged and outcome.value > 0.5 * outcome.curve[0]
        if settled or len(curve) > max_iter:
            return Outcome(theta, outcome.value, curve, settled)
        bending = objective  # too few rows decide: all of them for the Hessian, too


def _later(watch: Watch, done: int, step: int, value: float) -> None:
    watch(done + step, value)


def _in_coordinates(
    objective: Objective,
    bending: Objective,
    second: Second,
    theta: Array,
    tol: float,
    max_iter: int,
    watch: Watch = lambda step, value: None,
) -> Outcome:
    coordinates = Coordinates(bending, second, theta)

    def function(u: Array) -> tuple[float, Array]:
        value, gradient = objective(coordinates.from_unit(u))
        return value, coordinates.gradient_to_unit(gradient)

    outcome = lbfgs.minimise(function, coordinates.to_unit(theta), tol=tol, max_iter=max_iter, watch=watch)
    return outcome._replace(x=coordinates.from_unit(outcome.x))
