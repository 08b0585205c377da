"""Contrastive loss of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.contrastive import contrastive_loss as on_arrays
from barehand.blocks.contrastive import vjp
from barehand.core import arrays
from barehand.core.composed import distance, reduced, same_shape
from barehand.core.tensors import Operator, one_number, register


def _composed(x1: Tensor, x2: Tensor, same: Tensor, *, margin: float, reduction: str) -> Tensor:
    name = "contrastive_loss"
    same_shape(name, x1=x1, x2=x2)
    if same.shape != x1.shape[:-1]:
        raise ValueError(
            f"{name}: same has shape {tuple(same.shape)}, x1 without its last axis {tuple(x1.shape[:-1])}; give one "
            "label a pair"
        )
    s, lacking = same.to(x1.dtype), (arrays.check_number(name, "margin", margin, low=0.0) - distance(x1, x2)).relu()
    pulled = torch.where(s == 0, 0, s * (x1 - x2).square().sum(-1))
    return reduced(name, pulled + (1 - s) * lacking.square(), reduction)


_CONTRASTIVE = register(
    Operator(
        "contrastive_loss",
        ("x1", "x2", "same"),
        ("x1", "x2"),
        on_arrays,
        vjp.contrastive_loss,
        _composed,
        loss=one_number,
    )
)


def contrastive_loss(x1: Tensor, x2: Tensor, same: Tensor, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """As `barehand.contrastive_loss`."""
    return _CONTRASTIVE(x1, x2, same, margin=margin, reduction=reduction)
