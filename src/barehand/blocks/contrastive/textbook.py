"""Contrastive loss as on paper: similar pairs are pulled together, dissimilar ones pushed a margin apart."""

from __future__ import annotations

from typing import Any

import numpy as np


def _pieces(x1: Any, x2: Any, same: Any, margin: float) -> tuple[Any, Any, Any, Any]:
    """The difference, the distance, what a dissimilar pair lacks of the margin, and `same` as numbers."""
    difference = np.multiply(x1, 1.0) - x2
    d = np.linalg.norm(difference.astype(np.longdouble), axis=-1).astype(difference.dtype)
    return difference, d, np.maximum(margin - d, 0), np.asarray(same, difference.dtype)


def contrastive_loss(x1: Any, x2: Any, same: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """same d² + (1 - same) max(margin - d, 0)²."""
    _, d, h, s = _pieces(x1, x2, same, margin)
    with np.errstate(over="ignore", invalid="ignore"):
        losses = np.where(s == 0, 0, s * d**2) + (1 - s) * h**2
    return losses if reduction == "none" else losses.sum() / ((losses.size or 1) if reduction == "mean" else 1)


def contrastive_loss_vjp(
    x1: Any, x2: Any, same: Any, *, margin: float = 1.0, reduction: str = "mean", cotangent: Any = 1.0
) -> tuple[Any, Any]:
    """dx1 = 2 same (x1 - x2) - 2 (1 - same) max(margin - d, 0) (x1 - x2) / d, and dx2 = -dx1; at d = 0, 0."""
    difference, d, h, s = _pieces(x1, x2, same, margin)
    unit = difference / np.where(d == 0, 1, d)[..., None]
    g = np.asarray(cotangent) / ((d.size or 1) if reduction == "mean" else 1)
    dx1 = (g * 2 * s)[..., None] * difference - (g * 2 * (1 - s) * h)[..., None] * unit
    return dx1, -dx1
