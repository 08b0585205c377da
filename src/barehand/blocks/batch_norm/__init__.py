"""Batch normalisation."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from barehand.blocks.batch_norm import launch
from barehand.core.dispatch import by_kind


@by_kind
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
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Bring each channel to mean 0 and variance 1 over the batch, then scale and move it by learned parameters.

    y = (x - mean) / sqrt(variance + eps) * weight + bias, over all axes but axis 1. In training the statistics are the
    batch's, and the running ones move towards them; in evaluation they are the running ones.

    Args:
        x: shape (N, C) or (N, C, ...); float16, float32 or float64 are kept, integers and bools become float64.
        weight, bias: shape (C,), or None for ones and zeros.
        running_mean, running_var: shape (C,), floating; both or neither. Training updates them in place:
            running = (1 - momentum) · running + momentum · batch, with the unbiased variance, as torch.
        training: whether to use this batch's statistics.
        momentum: the weight of the new batch, from 0 to 1.
        eps: added to the variance, in the units of x squared; at least 0.
        out: an array of the result's shape and dtype to write to and return; it may be x itself.

    Returns:
        An array of x's shape; its dtype is the widest of x's, weight's and bias's.

    Raises:
        TypeError: an argument is not real numbers, or a running statistic is not a floating array.
        ValueError: a shape is wrong, training with one value a channel, or evaluation without running statistics.

    Edge cases: x is normalised with the biased variance. A constant channel becomes bias. nan and infinities stay
    within their channel. An empty batch gives an empty array and leaves the running statistics alone.

    Accuracy: the mean is kept in two parts, so that channels with mean 1e4 and standard deviation 1e-3 are as exact in
    float32 as channels around zero.

    Cost: x is read three times, channel by channel from cache where it fits, and the result written once.

    Source: S. Ioffe, C. Szegedy (2015), arXiv:1502.03167, algorithms 1 and 2.

    >>> batch_norm([[1.0, 10.0], [3.0, 30.0]]).round(4)
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    given = launch.Arguments(x, weight, bias, running_mean, running_var, training, momentum, eps)
    return launch.forward(given, out)
