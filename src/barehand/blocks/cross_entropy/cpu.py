"""Cross-entropy kernels: x, dx are (rows, n), contiguous, of one floating type; losses (rows,) in float64.

m is a row's maximum, s the sum of exp(x - m), t the target's index (-1 where ignored), coef the row's weight in the
gradient: what the loss is multiplied by afterwards.
"""

from __future__ import annotations

import math

from barehand.core.jit import kernel
from barehand.core.numeric import exp_nonpositive
from barehand.core.rows import exp_row, row_maximum, sum_exp


@kernel
def negative_log(x, t, m, others):
    """-log p_t, from the sum over the other classes: log(1 + small) keeps the digits of a confident answer."""
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
            di[:] = 0
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
def share(j, t, q, i, w, eps):
    """a_j = w_j ((1 - eps) q_j + eps / n), q the target's probabilities or, where q has no rows, its index."""
    hard = q.shape[0] == 0
    q_j = (1.0 if j == t[i] else 0.0) if hard else float(q[i, j])
    return w[j] * ((1.0 - eps) * q_j + eps / w.size)


@kernel
def shares(lo, hi, x, t, q, w, eps, coef, losses, dx):
    """losses = sum_j a_j (-log p_j); dx = coef (p sum a - a), unless dx has no rows. Where a_j = 0 the term is 0."""
    kind = x.dtype.type
    for i in range(lo, hi):
        losses[i] = 0.0
        if t.size > 0 and t[i] < 0:
            if dx.shape[0] > 0:
                dx[i, :] = 0
            continue
        xi = x[i]
        m = row_maximum(xi)
        log_s = math.log(sum_exp(xi, m))
        total = 0.0
        loss = 0.0
        for j in range(xi.size):
            a = share(j, t, q, i, w, eps)
            total += a
            if a != 0.0:
                loss += a * (float(m) - xi[j] + log_s)
        losses[i] = loss if m == m else math.nan
        if dx.shape[0] > 0:
            for j in range(xi.size):
                p = math.exp(float(xi[j]) - m - log_s)
                dx[i, j] = kind(coef[i] * (p * total - share(j, t, q, i, w, eps)))


@kernel
def given_probabilities(lo, hi, p, t, q, w, eps, coef, losses, dx):
    """losses = sum_j a_j (-log p_j); dx = -coef a / p, unless dx has no rows. Where a_j = 0 both are 0."""
    kind = p.dtype.type
    for i in range(lo, hi):
        losses[i] = 0.0
        ignored = t.size > 0 and t[i] < 0
        loss = 0.0
        for j in range(p.shape[1]):
            a = 0.0 if ignored else share(j, t, q, i, w, eps)
            if a != 0.0:
                loss -= a * math.log(float(p[i, j]))
            if dx.shape[0] > 0:
                dx[i, j] = kind(-coef[i] * a / p[i, j]) if a != 0.0 else kind(0)
        losses[i] = loss
