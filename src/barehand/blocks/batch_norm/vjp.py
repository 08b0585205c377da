"""Gradients of batch norm for NumPy users."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from barehand.blocks.batch_norm import launch


def batch_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    *,
    running_mean: NDArray[Any] | None = None,
    running_var: NDArray[Any] | None = None,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradients of batch norm for x, and for weight and bias where given.

    dx = w rstd (g - mean(g) - xhat mean(g xhat)) in training and w rstd g in evaluation; dweight = sum g xhat,
    dbias = sum g, with g the cotangent. The running statistics are not touched. `with_value=True` returns
    (batch_norm(...), gradients) from the same pass.

    >>> batch_norm([[1.0], [3.0]], [2.0], [0.0], cotangent=[[1.0], [1.0]])[2]
    array([2.])
    """
    given = launch.Arguments(x, weight, bias, running_mean, running_var, training, momentum, eps)
    return launch.backward(given, cotangent, with_value)
