# mistake: inf over inf in the sigmoid
import numpy as np


def sigmoid(z):
    return np.exp(z) / (1 + np.exp(z))


class LogisticRegressionGD:
    def __init__(self, lr=0.1, n_iters=1000):
        self.lr = lr
        self.n_iters = n_iters

    def fit(self, X, y):
        n, d = X.shape
        self.w, self.b = np.zeros(d), 0.0
        for _ in range(self.n_iters):
            p = sigmoid(X @ self.w + self.b)
            self.w = self.w - self.lr * X.T @ (p - y) / n
            self.b = self.b - self.lr * np.mean(p - y)
        return self

    def predict_proba(self, X):
        return sigmoid(X @ self.w + self.b)

    def predict(self, X):
        return (self.predict_proba(X) > 0.5).astype(int)
