# mistake: alpha inverted
import numpy as np


def focal_loss(y_true, y_pred, alpha=0.25, gamma=2.0):
    p_t = np.where(y_true == 1, y_pred, 1 - y_pred)
    alpha_t = np.where(y_true == 1, 1 - alpha, alpha)
    return np.mean(-alpha_t * (1 - p_t) ** gamma * np.log(p_t))
