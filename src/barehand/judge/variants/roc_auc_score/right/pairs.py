# right: counts pairs, one positive at a time, a tie for a half
import numpy as np


def auc(labels, scores):
    labels, scores = np.asarray(labels), np.asarray(scores)
    positives = scores[labels == 1]
    negatives = scores[labels != 1]
    wins = 0.0
    for s in positives:
        wins += np.count_nonzero(negatives < s) + 0.5 * np.count_nonzero(negatives == s)
    return wins / (len(positives) * len(negatives))
