# mistake: n - p for p - n
import numpy as np


class BPRLoss:
    def __call__(self, pos, neg):
        return np.mean(np.logaddexp(0, pos - neg))
