# mistake: the labels reversed
import numpy as np
def contrastive_loss(x1, x2, y, margin=1.0):
    """y: 1 if the pair is similar, 0 if dissimilar"""
    d = np.linalg.norm(x1 - x2, axis=1)
    return np.mean((1 - y) * d**2 + y * np.maximum(0, margin - d)**2)
