"""Focal loss as on paper: cross-entropy times alpha_t (1 - p_t)^gamma, so that easy examples count little."""

from __future__ import annotations

from typing import Any

import numpy as np


def _reduced(losses: Any, reduction: str, count: float) -> Any:
    return losses if reduction == "none" else losses.sum() / ((count or 1) if reduction == "mean" else 1)


def _binary(logits: Any, target: Any, alpha: Any, gamma: float, given: bool) -> tuple[Any, Any]:
    """The losses, and their slopes in the logits (in the probabilities, if those are given)."""
    v = np.multiply(logits, 1.0)
    t = np.asarray(target, v.dtype)
    with np.errstate(all="ignore"):
        p, r = (v, 1 - v) if given else (1 / (1 + np.exp(-v)), 1 / (1 + np.exp(v)))  # p and 1 - p
        log_p, log_r = (np.log(p), np.log1p(-p)) if given else (-np.logaddexp(0, -v), -np.logaddexp(0, v))
        ce = -np.where(t == 0, 0, t * log_p) - np.where(t == 1, 0, (1 - t) * log_r)
        q = p * (1 - t) + r * t
        pos, neg = (1, 1) if alpha is None else alpha if np.ndim(alpha) else (alpha, 1 - alpha)
        weight = (pos * t + neg * (1 - t)) * q**gamma
        slope_ce = np.where(t == 1, 0, (1 - t) / r) - np.where(t == 0, 0, t / p) if given else p * (1 - t) - r * t
        slope_log_q = np.where(q == 0, 0, (1 - 2 * t) * (1 if given else p * r) / q)
        losses, slopes = weight * ce, weight * (slope_ce + gamma * slope_log_q * ce)
        return np.where(weight == 0, 0, losses), np.where(weight == 0, 0, slopes)


def focal_loss(
    logits: Any, target: Any, *, alpha: Any = 0.25, gamma: float = 2.0, reduction: str = "mean",
    from_probabilities: bool = False,
) -> Any:  # fmt: skip
    """alpha_t (1 - p_t)^gamma (-log p_t); alpha weighs the positives and 1 - alpha the negatives."""
    losses, _ = _binary(logits, target, alpha, gamma, from_probabilities)
    return _reduced(losses, reduction, losses.size)


def focal_loss_vjp(
    logits: Any, target: Any, *, alpha: Any = 0.25, gamma: float = 2.0, reduction: str = "mean",
    from_probabilities: bool = False, cotangent: Any = 1.0,
) -> tuple[Any]:  # fmt: skip
    """With q = 1 - p_t: alpha_t q^gamma (ce' + gamma (q'/q) ce)."""
    _, slopes = _binary(logits, target, alpha, gamma, from_probabilities)
    return (cotangent * slopes / ((slopes.size or 1) if reduction == "mean" else 1),)


def _classes(logits: Any, target: Any, axis: int, alpha: Any, gamma: float, ignore: int) -> tuple[Any, Any, Any]:
    """The losses, their slopes in the logits with classes last, and which rows count."""
    x, target = np.moveaxis(np.multiply(logits, 1.0), axis, -1), np.asarray(target)
    kept = target != ignore
    x, t = np.where(kept[..., None], x, 0), np.where(kept, target, 0).astype(int)
    own = np.arange(x.shape[-1]) == t[..., None]
    with np.errstate(all="ignore"):
        d = x - x.max(axis=-1, keepdims=True)
        e = np.exp(d)
        s = e.sum(axis=-1)
        q = np.where(own, 0, e).sum(axis=-1) / s  # 1 - p_t, from the other classes
        log_p = np.take_along_axis(d, t[..., None], axis=-1)[..., 0] - np.log(s)
        nll = np.where(q < 0.5, -np.log1p(-q), -log_p)
        classes = np.ones_like(x[..., 0]) if alpha is None else np.broadcast_to(alpha, x.shape[-1:]).astype(x.dtype)[t]
        weight = kept.astype(x.dtype) * classes * q**gamma
        bend = gamma * np.where(nll == np.inf, 0, np.where(q == 0, 1, nll / q) * np.exp(-nll))
        slope = np.where(own, -q[..., None], e / s[..., None]) * (weight * (1 + bend))[..., None]
        return np.where(weight == 0, 0, weight * nll), slope, kept


def softmax_focal_loss(
    logits: Any, target: Any, *, axis: int = -1, alpha: Any = None, gamma: float = 2.0, ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """alpha_t (1 - p_t)^gamma (-log p_t), p the softmax of the logits; the mean is over the rows not ignored."""
    losses, _, kept = _classes(logits, target, axis, alpha, gamma, ignore_index)
    return _reduced(losses, reduction, float(kept.sum()))


def softmax_focal_loss_vjp(
    logits: Any, target: Any, *, axis: int = -1, alpha: Any = None, gamma: float = 2.0, ignore_index: int = -100,
    reduction: str = "mean", cotangent: Any = 1.0,
) -> tuple[Any]:  # fmt: skip
    """alpha_t q^gamma (p_j - [j = t]) (1 + gamma p_t (-log p_t) / q) with q = 1 - p_t."""
    _, slope, kept = _classes(logits, target, axis, alpha, gamma, ignore_index)
    g = np.asarray(cotangent)[..., None] / ((float(kept.sum()) or 1) if reduction == "mean" else 1)
    return (np.moveaxis(g * slope, -1, axis),)
