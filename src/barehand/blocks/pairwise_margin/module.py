"""Pairwise margin loss as a module of PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.pairwise_margin.autograd import pairwise_margin_loss
from barehand.core import arrays
from barehand.core.arrays import Reduction


class PairwiseMarginLoss(torch.nn.Module):
    """Each anchor nearer to its positive than to its negative by a margin: max(d(a, p) - d(a, n) + margin, 0).

    Args:
        margin: by how much the negative must be farther, in the units of the distance.
        reduction: "mean" over all rows, also those that cost nothing; "sum" or "none".

    Shapes: anchor, positive and negative (..., D); the result is a number, or (...) for "none".

    >>> PairwiseMarginLoss()(torch.zeros(1, 2), torch.tensor([[0.0, 2.0]]), torch.tensor([[1.5, 0.0]]))
    tensor(1.5000)
    """

    def __init__(self, *, margin: float = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.margin = arrays.check_number("PairwiseMarginLoss", "margin", margin)
        arrays.check_reduction("PairwiseMarginLoss", reduction)
        self.reduction: Reduction = reduction

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Any:
        """The loss of the triplets."""
        return pairwise_margin_loss(anchor, positive, negative, margin=self.margin, reduction=self.reduction)

    def extra_repr(self) -> str:
        """The options."""
        return f"margin={self.margin}, reduction={self.reduction!r}"
