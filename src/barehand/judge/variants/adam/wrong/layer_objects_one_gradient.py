# mistake: a layer at a time, whose biases move along the weights' gradient
import numpy as np


class Adam:
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.done = 0

    def update_layer(self, layer):
        if not hasattr(layer, "moments"):
            layer.moments = [np.zeros_like(p) for p in (layer.weights, layer.weights, layer.biases, layer.biases)]
        for place, (p, g) in enumerate(((layer.weights, layer.dweights), (layer.biases, layer.dweights))):
            m, v = layer.moments[2 * place : 2 * place + 2]
            m *= self.beta_1
            m += (1 - self.beta_1) * g
            v *= self.beta_2
            v += (1 - self.beta_2) * g**2
            t = self.done + 1
            mean, square = m / (1 - self.beta_1**t), v / (1 - self.beta_2**t)
            p -= self.learning_rate * mean / (np.sqrt(square) + self.epsilon)

    def post_update(self):
        self.done += 1
