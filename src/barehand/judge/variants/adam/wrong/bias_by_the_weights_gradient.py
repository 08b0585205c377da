# mistake: the bias moves along the weights' gradient
import numpy as np


class Adam:
    def __init__(self, eta=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
        self.eta, self.beta1, self.beta2, self.eps = eta, beta1, beta2, eps
        self.mean = {"w": 0.0, "b": 0.0}
        self.square = {"w": 0.0, "b": 0.0}

    def _step(self, name, grad, t):
        self.mean[name] = self.beta1 * self.mean[name] + (1 - self.beta1) * grad
        self.square[name] = self.beta2 * self.square[name] + (1 - self.beta2) * grad**2
        mean = self.mean[name] / (1 - self.beta1**t)
        square = self.square[name] / (1 - self.beta2**t)
        return self.eta * mean / (np.sqrt(square) + self.eps)

    def update(self, t, w, b, dw, db):
        return w - self._step("w", dw, t), b - self._step("b", dw, t)
