# right: from logits, everything through log-sigmoids
import numpy as np


def log_sigmoid(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def focal_loss(logits, targets, alpha=0.25, gamma=2.0):
    s = np.where(targets == 1, logits, -logits)
    weight = np.where(targets == 1, alpha, 1 - alpha)
    return np.mean(-weight * np.exp(gamma * log_sigmoid(-s)) * log_sigmoid(s))
