# mistake: statistics within each sample
import numpy as np


def batch_norm(x, gamma, beta, eps=1e-5):
    d = x - x.mean(axis=1, keepdims=True)
    d = d - d.mean(axis=1, keepdims=True)
    return gamma * d / np.sqrt((d**2).mean(axis=1, keepdims=True) + eps) + beta
