"""Layer normalisation."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from barehand.blocks.layer_norm import launch
from barehand.core.dispatch import by_kind


@by_kind
def layer_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    *,
    axis: int = -1,
    eps: float = 1e-5,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Bring each sample's features to mean 0 and variance 1, then scale and move them by learned parameters.

    y = (x - mean) / sqrt(variance + eps) * weight + bias, over the axes from `axis` to the last.

    Args:
        x: shape (..., *normalised); float16, float32 or float64 are kept, integers and bools become float64.
        weight: shape x.shape[axis:], or None for ones.
        bias: shape x.shape[axis:], or None for zeros.
        axis: the first of the axes normalised over.
        eps: added to the variance, in the units of x squared; at least 0.
        out: an array of the result's shape and dtype to write to and return; it may be x itself.

    Returns:
        An array of x's shape; its dtype is the widest of the arguments'.

    Raises:
        TypeError: an argument is not real numbers.
        ValueError: the axis does not exist, a parameter or out has the wrong shape, or eps is negative.

    Edge cases: the variance is divided by n, so a sample of one feature is 0 (then bias); a constant sample likewise.
    nan and infinities stay within their sample. An empty array gives an empty array. Differences within a sample must
    be finite in x's dtype.

    Accuracy: the mean is kept in two parts, so that rows with mean 1e4 and standard deviation 1e-3 are as exact in
    float32 as rows around zero.

    Cost: x is read three times, from cache when a sample fits there, and the result written once.

    Source: J. L. Ba, J. R. Kiros, G. E. Hinton (2016), arXiv:1607.06450, equation 3.

    >>> layer_norm([1.0, 2.0, 3.0]).round(4)
    array([-1.2247,  0.    ,  1.2247])
    """
    return launch.forward(x, weight, bias, axis, eps, out)
