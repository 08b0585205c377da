"""Gradients of softmax and log-softmax for NumPy users."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.softmax import launch


def softmax(
    x: ArrayLike,
    *,
    axis: int = -1,
    mask: ArrayLike | None = None,
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradient of softmax for x, as a tuple of one: dx_i = p_i (g_i - sum_j g_j p_j), g the cotangent.

    `with_value=True` returns (softmax(x), gradients) from the same pass.

    >>> softmax([0.0, 0.0], cotangent=[1.0, 0.0])
    (array([ 0.25, -0.25]),)
    """
    return launch.backward("softmax", x, axis, mask, cotangent, with_value)


def log_softmax(
    x: ArrayLike,
    *,
    axis: int = -1,
    mask: ArrayLike | None = None,
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradient of log-softmax for x, as a tuple of one: dx_i = g_i - p_i sum_j g_j, g the cotangent.

    `with_value=True` returns (log_softmax(x), gradients) from the same pass.

    >>> log_softmax([0.0, 0.0], cotangent=[1.0, 0.0])
    (array([ 0.5, -0.5]),)
    """
    return launch.backward("log_softmax", x, axis, mask, cotangent, with_value)
