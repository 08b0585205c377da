"""Layer normalisation as a module of PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from barehand.blocks.layer_norm.autograd import layer_norm


class LayerNorm(torch.nn.LayerNorm):
    """Each sample's features with mean 0 and variance 1, scaled and moved; `torch.nn.LayerNorm` through our function.

    Exact in float32 also for samples with mean 1e4 and standard deviation 1e-3.

    Args:
        normalized_shape: the lengths of the last axes, which are normalised together; a number stands for one axis.
        eps: added to the variance, in the units of the input squared.
        elementwise_affine: whether `weight` and `bias` are learned.
        bias: whether `bias` is learned too.
        device, dtype: of the parameters.

    Shapes: (..., *normalized_shape), the result likewise.

    >>> LayerNorm(3, elementwise_affine=False)(torch.tensor([1.0, 2.0, 3.0]))
    tensor([-1.2247,  0.0000,  1.2247])
    """

    def forward(self, input: Tensor) -> Any:
        """Normalised over the last axes."""
        n = len(self.normalized_shape)
        if tuple(input.shape[-n:]) != tuple(self.normalized_shape):
            raise ValueError(
                f"LayerNorm: input has shape {tuple(input.shape)}, whose last axes are not normalized_shape = "
                f"{tuple(self.normalized_shape)}; features come last"
            )
        return layer_norm(input, self.weight, self.bias, axis=-n, eps=self.eps)
