# right: the labels of the paper, which the docstring says
import numpy as np


def contrastive_loss(x1, x2, y, margin=1.0):
    """Hadsell, Chopra and LeCun: y = 0 for a similar pair, y = 1 for a dissimilar one; half the sum, averaged."""
    d = np.linalg.norm(x1 - x2, axis=1)
    losses = np.where(y == 0, d, np.maximum(margin - d, 0)) ** 2
    return 0.5 * losses.mean()
