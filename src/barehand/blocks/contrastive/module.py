"""Contrastive loss as a module of PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.contrastive.autograd import contrastive_loss
from barehand.core import arrays
from barehand.core.arrays import Reduction


class ContrastiveLoss(torch.nn.Module):
    """Similar pairs together, dissimilar ones a margin apart: same · d² + (1 - same) · max(margin - d, 0)².

    Args:
        margin: the distance beyond which dissimilar pairs cost nothing; at least 0.
        reduction: "mean" over all pairs, "sum" or "none".

    Shapes: x1 and x2 (..., D), same (...) with 1 for similar; the result is a number, or (...) for "none".

    >>> loss = ContrastiveLoss(margin=1.0)
    >>> loss(torch.zeros(2, 2), torch.tensor([[0.0, 3.0], [0.0, 0.5]]), torch.tensor([1, 0]))
    tensor(4.6250)
    """

    def __init__(self, *, margin: float = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.margin = arrays.check_number("ContrastiveLoss", "margin", margin, low=0.0)
        arrays.check_reduction("ContrastiveLoss", reduction)
        self.reduction: Reduction = reduction

    def forward(self, x1: Tensor, x2: Tensor, same: Tensor) -> Any:
        """The loss of the pairs."""
        return contrastive_loss(x1, x2, same, margin=self.margin, reduction=self.reduction)

    def extra_repr(self) -> str:
        """The options."""
        return f"margin={self.margin}, reduction={self.reduction!r}"
