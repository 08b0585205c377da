# right: one triplet
import numpy as np
def triplet_loss(a, p, n, margin=1.0):
    """Triplet loss for one triplet of embeddings."""
    return max(np.linalg.norm(a - p) - np.linalg.norm(a - n) + margin, 0.0)
