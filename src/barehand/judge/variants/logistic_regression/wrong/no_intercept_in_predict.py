# mistake: the intercept forgotten in predict
import numpy as np


class LogisticRegressionGD:
    def __init__(self, lr=0.1, epochs=500):
        self.lr, self.epochs = lr, epochs

    def fit(self, X, y):
        A = np.hstack([X, np.ones((len(X), 1))])
        theta = np.zeros(A.shape[1])
        for _ in range(self.epochs):
            p = 1 / (1 + np.exp(-A @ theta))
            theta -= self.lr * A.T @ (p - y) / len(y)
        self.theta = theta
        return self

    def predict_proba(self, X):
        return 1 / (1 + np.exp(-X @ self.theta[:-1]))

    def predict(self, X):
        return (self.predict_proba(X) >= 0.5).astype(int)
