"""The log loss on scores z, with row weights s.

Two classes: z is a number a row and `sign` is -1 for the second class, +1 for the first, so that t = sign z is the
score in favour of the wrong one: loss = log(1 + e^t). With u = exp(-|t|) nothing overflows, and nothing is subtracted.
"""

from __future__ import annotations

import numpy as np

from barehand.core.jit import kernel
from barehand.core.numeric import exp_nonpositive, log1p_unit, minus_in_turn
from barehand.core.rows import exp_row, row_maximum
from barehand.descent.sweeps import gather, scores

BLOCK = 64  # losses added up plainly; from block to block what rounds off is carried along


@kernel
def carried(loss, lost, part):
    """loss + part, and lost with what this sum rounds off."""
    total = loss + part
    return total, lost + minus_in_turn(loss, total, -part)


@kernel
def log_losses(z, sign, s):
    """The sum of s log(1 + e^t); z becomes its derivative, s sign sigmoid(t)."""
    loss = 0.0
    lost = 0.0
    for start in range(0, sign.size, BLOCK):
        gb = sign[start : start + BLOCK]
        zb = z[start : start + BLOCK]
        sb = s[start : start + BLOCK]
        part = 0.0
        for i in range(gb.size):
            t = gb[i] * zb[i]
            u = exp_nonpositive(-abs(t))
            big = 1.0 / (1.0 + u)
            part += sb[i] * ((t if t > 0.0 else 0.0) + log1p_unit(u))
            zb[i] = sb[i] * gb[i] * (big if t >= 0.0 else u * big)
        loss, lost = carried(loss, lost, part)
    return loss + lost


@kernel
def descend(lo, hi, x, w, b, sign, s, rows, z, g):
    """Rows lo to hi, so many at a time: their scores, `log_losses` of these, and g += their gradient; the loss.

    All in one, so that threads meet in the interpreter once, and not three times for a block.
    """
    loss = 0.0
    lost = 0.0
    for start in range(lo, hi, rows):
        stop = min(start + rows, hi)
        xb = x[start:stop]
        zb = z[: stop - start]
        scores(xb, w, b, zb)
        part = log_losses(zb, sign[start:stop], s[start:stop])
        loss, lost = carried(loss, lost, part)
        g[-1] += gather(xb, zb, g)
    return loss + lost


@kernel
def softmax_losses(z, label, s):
    """The sum of s (log sum_k e^z_k - z_label); z becomes its derivative, s (softmax(z) - 1 at the label)."""
    loss = 0.0
    lost = 0.0
    for i in range(z.shape[0]):
        row = z[i]
        c = label[i]
        m = row_maximum(row)
        away = m - row[c]
        total = exp_row(row, m, row)
        part = s[i] * (np.log(total) + away)
        loss, lost = carried(loss, lost, part)
        others = 0.0  # 1 - p_label without the subtraction
        for k in range(row.size):
            others += 0.0 if k == c else row[k]
        share = s[i] / total
        for k in range(row.size):
            row[k] *= share
        row[c] = -others * share
    return loss + lost


@kernel
def curvatures(lo, hi, z, s, c):
    """c = s p (1 - p), the second derivative of each loss."""
    zs = z[lo:hi]
    ss = s[lo:hi]
    cs = c[lo:hi]
    for i in range(zs.size):
        u = exp_nonpositive(-abs(zs[i]))
        big = 1.0 / (1.0 + u)
        cs[i] = ss[i] * u * big * big


@kernel
def probabilities(lo, hi, z, p):
    """Both classes' probabilities, neither by subtraction."""
    zs = z[lo:hi]
    ps = p[lo:hi]
    for i in range(zs.size):
        u = exp_nonpositive(-abs(zs[i]))
        big = 1.0 / (1.0 + u)
        small = u * big
        ps[i, 0] = small if zs[i] >= 0.0 else big
        ps[i, 1] = big if zs[i] >= 0.0 else small


@kernel
def softmax_rows(lo, hi, z):
    """Every row of scores becomes its probabilities."""
    for i in range(lo, hi):
        row = z[i]
        total = exp_row(row, row_maximum(row), row)
        for k in range(row.size):
            row[k] /= total
