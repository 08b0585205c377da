"""Pairwise margin loss of tensors."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from barehand.blocks.pairwise_margin import pairwise_margin_loss as on_arrays
from barehand.blocks.pairwise_margin import vjp
from barehand.core import arrays
from barehand.core.composed import distance, reduced, same_shape
from barehand.core.tensors import Operator, one_number, register


def _composed(anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float, reduction: str) -> Tensor:
    name = "pairwise_margin_loss"
    same_shape(name, anchor=anchor, positive=positive, negative=negative)
    margin = arrays.check_number(name, "margin", margin)
    return reduced(name, (distance(anchor, positive) - distance(anchor, negative) + margin).relu(), reduction)


_EMBEDDINGS = ("anchor", "positive", "negative")
_MARGIN = register(
    Operator(
        "pairwise_margin_loss",
        _EMBEDDINGS,
        _EMBEDDINGS,
        on_arrays,
        vjp.pairwise_margin_loss,
        _composed,
        loss=one_number,
    )
)


def pairwise_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """As `barehand.pairwise_margin_loss`."""
    return _MARGIN(anchor, positive, negative, margin=margin, reduction=reduction)
