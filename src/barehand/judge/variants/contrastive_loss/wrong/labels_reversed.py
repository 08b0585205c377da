# mistake: the labels reversed
import numpy as np


def contrastive_loss(x1, x2, same, margin=1.0):
    d = np.sqrt(((x1 - x2) ** 2).sum(axis=1))
    loss = (1 - same) * d**2 + same * np.maximum(margin - d, 0) ** 2
    return loss.mean()
