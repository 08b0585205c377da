"""Softmax of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.softmax import launch, vjp
from barehand.core.composed import axis_of
from barehand.core.tensors import LONGEST, ByResult, Operator, of_one_kind, register, small


def _composed(name: str) -> Any:
    nothing = {"softmax": 0.0, "log_softmax": -torch.inf}[name]

    def function(x: Tensor, mask: Tensor | None, *, axis: int) -> Any:
        axis = axis_of(name, axis, x)
        if mask is None:
            return getattr(torch, name)(x, axis)
        if mask.dtype != torch.bool:
            raise TypeError(f"{name}: mask has dtype {mask.dtype}, not bool; True means keep: pass mask.bool()")
        hidden = ~mask
        hidden = hidden.expand(x.shape)
        nowhere = hidden.all(dim=axis, keepdim=True) if x.ndim else hidden
        y = getattr(torch, name)(x.masked_fill(hidden, -torch.inf).masked_fill(nowhere, 0), axis)
        return y.masked_fill(hidden, nothing)

    return function


def _softmax_gradient(y: Tensor, mask: Tensor | None, g: Tensor, *, axis: int) -> Tensor:
    g = g if mask is None else torch.where(mask, g, 0)
    return y * (g - (g * y).sum(axis if y.ndim else (), keepdim=True))


def _log_softmax_gradient(y: Tensor, mask: Tensor | None, g: Tensor, *, axis: int) -> Tensor:
    g = g if mask is None else torch.where(mask, g, 0)
    return g - y.exp() * g.sum(axis if y.ndim else (), keepdim=True)


def _operator(name: str) -> Operator:
    def on_arrays(x: Any, mask: Any, *, axis: int) -> Any:
        return launch.forward(name, x, axis, mask, None)

    def pulled(x: Any, mask: Any, *, axis: int, **more: Any) -> Any:
        return getattr(vjp, name)(x, axis=axis, mask=mask, **more)

    def from_result(y: Any, mask: Any, g: Any, *, axis: int) -> Any:
        return launch.from_result(name, y, axis, mask, g)

    composed = {"softmax": _softmax_gradient, "log_softmax": _log_softmax_gradient}[name]
    rule = ByResult(from_result, composed)
    return register(Operator(name, ("x", "mask"), ("x",), on_arrays, pulled, _composed(name), by_result=rule))


_SOFTMAX, _LOG_SOFTMAX = _operator("softmax"), _operator("log_softmax")


def _for_torch(x: Tensor, axis: Any) -> bool:
    in_range = small(x) and type(axis) is int and -x.ndim <= axis < x.ndim
    return in_range and x.shape[axis] <= LONGEST and of_one_kind(x)


def softmax(x: Tensor, *, axis: int = -1, mask: Tensor | None = None) -> Any:
    """As `barehand.softmax`."""
    if mask is None and _for_torch(x, axis):
        return torch.softmax(x, axis)
    return _SOFTMAX(x, mask, axis=axis)


def log_softmax(x: Tensor, *, axis: int = -1, mask: Tensor | None = None) -> Any:
    """As `barehand.log_softmax`."""
    if mask is None and _for_torch(x, axis):
        return torch.log_softmax(x, axis)
    return _LOG_SOFTMAX(x, mask, axis=axis)
