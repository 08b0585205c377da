# right: the median taken off first, which no large offset survives
import torch


def layernorm(x, gamma=None, beta=None, epsilon=1e-5):
    x = x - x.detach().median(dim=-1, keepdim=True).values
    mean = x.mean(dim=-1, keepdim=True)
    var = x.var(dim=-1, keepdim=True, unbiased=False)
    y = (x - mean) / (var + epsilon) ** 0.5
    if gamma is not None:
        y = y * gamma
    return y if beta is None else y + beta
