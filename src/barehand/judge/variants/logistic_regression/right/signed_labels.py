# right: labels are -1 and 1, the gradient is that of log(1 + exp(-y z))
import numpy as np


def fit_logistic(X, y, learning_rate=0.1, iterations=500):
    """y holds -1 and 1."""
    w = np.zeros(X.shape[1])
    b = 0.0
    for _ in range(iterations):
        margin = y * (X @ w + b)
        e = np.exp(-np.abs(margin))
        slope = -y * np.where(margin >= 0, e, 1.0) / (1.0 + e)
        w, b = w - learning_rate * X.T @ slope / len(y), b - learning_rate * slope.mean()
    return w, b
