"""The squared error on scores z of one output or several, targets y and row weights s."""

from __future__ import annotations

from barehand.core.jit import kernel
from barehand.core.numeric import minus_in_turn

BLOCK = 64  # squares added up plainly; from block to block what rounds off is carried along


@kernel
def squares(z, y, s):
    """The sum of s (z - y)²; z becomes its derivative, 2 s (z - y)."""
    zs = z.reshape(-1)
    ys = y.reshape(-1)
    outputs = zs.size // max(s.size, 1)
    loss = 0.0
    lost = 0.0
    for start in range(0, zs.size, BLOCK):
        zb = zs[start : start + BLOCK]
        yb = ys[start : start + BLOCK]
        part = 0.0
        if outputs == 1:
            sb = s[start : start + BLOCK]
            for i in range(zb.size):
                r = zb[i] - yb[i]
                t = sb[i] * r
                part += t * r
                zb[i] = t + t
        else:
            for i in range(zb.size):
                r = zb[i] - yb[i]
                t = s[(start + i) // outputs] * r
                part += t * r
                zb[i] = t + t
        total = loss + part
        lost += minus_in_turn(loss, total, -part)
        loss = total
    return loss + lost
