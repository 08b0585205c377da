"""Cross-entropy kernels: x, dx are (rows, n), contiguous, of one floating type; losses (rows,) in float64.

m is a row's maximum, s the sum of exp(x - m), t the target's index (-1 where ignored), coef the row's weight in the
gradient: what the loss is multiplied by afterwards.
"""

from __future__ import annotations

import math

import numpy as np

from barehand.core.jit import kernel
from barehand.core.numeric import exp_nonpositive, minus_in_turn
from barehand.core.rows import BLOCK, exp_row, fill, row_maximum, sum_exp


@kernel
def negative_log(x, t, m, others):
    """-log p_t, from the sum over the other classes: log(1 + small) keeps the digits of a confident answer."""
    if math.isinf(m):
        return math.nan
    if x[t] == m:
        return math.log1p(others)
    return (m - x[t]) + math.log(others + exp_nonpositive(x[t] - m))


@kernel
def indices(lo, hi, x, t, losses):
    """losses = -log p_t, for targets that are class indices."""
    for i in range(lo, hi):
        losses[i] = 0.0
        if t[i] >= 0:
            xi = x[i]
            m = row_maximum(xi)
            others = sum_exp(xi[: t[i]], m) + sum_exp(xi[t[i] + 1 :], m)
            losses[i] = negative_log(xi, t[i], m, others)


@kernel
def indices_gradient(lo, hi, x, t, coef, losses, dx):
    """dx = coef (p - onehot), where p_t - 1 is minus the others' share: nothing cancels."""
    for i in range(lo, hi):
        di = dx[i]
        if t[i] < 0:
            losses[i] = 0.0
            fill(di, x.dtype.type(0))
            continue
        xi = x[i]
        ti = t[i]
        m = row_maximum(xi)
        others = exp_row(xi[:ti], m, di[:ti]) + exp_row(xi[ti + 1 :], m, di[ti + 1 :])
        losses[i] = negative_log(xi, ti, m, others)
        r = coef[i] / (others + exp_nonpositive(xi[ti] - m))
        scale = x.dtype.type(r)
        for j in range(di.size):
            di[j] *= scale
        di[ti] = -r * others


@kernel
def shares(lo, hi, x, t, q, w, eps, coef, losses, dx):
    """losses = sum_j a_j (-log p_j); dx = coef (p sum a - a), unless dx has no rows. Where a_j = 0 the term is 0.

    a_j = w_j ((1 - eps) q_j + eps / n), with q the target's probabilities; for a target t that is an index, q has one
    row of zeros and a_t is larger by w_t (1 - eps).
    """
    kind = x.dtype.type
    keep = kind(1.0 - eps)
    spread = kind(eps / w.size)
    zero = kind(0)
    for i in range(lo, hi):
        ti = t[i] if t.size > 0 else 0
        losses[i] = 0.0
        if ti < 0:
            if dx.shape[0] > 0:
                fill(dx[i], zero)
            continue
        xi = x[i]
        qi = q[i] if t.size == 0 else q[0]
        own = w[ti] * keep if t.size > 0 else zero
        m = row_maximum(xi)
        s = sum_exp(xi, m)
        log_s = kind(math.log(s))
        total = np.float64(own)
        loss = own * np.float64(minus_in_turn(m, xi[ti], -log_s)) if own > zero else 0.0
        for start in range(0, xi.size, BLOCK):
            xb = xi[start : start + BLOCK]
            qb = qi[start : start + BLOCK]
            wb = w[start : start + BLOCK]
            some = zero
            cost = zero
            for j in range(xb.size):
                a = wb[j] * (keep * qb[j] + spread)
                some += a
                cost += a * minus_in_turn(m, xb[j], -log_s) if a > zero else zero
            total += some
            loss += cost
        losses[i] = loss if math.isfinite(m) else math.nan
        if dx.shape[0] > 0:
            di = dx[i]
            c = kind(coef[i])
            pull = kind(coef[i] * total / s)
            for j in range(xi.size):
                di[j] = pull * exp_nonpositive(xi[j] - m) - c * (w[j] * (keep * qi[j] + spread))
            if t.size > 0:
                di[ti] -= c * own


@kernel
def given_probabilities(lo, hi, p, t, q, w, eps, coef, losses, dx):
    """losses = sum_j a_j (-log p_j); dx = -coef a / p, unless dx has no rows.

    a as in `shares`; where a_j = 0 both are 0.
    """
    kind = p.dtype.type
    for i in range(lo, hi):
        loss = 0.0
        qi = q[i] if t.size == 0 else q[0]
        for start in range(0, p.shape[1], BLOCK):
            cost = 0.0
            for j in range(start, min(start + BLOCK, p.shape[1])):
                own = 1.0 if t.size > 0 and t[i] == j else 0.0
                a = w[j] * ((1.0 - eps) * (qi[j] + own) + eps / w.size)
                if t.size > 0 and t[i] < 0:
                    a = 0.0
                if a != 0.0:
                    cost -= a * math.log(np.float64(p[i, j]))
                if dx.shape[0] > 0:
                    dx[i, j] = kind(-coef[i] * a / p[i, j]) if a != 0.0 else kind(0)
            loss += cost
        losses[i] = loss
