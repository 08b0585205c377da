# mistake: E[x²] - E[x]² for the variance
import numpy as np


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=0)
    var = (x * x).mean(axis=0) - mu * mu
    x_norm = (x - mu) / np.sqrt(var + eps)
    return gamma * x_norm + beta
