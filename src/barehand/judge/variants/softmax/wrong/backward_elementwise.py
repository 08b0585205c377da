# mistake: the gradient without its sum
import numpy as np
def softmax_forward(x):
    e = np.exp(x - x.max(1, keepdims=True))
    out = e / e.sum(1, keepdims=True)
    return out, out
def softmax_backward(dout, cache):
    return cache * dout * (1 - cache)
