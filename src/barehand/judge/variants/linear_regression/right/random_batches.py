# right: a random part of the rows each step, every row once an epoch
import numpy as np


class SGDRegressor:
    def __init__(self, lr=0.05, epochs=200, batch_size=16, seed=0):
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.rng = np.random.default_rng(seed)

    def fit(self, X, y):
        self.w = np.zeros(X.shape[1])
        self.b = 0.0
        for epoch in range(self.epochs):
            order = self.rng.permutation(len(X))
            rate = self.lr / (1 + 0.05 * epoch)
            for start in range(0, len(X), self.batch_size):
                rows = order[start : start + self.batch_size]
                error = X[rows] @ self.w + self.b - y[rows]
                self.w -= rate * 2 * X[rows].T @ error / len(rows)
                self.b -= rate * 2 * error.mean()
        return self

    def predict(self, X):
        return X @ self.w + self.b
