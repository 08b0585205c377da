# right: a loss for every pair, labels may be shares between 0 and 1
import numpy as np


def contrastive(z1, z2, similar, margin=1.0, reduction="none"):
    d = np.hypot.reduce(z1 - z2, axis=-1)
    s = np.asarray(similar, dtype=d.dtype)
    with np.errstate(over="ignore"):
        pull = np.where(s > 0, s * np.where(s > 0, d, 0) ** 2, 0)
    losses = pull + (1 - s) * np.clip(margin - d, 0, None) ** 2
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()
