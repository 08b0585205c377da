"""Focal losses of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import barehand.blocks.focal as arrays
from barehand.blocks.focal import vjp
from barehand.blocks.focal.launch import LARGEST, pair_of
from barehand.core.arrays import check_number
from barehand.core.composed import axis_of, is_class, of_class, reduced, same_shape
from barehand.core.dispatch import of_arrays
from barehand.core.tensors import Operator, one_number, register

Alpha = float | tuple[float, float] | None


def _power(log_q: Tensor, gamma: float) -> Tensor | float:
    """q to the power gamma, with a finite gradient where q is 0."""
    return (gamma * log_q).exp() if gamma else 1.0


def _binary(
    logits: Tensor, target: Tensor, *, alpha: Alpha, gamma: float, reduction: str, from_probabilities: bool
) -> Tensor:
    same_shape("focal_loss", logits=logits, target=target)
    gamma = check_number("focal_loss", "gamma", gamma, low=0.0, high=LARGEST)
    v, t = logits, target.to(logits.dtype)
    pos, neg = pair_of(alpha)
    weight = pos * t + neg * (1 - t)
    if from_probabilities:
        with torch.no_grad():
            nothing = (weight == 0) | ((v * (1 - t) + (1 - v) * t == 0) & (gamma > 0))
        v = torch.where(nothing, 0.5, v)
        log_p, log_r = torch.where(t == 0, 1, v).log(), torch.log1p(-torch.where(t == 1, 0, v))
        ce = -torch.where(t == 0, 0, t * log_p) - torch.where(t == 1, 0, (1 - t) * log_r)
        q = torch.where(t == 0, v, torch.where(t == 1, 1 - v, v * (1 - t) + (1 - v) * t))
        losses = torch.where(nothing, 0, weight * q**gamma * ce)
    else:
        log_p, log_r = functional.logsigmoid(v), functional.logsigmoid(-v)
        ce = -torch.where(t == 0, 0, t * log_p) - torch.where(t == 1, 0, (1 - t) * log_r)
        share = torch.where((t == 0) | (t == 1), 0.5, t)
        soft = torch.logaddexp(log_r + share.log(), log_p + torch.log1p(-share))
        log_q = torch.where(t == 0, log_p, torch.where(t == 1, log_r, soft))
        losses = weight * _power(log_q, gamma) * ce
    return reduced("focal_loss", losses, reduction)


def _classes(
    logits: Tensor, target: Tensor, alpha: Tensor | None, *, number: float | None, axis: int, gamma: float,
    ignore_index: int, reduction: str,
) -> Tensor:  # fmt: skip
    name = "softmax_focal_loss"
    gamma = check_number(name, "gamma", gamma, low=0.0, high=LARGEST)
    if logits.ndim == 0:
        raise ValueError(f"{name}: logits is a single number; it needs a class axis, as in (N, classes)")
    axis = axis_of(name, axis, logits)
    if target.shape != logits.movedim(axis, -1).shape[:-1]:
        raise ValueError(
            f"{name}: target has shape {tuple(target.shape)}, logits {tuple(logits.shape)} with the classes along axis "
            f"{axis}; give one index a row"
        )
    if target.is_floating_point():
        raise TypeError(f"{name}: target has dtype {target.dtype}; give class indices, integers from 0 on")
    if alpha is not None and alpha.shape not in ((), (logits.shape[axis],)):
        raise ValueError(
            f"{name}: alpha has shape {tuple(alpha.shape)}; give None, a number, or {logits.shape[axis]} numbers, one "
            "a class"
        )
    kept = target != ignore_index
    x = torch.where(kept.unsqueeze(axis), logits, 0).movedim(axis, -1)
    t = torch.where(kept, target, 0).long()
    own = is_class(t, x.shape[-1])
    log_p = torch.log_softmax(x, -1)
    others = log_p.masked_fill(own, -torch.inf)
    alone = (others == -torch.inf).all(-1)
    log_p = log_p.gather(-1, t[..., None])[..., 0]
    log_q = others.masked_fill(alone[..., None], 0).logsumexp(-1)  # of 1 - p_t, from the other classes
    q = torch.where(alone, 0, log_q.exp())
    sure = q < 0.5
    nll = torch.where(sure, -torch.log1p(-torch.where(sure, q, 0)), -log_p)
    unsure = torch.log1p(-torch.where(sure, -1, log_p).exp())  # the same where 1 - p_t has all its digits
    # Where the loss is infinite, 1 - p_t is 1 and stays there.
    factor = _power(torch.where(nll == torch.inf, 0, torch.where(sure, log_q, unsure)), gamma)
    if gamma:
        factor = torch.where(alone, 0, factor)
    weight: Any = 1.0 if number is None else check_number(name, "alpha", number, low=0.0)
    if alpha is not None:
        weight = of_class(alpha.to(x.dtype), t) if alpha.ndim else alpha.to(x.dtype)
    kept = kept & (torch.as_tensor(weight, device=x.device) != 0)
    losses = torch.where(kept, weight * factor * nll, 0)
    return reduced(name, losses, reduction, (target != ignore_index).sum())


def _on_arrays(logits: Any, target: Any, alpha: Any, *, number: float | None, **options: Any) -> Any:
    return of_arrays(arrays.softmax_focal_loss)(logits, target, alpha=number if alpha is None else alpha, **options)


def _pulled(logits: Any, target: Any, alpha: Any, *, number: float | None, **options: Any) -> Any:
    return vjp.softmax_focal_loss(logits, target, alpha=number if alpha is None else alpha, **options)


_FOCAL = register(
    Operator("focal_loss", ("logits", "target"), ("logits",), arrays.focal_loss, vjp.focal_loss, _binary, one_number)
)
_SOFTMAX_FOCAL = register(
    Operator(
        "softmax_focal_loss", ("logits", "target", "alpha"), ("logits",), _on_arrays, _pulled, _classes, one_number
    )
)


def focal_loss(
    logits: Tensor, target: Tensor, *, alpha: Alpha = 0.25, gamma: float = 2.0, reduction: str = "mean",
    from_probabilities: bool = False,
) -> Any:  # fmt: skip
    """As `barehand.focal_loss`."""
    return _FOCAL(logits, target, alpha=alpha, gamma=gamma, reduction=reduction, from_probabilities=from_probabilities)


def softmax_focal_loss(
    logits: Tensor, target: Tensor, *, axis: int = -1, alpha: Any = None, gamma: float = 2.0, ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """As `barehand.softmax_focal_loss`."""
    one = alpha is None or isinstance(alpha, (int, float))
    ready = isinstance(alpha, (Tensor, np.ndarray))  # an array beside tensors is refused as everywhere
    each = None if one else alpha if ready else torch.as_tensor(alpha, device=logits.device)
    return _SOFTMAX_FOCAL(
        logits, target, each, number=alpha if one else None, axis=axis, gamma=gamma, ignore_index=ignore_index,
        reduction=reduction,
    )  # fmt: skip
