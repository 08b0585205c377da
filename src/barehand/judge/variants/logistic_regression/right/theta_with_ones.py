# right: the intercept is the last entry of theta, in fit and in predict alike
import numpy as np


def hypothesis(theta, A):
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-(A @ theta)))


class LogisticRegressionGD:
    def __init__(self, eta=0.1, epochs=500):
        self.eta, self.epochs = eta, epochs

    def fit(self, X, y):
        A = np.c_[X, np.ones(len(X))]
        self.theta = np.zeros(A.shape[1])
        for _ in range(self.epochs):
            self.theta = self.theta + self.eta * A.T @ (y - hypothesis(self.theta, A)) / len(A)
        return self

    def predict_proba(self, X):
        return hypothesis(self.theta, np.c_[X, np.ones(len(X))])

    def predict(self, X):
        return (self.predict_proba(X) > 0.5) * 1
