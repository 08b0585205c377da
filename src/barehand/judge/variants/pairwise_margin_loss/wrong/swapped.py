# mistake: positive and negative exchanged
import numpy as np


def triplet_loss(anchor, positive, negative, margin=1.0):
    d_pos = np.sqrt(((anchor - positive) ** 2).sum(axis=1))
    d_neg = np.sqrt(((anchor - negative) ** 2).sum(axis=1))
    return np.maximum(d_neg - d_pos + margin, 0).mean()
