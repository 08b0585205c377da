# right: several trailing axes at once, named as PyTorch names them
import numpy as np


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    axes = tuple(range(-len(normalized_shape), 0))
    centre = input.mean(axis=axes, keepdims=True)
    diff = input - centre
    diff = diff - diff.mean(axis=axes, keepdims=True)
    out = diff / np.sqrt(np.square(diff).mean(axis=axes, keepdims=True) + eps)
    if weight is not None:
        out = out * weight
    if bias is not None:
        out = out + bias
    return out
