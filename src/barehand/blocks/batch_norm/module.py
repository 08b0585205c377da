"""Batch normalisation as modules of PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from barehand.blocks.batch_norm.autograd import batch_norm


class _Ours(_BatchNorm):
    """The forward pass of torch's modules through our function."""

    _ndims: tuple[int, ...]
    _shapes: str

    def forward(self, input: Tensor) -> Any:
        """Each channel with mean 0 and variance 1, scaled and moved; training moves the running statistics."""
        self._check_input_dim(input)
        updating = self.training and self.track_running_stats
        momentum = self.momentum
        if updating and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:  # the mean over all batches so far
                momentum = 1 / float(self.num_batches_tracked)
        known = updating or not self.training
        return batch_norm(
            input,
            self.weight,
            self.bias,
            running_mean=self.running_mean if known else None,
            running_var=self.running_var if known else None,
            training=self.training or self.running_mean is None,
            momentum=0.0 if momentum is None else momentum,
            eps=self.eps,
        )

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self._ndims:
            raise ValueError(
                f"{type(self).__name__}: input has shape {tuple(input.shape)}, not {self._shapes}; give it these axes"
            )
        if input.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: input of shape {tuple(input.shape)} has {input.shape[1]} channels on axis 1, "
                f"not num_features = {self.num_features}; channels come second"
            )


class BatchNorm1d(_Ours, torch.nn.BatchNorm1d):
    """Batch normalisation of vectors or sequences; `torch.nn.BatchNorm1d` through our function.

    Exact in float32 also for channels with mean 1e4 and standard deviation 1e-3.

    Args:
        num_features: the number of channels, C.
        eps: added to the variance, in the units of the input squared.
        momentum: the weight of a new batch in the running statistics; None takes the mean over all batches.
        affine: whether `weight` and `bias` are learned.
        track_running_stats: whether running statistics are kept, for evaluation; without them each batch has its own.
        device, dtype: of the parameters.
        bias: whether `bias` is learned too, where torch has this argument.

    Shapes: (N, C) or (N, C, L), the result likewise.

    >>> BatchNorm1d(2)(torch.tensor([[1.0, 10.0], [3.0, 30.0]])).round(decimals=4)
    tensor([[-1., -1.],
            [ 1.,  1.]], grad_fn=<RoundBackward1>)
    """

    _ndims, _shapes = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_Ours, torch.nn.BatchNorm2d):
    """Batch normalisation of images; `torch.nn.BatchNorm2d` through our function.

    Args: as `BatchNorm1d`.

    Shapes: (N, C, H, W), the result likewise.

    >>> BatchNorm2d(1, affine=False)(torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1)).flatten().round(decimals=4)
    tensor([-1.,  1.])
    """

    _ndims, _shapes = (4,), "(N, C, H, W)"
