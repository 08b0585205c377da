"""BPR loss as on paper: -log sigmoid(p - n), which asks each positive to score above its negatives."""

from __future__ import annotations

from typing import Any

import numpy as np


def _margins(positive_scores: Any, negative_scores: Any) -> Any:
    p, n = np.multiply(positive_scores, 1.0), np.multiply(negative_scores, 1.0)
    return (p[..., None] if n.ndim > p.ndim else p) - n


def bpr_loss(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
    """log(1 + exp(-z)) with z = p - n, averaged over all pairs."""
    losses = np.logaddexp(0, -_margins(positive_scores, negative_scores))
    return losses if reduction == "none" else losses.sum() / ((losses.size or 1) if reduction == "mean" else 1)


def bpr_loss_vjp(
    positive_scores: Any, negative_scores: Any, *, reduction: str = "mean", cotangent: Any = 1.0
) -> tuple[Any, Any]:
    """dn = sigmoid(-z), dp = -dn, summed over a positive's negatives."""
    z = _margins(positive_scores, negative_scores)
    with np.errstate(over="ignore"):
        dn = cotangent / (1 + np.exp(z)) / ((z.size or 1) if reduction == "mean" else 1)
    return (-dn.sum(axis=-1) if z.ndim > np.ndim(positive_scores) else -dn), dn
