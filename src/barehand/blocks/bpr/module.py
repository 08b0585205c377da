"""BPR loss as a module of PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.bpr.autograd import bpr_loss
from barehand.core import arrays
from barehand.core.arrays import Reduction


class BPRLoss(torch.nn.Module):
    """Each positive above its negatives: -log sigmoid(positive - negative), Bayesian personalised ranking.

    Args:
        reduction: "mean" over all pairs, "sum" or "none".

    Shapes: positive_scores (...); negative_scores (...), or (..., n) for n negatives a positive. The result is a
    number, or in the shape of negative_scores for "none".

    >>> BPRLoss()(torch.tensor([2.0, -200.0]), torch.tensor([0.0, 0.0]))
    tensor(100.0635)
    """

    def __init__(self, *, reduction: Reduction = "mean") -> None:
        super().__init__()
        arrays.check_reduction("BPRLoss", reduction)
        self.reduction: Reduction = reduction

    def forward(self, positive_scores: Tensor, negative_scores: Tensor) -> Any:
        """The loss of the pairs."""
        return bpr_loss(positive_scores, negative_scores, reduction=self.reduction)

    def extra_repr(self) -> str:
        """The options."""
        return f"reduction={self.reduction!r}"
