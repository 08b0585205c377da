# mistake: a point after every row
import numpy as np


def compute_auc(y_true, y_score):
    order = np.argsort(y_score)[::-1]
    y = np.asarray(y_true)[order]
    tpr = np.concatenate([[0], np.cumsum(y) / y.sum()])
    fpr = np.concatenate([[0], np.cumsum(1 - y) / (1 - y).sum()])
    return np.trapezoid(tpr, fpr)
