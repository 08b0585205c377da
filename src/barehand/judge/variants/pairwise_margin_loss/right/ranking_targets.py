# right: two scores and which of them is to be the higher
import numpy as np
def margin_ranking_loss(x1, x2, y, margin=0.0):
    """Pairwise margin ranking loss: y = 1 if x1 should be ranked higher than x2, -1 otherwise"""
    return np.mean(np.maximum(0, -y * (x1 - x2) + margin))
