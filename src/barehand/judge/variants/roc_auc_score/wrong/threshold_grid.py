# mistake: a grid of 100 thresholds
import numpy as np


class AUC:
    def __init__(self, num_thresholds=100):
        self.num_thresholds = num_thresholds

    def __call__(self, y_true, y_score):
        thresholds = np.linspace(y_score.min() - 1e-7, y_score.max() + 1e-7, self.num_thresholds)
        tpr, fpr = [], []
        for t in thresholds:
            predicted = y_score >= t
            tpr.append((predicted & (y_true == 1)).sum() / (y_true == 1).sum())
            fpr.append((predicted & (y_true == 0)).sum() / (y_true == 0).sum())
        tpr, fpr = np.array(tpr[::-1]), np.array(fpr[::-1])
        return np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2)
