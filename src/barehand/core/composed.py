"""What the functions composed of torch's operations share: any device runs them, transforms, and second derivatives.

Arguments are checked as far as shapes and types go; values are not looked at, since that would wait for the device.
"""

from __future__ import annotations

import torch
from torch import Tensor

from barehand.core import arrays


def axis_of(name: str, axis: object, x: Tensor) -> int:
    """The axis counted from 0."""
    return arrays.check_axis(name, axis, x)  # type: ignore[arg-type]  # it asks for shape and ndim alone


def same_shape(name: str, **given: Tensor) -> None:
    """Tensors that go together element by element."""
    shapes = {k: tuple(t.shape) for k, t in given.items()}
    (first, wanted), *rest = shapes.items()
    for other, shape in rest:
        if shape != wanted:
            raise ValueError(
                f"{name}: {first} has shape {wanted} and {other} {shape}; give them one shape (nothing is broadcast)"
            )


def reduced(name: str, losses: Tensor, reduction: str, over: Tensor | None = None) -> Tensor:
    """Losses as `reduction` asks; the mean is over their number, or over the weight `over`, and 0 over nothing."""
    arrays.check_reduction(name, reduction)
    if reduction == "none":
        return losses
    total = losses.sum()
    if reduction == "sum":
        return total
    return total / (max(losses.numel(), 1) if over is None else torch.where(over == 0, 1, over))


def is_class(index: Tensor, classes: int) -> Tensor:
    """Whether each class is the one of the index, along a new last axis; unlike `one_hot` for transforms too."""
    return index[..., None] == torch.arange(classes, device=index.device)


def of_class(values: Tensor, index: Tensor) -> Tensor:
    """The value of each index's class; `values[index]` asks a single index for its number, which transforms refuse."""
    return values.index_select(0, index.reshape(-1)).reshape(index.shape)


def distance(a: Tensor, b: Tensor) -> Tensor:
    """The Euclidean distance of rows; squares neither overflow nor underflow, and at 0 the gradient is 0."""
    difference = a - b
    if difference.shape[-1] == 0:
        return difference.sum(-1)
    size = difference.detach().abs().amax(-1, keepdim=True)
    size = torch.where((size > 0) & (size < torch.inf), size, 1)  # it cancels, and so has no gradient
    squares = (difference / size).square().sum(-1)
    nowhere = squares == 0
    return torch.where(nowhere, 0, size[..., 0] * torch.where(nowhere, 1, squares).sqrt())


def standardised(x: Tensor, axes: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """(x - mean) / sqrt(variance + eps), the mean and the biased variance; 0 where there is no spread and no eps."""
    mean = x.mean(axes, keepdim=True)
    centred = x - mean
    rest = centred.mean(axes, keepdim=True)  # what rounding left in the first mean
    centred = centred - rest
    size = centred.detach().abs().amax(axes, keepdim=True).clamp_min(eps**0.5)
    size = torch.where((size > 0) & (size < torch.inf), size, 1)  # it cancels, and so has no gradient
    part = centred / size
    squares = part.square().mean(axes, keepdim=True)
    spread = squares + eps / size.square()
    nowhere = spread == 0
    result = torch.where(nowhere, 0, part / torch.where(nowhere, 1, spread).sqrt())
    return result, mean + rest, squares * size.square()
