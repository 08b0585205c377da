# right: tensors throughout, gradients by hand, a random part of the rows if a batch size is given
import torch


class LogisticRegression:
    def __init__(self, lr=0.1, epochs=100, batch_size=None):
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size

    @torch.no_grad()
    def fit(self, X, y):
        y = y.to(X.dtype)
        self.w = X.new_zeros(X.shape[1])
        self.b = X.new_zeros(())
        for _ in range(self.epochs):
            rows = torch.arange(len(X))
            if self.batch_size is not None:
                rows = torch.randperm(len(X))[: self.batch_size]
            delta = torch.sigmoid(X[rows] @ self.w + self.b) - y[rows]
            self.w -= self.lr * (X[rows].T @ delta) / len(rows)
            self.b -= self.lr * delta.mean()
        return self

    def predict_proba(self, X):
        return torch.sigmoid(X @ self.w + self.b)

    def predict(self, X):
        return (self.predict_proba(X) > 0.5).long()
