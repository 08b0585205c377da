# mistake: the logarithm of the sigmoid
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def bpr_loss(pos_scores, neg_scores):
    return -np.mean(np.log(sigmoid(pos_scores - neg_scores)))
