"""Focal kernels. Binary: logits v and targets t are flat vectors; classes: x, dx are (rows, n) and t class indices.

p is the probability of the positive class and r = 1 - p, each found without a subtraction; q = 1 - p_t is what the
model misses; ce the cross-entropy. `pos` and `neg` are alpha for either label.
"""

from __future__ import annotations

import math

import numpy as np

from barehand.core.jit import inlined, kernel
from barehand.core.numeric import exp_nonpositive, log1p_unit, log_unit, maximum
from barehand.core.rows import exp_row, fill, row_maximum, sum_exp

# Stands for log 0, so that q^0 is 1 at q = 0; any other power of it underflows to the 0 that it is.
LOG_OF_NOTHING = np.float32(-1e6)
BLOCK = 4096  # losses summed in the data's own type before the sum moves to float64


@inlined
def term(v, t, pos, neg, gamma, square, one):
    """Loss and slope of one logit. The slope's q'/q is bounded, so gamma < 1 has no 0 times infinity."""
    zero = one - one
    o = one - t
    u = exp_nonpositive(-abs(v))
    big = one / (one + u)
    small = u * big
    p = big if v >= zero else small
    r = small if v >= zero else big
    miss = o if v >= zero else t
    ce = (abs(v) * miss if miss > zero else zero) + log1p_unit(u)
    q = p * o + r * t
    w = (pos * t + neg * o) * (q * q if square else exp_nonpositive(gamma * maximum(log_unit(q), one * LOG_OF_NOTHING)))
    ratio = p * r * (o - t) / q if q > zero else zero
    return w * ce, w * ((p * o - r * t) + gamma * ratio * ce)


@inlined
def block(v, t, pos, neg, gamma, square, scale, dv):
    """The sum of a few losses; dv unless it is empty; a number above 0, or nan, for a target outside [0, 1]."""
    one = v.dtype.type(1)
    s = v.dtype.type(0)
    outside = v.dtype.type(0)
    if dv.size == 0:
        for i in range(v.size):
            y = v.dtype.type(t[i])
            outside = maximum(outside, y * (y - one))
            s += term(v[i], y, pos, neg, gamma, square, one)[0]
    else:
        for i in range(v.size):
            y = v.dtype.type(t[i])
            outside = maximum(outside, y * (y - one))
            loss, slope = term(v[i], y, pos, neg, gamma, square, one)
            s += loss
            dv[i] = scale * slope
    return s, outside


@kernel
def total(lo, hi, v, t, pos, neg, gamma, scale, dv):
    """The sum of the losses, and dv = scale times the slopes unless it is empty.

    Also a number above 0, or nan, where a target is not from 0 to 1.
    """
    loss = 0.0
    outside = v.dtype.type(0)
    square = gamma == v.dtype.type(2)  # the usual gamma needs no exponential: a loop of its own
    for start in range(lo, hi, BLOCK):
        stop = min(start + BLOCK, hi)
        vb = v[start:stop]
        tb = t[start:stop]
        db = dv[start:stop]
        if square:
            s, bad = block(vb, tb, pos, neg, gamma, True, scale, db)
        else:
            s, bad = block(vb, tb, pos, neg, gamma, False, scale, db)
        loss += s
        outside = maximum(outside, bad)
    return loss, outside


@kernel
def each(lo, hi, v, t, pos, neg, gamma, losses):
    """Every loss by itself; returns as `total` does."""
    one = v.dtype.type(1)
    outside = v.dtype.type(0)
    square = gamma == v.dtype.type(2)
    for i in range(lo, hi):
        y = v.dtype.type(t[i])
        outside = maximum(outside, y * (y - one))
        losses[i] = term(v[i], y, pos, neg, gamma, square, one)[0]
    return 0.0, outside


@kernel
def given_probabilities(lo, hi, p, t, pos, neg, gamma, losses, dp):
    """Losses and slopes where p is the probability itself; 0 log 0 is 0."""
    for i in range(lo, hi):
        y = np.float64(t[i])
        o = 1.0 - y
        pi = np.float64(p[i])
        r = 1.0 - pi
        ce = (-y * math.log(pi) if y > 0.0 else 0.0) + (-o * math.log1p(-pi) if o > 0.0 else 0.0)
        slope = (o / r if o > 0.0 else 0.0) - (y / pi if y > 0.0 else 0.0)
        q = pi * o + r * y
        w = (pos * y + neg * o) * (q**gamma if gamma != 0.0 else 1.0)
        losses[i] = w * ce if w != 0.0 else 0.0
        bend = gamma * (o - y) / q * ce if q > 0.0 and gamma > 0.0 else 0.0
        dp[i] = w * (slope + bend) if w != 0.0 else 0.0


@kernel
def classes(lo, hi, x, t, alpha, gamma, coef, losses, dx):
    """losses = alpha q^gamma (-log p_t), q the other classes' share; dx unless it has no rows.

    dx_j = coef alpha q^gamma (p_j - [j = t]) (1 + gamma p_t (-log p_t) / q).
    """
    for i in range(lo, hi):
        ti = t[i]
        losses[i] = 0.0
        if ti < 0:
            if dx.shape[0] > 0:
                fill(dx[i], x.dtype.type(0))
            continue
        xi = x[i]
        m = row_maximum(xi)
        if dx.shape[0] > 0:
            di = dx[i]
            others = exp_row(xi[:ti], m, di[:ti]) + exp_row(xi[ti + 1 :], m, di[ti + 1 :])
        else:
            others = sum_exp(xi[:ti], m) + sum_exp(xi[ti + 1 :], m)
        own = math.exp(np.float64(xi[ti]) - m)
        s = others + own
        nll = (
            math.nan if math.isinf(m) else math.log1p(others) if xi[ti] == m else (np.float64(m) - xi[ti]) + math.log(s)
        )
        q = others / s
        weight = alpha[ti] * (q**gamma if gamma != 0.0 else 1.0)
        losses[i] = weight * nll if weight != 0.0 else 0.0
        if dx.shape[0] > 0:
            di = dx[i]
            bend = gamma  # the limit at p_t = 1
            if q > 0.0:
                bend = gamma * (own / s) * nll / q if nll < math.inf else 0.0
            slope = coef[i] * weight * (1.0 + bend) if weight != 0.0 else 0.0
            scale = x.dtype.type(slope / s)
            for j in range(di.size):
                di[j] *= scale
            di[ti] = -slope * q
