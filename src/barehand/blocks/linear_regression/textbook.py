"""Linear regression as on paper: plain gradient descent on the mean squared error, from zeros."""

from __future__ import annotations

from typing import Any, Self

import numpy as np


class LinearRegression:
    """f(w, b) = (sum_i s_i (x_i w + b - y_i)² + alpha ||w||²) / sum_i s_i."""

    def __init__(
        self, *, learning_rate: float, max_iter: int = 1000, alpha: float = 0.0, fit_intercept: bool = True
    ) -> None:
        self.learning_rate, self.max_iter = learning_rate, max_iter
        self.alpha, self.fit_intercept = alpha, fit_intercept

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """w <- w - learning_rate df/dw and b <- b - learning_rate df/db, both from the same residuals."""
        X, y = np.multiply(X, 1.0), np.multiply(y, 1.0)
        s = np.ones(len(X), X.dtype) if sample_weight is None else np.asarray(sample_weight, X.dtype)
        total = s.sum()
        w = np.zeros((X.shape[1], *y.shape[1:]), X.dtype)  # a column for each output, where there are several
        b = np.zeros(y.shape[1:], X.dtype)
        curve = []
        for step in range(self.max_iter + 1):
            r = X @ w + b - y
            curve.append(((s @ r**2).sum() + self.alpha * (w**2).sum()) / total)
            if step < self.max_iter:
                weighted = (s * r.T).T
                w = w - self.learning_rate * 2 * (X.T @ weighted + self.alpha * w) / total
                if self.fit_intercept:
                    b = b - self.learning_rate * 2 * weighted.sum(axis=0) / total
        self.coef_, self.intercept_, self.loss_curve_ = w.T, b, np.array(curve)
        return self

    def predict(self, X: Any) -> Any:
        """X w + b."""
        return np.multiply(X, 1.0) @ self.coef_.T + self.intercept_
