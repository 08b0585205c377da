# mistake: an epsilon inside the logarithm
import numpy as np


def focal_loss(logits, targets, alpha=0.25, gamma=2.0):
    p = 1 / (1 + np.exp(-logits))
    p_t = targets * p + (1 - targets) * (1 - p)
    alpha_t = targets * alpha + (1 - targets) * (1 - alpha)
    return (-alpha_t * (1 - p_t) ** gamma * np.log(p_t + 1e-8)).mean()
