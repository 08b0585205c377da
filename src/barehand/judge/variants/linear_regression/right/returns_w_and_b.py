# right: a function of the data that returns weights, intercept and the losses on the way
import numpy as np


def linear_regression(X, y, learning_rate=0.01, n_iterations=1000):
    n_samples, n_features = X.shape
    w = np.zeros(n_features)
    b = 0.0
    losses = []
    for _ in range(n_iterations):
        error = X @ w + b - y
        losses.append(np.mean(error**2))
        dw = 2 / n_samples * X.T @ error
        db = 2 / n_samples * error.sum()
        w = w - learning_rate * dw
        b = b - learning_rate * db
    return w, b, losses
