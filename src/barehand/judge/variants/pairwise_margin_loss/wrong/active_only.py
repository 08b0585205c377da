# mistake: the mean over the active rows
import numpy as np


def pairwise_margin_loss(anchor, positive, negative, margin=1.0):
    d_pos = np.linalg.norm(anchor - positive, axis=-1)
    d_neg = np.linalg.norm(anchor - negative, axis=-1)
    losses = np.maximum(d_pos - d_neg + margin, 0)
    return losses.sum() / np.count_nonzero(losses)
