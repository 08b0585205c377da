"""What people use today for the BPR loss, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _margins(positive: Any, negative: Any) -> Any:
    return (positive[..., None] if negative.ndim > positive.ndim else positive) - negative


def _reduced(losses: Any, reduction: str) -> Any:
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


def _torch() -> Callable[..., Any]:
    from torch.nn import functional

    def bpr_loss(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
        if not positive_scores.is_floating_point():
            positive_scores, negative_scores = positive_scores.double(), negative_scores.double()
        return _reduced(-functional.logsigmoid(_margins(positive_scores, negative_scores)), reduction)

    return bpr_loss


def _numpy() -> Callable[..., Any]:
    import numpy as np

    def bpr_loss(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
        z = _margins(np.multiply(positive_scores, 1.0), np.multiply(negative_scores, 1.0))
        return _reduced(np.logaddexp(0, -z), reduction)

    return bpr_loss


def _scipy() -> Callable[..., Any]:
    import numpy as np
    from scipy import special

    def bpr_loss(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
        z = _margins(np.multiply(positive_scores, 1.0), np.multiply(negative_scores, 1.0))
        return _reduced(-special.log_expit(z), reduction)

    return bpr_loss


_LACKS = {"no pairs": "the mean of nothing is nan"}

PEERS = {
    "bpr_loss": (
        Peer("-F.logsigmoid(p - n)", "torch", _torch, lacks=_LACKS),
        Peer("numpy.logaddexp(0, n - p)", "numpy", _numpy, lacks=_LACKS),
        Peer("-scipy.special.log_expit(p - n)", "scipy", _scipy, lacks=_LACKS),
    ),
}
