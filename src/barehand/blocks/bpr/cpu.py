"""BPR kernels on flat vectors of one floating type: positives p, negatives n, z = p - n, u = exp(-|z|)."""

from __future__ import annotations

from barehand.core.jit import kernel
from barehand.core.numeric import exp_nonpositive, log1p_unit

BLOCK = 4096  # losses summed in the scores' own type before the sum moves to float64


@kernel
def total(lo, hi, p, n):
    """The sum of log(1 + exp(-z))."""
    zero = p.dtype.type(0)
    loss = 0.0
    for start in range(lo, hi, BLOCK):
        pb = p[start : min(start + BLOCK, hi)]
        nb = n[start : min(start + BLOCK, hi)]
        s = zero
        for j in range(pb.size):
            z = pb[j] - nb[j]
            s += (-z if z < zero else zero) + log1p_unit(exp_nonpositive(-abs(z)))
        loss += s
    return loss


@kernel
def each(lo, hi, p, n, losses):
    """Every loss by itself."""
    zero = p.dtype.type(0)
    ps = p[lo:hi]
    ns = n[lo:hi]
    ls = losses[lo:hi]
    for j in range(ps.size):
        z = ps[j] - ns[j]
        ls[j] = (-z if z < zero else zero) + log1p_unit(exp_nonpositive(-abs(z)))


@kernel
def gradient(lo, hi, p, n, scale, dp, dn):
    """dn = scale sigmoid(-z), and dp = -dn unless dp is empty; the sum of the losses comes along."""
    zero = p.dtype.type(0)
    one = p.dtype.type(1)
    loss = 0.0
    for start in range(lo, hi, BLOCK):
        pb = p[start : min(start + BLOCK, hi)]
        nb = n[start : min(start + BLOCK, hi)]
        dnb = dn[start : min(start + BLOCK, hi)]
        s = zero
        for j in range(pb.size):
            z = pb[j] - nb[j]
            u = exp_nonpositive(-abs(z))
            s += (-z if z < zero else zero) + log1p_unit(u)
            big = one / (one + u)
            dnb[j] = scale * (u * big if z >= zero else big)
        loss += s
        if dp.size > 0:
            dpb = dp[start : min(start + BLOCK, hi)]
            for j in range(dpb.size):
                dpb[j] = -dnb[j]
    return loss
