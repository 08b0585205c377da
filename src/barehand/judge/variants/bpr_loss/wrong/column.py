# mistake: every positive against every negative
import numpy as np


def bpr_loss(user, pos_item, neg_item):
    pos = np.sum(user * pos_item, axis=1, keepdims=True)
    neg = np.sum(user * neg_item, axis=1)
    return np.logaddexp(0, neg - pos).mean()
