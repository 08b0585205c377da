"""The small models that several stops train, each as our gradients and as torch's loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.demo.descent import Gradients
from barehand.demo.measure import Array
from barehand.demo.rules import Params


def linear(pull: Callable[[Array, Array], Any]) -> Gradients:
    """Logits x W + b under a loss; pull(logits, y) gives (loss, (the gradient for the logits,)), as `vjp` does."""

    def gradients(params: Params, x: Array, y: Array) -> tuple[float, tuple[Array, Array]]:
        W, b = params
        loss, (dz,) = pull(x @ W + b, y)
        return loss, (x.T @ dz, dz.sum(axis=0))

    return gradients


def torch_linear(loss: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The same under torch: loss(logits, y)."""

    def forward(params: Any, x: Any, y: Any) -> Any:
        W, b = params
        return loss(x @ W + b, y)

    return forward


def scatter(rows: Array, values: Array, n: int) -> Array:
    """(n, d) zeros with the i-th of `values` added to the row that `rows` says: the gradient of table[rows]."""
    d = values.shape[1]
    table = np.zeros(n * d, values.dtype)
    np.add.at(table, (rows[:, None] * d + np.arange(d)).ravel(), values.ravel())  # flat: several times faster
    return table.reshape(n, d)


def factors(rng: np.random.Generator, users: int, films: int, dtype: type[np.floating[Any]], d: int = 32) -> Params:
    """A row of d small numbers for each user, and one for each film."""
    return [(0.1 * rng.standard_normal((n, d))).astype(dtype) for n in (users, films)]
