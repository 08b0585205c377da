# right: a layer that keeps the probabilities for its backward pass
import numpy as np


class SoftmaxCrossEntropy:
    def __init__(self):
        self.p = None
        self.t = None

    def forward(self, x, t):
        x = x - x.max(axis=1, keepdims=True)
        e = np.exp(x)
        total = e.sum(axis=1, keepdims=True)
        self.p, self.t = e / total, t
        return np.mean(np.log(total[:, 0]) - x[np.arange(len(t)), t])

    def backward(self, dout=1.0):
        dx = self.p.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dout * dx / len(self.t)
