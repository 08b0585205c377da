"""Focal losses as modules of PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from barehand.blocks.focal.autograd import focal_loss, softmax_focal_loss
from barehand.core import arrays
from barehand.core.arrays import Reduction


class FocalLoss(torch.nn.Module):
    """Binary cross-entropy in which easy examples count little: alpha_t (1 - p_t)^gamma (-log p_t).

    Args:
        alpha: a number from 0 to 1 weighs positives with alpha and negatives with 1 - alpha; a pair gives (positives,
            negatives); None weighs both with 1.
        gamma: the focusing exponent, at least 0.
        reduction: "mean" over all elements, "sum" or "none".
        from_probabilities: the input is probabilities already.

    Shapes: logits and target of one shape, target 0 and 1 or probabilities; the result is a number, or in that shape
    for "none".

    >>> FocalLoss()(torch.tensor([0.0, 4.0]), torch.tensor([1, 1]))
    tensor(0.0217)
    """

    def __init__(
        self,
        *,
        alpha: float | tuple[float, float] | None = 0.25,
        gamma: float = 2.0,
        reduction: Reduction = "mean",
        from_probabilities: bool = False,
    ) -> None:
        super().__init__()
        if isinstance(alpha, Sequence):
            if len(alpha) != 2:
                raise ValueError(
                    f"FocalLoss: alpha is {alpha!r}; give a number, a pair (positives, negatives), or None"
                )
            first, second = (arrays.check_number("FocalLoss", "alpha", a, low=0.0) for a in alpha)
            self.alpha: float | tuple[float, float] | None = (first, second)
        else:
            self.alpha = None if alpha is None else arrays.check_number("FocalLoss", "alpha", alpha, low=0.0, high=1.0)
        self.gamma = arrays.check_number("FocalLoss", "gamma", gamma, low=0.0)
        arrays.check_reduction("FocalLoss", reduction)
        self.reduction: Reduction = reduction
        self.from_probabilities = from_probabilities

    def forward(self, logits: Tensor, target: Tensor) -> Any:
        """The loss of the labels."""
        return focal_loss(
            logits,
            target,
            alpha=self.alpha,
            gamma=self.gamma,
            reduction=self.reduction,
            from_probabilities=self.from_probabilities,
        )

    def extra_repr(self) -> str:
        """The options."""
        return (
            f"alpha={self.alpha}, gamma={self.gamma}, reduction={self.reduction!r}, "
            f"from_probabilities={self.from_probabilities}"
        )


class SoftmaxFocalLoss(torch.nn.Module):
    """Cross-entropy over classes in which rows that are right already count little, with p the softmax of the logits.

    Args:
        alpha: None, a number, or one number a class, which then is a buffer and moves with the module.
        gamma: the focusing exponent, at least 0.
        ignore_index: rows with this target have no loss and no gradient.
        reduction: "mean" over the rows not ignored, "sum" or "none".
        dim: the class axis; None is axis 1, or the only one, as in `CrossEntropyLoss`.

    Shapes: logits (N, n, ...) or (n,), target without the class axis; the result is a number, or in target's shape for
    "none".

    >>> SoftmaxFocalLoss()(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))
    tensor(0.0018)
    """

    alpha: Tensor | float | None

    def __init__(
        self,
        *,
        alpha: Tensor | Sequence[float] | float | None = None,
        gamma: float = 2.0,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        dim: int | None = None,
    ) -> None:
        super().__init__()
        if isinstance(alpha, (Tensor, Sequence)):
            self.register_buffer("alpha", torch.as_tensor(alpha))
        else:
            self.alpha = None if alpha is None else arrays.check_number("SoftmaxFocalLoss", "alpha", alpha, low=0.0)
        self.gamma = arrays.check_number("SoftmaxFocalLoss", "gamma", gamma, low=0.0)
        arrays.check_reduction("SoftmaxFocalLoss", reduction)
        self.ignore_index, self.reduction, self.dim = ignore_index, reduction, dim

    def forward(self, logits: Tensor, target: Tensor) -> Any:
        """The loss of the rows."""
        return softmax_focal_loss(
            logits,
            target,
            axis=min(1, logits.ndim - 1) if self.dim is None else self.dim,
            alpha=self.alpha,
            gamma=self.gamma,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        """The options."""
        alpha = f"<{len(self.alpha)} classes>" if isinstance(self.alpha, Tensor) else self.alpha
        return (
            f"alpha={alpha}, gamma={self.gamma}, ignore_index={self.ignore_index}, reduction={self.reduction!r}, "
            f"dim={self.dim}"
        )
