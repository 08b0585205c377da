"""First-order descent: plain steps down the gradient, and steps by mini-batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from barehand.descent.lbfgs import Outcome
from barehand.descent.line_search import Function
from barehand.descent.objective import Objective

Array = NDArray[Any]
Watch = Callable[[int, float], None]
Step = Callable[[Array, int], None]  # step(gradient, epoch): moves the parameters in place

_PATIENCE = 5  # epochs without progress after which mini-batches stop
_ENOUGH = 10  # steps after which plain descent should have come down
_BEYOND = 1e8  # times the first value: from here nothing comes back


class Diverged(Exception):  # noqa: N818 - it says what happened
    """The value left for infinity; which step, and what it was."""

    def __init__(self, step: int, value: float) -> None:
        super().__init__(step, value)
        self.step, self.value = step, value


def _check(step: int, value: float, first: float) -> None:
    if not value <= _BEYOND * max(first, np.finfo(np.float64).tiny):  # nan too
        raise Diverged(step, value)


def plain(
    function: Function, theta: Array, rate: float, *, tol: float, largest: float, max_iter: int, watch: Watch
) -> Outcome:
    """theta <- theta - rate * gradient, until no component of the gradient is above `tol * largest`."""

    def flat(gradient: Array) -> bool:
        return tol > 0 and bool(np.abs(gradient).max(initial=0.0) <= tol * largest)

    theta = theta.copy()
    value, gradient = function(theta)
    curve = [value]
    for step in range(1, max_iter + 1):
        if flat(gradient):
            return Outcome(theta, value, curve, True)
        theta -= rate * gradient
        value, gradient = function(theta)
        _check(step, value, curve[0])
        curve.append(value)
        watch(step, value)
    if max_iter >= _ENOUGH and value > curve[0] * (1 + 1e-6):
        raise Diverged(max_iter, value)  # slowly
    return Outcome(theta, value, curve, flat(gradient))


def one_epoch(
    objective: Objective, theta: Array, step: Step, epoch: int, batch_size: int, rng: np.random.RandomState
) -> None:
    """One step for each mini-batch of the shuffled rows."""
    order = rng.permutation(objective.rows)
    for start in range(0, objective.rows, batch_size):
        step(objective.batch(order[start : start + batch_size])(theta)[1], epoch)


def epochs(
    objective: Objective,
    theta: Array,
    step: Step,
    *,
    tol: float,
    max_iter: int,
    batch_size: int,
    rng: np.random.RandomState,
    watch: Watch,
) -> Outcome:
    """Epochs until five in a row bring the value no further than `tol` of itself below the best before them."""
    value = objective(theta)[0]
    curve, best, idle = [value], value, 0
    for epoch in range(max_iter):
        one_epoch(objective, theta, step, epoch, batch_size, rng)
        value = objective(theta)[0]
        _check(epoch + 1, value, curve[0])
        curve.append(value)
        watch(epoch + 1, value)
        idle = 0 if value < best - tol * abs(best) else idle + 1
        best = min(best, value)
        if idle >= _PATIENCE and tol > 0:
            return Outcome(theta, value, curve, True)
    return Outcome(theta, value, curve, False)


def batch_curvature(mean: float, largest: float, rows: int, batch_size: int) -> float:
    """How curved the objective of a mini-batch is, as seen by a step: between the mean's and the worst row's.

    Source: R. Gower et al. (2019), SGD: general analysis and improved rates, arXiv:1901.09401, proposition 3.8.
    """
    if rows <= 1 or batch_size >= rows:
        return mean
    b, n = batch_size, rows
    return n * (b - 1) / (b * (n - 1)) * mean + (n - b) / (b * (n - 1)) * largest
