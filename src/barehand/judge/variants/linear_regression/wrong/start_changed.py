# mistake: the starting weights overwritten
import numpy as np


def gradient_descent(X, y, w, b, learning_rate=0.01, iterations=1000):
    n = len(X)
    for _ in range(iterations):
        residuals = X @ w + b - y
        w -= learning_rate * 2 / n * (X.T @ residuals)
        b -= learning_rate * 2 / n * residuals.sum()
    return w, b
