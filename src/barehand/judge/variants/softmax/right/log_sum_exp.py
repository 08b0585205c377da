# right: no division, the logarithm of the sum is subtracted inside the exponential
import numpy as np


def log_sum_exp(d):
    return np.log(np.exp(d).sum(axis=-1, keepdims=True))


def softmax(scores):
    d = scores - scores.max(axis=-1, keepdims=True)
    return np.exp(d - log_sum_exp(d))
