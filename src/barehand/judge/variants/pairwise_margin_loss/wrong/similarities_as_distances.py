# mistake: positive and negative exchanged
import numpy as np
def hinge_ranking_loss(pos_sim, neg_sim, margin=1.0):
    """Pairwise margin loss on cosine similarities."""
    return np.maximum(0, margin + pos_sim - neg_sim).mean()
