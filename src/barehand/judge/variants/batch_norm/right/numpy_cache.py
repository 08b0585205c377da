# right: the course's form, a cache for the backward pass; the state in a dictionary, its running variance biased
import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.1)
    running_mean = bn_param.get("running_mean", np.zeros(x.shape[1], dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(x.shape[1], dtype=x.dtype))
    if mode == "train":
        mu = np.mean(x, axis=0)
        xc = x - mu
        xc = xc - np.mean(xc, axis=0)
        var = np.mean(xc * xc, axis=0)
        std = np.sqrt(var + eps)
        xhat = xc / std
        running_mean = (1 - momentum) * running_mean + momentum * mu
        running_var = (1 - momentum) * running_var + momentum * var
        cache = (xhat, std, gamma)
    else:
        xhat = (x - running_mean) / np.sqrt(running_var + eps)
        cache = None
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return gamma * xhat + beta, cache


def batchnorm_backward(dout, cache):
    xhat, std, gamma = cache
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    h = dout * gamma
    dx = (h - h.mean(axis=0) - xhat * (h * xhat).mean(axis=0)) / std
    return dx, dgamma, dbeta
