# right: (N, C), running statistics kept by the object, the running variance unbiased
import numpy as np


class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.gamma = np.ones(num_features)
        self.beta = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)

    def forward(self, x, training=True):
        if training:
            mean = x.mean(axis=0)
            centred = x - mean
            centred = centred - centred.mean(axis=0)
            var = (centred**2).mean(axis=0)
            n = len(x)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var * n / (n - 1)
        else:
            centred = x - self.running_mean
            var = self.running_var
        return self.gamma * centred / np.sqrt(var + self.eps) + self.beta
