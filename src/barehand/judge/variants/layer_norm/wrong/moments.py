# mistake: E[x²] - E[x]² for the variance
import numpy as np


class LayerNorm:
    def __init__(self, features, eps=1e-5):
        self.a = np.ones(features)
        self.b = np.zeros(features)
        self.eps = eps

    def __call__(self, x):
        mean = np.mean(x, axis=-1, keepdims=True)
        mean_of_squares = np.mean(x**2, axis=-1, keepdims=True)
        var = mean_of_squares - mean**2
        return self.a * (x - mean) / np.sqrt(var + self.eps) + self.b
