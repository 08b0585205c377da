"""Batch norm as on paper: each channel brought to mean 0 and variance 1 over the batch, then scaled and moved."""

from __future__ import annotations

from typing import Any

import numpy as np


def _channel(parameter: Any, x: Any) -> Any:
    """A vector of one number a channel, shaped to go with x (N, C, ...)."""
    return np.reshape(parameter, (1, -1) + (1,) * (x.ndim - 2))


def _statistics(x: Any, running_mean: Any, running_var: Any, training: bool) -> tuple[Any, Any, Any, tuple[int, ...]]:
    """x minus the mean, the mean, the biased variance, and the axes they are taken over: all but the channel's."""
    axes = (0, *range(2, x.ndim))
    if not training:
        mean = _channel(running_mean, x)
        return x - mean, mean, _channel(running_var, x), axes
    mean = x.mean(axis=axes, keepdims=True)
    rest = (x - mean).mean(axis=axes, keepdims=True)  # what rounding left in the first mean
    centred = x - mean - rest
    return centred, mean + rest, (centred**2).mean(axis=axes, keepdims=True), axes


def batch_norm(
    x: Any, weight: Any = None, bias: Any = None, *, running_mean: Any = None, running_var: Any = None,
    training: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """y = (x - mean) / sqrt(variance + eps) * weight + bias; the running variance is updated with the unbiased one."""
    x = np.multiply(x, 1.0)
    centred, mean, var, _ = _statistics(x, running_mean, running_var, training)
    if training and running_mean is not None:
        n = x.size // x.shape[1]
        running_mean += momentum * (mean.ravel() - running_mean)
        running_var += momentum * (var.ravel() * n / (n - 1) - running_var)
    y = centred / np.sqrt(var + eps)
    if weight is not None:
        y = y * _channel(weight, x)
    return y if bias is None else y + _channel(bias, x)


def batch_norm_vjp(
    x: Any, weight: Any = None, bias: Any = None, *, running_mean: Any = None, running_var: Any = None,
    training: bool = True, momentum: float = 0.1, eps: float = 1e-5, cotangent: Any,
) -> tuple[Any, ...]:  # fmt: skip
    """dx = w rstd (g - mean(g) - xhat mean(g xhat)) in training, w rstd g in evaluation."""
    x = np.multiply(x, 1.0)
    g = cotangent
    centred, _, var, axes = _statistics(x, running_mean, running_var, training)
    rstd = 1 / np.sqrt(var + eps)
    xhat = centred * rstd
    dx = g * rstd if weight is None else g * rstd * _channel(weight, x)
    if training:
        dx = dx - dx.mean(axis=axes, keepdims=True) - xhat * (dx * xhat).mean(axis=axes, keepdims=True)
    gradients = [dx]
    if weight is not None:
        gradients.append((g * xhat).sum(axis=axes))
    if bias is not None:
        gradients.append(g.sum(axis=axes))
    return tuple(gradients)
