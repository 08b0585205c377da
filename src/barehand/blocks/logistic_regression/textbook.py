"""Logistic regression as on paper: plain gradient descent on the mean log loss, from zeros."""

from __future__ import annotations

from typing import Any, Self

import numpy as np


class LogisticRegression:
    """f(w, b) = (sum_i s_i loss_i + ||w||² / (2 C)) / sum_i s_i.

    loss_i = -log p_i(class of row i), with p from the sigmoid of x_i w + b for two classes, and from the softmax over
    one column of w a class for more.
    """

    def __init__(
        self, *, C: float = 1.0, learning_rate: float, max_iter: int = 1000, fit_intercept: bool = True
    ) -> None:
        self.C, self.learning_rate, self.max_iter, self.fit_intercept = C, learning_rate, max_iter, fit_intercept

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """w <- w - learning_rate df/dw and b <- b - learning_rate df/db, both from the same probabilities."""
        X = np.multiply(X, 1.0)
        s = np.ones(len(X), X.dtype) if sample_weight is None else np.asarray(sample_weight, X.dtype)
        self.classes_, label = np.unique(y, return_inverse=True)
        outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        total = s.sum()
        w, b = np.zeros((X.shape[1], outputs), X.dtype), np.zeros(outputs, X.dtype)
        curve = []
        for step in range(self.max_iter + 1):
            losses, slopes = self._binary(X @ w + b, label) if outputs == 1 else self._softmax(X @ w + b, label)
            curve.append((s @ losses + (w**2).sum() / (2 * self.C)) / total)
            if step < self.max_iter:
                weighted = s[:, None] * slopes
                w = w - self.learning_rate * (X.T @ weighted + w / self.C) / total
                if self.fit_intercept:
                    b = b - self.learning_rate * weighted.sum(axis=0) / total
        self.coef_, self.intercept_, self.loss_curve_ = w.T, b, np.array(curve)
        return self

    @staticmethod
    def _binary(z: Any, label: Any) -> tuple[Any, Any]:
        """log(1 + e^t) with t = ±z in favour of the wrong class, and its derivative ±sigmoid(t)."""
        sign = np.where(label == 1, -1, 1).astype(z.dtype)[:, None]
        t = sign * z
        with np.errstate(over="ignore"):
            return np.logaddexp(0, t)[:, 0], sign / (1 + np.exp(-t))

    @staticmethod
    def _softmax(z: Any, label: Any) -> tuple[Any, Any]:
        """log sum_k e^z_k - z_label, and its derivative softmax(z) - 1 at the label."""
        z = z - z.max(axis=1, keepdims=True)
        e = np.exp(z)
        rows = np.arange(len(z))
        slopes = e / e.sum(axis=1, keepdims=True)
        slopes[rows, label] -= 1
        return np.log(e.sum(axis=1)) - z[rows, label], slopes

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class."""
        z = np.multiply(X, 1.0) @ self.coef_.T + self.intercept_
        if z.shape[1] == 1:
            z = np.concatenate([-z, z], axis=1) / 2  # e^z / (1 + e^z) = e^(z/2) / (e^(z/2) + e^(-z/2))
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:
        """The likeliest class."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
