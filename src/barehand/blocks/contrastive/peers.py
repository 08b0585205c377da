"""What people use today for the contrastive loss, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _floating(x: Any) -> Any:
    return x if x.is_floating_point() else x.double()


def _contrastive(distance: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def contrastive_loss(x1: Any, x2: Any, same: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
        d = distance(_floating(x1), _floating(x2))
        same = same.to(d.dtype)
        losses = same * d**2 + (1 - same) * (margin - d).clamp(min=0) ** 2
        return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()

    return contrastive_loss


def _norm() -> Callable[..., Any]:
    import torch

    return _contrastive(lambda a, b: torch.linalg.vector_norm(a - b, dim=-1))


def _pairwise_distance() -> Callable[..., Any]:
    from torch.nn import functional

    return _contrastive(lambda a, b: functional.pairwise_distance(a, b, eps=0.0))


_LACKS = {"no pairs": "the mean of nothing is nan"}
_DEFECTS = {
    "differences of 1e-25": "the squares underflow: no gradient",
    "differences of 1e-200": "the squares underflow: no gradient",
    "differences of 1e25": "the squares overflow, and 0 times infinity is nan",
}

PEERS = {
    "contrastive_loss": (
        Peer("torch.linalg.vector_norm's formula", "torch", _norm, lacks=_LACKS, defects=_DEFECTS),
        Peer("F.pairwise_distance's formula, eps=0", "torch", _pairwise_distance, lacks=_LACKS, defects=_DEFECTS),
    ),
}
