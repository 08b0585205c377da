# right: any number of classes, a column of weights each, the softmax shifted by each row's maximum
import numpy as np


class SoftmaxRegression:
    def __init__(self, lr=0.1, epochs=300):
        self.lr = lr
        self.epochs = epochs

    def predict_proba(self, X):
        z = X @ self.W + self.b
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Y = (y[:, None] == self.classes_).astype(float)
        self.W = np.zeros((X.shape[1], len(self.classes_)))
        self.b = np.zeros(len(self.classes_))
        for _ in range(self.epochs):
            error = self.predict_proba(X) - Y
            self.W -= self.lr * X.T @ error / len(X)
            self.b -= self.lr * error.mean(axis=0)
        return self

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
