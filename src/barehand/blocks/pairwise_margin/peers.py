"""What people use today for the pairwise margin loss, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _floating(*given: Any) -> list[Any]:
    return [x if x.is_floating_point() else x.double() for x in given]


def _triplet_margin_loss() -> Callable[..., Any]:
    from torch.nn import functional

    def pairwise_margin_loss(
        anchor: Any, positive: Any, negative: Any, *, margin: float = 1.0, reduction: str = "mean"
    ) -> Any:
        a, p, n = _floating(anchor, positive, negative)
        return functional.triplet_margin_loss(a, p, n, margin=margin, eps=0.0, reduction=reduction)

    return pairwise_margin_loss


def _norm() -> Callable[..., Any]:
    import torch

    def pairwise_margin_loss(
        anchor: Any, positive: Any, negative: Any, *, margin: float = 1.0, reduction: str = "mean"
    ) -> Any:
        a, p, n = _floating(anchor, positive, negative)
        to_p, to_n = torch.linalg.vector_norm(a - p, dim=-1), torch.linalg.vector_norm(a - n, dim=-1)
        losses = torch.relu(to_p - to_n + margin)
        return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()

    return pairwise_margin_loss


_NOTHING = {"no rows": "the mean of nothing is nan"}
_RANGE = {
    "differences of 1e-25": "the squares underflow: no gradient",
    "differences of 1e-200": "the squares underflow: no gradient",
    "one difference of 1e-25, one of 1": "the squares underflow: no gradient",
    "differences of 1e25": "the squares overflow, and infinity minus infinity is nan",
}

PEERS = {
    "pairwise_margin_loss": (
        Peer(
            "F.triplet_margin_loss, eps=0",
            "torch",
            _triplet_margin_loss,
            lacks={**_NOTHING, **dict.fromkeys(("a margin of 0", "a negative margin"), "the margin must be positive")},
            defects={**_RANGE, "exactly at the hinge's edge": "autograd's slope of clamp_min at its edge is 1, not 0"},
        ),
        Peer("torch.linalg.vector_norm's formula", "torch", _norm, lacks=_NOTHING, defects=_RANGE),
    ),
}
