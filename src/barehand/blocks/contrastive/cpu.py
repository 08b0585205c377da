"""Contrastive kernels: a, b, da, db are (rows, n), contiguous, of one floating type; same, coef, losses (rows,).

d is the distance of a row's pair and h = margin - d what a dissimilar pair still lacks. `tiny` is where squares lose
digits to underflow.
"""

from __future__ import annotations

import numpy as np

from barehand.core.jit import kernel
from barehand.core.rows import distance, fill


@kernel
def loss_of(d, same, margin):
    """same d² + (1 - same) max(margin - d, 0)²; a term with no weight is 0 even where its square overflows."""
    h = margin - d
    return (same * d * d if same != 0.0 else 0.0) + ((1.0 - same) * h * h if h > 0.0 and same != 1.0 else 0.0)


@kernel
def forward(lo, hi, a, b, same, margin, tiny, losses):
    """The loss of each row."""
    for i in range(lo, hi):
        d = distance(a[i], b[i], tiny)
        losses[i] = loss_of(d, same[i], margin) if d == d else d


@kernel
def gradient(lo, hi, a, b, same, margin, tiny, coef, losses, da, db):
    """da = coef (2 same - 2 (1 - same) h / d) (a - b), db = -da; at d = 0 the second term is 0."""
    kind = a.dtype.type
    for i in range(lo, hi):
        ai = a[i]
        bi = b[i]
        dai = da[i]
        dbi = db[i]
        d = distance(ai, bi, tiny)
        losses[i] = loss_of(d, same[i], margin) if d == d else d
        h = margin - d
        pull = 2.0 * same[i] * coef[i]
        push = 2.0 * (1.0 - same[i]) * h * coef[i] if h > 0.0 and d > 0.0 else 0.0
        if d < tiny:  # h / d may overflow where (a - b) / d does not
            for j in range(ai.size):
                difference = np.float64(ai[j]) - bi[j]
                dai[j] = pull * difference - (push * (difference / d) if push != 0.0 else 0.0)
                dbi[j] = -dai[j]
            continue
        if pull == 0.0 and push == 0.0 and d == d:  # far apart already: 0 also where a - b overflows
            fill(dai, kind(0))
            fill(dbi, kind(0))
            continue
        c = kind(pull - push / d)
        for j in range(ai.size):
            g = c * (ai[j] - bi[j])
            dai[j] = g
            dbi[j] = -g
