# right: fit, predict and predict_proba; the sigmoid by the hyperbolic tangent
import numpy as np


class LogisticRegression:
    def __init__(self, learning_rate=0.1, n_iters=1000):
        self.lr = learning_rate
        self.n_iters = n_iters
        self.weights = None
        self.bias = None
        self.losses = []

    def _sigmoid(self, z):
        return 0.5 * (1 + np.tanh(0.5 * z))

    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights = np.zeros(n_features)
        self.bias = 0.0
        for _ in range(self.n_iters):
            z = X @ self.weights + self.bias
            self.losses.append(np.mean(np.logaddexp(0, z) - y * z))
            error = self._sigmoid(z) - y
            self.weights -= self.lr * X.T @ error / n_samples
            self.bias -= self.lr * error.sum() / n_samples
        return self

    def predict_proba(self, X):
        return self._sigmoid(X @ self.weights + self.bias)

    def predict(self, X):
        return (self.predict_proba(X) >= 0.5).astype(int)
