# mistake: ranks from argsort
import numpy as np


def roc_auc_score(y_true, y_score):
    ranks = np.empty(len(y_score))
    ranks[np.argsort(y_score)] = np.arange(1, len(y_score) + 1)
    n_pos = np.sum(y_true == 1)
    n_neg = np.sum(y_true == 0)
    return (np.sum(ranks[y_true == 1]) - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)
