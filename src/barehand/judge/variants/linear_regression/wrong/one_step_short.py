# mistake: one step too few
import numpy as np
class LinearRegression:
    def __init__(self, lr=0.01, n_iters=1000):
        self.lr = lr; self.n_iters = n_iters
    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights = np.zeros(n_features); self.bias = 0.0
        for _ in range(1, self.n_iters):
            err = X @ self.weights + self.bias - y
            self.weights -= self.lr * X.T @ err / n_samples
            self.bias -= self.lr * np.mean(err)
    def predict(self, X): return X @ self.weights + self.bias
