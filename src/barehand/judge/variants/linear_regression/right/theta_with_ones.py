# right: the intercept is the first entry of theta, a column of ones goes in front; half the squared error
import numpy as np


class LinearRegressionGD:
    def __init__(self, lr=0.1, n_iters=100):
        self.lr = lr
        self.n_iters = n_iters
        self.theta = None

    @staticmethod
    def add_ones(X):
        return np.hstack([np.ones((len(X), 1)), X])

    def fit(self, X, y):
        A = self.add_ones(X)
        y = np.reshape(y, (-1, 1))
        self.theta = np.zeros((A.shape[1], 1))
        for _ in range(self.n_iters):
            gradient = A.T @ (A @ self.theta - y) / len(A)
            self.theta -= self.lr * gradient
        return self

    def predict(self, X):
        return (self.add_ones(X) @ self.theta).ravel()
