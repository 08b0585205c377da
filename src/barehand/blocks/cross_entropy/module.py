"""Cross-entropy as a module of PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.cross_entropy.autograd import cross_entropy
from barehand.core import arrays
from barehand.core.arrays import Reduction


class CrossEntropyLoss(torch.nn.CrossEntropyLoss):
    """-log p[target], p the softmax of the logits; `torch.nn.CrossEntropyLoss` through our function.

    A mean over nothing (all ignored) is 0 here, not nan, and so are its gradients.

    Args:
        weight: (n,), what each class counts.
        ignore_index: rows with this target have no loss and no gradient.
        reduction: "mean", "sum" or "none".
        label_smoothing: from 0 to 1, the share of the target spread evenly over the classes.
        dim: the class axis; None is torch's place for it: axis 1, or the only one.
        from_probabilities: the input is probabilities already.

    torch's `size_average` and `reduce`, deprecated for long, are not taken; options are given by name.

    Shapes: input (N, n, ...) or (n,); target without the class axis, integers, or like the input, probabilities. The
    result is a number, or in the shape without the class axis for "none".

    >>> CrossEntropyLoss()(torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1]))
    tensor(0.4100)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
        dim: int | None = None,
        from_probabilities: bool = False,
    ) -> None:
        arrays.check_reduction("CrossEntropyLoss", reduction)
        smoothing = arrays.check_number("CrossEntropyLoss", "label_smoothing", label_smoothing, low=0.0, high=1.0)
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=smoothing)
        self.dim, self.from_probabilities = dim, from_probabilities

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """The loss of the rows."""
        return cross_entropy(
            input,
            target,
            axis=min(1, input.ndim - 1) if self.dim is None else self.dim,
            weight=self.weight,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            reduction=self.reduction,
            from_probabilities=self.from_probabilities,
        )

    def extra_repr(self) -> str:
        """The options."""
        return (
            f"ignore_index={self.ignore_index}, reduction={self.reduction!r}, label_smoothing={self.label_smoothing}, "
            f"dim={self.dim}, from_probabilities={self.from_probabilities}"
        )
