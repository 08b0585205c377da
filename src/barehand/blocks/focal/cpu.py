"""Focal kernels. Binary: logits v and targets t are flat vectors; classes: x, dx are (rows, n) and t class indices.

p is the probability of the positive class and r = 1 - p, each found without a subtraction; q = 1 - p_t is what the model
misses; ce the cross-entropy. `pos` and `neg` are alpha for either label.
"""

from __future__ import annotations

import math

from barehand.core.jit import kernel
from barehand.core.numeric import exp_nonpositive, log1p_unit, log_unit, maximum
from barehand.core.rows import exp_row, row_maximum, sum_exp

BLOCK = 4096  # losses summed in the data's own type before the sum moves to float64


@kernel
def power(q, gamma, one):
    """q^gamma for 0 <= q <= 1; the usual gamma of 2 needs no exponential."""
    if gamma == one + one:
        return q * q
    return one if gamma == one - one else exp_nonpositive(gamma * log_unit(q))


@kernel
def term(v, t, pos, neg, gamma, one):
    """Loss and slope of one logit. The slope's q'/q is bounded, so gamma < 1 has no 0 times infinity."""
    zero = one - one
    o = one - t
    u = exp_nonpositive(-abs(v))
    big = one / (one + u)
    small = u * big
    p = big if v >= zero else small
    r = small if v >= zero else big
    ce = abs(v) * (o if v >= zero else t) + log1p_unit(u)
    q = p * o + r * t
    w = (pos * t + neg * o) * power(q, gamma, one)
    ratio = p * r * (o - t) / q if q > zero else zero
    return w * ce, w * ((p * o - r * t) + gamma * ratio * ce)


@kernel
def total(lo, hi, v, t, pos, neg, gamma):
    """The sum of the losses, and a number above 0, or nan, where a target is not from 0 to 1."""
    one = v.dtype.type(1)
    loss = 0.0
    outside = v.dtype.type(0)
    for start in range(lo, hi, BLOCK):
        vb = v[start : min(start + BLOCK, hi)]
        tb = t[start : min(start + BLOCK, hi)]
        s = v.dtype.type(0)
        for i in range(vb.size):
            y = v.dtype.type(tb[i])
            outside = maximum(outside, y * (y - one))
            s += term(vb[i], y, pos, neg, gamma, one)[0]
        loss += s
    return loss, outside


@kernel
def each(lo, hi, v, t, pos, neg, gamma, losses):
    """Every loss by itself; returns as `total` does."""
    one = v.dtype.type(1)
    outside = v.dtype.type(0)
    for i in range(hi - lo):
        y = v.dtype.type(t[lo + i])
        outside = maximum(outside, y * (y - one))
        losses[lo + i] = term(v[lo + i], y, pos, neg, gamma, one)[0]
    return 0.0, outside


@kernel
def gradient(lo, hi, v, t, pos, neg, gamma, scale, losses, dv):
    """dv = scale times the slope, and every loss unless `losses` is empty; returns as `total` does."""
    one = v.dtype.type(1)
    loss = 0.0
    outside = v.dtype.type(0)
    for start in range(lo, hi, BLOCK):
        vb = v[start : min(start + BLOCK, hi)]
        tb = t[start : min(start + BLOCK, hi)]
        db = dv[start : min(start + BLOCK, hi)]
        s = v.dtype.type(0)
        for i in range(vb.size):
            y = v.dtype.type(tb[i])
            outside = maximum(outside, y * (y - one))
            f, slope = term(vb[i], y, pos, neg, gamma, one)
            s += f
            db[i] = scale * slope
        loss += s
        if losses.size > 0:
            for i in range(vb.size):
                losses[start + i] = term(vb[i], v.dtype.type(tb[i]), pos, neg, gamma, one)[0]
    return loss, outside


@kernel
def given_probabilities(lo, hi, p, t, pos, neg, gamma, losses, dp):
    """Losses and slopes where p is the probability itself; 0 log 0 is 0."""
    for i in range(lo, hi):
        y = float(t[i])
        o = 1.0 - y
        pi = float(p[i])
        r = 1.0 - pi
        ce = (-y * math.log(pi) if y > 0.0 else 0.0) + (-o * math.log1p(-pi) if o > 0.0 else 0.0)
        slope = (o / r if o > 0.0 else 0.0) - (y / pi if y > 0.0 else 0.0)
        q = pi * o + r * y
        w = (pos * y + neg * o) * (q**gamma if gamma != 0.0 else 1.0)
        losses[i] = w * ce if w != 0.0 else 0.0
        bend = gamma * (o - y) / q * ce if q > 0.0 else 0.0
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
                dx[i, :] = 0
            continue
        xi = x[i]
        m = row_maximum(xi)
        if dx.shape[0] > 0:
            di = dx[i]
            others = exp_row(xi[:ti], m, di[:ti]) + exp_row(xi[ti + 1 :], m, di[ti + 1 :])
        else:
            others = sum_exp(xi[:ti], m) + sum_exp(xi[ti + 1 :], m)
        own = math.exp(float(xi[ti]) - m)
        s = others + own
        nll = math.log1p(others) if xi[ti] == m else (float(m) - xi[ti]) + math.log(s)
        q = others / s
        weight = alpha[ti] * (q**gamma if gamma != 0.0 else 1.0)
        losses[i] = weight * nll if weight != 0.0 else 0.0
        if dx.shape[0] > 0:
            di = dx[i]
            bend = gamma * (own / s) * nll / q if q > 0.0 else gamma
            slope = coef[i] * weight * (1.0 + bend) if weight != 0.0 else 0.0
            scale = x.dtype.type(slope / s)
            for j in range(di.size):
                di[j] *= scale
            di[ti] = -slope * q
