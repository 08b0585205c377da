"""Squared error through its moments: once they are known, a step costs d² and not n d.

The moments are taken about the minimum (w*, b*) of the objective: with e = y - X w* - b* and delta = w - w* every
residual is x_i delta + (b - b*) - e_i, so that, with x centred, G = mean(x x') and beta = mean(x) delta + b - b*,

    mean r² = delta' G delta + (beta - mean e)² + var e - 2 delta' mean(x e).

Close to a perfect fit each of these terms is small. In the usual y'y - 2 w'X'y + w'X'X w they are as large as y'y, and
all digits of a small loss cancel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from barehand.descent import gram
from barehand.descent.objective import Objective

Array = NDArray[Any]


class Quadratic:
    """The same function as an `Objective` with squared error, at d² a call."""

    def __init__(self, objective: Objective) -> None:
        o = objective
        self.shape, self.outputs, self.features = o.shape, o.outputs, o.features
        self.penalty, self.intercept = o.penalty, o.intercept
        self.moments = gram.moments(o.x, o.target.reshape(o.rows, o.outputs), o.weight)
        m = self.moments
        matrix, right = m.xx + 0.5 * o.penalty * np.eye(self.features), m.xy
        if not o.intercept:
            matrix, right = matrix + np.outer(m.x_mean, m.x_mean), right + np.outer(m.x_mean, m.y_mean)
        self.factor = gram.Factor(matrix)
        self.centre = self.factor.solve(right).T
        self.base = m.y_mean - self.centre @ m.x_mean if o.intercept else np.zeros(o.outputs)
        # The errors there, from the data: their sums carry the digits that the moments of y have lost.
        plain = Objective(o.x, o.target, o.weight, o.pointwise, outputs=o.outputs, penalty=0.0, intercept=True)
        value, slope = plain(np.column_stack([self.centre, self.base]))
        self.error_mean = -0.5 * slope[:, -1]
        self.error_x = -0.5 * slope[:, :-1] - np.outer(self.error_mean, m.x_mean)
        self.error_variance = value - float(self.error_mean @ self.error_mean)

    def zeros(self) -> Array:
        """Where every cold start begins."""
        return np.zeros(self.shape)

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """The value at theta and its gradient."""
        weights = theta[:, : self.features]
        delta = weights - self.centre
        shift = theta[:, -1] - self.base if self.intercept else 0.0
        off = delta @ self.moments.x_mean + shift - self.error_mean
        curved = delta @ self.moments.xx
        value = float(np.vdot(delta, curved - 2 * self.error_x) + off @ off) + self.error_variance
        gradient = np.empty(self.shape)
        gradient[:, : self.features] = 2 * (curved - self.error_x + np.outer(off, self.moments.x_mean))
        gradient[:, : self.features] += self.penalty * weights
        if self.intercept:
            gradient[:, -1] = 2 * off
        return max(value, 0.0) + 0.5 * self.penalty * float(np.vdot(weights, weights)), gradient

    def minimum(self) -> Array:
        """The parameters of the least value; one step of refinement with the true errors is in them."""
        m = self.moments
        right = self.error_x - 0.5 * self.penalty * self.centre
        if not self.intercept:
            right = right + np.outer(self.error_mean, m.x_mean)
        weights = self.centre + self.factor.solve(right.T).T
        if not self.intercept:
            return weights
        return np.column_stack([weights, m.y_mean - weights @ m.x_mean])

    def curvature(self) -> float:
        """The largest eigenvalue of the Hessian."""
        m = self.moments
        d = self.features
        matrix = np.empty((d + 1, d + 1))
        matrix[:d, :d] = 2 * (m.xx + np.outer(m.x_mean, m.x_mean)) + self.penalty * np.eye(d)
        matrix[d, :d] = matrix[:d, d] = 2 * m.x_mean
        matrix[d, d] = 2.0
        return gram.largest_eigenvalue(matrix if self.intercept else matrix[:d, :d])
