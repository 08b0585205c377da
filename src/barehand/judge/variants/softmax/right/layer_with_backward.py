# right: a layer that remembers its output for the backward pass
import numpy as np


class Softmax:
    def __init__(self):
        self.out = None

    def forward(self, z):
        z = z - z.max(axis=1, keepdims=True)
        exp = np.exp(z)
        self.out = exp / exp.sum(axis=1, keepdims=True)
        return self.out

    def backward(self, grad):
        inner = (grad * self.out).sum(axis=1, keepdims=True)
        return self.out * (grad - inner)
