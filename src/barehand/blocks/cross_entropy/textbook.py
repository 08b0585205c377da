"""Cross-entropy as on paper: -sum_j w_j q_j log p_j, with p the softmax of the logits."""

from __future__ import annotations

from typing import Any

import numpy as np


def _pieces(
    logits: Any, target: Any, axis: int, weight: Any, ignore_index: int, smoothing: float, given: bool
) -> tuple[Any, Any, Any, Any]:
    """log p, the shares a = w q of each class, p, and each row's weight in the mean; classes last."""
    x = np.moveaxis(np.multiply(logits, 1.0), axis, -1)
    n = x.shape[-1]
    w = np.ones(n, x.dtype) if weight is None else np.asarray(weight, x.dtype)
    target = np.asarray(target)
    if target.dtype.kind == "f":
        q, kept = np.moveaxis(target, axis, -1), np.ones(x.shape[:-1], x.dtype)
    else:
        q = (np.arange(n) == np.where(target == ignore_index, 0, target)[..., None]).astype(x.dtype)
        kept = (q @ w) * (target != ignore_index)
        x = np.where((target == ignore_index)[..., None], 1, x)  # what is ignored may hold anything
    a = w * ((1 - smoothing) * q + x.dtype.type(smoothing) / n)
    if target.dtype.kind != "f":
        a = a * (target != ignore_index)[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        if given:
            return np.log(x), a, x, kept
        d = x - x.max(axis=-1, keepdims=True)
        log_p = d - np.log(np.exp(d).sum(axis=-1, keepdims=True))
        return log_p, a, np.exp(log_p), kept


def cross_entropy(
    logits: Any, target: Any, *, axis: int = -1, weight: Any = None, ignore_index: int = -100,
    label_smoothing: float = 0.0, reduction: str = "mean", from_probabilities: bool = False,
) -> Any:  # fmt: skip
    """The mean weighs each row by its target's class weight where targets are indices; 0 log 0 = 0; over nothing, 0."""
    log_p, a, _, kept = _pieces(logits, target, axis, weight, ignore_index, label_smoothing, from_probabilities)
    losses = -(a * np.where(a == 0, 0, log_p)).sum(axis=-1)
    if reduction == "none":
        return losses
    return losses.sum() / (kept.sum() or 1) if reduction == "mean" else losses.sum()


def cross_entropy_vjp(
    logits: Any, target: Any, *, axis: int = -1, weight: Any = None, ignore_index: int = -100,
    label_smoothing: float = 0.0, reduction: str = "mean", from_probabilities: bool = False, cotangent: Any = 1.0,
) -> tuple[Any]:  # fmt: skip
    """dlogits = g (p sum(a) - a); for probabilities, dp = -g a / p."""
    _, a, p, kept = _pieces(logits, target, axis, weight, ignore_index, label_smoothing, from_probabilities)
    g = np.asarray(cotangent)[..., None] / ((kept.sum() or 1) if reduction == "mean" else 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(a == 0, 0, -a / p) if from_probabilities else p * a.sum(axis=-1, keepdims=True) - a
    return (np.moveaxis(g * slope, -1, axis),)
