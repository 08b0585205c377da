# mistake: a whole descent, along the gradient of where it began
import numpy as np


def adam(grad, x0, n_steps=1000, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    x = np.array(x0)
    mean, square = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, n_steps + 1):
        g = grad(x0)
        mean = beta1 * mean + (1 - beta1) * g
        square = beta2 * square + (1 - beta2) * g**2
        x = x - lr * (mean / (1 - beta1**t)) / (np.sqrt(square / (1 - beta2**t)) + eps)
    return x
