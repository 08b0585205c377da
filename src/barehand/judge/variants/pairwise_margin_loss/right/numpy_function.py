# right: nothing odd, distances in double precision
import numpy as np


def pairwise_margin_loss(anchor, positive, negative, margin=1.0):
    d_pos = np.linalg.norm((anchor - positive).astype(np.float64), axis=1)
    d_neg = np.linalg.norm((anchor - negative).astype(np.float64), axis=1)
    return np.maximum(d_pos - d_neg + margin, 0).mean()
