"""Gradients of layer norm for NumPy users."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.layer_norm import launch


def layer_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    *,
    axis: int = -1,
    eps: float = 1e-5,
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradients of layer norm for x, and for weight and bias where given.

    dx = rstd (g w - mean(g w) - xhat mean(g w xhat)), dweight = sum g xhat, dbias = sum g, with g the cotangent.
    `with_value=True` returns (layer_norm(...), gradients) from the same pass.

    >>> layer_norm([1.0, 2.0, 4.0], cotangent=[1.0, 1.0, 1.0])[0].round(6) + 0.0
    array([0., 0., 0.])
    """
    return launch.backward(x, weight, bias, axis, eps, cotangent, with_value)
