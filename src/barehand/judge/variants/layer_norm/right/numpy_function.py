# right: what rounding left of the mean is subtracted a second time
import numpy as np


def layer_norm(x, gamma, beta, eps=1e-5):
    d = x - x.mean(axis=-1, keepdims=True)
    d = d - d.mean(axis=-1, keepdims=True)
    var = (d * d).mean(axis=-1, keepdims=True)
    return gamma * d / np.sqrt(var + eps) + beta
