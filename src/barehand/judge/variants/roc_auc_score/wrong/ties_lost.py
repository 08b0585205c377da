# mistake: ties count nothing
import numpy as np


def auc(labels, scores):
    pos = [s for s, y in zip(scores, labels) if y == 1]
    neg = np.array([s for s, y in zip(scores, labels) if y == 0])
    count = 0
    for p in pos:
        count += np.sum(p > neg)
    return count / (len(pos) * len(neg))
