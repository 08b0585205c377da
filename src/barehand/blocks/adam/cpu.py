"""Adam kernels on flat vectors of one floating type: parameters p, gradients g, running means m and v.

The means move by (1 - beta)(new - old) rather than beta old + (1 - beta) new: beta rounded to float32 would decay at a
slightly other rate, and over a thousand steps that is a hundred eps. Where less than half of the old stays, that
difference would leave the old's rounding error behind, and `stay` is beta; elsewhere it is None, and compiled away.
"""

from __future__ import annotations

import numpy as np

from barehand.core.jit import inlined, kernel
from barehand.core.numeric import maximum


@inlined
def _sloped(p, g, sign, l2):
    """The gradient of what is minimised, with its L2 term."""
    g = sign * g
    return g + l2 * p if l2 != 0 else g


@inlined
def _mean(old, new, keep, stay):
    """A running mean that takes in `keep` of the new."""
    if stay is None:
        return old + keep * (new - old)
    return stay * old + keep * new


@inlined
def _moved(p, m, second, root, eps, rate, decay):
    """p after a step of m over the root of the second moment, and after decoupled decay; 0 / 0 is no step."""
    size = np.sqrt(second) * root + eps
    step = rate * (m / size) if size != 0 else m * 0
    return p - (decay * p + step if decay != 0 else step)


@kernel
def adam(lo, hi, p, g, m, v, keep1, stay1, keep2, stay2, root, eps, rate, sign, l2, decay):
    """One step of every element: keep = 1 - beta, root = (1 - beta2^t)^-1/2, rate = lr / (1 - beta1^t)."""
    ps = p[lo:hi]
    gs = g[lo:hi]
    ms = m[lo:hi]
    vs = v[lo:hi]
    for j in range(ps.size):
        s = _sloped(ps[j], gs[j], sign, l2)
        ms[j] = _mean(ms[j], s, keep1, stay1)
        vs[j] = _mean(vs[j], s * s, keep2, stay2)
        ps[j] = _moved(ps[j], ms[j], vs[j], root, eps, rate, decay)


@kernel
def amsgrad(lo, hi, p, g, m, v, largest, keep1, stay1, keep2, stay2, root, eps, rate, sign, l2, decay):
    """The same with the largest second moment so far."""
    ps = p[lo:hi]
    gs = g[lo:hi]
    ms = m[lo:hi]
    vs = v[lo:hi]
    largests = largest[lo:hi]
    for j in range(ps.size):
        s = _sloped(ps[j], gs[j], sign, l2)
        ms[j] = _mean(ms[j], s, keep1, stay1)
        vs[j] = _mean(vs[j], s * s, keep2, stay2)
        largests[j] = maximum(largests[j], vs[j])
        ps[j] = _moved(ps[j], ms[j], largests[j], root, eps, rate, decay)
