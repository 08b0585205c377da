"""Cross-entropy of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

import barehand.blocks.cross_entropy as arrays
from barehand.blocks.cross_entropy import vjp
from barehand.core.arrays import check_number
from barehand.core.composed import axis_of, is_class, of_class, reduced
from barehand.core.dispatch import of_arrays
from barehand.core.tensors import LONGEST, Operator, of_one_kind, one_number, register, small


def _composed(
    logits: Tensor, target: Tensor, weight: Tensor | None, *, axis: int, ignore_index: int, label_smoothing: float,
    reduction: str, from_probabilities: bool,
) -> Tensor:  # fmt: skip
    name = "cross_entropy"
    if logits.ndim == 0:
        raise ValueError(f"{name}: logits is a single number; it needs a class axis, as in (N, classes)")
    axis = axis_of(name, axis, logits)
    smoothing = check_number(name, "label_smoothing", label_smoothing, low=0.0, high=1.0)
    x, shared = logits.movedim(axis, -1), target.is_floating_point()
    n = x.shape[-1]
    if target.shape != (logits.shape if shared else x.shape[:-1]):
        raise ValueError(
            f"{name}: target has shape {tuple(target.shape)}, logits {tuple(logits.shape)}; give one index a row, or "
            "floating probabilities in the shape of logits"
        )
    if weight is not None and weight.shape != (n,):
        raise ValueError(f"{name}: weight has shape {tuple(weight.shape)}, there are {n} classes; give shape ({n},)")
    w = torch.ones(n, dtype=x.dtype, device=x.device) if weight is None else weight.to(x.dtype)
    if shared:
        kept = torch.ones(x.shape[:-1], dtype=torch.bool, device=x.device)
        q, of_row = target.movedim(axis, -1).to(x.dtype), kept
    else:
        kept = target != ignore_index
        t = torch.where(kept, target, 0).long()
        q, of_row = is_class(t, n).to(x.dtype), of_class(w, t) * kept
    a = w * ((1 - smoothing) * q + smoothing / n) * kept[..., None]
    # Where a share is 0 nothing may come of the logarithm, neither a value nor a gradient.
    if from_probabilities:
        log_p = torch.where(a == 0, 1, x).log()
    else:
        log_p = torch.log_softmax(torch.where(kept[..., None], x, 0), -1)
    losses = -torch.where(a == 0, 0, a * torch.where(a == 0, 0, log_p)).sum(-1)
    return reduced(name, losses, reduction, of_row.sum())


_NOT_A_CLASS = -0x6B43A9B5D2C6E1F7  # no label that anybody has


def _of_torch(logits: Tensor, target: Tensor, axis: int, ignore_index: int, reduction: str) -> Any:
    """Torch's, where no row is ignored: it then refuses all that is no class, and never divides by 0. Or else None."""
    if type(axis) is not int or axis not in (-1, 1) or type(ignore_index) is not int or ignore_index >= 0:
        return None
    if logits.ndim != 2 or logits.shape[1] > LONGEST or not of_one_kind(logits):
        return None
    if type(target) is not Tensor or target.dtype is not torch.int64 or target.shape != logits.shape[:1]:
        return None
    if not target.is_cpu or target.layout is not torch.strided:
        return None
    try:
        return torch.nn.functional.cross_entropy(logits, target, ignore_index=_NOT_A_CLASS, reduction=reduction)
    except (IndexError, ValueError):  # ignored, or wrong: ours tells which
        return None


def _on_arrays(logits: Any, target: Any, weight: Any, **options: Any) -> Any:
    return of_arrays(arrays.cross_entropy)(logits, target, weight=weight, **options)


def _pulled(logits: Any, target: Any, weight: Any, **options: Any) -> Any:
    return vjp.cross_entropy(logits, target, weight=weight, **options)


_CROSS_ENTROPY = register(
    Operator(
        "cross_entropy",
        ("logits", "target", "weight"),
        ("logits",),
        _on_arrays,
        _pulled,
        _composed,
        loss=one_number,
    )
)


def cross_entropy(
    logits: Tensor, target: Tensor, *, axis: int = -1, weight: Tensor | None = None, ignore_index: int = -100,
    label_smoothing: float = 0.0, reduction: str = "mean", from_probabilities: bool = False,
) -> Any:  # fmt: skip
    """As `barehand.cross_entropy`."""
    if weight is None and label_smoothing == 0 and from_probabilities is False and small(logits):
        loss = _of_torch(logits, target, axis, ignore_index, reduction)
        if loss is not None:
            return loss
    return _CROSS_ENTROPY(
        logits, target, weight, axis=axis, ignore_index=ignore_index, label_smoothing=label_smoothing,
        reduction=reduction, from_probabilities=from_probabilities,
    )  # fmt: skip
