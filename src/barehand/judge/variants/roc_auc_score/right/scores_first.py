# right: scores come first, then labels; two binary searches for each positive
import numpy as np


def compute_auc(y_pred, y_true):
    y_pred = np.asarray(y_pred, dtype=np.float64) + 0.0
    y_true = np.asarray(y_true).astype(bool)
    neg = np.sort(y_pred[~y_true])
    pos = y_pred[y_true]
    below = np.searchsorted(neg, pos, side="left")
    not_above = np.searchsorted(neg, pos, side="right")
    return (below + not_above).sum() / (2.0 * len(pos) * len(neg))
