# mistake: uphill
import numpy as np


def train_logistic(X, y, alpha=0.1, iterations=1000):
    m = len(y)
    theta, bias = np.zeros(X.shape[1]), 0.0
    for _ in range(iterations):
        h = 1 / (1 + np.exp(-(X @ theta + bias)))
        theta -= alpha * X.T @ (y - h) / m
        bias -= alpha * np.sum(y - h) / m
    return theta, bias
