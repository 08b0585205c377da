# right: one call that is stable on both sides
import numpy as np


def bpr_loss(pos_scores, neg_scores):
    return np.logaddexp(0, neg_scores - pos_scores).mean()
