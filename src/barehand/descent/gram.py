"""Matrices of products of columns, gathered block by block: X' diag(c) X, and centred moments."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray
from scipy import linalg

from barehand.core import threads
from barehand.descent.objective import dense_rows

Array = NDArray[Any]

_PIVOT_ROWS = 1024
_DENSE = 2048  # columns up to which their products are worth having all
CONSTANT = 64 * float(np.finfo(np.float64).eps)


class Moments(NamedTuple):
    """Weighted means of the columns, and the means of products of their distances to these means."""

    x_mean: Array  # (d,)
    y_mean: Array  # (outputs,)
    xx: Array  # (d, d)
    xy: Array  # (d, outputs)


def _step(columns: int) -> int:
    """Rows to multiply at once: enough that adding up the products costs little beside them."""
    return max(1024, 4 * columns)


def _cost(columns: int) -> int:
    """What a row costs, for ranges of at least so many rows as columns: each range adds up a matrix of its own."""
    return (1 << 17) // max(256, columns)


def moments(x: Any, y: Array, weight: Array) -> Moments:
    """In one pass: about a pivot close to the mean, so that moving to the mean afterwards cancels nothing.

    x: (n, d), dense or CSR; y: (n, outputs); weight: (n,), not all 0.
    """
    n, d = x.shape
    stride = max(n // _PIVOT_ROWS, 1)
    pivot = dense_rows(x, 0, n).mean(axis=0) if stride == 1 else dense_rows(x[::stride], 0, n).mean(axis=0)
    pivot = np.append(pivot, y[::stride].mean(axis=0))
    columns = len(pivot)

    @np.errstate(all="ignore")
    def part(lo: int, hi: int) -> tuple[Array, Array]:
        first, second = np.zeros(columns), np.zeros((columns, columns))
        step = min(_step(columns), hi - lo)
        buffer, product = np.empty((step, columns)), np.empty_like(second)
        for start in range(lo, hi, step):
            stop = min(start + step, hi)
            rows, s = buffer[: stop - start], weight[start:stop]
            np.subtract(
                x[start:stop] if isinstance(x, np.ndarray) else dense_rows(x, start, stop), pivot[:d], rows[:, :d]
            )
            np.subtract(y[start:stop], pivot[d:], rows[:, d:])
            first += s @ rows
            if not (s == 1).all():
                rows *= np.sqrt(s)[:, None]
            second += np.matmul(rows.T, rows, out=product)
        return first, second

    parts = threads.partial_results(part, n, _cost(columns))
    total = float(np.add.reduce(weight))
    first = sum(p[0] for p in parts) / total
    second = sum(p[1] for p in parts) / total - np.outer(first, first)
    mean = pivot + first
    # A constant column differs from its mean by rounding alone, which must not be taken for a direction.
    constant = np.diag(second) <= (CONSTANT * mean) ** 2
    second[constant] = second[:, constant] = 0.0
    return Moments(mean[:d], mean[d:], second[:d, :d], second[:d, d:])


def products(x: Any, left: Array, intercept: bool) -> Array:
    """sum_i left_i x_i x_i', with a 1 at the end of every row where there is an intercept; left >= 0."""
    n, d = x.shape
    columns = d + intercept

    @np.errstate(all="ignore")
    def part(lo: int, hi: int) -> Array:
        result = np.zeros((columns, columns))
        step = min(_step(columns), hi - lo)
        buffer, product = np.ones((step, columns)), np.empty_like(result)
        for start in range(lo, hi, step):
            stop = min(start + step, hi)
            rows = buffer[: stop - start]
            root = np.sqrt(left[start:stop])[:, None]
            np.multiply(x[start:stop] if isinstance(x, np.ndarray) else dense_rows(x, start, stop), root, rows[:, :d])
            if intercept:
                rows[:, d:] = root
            result += np.matmul(rows.T, rows, out=product)
        return result

    return np.asarray(sum(threads.partial_results(part, n, _cost(columns))))


def largest_eigenvalue(matrix: Array) -> float:
    """Of a symmetric matrix; nan or infinity where an entry is."""
    if not np.isfinite(matrix).all():
        return np.inf
    last = len(matrix) - 1
    return float(linalg.eigh(matrix, eigvals_only=True, subset_by_index=(last, last))[0])


def mean_square(x: Any, weight: Array, intercept: bool) -> float:
    """The largest eigenvalue of the weighted mean of x x', with a 1 in x where there is an intercept."""
    total = float(np.add.reduce(weight))
    columns = x.shape[1] + intercept
    if columns <= _DENSE:
        return largest_eigenvalue(products(x, weight, intercept) / total)

    def times(v: Array) -> Array:
        z = x @ v[: x.shape[1]] + (v[-1] if intercept else 0.0)
        z *= weight / total
        return np.append(x.T @ z, np.add.reduce(z))[:columns]

    # Lanczos comes from below; what it may still miss is made up for.
    operator = sparse_linalg.LinearOperator((columns, columns), times, dtype=np.float64)
    found = sparse_linalg.eigsh(operator, k=1, v0=np.ones(columns), tol=1e-3, return_eigenvectors=False)
    return 1.01 * float(found[0])


class Factor:
    """Cholesky's factor of a semidefinite matrix, which is made regular first where it is not.

    The matrix is scaled to a unit diagonal and gets a multiple of the identity, as small as lets the factor exist:
    matrix = L L' with L = diag(scale) lower.
    """

    def __init__(self, matrix: Array) -> None:
        if not np.isfinite(matrix).all():
            raise OverflowError
        diagonal = np.sqrt(np.maximum(np.diag(matrix), 0))
        self.scale = np.where(diagonal > 0, diagonal, 1.0)
        unit = matrix / self.scale / self.scale[:, None]
        ridge = len(matrix) * float(np.finfo(np.float64).eps)
        while True:
            try:
                self.lower = linalg.cholesky(unit + ridge * np.eye(len(unit)), lower=True, check_finite=False)
                break
            except linalg.LinAlgError:
                ridge *= 100
        # Singular is what has an empty column, and what Cholesky had to be helped with.
        estimate = linalg.lapack.dpocon(self.lower, float(np.abs(unit).sum(axis=0).max(initial=0.0)), uplo="L")[0]
        self.reciprocal_condition = float(estimate) if (diagonal > 0).all() else 0.0

    def solve(self, right: Array) -> Array:
        """The x with matrix x = right."""
        y = linalg.cho_solve((self.lower, True), (right.T / self.scale).T, check_finite=False)
        return np.asarray((y.T / self.scale).T)

    def from_unit(self, u: Array) -> Array:
        """x = L'^-1 u: from coordinates in which the matrix is the identity."""
        return np.asarray(linalg.solve_triangular(self.lower, u, lower=True, trans=1, check_finite=False) / self.scale)

    def to_unit(self, x: Array) -> Array:
        """u = L' x."""
        return np.asarray(self.lower.T @ (self.scale * x))

    def gradient_to_unit(self, gradient: Array) -> Array:
        """L^-1 g: a gradient with respect to u."""
        scaled = gradient / self.scale
        return np.asarray(linalg.solve_triangular(self.lower, scaled, lower=True, check_finite=False))
