# right: from probabilities, labels first; a certain mistake costs infinity
import numpy as np


def focal_loss(y_true, y_prob, gamma=2.0, alpha=0.25):
    positive = y_true == 1
    p_t = np.where(positive, y_prob, 1 - y_prob)
    rest = np.where(positive, 1 - y_prob, y_prob)
    alpha_t = np.where(positive, alpha, 1 - alpha)
    with np.errstate(divide="ignore"):
        return np.mean(alpha_t * rest**gamma * -np.log(p_t))
