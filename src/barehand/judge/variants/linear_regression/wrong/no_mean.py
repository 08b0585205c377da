# mistake: the sum for the mean in the gradient
import numpy as np


def linear_regression(X, y, lr=0.001, n_iters=1000):
    w = np.zeros(X.shape[1])
    b = 0.0
    for _ in range(n_iters):
        error = X @ w + b - y
        w -= lr * 2 * X.T @ error
        b -= lr * 2 * error.sum()
    return w, b
