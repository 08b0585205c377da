"""The Hessian of a mean of losses of linear scores, and coordinates in which it is the identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from barehand.descent import gram
from barehand.descent.objective import Objective, squared

Array = NDArray[Any]
# second(z, weight) -> for one output the second derivatives of the weighted losses, (n,). For several the matrix p of
# probabilities, (n, outputs): their second derivatives are weight p_k (1[k = l] - p_l).
Second = Callable[[Array, Array], Array]

EACH = 20  # rows a parameter of an output that a Hessian is taken from, at least
_WHOLE = 1200  # parameters up to which the Hessian is worth having whole
_BLOCK = 1024  # features up to which each output's own block is, where there are as many rows


def whole(objective: Objective, second: Second, theta: Array) -> gram.Factor:
    """The factor of the Hessian with respect to all parameters, output by output."""
    z = objective.scores(theta)
    width = objective.shape[1]
    matrix = np.empty((theta.size, theta.size))
    if objective.outputs == 1:
        matrix[...] = gram.products(objective.x, second(z[:, 0], objective.weight), objective.intercept)
    else:
        p = second(z, objective.weight)
        for k in range(objective.outputs):
            for j in range(k + 1):
                c = objective.weight * p[:, k] * (1 - p[:, k] if j == k else p[:, j])
                block = gram.products(objective.x, c, objective.intercept) * (1 if j == k else -1)
                matrix[k * width : (k + 1) * width, j * width : (j + 1) * width] = block
                matrix[j * width : (j + 1) * width, k * width : (k + 1) * width] = block
    return gram.Factor(_penalized(matrix / objective.total, objective, objective.outputs))


def _penalized(matrix: Array, objective: Objective, outputs: int) -> Array:
    penalties = np.full(objective.shape[1], objective.penalty)
    penalties[objective.features :] = 0.0
    matrix[np.diag_indices_from(matrix)] += np.tile(penalties, outputs)
    return matrix


def telling(objective: Objective, sample: Objective, second: Second, theta: Array) -> Objective:
    """As many rows as the sample has to take the Hessian at theta from: the sample itself where they tell enough.

    Rows far on their side of the boundary bend nothing. Where most are, few of a sample's rows are left, and others
    are drawn from all: each with a chance in proportion to what it adds, and those that add most for certain.
    """
    added = _curvatures(sample, second, theta)
    # L. Kish (1965), Survey Sampling: as good as so many rows that all add the same.
    if np.add.reduce(added) ** 2 >= EACH * objective.shape[1] * float(np.vdot(added, added)):
        return sample
    added = _curvatures(objective, second, theta)
    chance = _chances(added, sample.rows)
    certain = chance == 1.0
    edges = np.cumsum(np.where(certain, 0.0, chance))
    drawn = np.arange(int(edges[-1])) + np.random.default_rng(0).random(int(edges[-1]))
    chosen = np.append(np.flatnonzero(certain), np.searchsorted(edges, drawn, side="right"))
    return objective.batch(chosen, chance[chosen])


def _curvatures(objective: Objective, second: Second, theta: Array) -> Array:
    """What each row adds to the Hessian's trace, but for the square of its length."""
    z = objective.scores(theta)
    if objective.outputs == 1:
        return second(z[:, 0], objective.weight)
    p = second(z, objective.weight)
    return np.asarray(objective.weight * np.add.reduce(p * (1 - p), axis=1))


def _chances(added: Array, size: int) -> Array:
    """In proportion to `added`, but at most 1; together at most `size`, and close to it."""
    chance = added * (size / np.add.reduce(added))
    for _ in range(3):  # what is cut off at 1 is given to the others, which may then reach 1 too
        certain = chance >= 1.0
        others = np.add.reduce(added, where=~certain)
        if others == 0.0:
            break
        chance = np.where(certain, 1.0, added * ((size - np.count_nonzero(certain)) / others))
    return np.asarray(np.minimum(chance, 1.0))


class _Diagonal:
    """Coordinates that differ by a factor each: what is left where a matrix would be too large."""

    def __init__(self, diagonal: Array) -> None:
        self.root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))

    def from_unit(self, u: Array) -> Array:
        return np.asarray(u / self.root)

    def to_unit(self, x: Array) -> Array:
        return np.asarray(x * self.root)

    gradient_to_unit = from_unit


class Coordinates:
    """u = L' theta for an estimate L L' of the Hessian: whole, each output's own block, or its diagonal."""

    def __init__(self, objective: Objective, second: Second, theta: Array) -> None:
        self.shape = objective.shape
        self.parts: list[Any]
        if theta.size <= _WHOLE:
            self.parts = [whole(objective, second, theta)]
            return
        z = objective.scores(theta)
        if objective.outputs == 1:
            curvatures = [second(z[:, 0], objective.weight)]
        else:
            p = second(z, objective.weight)
            curvatures = [objective.weight * p[:, k] * (1 - p[:, k]) for k in range(objective.outputs)]
        self.parts = [self._block(objective, c) for c in curvatures]

    def _block(self, objective: Objective, c: Array) -> Any:
        if objective.features <= min(_BLOCK, objective.rows):
            matrix = gram.products(objective.x, c, objective.intercept) / objective.total
            return gram.Factor(_penalized(matrix, objective, 1))
        diagonal = np.append(squared(objective.x).T @ c, np.add.reduce(c))[: objective.shape[1]] / objective.total
        diagonal[: objective.features] += objective.penalty
        return _Diagonal(diagonal)

    def _each(self, method: str, rows: Array) -> Array:
        rows = rows.reshape(len(self.parts), -1)
        return np.concatenate([getattr(p, method)(r) for p, r in zip(self.parts, rows, strict=True)])

    def from_unit(self, u: Array) -> Array:
        """theta in its own shape."""
        return self._each("from_unit", u).reshape(self.shape)

    def to_unit(self, theta: Array) -> Array:
        """u, flat."""
        return self._each("to_unit", theta)

    def gradient_to_unit(self, gradient: Array) -> Array:
        """The gradient with respect to u, flat."""
        return self._each("gradient_to_unit", gradient)
