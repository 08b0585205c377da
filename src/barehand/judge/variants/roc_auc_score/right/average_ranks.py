# right: the rank sum, ties sharing the mean of their ranks
import numpy as np


def roc_auc_score(y_true, y_score):
    y_true = np.asarray(y_true)
    _, place, counts = np.unique(y_score, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2.0)[place]
    n_pos = np.sum(y_true == 1)
    n_neg = len(y_true) - n_pos
    return (ranks[y_true == 1].sum() - n_pos * (n_pos + 1) / 2.0) / (n_pos * n_neg)
