"""BPR loss of tensors."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional

from barehand.blocks.bpr import bpr_loss as on_arrays
from barehand.blocks.bpr import vjp
from barehand.core.composed import reduced
from barehand.core.tensors import Operator, one_number, register


def _composed(p: Tensor, n: Tensor, *, reduction: str) -> Tensor:
    several = n.ndim == p.ndim + 1
    if (n.shape[:-1] if several else n.shape) != p.shape:
        raise ValueError(
            f"bpr_loss: positive_scores has shape {tuple(p.shape)} and negative_scores {tuple(n.shape)}; give them one "
            f"shape, or negatives of shape {(*p.shape, 'k')} for k a positive (nothing is broadcast)"
        )
    return reduced("bpr_loss", -functional.logsigmoid((p[..., None] if several else p) - n), reduction)


_SCORES = ("positive_scores", "negative_scores")
_BPR = register(Operator("bpr_loss", _SCORES, _SCORES, on_arrays, vjp.bpr_loss, _composed, loss=one_number))


def bpr_loss(positive_scores: Tensor, negative_scores: Tensor, *, reduction: str = "mean") -> Any:
    """As `barehand.bpr_loss`."""
    return _BPR(positive_scores, negative_scores, reduction=reduction)
