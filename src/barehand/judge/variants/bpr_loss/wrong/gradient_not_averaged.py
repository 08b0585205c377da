# mistake: the gradient not divided by the mean's divisor
import numpy as np
class BPRLoss:
    def forward(self, pos, neg):
        self.x = pos - neg
        return np.mean(np.logaddexp(0, -self.x))
    def backward(self):
        g = -0.5 * (1 - np.tanh(self.x / 2))
        return g, -g
