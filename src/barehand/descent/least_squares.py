"""Least squares where the moments would lose too much: by orthogonal transformations, or by Lanczos for sparse data."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray
from scipy import linalg

from barehand.descent.gram import CONSTANT
from barehand.descent.objective import Objective, dense_rows

Array = NDArray[Any]


def orthogonal(objective: Objective) -> Array:
    """The minimum of a squared-error objective by QR and the singular values, in the shape of its parameters.

    Of several minima, where columns depend on each other and nothing is penalised, the one with the shortest weights.
    """
    o = objective
    x, y = dense_rows(o.x, 0, o.rows), o.target.reshape(o.rows, o.outputs)
    x_mean, y_mean = _means(o, y)
    root = np.sqrt(o.weight / o.total)[:, None]
    a = x - x_mean
    if o.intercept:
        a[:, np.abs(a).max(axis=0, initial=0.0) <= CONSTANT * np.abs(x_mean)] = 0.0
    a, right = a * root, (y - y_mean) * root
    if o.rows > o.features + o.outputs:
        upper = linalg.qr(np.column_stack([a, right]), mode="r", overwrite_a=True, check_finite=False)[0]
        upper = upper[: o.features + o.outputs]
        a, right = upper[:, : o.features], upper[:, o.features :]
    u, s, vt = linalg.svd(a, full_matrices=False, check_finite=False)
    kept = s > np.finfo(np.float64).eps * max(o.rows, o.features) * s.max(initial=0.0)
    inverse = np.where(kept, s, 0.0) / np.where(kept, s**2 + 0.5 * o.penalty, 1.0)
    weights = (vt.T @ (inverse[:, None] * (u.T @ right))).T
    return _with_intercept(o, weights, x_mean, y_mean)


def iterative(objective: Objective) -> Array:
    """The same for sparse data with many columns: C. Paige, M. Saunders (1982), LSQR, doi:10.1145/355984.355989."""
    o = objective
    y = o.target.reshape(o.rows, o.outputs)
    x_mean, y_mean = _means(o, y)
    root = np.sqrt(o.weight / o.total)
    operator = sparse_linalg.LinearOperator(
        o.x.shape,
        matvec=lambda v: root * (o.x @ v.ravel() - x_mean @ v.ravel()),
        rmatvec=lambda u: o.x.T @ (root * u.ravel()) - x_mean * float(root @ u.ravel()),
        dtype=np.float64,
    )
    damp = float(np.sqrt(0.5 * o.penalty))
    weights = [
        sparse_linalg.lsqr(operator, root * column, damp=damp, atol=1e-13, btol=1e-13, iter_lim=10 * o.features)[0]
        for column in (y - y_mean).T
    ]
    return _with_intercept(o, np.array(weights), x_mean, y_mean)


def _means(o: Objective, y: Array) -> tuple[Array, Array]:
    """Weighted means to take off the columns; zeros without an intercept."""
    if not o.intercept:
        return np.zeros(o.features), np.zeros(o.outputs)
    share = o.weight / o.total
    return np.asarray(o.x.T @ share, np.float64), share @ y


def _with_intercept(o: Objective, weights: Array, x_mean: Array, y_mean: Array) -> Array:
    return np.column_stack([weights, y_mean - weights @ x_mean]) if o.intercept else weights
