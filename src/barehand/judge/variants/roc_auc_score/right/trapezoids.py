# right: the area under the curve, a point for each distinct score and (0, 0) in front
import numpy as np


def roc_auc(y, score):
    order = np.argsort(score)[::-1]
    y, score = np.asarray(y)[order], np.asarray(score)[order]
    ends = np.append(np.flatnonzero(score[1:] != score[:-1]), len(score) - 1)
    tp = np.append(0, np.cumsum(y)[ends])
    fp = np.append(0, ends + 1) - tp
    tpr, fpr = tp / tp[-1], fp / fp[-1]
    return np.sum((fpr[1:] - fpr[:-1]) * (tpr[1:] + tpr[:-1]) / 2)
