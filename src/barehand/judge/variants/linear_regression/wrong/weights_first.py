# mistake: the intercept moved after the weights
import numpy as np


def gradient_descent(X, y, w, b, alpha, num_iters):
    m = len(y)
    for _ in range(num_iters):
        w = w - alpha * (2 / m) * X.T @ (X @ w + b - y)
        b = b - alpha * (2 / m) * np.sum(X @ w + b - y)
    return w, b
