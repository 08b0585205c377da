# right: a metric that collects batches and computes at the end
import numpy as np


class AUC:
    def __init__(self):
        self.reset()

    def reset(self):
        self.labels, self.scores = [], []

    def update(self, labels, scores):
        self.labels.extend(np.ravel(labels).tolist())
        self.scores.extend(np.ravel(scores).tolist())

    def compute(self):
        y, s = np.array(self.labels), np.array(self.scores)
        order = s.argsort()
        y, s = y[order], s[order]
        starts = np.flatnonzero(np.append(True, s[1:] != s[:-1]))
        pos = np.add.reduceat((y == 1).astype(float), starts)
        neg = np.add.reduceat((y != 1).astype(float), starts)
        below = np.cumsum(neg) - neg
        return float((pos * (below + 0.5 * neg)).sum() / (pos.sum() * neg.sum()))
