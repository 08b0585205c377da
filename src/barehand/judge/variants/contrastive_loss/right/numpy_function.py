# right: nothing odd, 1 for a similar pair
import numpy as np


def contrastive_loss(x1, x2, y, margin=1.0):
    diff = x1 - x2
    squared = np.sum(diff**2, axis=1)
    d = np.sqrt(squared)
    hinge = np.maximum(margin - d, 0)
    return np.mean(np.where(y == 1, squared, hinge**2))
