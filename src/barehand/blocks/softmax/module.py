"""Softmax as a module of PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.softmax.autograd import softmax


class Softmax(torch.nn.Softmax):
    """Scores to probabilities along one axis; `torch.nn.Softmax` that also takes a mask.

    Args:
        dim: the axis along which the result sums to one; the last unless given, where torch warns and guesses.

    Shapes: input of any shape, the result likewise. The mask broadcasts to the input; True keeps, and a slice that it
    empties is all zeros.

    >>> Softmax(dim=-1)(torch.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    dim: int

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Any:
        """The probabilities, over what the mask keeps."""
        return softmax(input, axis=self.dim, mask=mask)
