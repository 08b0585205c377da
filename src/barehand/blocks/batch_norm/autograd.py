"""Batch norm of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.batch_norm import batch_norm as on_arrays
from barehand.blocks.batch_norm import vjp
from barehand.core import arrays
from barehand.core.composed import standardised
from barehand.core.dispatch import of_arrays
from barehand.core.tensors import LONGEST, Operator, lie_well, of_one_kind, small


def _check(x: Tensor, training: bool, **vectors: Tensor | None) -> None:
    if x.ndim < 2:
        raise ValueError(
            f"batch_norm: x has shape {tuple(x.shape)}; it needs a batch and a channel axis, (N, C) or (N, C, ...)"
        )
    for name, vector in vectors.items():
        if vector is not None and vector.shape != x.shape[1:2]:
            raise ValueError(
                f"batch_norm: {name} has shape {tuple(vector.shape)}, x has {x.shape[1]} channels (axis 1); give it "
                f"shape ({x.shape[1]},)"
            )
        if vector is not None and name.startswith("running") and not vector.is_floating_point():
            raise TypeError(
                f"batch_norm: {name} has dtype {vector.dtype}, and it is updated in place; pass a floating tensor, as "
                f"torch.zeros({x.shape[1]})"
            )
    if (vectors["running_mean"] is None) != (vectors["running_var"] is None):
        raise ValueError("batch_norm: running_mean and running_var go together; pass both or neither")
    if not training and vectors["running_mean"] is None:
        raise ValueError("batch_norm: training=False needs running statistics; pass running_mean and running_var")
    if training and x.numel() == x.shape[1]:
        raise ValueError(
            f"batch_norm: x of shape {tuple(x.shape)} has one value in each channel, which has no variance to divide "
            "by; pass a larger batch, or training=False with running statistics"
        )


@torch.no_grad()
def _update(running: Tensor, batch: Tensor, momentum: float) -> None:
    wide = running.to(torch.promote_types(running.dtype, batch.dtype))
    running.copy_(wide + momentum * (batch.flatten() - wide))


def _composed(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None, *,
    training: bool, momentum: float, eps: float,
) -> Tensor:  # fmt: skip
    _check(x, training, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
    eps = arrays.check_number("batch_norm", "eps", eps, low=0.0)
    momentum = arrays.check_number("batch_norm", "momentum", momentum, low=0.0, high=1.0)
    if not x.numel():
        y = x.clone()
    elif training:
        y, mean, variance = standardised(x, (0, *range(2, x.ndim)), eps)
        if running_mean is not None and running_var is not None:
            n = x.numel() // x.shape[1]
            _update(running_mean, mean, momentum)
            _update(running_var, variance * (n / (n - 1)), momentum)
    else:
        assert running_mean is not None
        assert running_var is not None
        rest = running_mean - running_mean.to(x.dtype)  # what a wider mean has beyond x's type
        spread = _channel(running_var + eps, x)
        nowhere = spread == 0
        y = (x - _channel(running_mean, x) - _channel(rest, x)) / torch.where(nowhere, 1, spread).sqrt()
        y = torch.where(nowhere, 0, y)
    y = y if weight is None else y * _channel(weight, x)
    return y if bias is None else y + _channel(bias, x)


def _channel(vector: Tensor, x: Tensor) -> Tensor:
    return vector.to(x.dtype).reshape(-1, *(1 for _ in x.shape[2:]))


def _of_torch(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None,
    momentum: float, eps: float,
) -> Any:  # fmt: skip
    """Torch's in training, where no mean is so far from 0 that it takes digits away; or else None."""
    if x.ndim < 2 or not of_one_kind(x, weight, bias, running_mean, running_var):
        return None
    if type(eps) is not float or not 1e-12 <= eps <= 1 or type(momentum) is not float or not 0 <= momentum <= 1:
        return None
    channels = x.shape[1:2]
    if not channels[0] < x.numel() <= LONGEST * channels[0] or (running_mean is None) != (running_var is None):
        return None
    for t in (weight, bias, running_mean, running_var):
        if t is not None and t.shape != channels:
            return None
    means, variances = running_mean, running_var
    if running_mean is not None and running_var is not None:
        for t in (running_mean, running_var):
            if t.requires_grad or t.is_inference():
                return None
        means, variances = running_mean.clone(), running_var.clone()  # until it is known that they are right
    y, mean, inverse = torch.native_batch_norm(x, weight, bias, means, variances, True, momentum, eps)
    if not lie_well(mean, inverse):
        return None
    if running_mean is not None and running_var is not None:
        running_mean.copy_(means), running_var.copy_(variances)  # type: ignore[arg-type] # there as the others are
    return y


def _on_arrays(x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, **options: Any) -> Any:
    return of_arrays(on_arrays)(x, weight, bias, running_mean=running_mean, running_var=running_var, **options)


def _pulled(x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, **options: Any) -> Any:
    return vjp.batch_norm(x, weight, bias, running_mean=running_mean, running_var=running_var, **options)


_RUNNING = ("running_mean", "running_var")
_BATCH_NORM = Operator(
    "batch_norm", ("x", "weight", "bias", *_RUNNING), ("x", "weight", "bias"), _on_arrays, _pulled, _composed,
    writes=_RUNNING, updates=lambda options: bool(options["training"]),
)  # fmt: skip


def batch_norm(
    x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, *, running_mean: Tensor | None = None,
    running_var: Tensor | None = None, training: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """As `barehand.batch_norm`; in training the running statistics are updated in place."""
    if training is True and small(x):
        y = _of_torch(x, weight, bias, running_mean, running_var, momentum, eps)
        if y is not None:
            return y
    return _BATCH_NORM(x, weight, bias, running_mean, running_var, training=training, momentum=momentum, eps=eps)
