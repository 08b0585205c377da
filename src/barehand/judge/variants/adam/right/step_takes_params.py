# right: parameters come with every step, in a dictionary by name; the state is made when a name is first seen
import numpy as np


class AdamOptimizer:
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.state = {}

    def step(self, params, grads):
        for name, grad in grads.items():
            s = self.state.setdefault(name, {"t": 0, "m": 0.0, "v": 0.0})
            s["t"] += 1
            s["m"] = s["m"] + (1 - self.beta_1) * (grad - s["m"])
            s["v"] = s["v"] + (1 - self.beta_2) * (grad**2 - s["v"])
            m = s["m"] / (1 - self.beta_1 ** s["t"])
            v = s["v"] / (1 - self.beta_2 ** s["t"])
            params[name] -= self.learning_rate * m / (np.sqrt(v) + self.epsilon)
