"""Softmax and log-softmax along one axis."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from barehand.blocks.softmax import launch
from barehand.core.dispatch import by_kind


@by_kind
def softmax(x: ArrayLike, *, axis: int = -1, mask: ArrayLike | None = None, out: NDArray[Any] | None = None) -> Any:
    """Turn scores into probabilities: positive numbers that sum to one along an axis.

    p_i = exp(x_i - m) / sum_j exp(x_j - m), with m the largest score of the slice.

    Args:
        x: scores in nats, any shape; float16, float32 or float64 are kept, integers and bools become float64.
        axis: the axis along which the result sums to one.
        mask: bool, broadcast to x; True keeps. What is under a False may be anything, nan included.
        out: an array of the result's shape and dtype to write to and return; it may be x itself.

    Returns:
        An array of x's shape and dtype; a number for a number.

    Raises:
        TypeError: x is not real numbers, or mask is not bool.
        ValueError: the axis does not exist, or mask or out has the wrong shape.

    Edge cases: -inf scores give exactly 0. A slice of only -inf is nan; one that the mask empties is all zeros. A slice
    with nan or +inf is nan. An empty array gives an empty array.

    Cost: x is read three times, from cache when a slice fits there, and the result written once.

    Source: J. S. Bridle (1990), Probabilistic interpretation of feedforward classification network outputs,
    doi:10.1007/978-3-642-76153-9_28.

    >>> softmax([1.0, 2.0, 3.0]).round(4)
    array([0.09  , 0.2447, 0.6652])
    """
    return launch.forward("softmax", x, axis, mask, out)


@by_kind
def log_softmax(x: ArrayLike, *, axis: int = -1, mask: ArrayLike | None = None, out: NDArray[Any] | None = None) -> Any:
    """Turn scores into log-probabilities, exact where the probability itself would underflow to zero.

    log p_i = (x_i - m) - log sum_j exp(x_j - m), with m the largest score of the slice.

    Args, Returns, Raises, Cost: as `softmax`. Edge cases: entries that the mask takes away, and -inf scores, give -inf.

    Source: the log-sum-exp shift; P. Blanchard, D. J. Higham, N. J. Higham (2021), doi:10.1093/imanum/draa038.

    >>> log_softmax([1000.0, 0.0])
    array([    0., -1000.])
    """
    return launch.forward("log_softmax", x, axis, mask, out)
