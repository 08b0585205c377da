"""Pairwise margin loss as on paper: the positive nearer to the anchor than the negative, by a margin."""

from __future__ import annotations

from typing import Any

import numpy as np


def _unit(a: Any, x: Any) -> tuple[Any, Any]:
    """The distance from a to x, and (a - x) / distance, 0 where they are the same."""
    difference = np.multiply(a, 1.0) - x
    d = np.linalg.norm(difference.astype(np.longdouble), axis=-1).astype(difference.dtype)
    return d, difference / np.where(d == 0, 1, d)[..., None]


def pairwise_margin_loss(
    anchor: Any, positive: Any, negative: Any, *, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """max(d(a, p) - d(a, n) + margin, 0); the mean is over all rows, also those that cost nothing."""
    losses = np.maximum(_unit(anchor, positive)[0] - _unit(anchor, negative)[0] + margin, 0)
    return losses if reduction == "none" else losses.sum() / ((losses.size or 1) if reduction == "mean" else 1)


def pairwise_margin_loss_vjp(
    anchor: Any, positive: Any, negative: Any, *, margin: float = 1.0, reduction: str = "mean", cotangent: Any = 1.0
) -> tuple[Any, Any, Any]:
    """u_p - u_n for the anchor, -u_p for the positive, u_n for the negative; nothing where the hinge is shut."""
    to_p, u_p = _unit(anchor, positive)
    to_n, u_n = _unit(anchor, negative)
    g = np.asarray(cotangent) * (to_p - to_n + margin > 0) / ((to_p.size or 1) if reduction == "mean" else 1)
    u_p, u_n = g[..., None] * u_p, g[..., None] * u_n
    return u_p - u_n, -u_p, u_n
