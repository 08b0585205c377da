"""Layer norm of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.layer_norm import layer_norm as on_arrays
from barehand.blocks.layer_norm import vjp
from barehand.core import arrays
from barehand.core.composed import axis_of, standardised
from barehand.core.tensors import Operator, lie_well, of_one_kind, register, small


def _composed(x: Tensor, weight: Tensor | None, bias: Tensor | None, *, axis: int, eps: float) -> Tensor:
    if x.ndim == 0:
        raise ValueError(
            "layer_norm: x is a single number, with no axis to normalise over; pass a tensor of shape (n,)"
        )
    first = axis_of("layer_norm", axis, x)
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.shape != x.shape[first:]:
            raise ValueError(
                f"layer_norm: {name} has shape {tuple(parameter.shape)}, the axes normalised over "
                f"{tuple(x.shape[first:])}; give it that shape"
            )
    eps = arrays.check_number("layer_norm", "eps", eps, low=0.0)
    y = standardised(x, tuple(range(first, x.ndim)), eps)[0] if x.numel() else x.clone()
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _of_torch(x: Tensor, weight: Tensor | None, bias: Tensor | None, axis: int, eps: float) -> Any:
    """Torch's, where no mean is so far from 0 that it takes digits away; or else None."""
    if type(axis) is not int or not -x.ndim <= axis < x.ndim or not of_one_kind(x, weight, bias):
        return None
    if type(eps) is not float or not 1e-12 <= eps <= 1:
        return None
    try:
        y, mean, inverse = torch.native_layer_norm(x, x.shape[axis:], weight, bias, eps)
    except RuntimeError:  # shapes that do not go together: ours tells which
        return None
    return y if lie_well(mean, inverse) else None


_ARGUMENTS = ("x", "weight", "bias")
_LAYER_NORM = register(Operator("layer_norm", _ARGUMENTS, _ARGUMENTS, on_arrays, vjp.layer_norm, _composed))


def layer_norm(
    x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, *, axis: int = -1, eps: float = 1e-5
) -> Any:
    """As `barehand.layer_norm`."""
    if small(x):
        y = _of_torch(x, weight, bias, axis, eps)
        if y is not None:
            return y
    return _LAYER_NORM(x, weight, bias, axis=axis, eps=eps)
