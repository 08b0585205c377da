"""The objective as a function of the parameters: a weighted mean of the rows' losses, and a penalty.

Parameters are a matrix theta of shape (outputs, features + 1), one row of weights for each output and its intercept at
the end; without an intercept the last column is missing.

    f(theta) = sum_i s_i loss(x_i W' + b, target_i) / sum_i s_i + penalty / 2 * ||W||²
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from barehand.core import threads
from barehand.core.arrays import for_kernel
from barehand.descent import sweeps

Array = NDArray[Any]
# pointwise(z, target, weight) -> the weighted sum of losses; z, the scores, become weight * dloss/dz.
Pointwise = Callable[[Array, Array, Array], float]
# For one output: fused(lo, hi, x, w, b, target, weight, rows, z, g) -> loss takes both sweeps over rows lo to hi, so
# many at a time, with the pointwise kernel between; z is room for their scores, and g has the gradient added to it.
Fused = Callable[..., float]

_BLOCK = 1 << 16  # elements of X that stay in a core's cache between the two sweeps over them


def block_rows(features: int) -> int:
    """How many rows go through the sweeps at a time."""
    return max(64, min(4096, _BLOCK // max(features, 1)))


def dense_rows(x: Any, lo: int, hi: int) -> Array:
    """Rows lo to hi as a dense float64 matrix."""
    rows = x[lo:hi]
    return np.asarray(rows if isinstance(x, np.ndarray) else rows.toarray(), np.float64)


def squared(x: Any) -> Any:
    """Every element's square, dense or sparse."""
    return np.square(x, dtype=np.float64) if isinstance(x, np.ndarray) else x.power(2)


class Objective:
    """The mean loss over the rows of a dense or a CSR matrix; calling it gives the value and its gradient."""

    def __init__(
        self,
        x: Any,
        target: Array,
        weight: Array,
        pointwise: Pointwise,
        *,
        fused: Fused | None = None,
        outputs: int,
        penalty: float,
        intercept: bool,
        total: float | None = None,
    ) -> None:
        self.dense = isinstance(x, np.ndarray)
        self.x = for_kernel(x) if self.dense else x
        self.target, self.weight, self.pointwise, self.fused = target, weight, pointwise, fused
        self.outputs, self.penalty, self.intercept = outputs, penalty, intercept
        self.rows, self.features = x.shape
        self.total = float(np.add.reduce(weight)) if total is None else total
        self.shape = (outputs, self.features + intercept)

    def zeros(self) -> Array:
        """Where every cold start begins."""
        return np.zeros(self.shape)

    def split(self, theta: Array) -> tuple[Array, Array]:
        """The weights and the intercepts, zeros where there are none."""
        weights = np.ascontiguousarray(theta[:, : self.features])
        return weights, theta[:, self.features].copy() if self.intercept else np.zeros(self.outputs)

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """f(theta) and its gradient in the shape of theta."""
        weights, intercepts = self.split(theta)
        if self.dense:
            cost = 2 * (self.features + 8) * self.outputs
            parts = threads.partial_results(self._dense, self.rows, cost, weights, intercepts)
        else:
            parts = [self._sparse(weights, intercepts)]
        loss, gradient = math.fsum(part for losses, _ in parts for part in losses), self.zeros()
        for _, slope in parts:
            gradient += slope[:, : gradient.shape[1]]
        gradient /= self.total
        gradient[:, : self.features] += self.penalty * weights
        return loss / self.total + self.penalized(weights), gradient

    def penalized(self, weights: Array) -> float:
        """The penalty's part of the value."""
        return 0.5 * self.penalty * float(np.vdot(weights, weights)) if self.penalty else 0.0

    @np.errstate(all="ignore")  # a thread has its own setting
    def _dense(self, lo: int, hi: int, weights: Array, intercepts: Array) -> tuple[list[float], Array]:
        """Both sweeps block by block, so that X comes from memory once."""
        step = min(block_rows(self.features), hi - lo)
        single = self.outputs == 1
        buffer = np.empty(step if single else (step, self.outputs))
        slope = np.zeros((self.outputs, self.features + 1))
        if self.fused is not None:
            where = self.x, weights[0], intercepts[0], self.target, self.weight
            return [self.fused(lo, hi, *where, step, buffer, slope[0])], slope
        losses = []
        for start in range(lo, hi, step):
            stop = min(start + step, hi)
            x, z = self.x[start:stop], buffer[: stop - start]
            if single:
                sweeps.scores(x, weights[0], intercepts[0], z)
                losses.append(self.pointwise(z, self.target[start:stop], self.weight[start:stop]))
                slope[0, -1] += sweeps.gather(x, z, slope[0])
            else:
                x = np.asarray(x, np.float64)
                np.matmul(x, weights.T, out=z)
                z += intercepts
                losses.append(self.pointwise(z, self.target[start:stop], self.weight[start:stop]))
                slope[:, :-1] += z.T @ x
                slope[:, -1] += z.sum(axis=0)
        return losses, slope

    def _sparse(self, weights: Array, intercepts: Array) -> tuple[list[float], Array]:
        z = np.ascontiguousarray(self.x @ weights.T) + intercepts
        flat = z[:, 0].copy() if self.outputs == 1 else z
        loss = self.pointwise(flat, self.target, self.weight)
        z = flat.reshape(z.shape)
        return [loss], np.column_stack([(self.x.T @ z).T, z.sum(axis=0)])

    def scores(self, theta: Array) -> Array:
        """z = x W' + b for every row, (rows, outputs)."""
        weights, intercepts = self.split(theta)
        return np.asarray(self.x @ weights.T) + intercepts

    def sample(self, size: int) -> Objective:
        """The same over `size` rows, one from each of as many equal stretches, at places drawn once and for all."""
        edges = np.linspace(0, self.rows, size + 1)
        places = edges[:-1] + np.random.default_rng(0).random(size) * np.diff(edges)
        return self.batch(np.minimum(places.astype(np.int64), self.rows - 1))

    def batch(self, chosen: Array, chance: Array | None = None) -> Objective:
        """The same over some rows, scaled so that its mean over random choices is the whole's.

        `chance`, (chosen,), is how likely each of them was to be chosen; by default all rows were equally so.
        """
        weight, total = self.weight[chosen], self.total * len(chosen) / self.rows
        if chance is not None:
            weight, total = weight / chance, self.total
        return Objective(
            self.x[chosen],
            self.target[chosen],
            weight,
            self.pointwise,
            fused=self.fused,
            outputs=self.outputs,
            penalty=self.penalty,
            intercept=self.intercept,
            total=total,
        )
