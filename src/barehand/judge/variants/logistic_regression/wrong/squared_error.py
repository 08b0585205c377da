# mistake: the gradient of the squared error
import numpy as np


class LogisticRegression:
    def __init__(self, lr=0.1, n_iter=1000):
        self.lr = lr
        self.n_iter = n_iter

    def sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def fit(self, X, y):
        self.w = np.zeros(X.shape[1])
        self.b = 0.0
        for _ in range(self.n_iter):
            p = self.sigmoid(X @ self.w + self.b)
            delta = (p - y) * p * (1 - p)
            self.w -= self.lr * X.T @ delta / len(y)
            self.b -= self.lr * delta.mean()
        return self

    def predict_proba(self, X):
        return self.sigmoid(X @ self.w + self.b)

    def predict(self, X):
        return (self.predict_proba(X) > 0.5).astype(int)
