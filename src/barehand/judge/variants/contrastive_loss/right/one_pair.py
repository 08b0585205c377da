# right: one pair of vectors
import numpy as np
def contrastive_loss(x1, x2, y, margin=1.0):
    """one pair of vectors; y=1 when similar"""
    d = np.linalg.norm(np.asarray(x1) - np.asarray(x2))
    return y * d**2 + (1 - y) * max(0, margin - d)**2
