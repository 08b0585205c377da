# mistake: one maximum for all slices
import numpy as np


class Softmax:
    def forward(self, x):
        e = np.exp(x - np.max(x))
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dy):
        return self.y * (dy - np.sum(dy * self.y, axis=-1, keepdims=True))
