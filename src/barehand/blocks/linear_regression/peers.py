"""What people use today for linear regression by gradient descent, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from barehand.core.spec import Peer


class _Dressed:
    """What `steps_on` finds, (columns + 1, outputs) with the intercepts at the end, in the shape of y."""

    def __init__(self, *, learning_rate: float, max_iter: int, alpha: float = 0.0, fit_intercept: bool = True) -> None:
        self.rate, self.steps, self.alpha, self.intercept = learning_rate, max_iter, alpha, fit_intercept

    def steps_on(self, X: Any, y: Any, sample_weight: Any) -> Any:
        raise NotImplementedError

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        theta, self.loss_curve_ = self.steps_on(X, y, sample_weight)
        self.coef_, self.intercept_ = theta[:-1].T, theta[-1]
        if y.ndim == 1:
            self.coef_, self.intercept_ = self.coef_[0], self.intercept_[0]
        return self

    def predict(self, X: Any) -> Any:
        return X @ self.coef_.T + self.intercept_


def _numpy() -> Callable[..., Any]:
    import numpy as np

    class Loop(_Dressed):
        """The intercept as a last column of ones, both parts of the gradient in one product."""

        def steps_on(self, X: Any, y: Any, sample_weight: Any) -> Any:
            X = np.column_stack([X, np.full(len(X), self.intercept)]).astype(np.result_type(X, 1.0), copy=False)
            y = np.asarray(y, X.dtype).reshape(len(X), -1)
            s = np.ones((len(X), 1)) if sample_weight is None else np.asarray(sample_weight, X.dtype)[:, None]
            s = (s / s.sum()).astype(X.dtype)
            share = self.alpha / (len(X) if sample_weight is None else np.sum(sample_weight))
            penalty = np.full((X.shape[1], 1), share, X.dtype)
            penalty[-1] = 0
            theta = np.zeros((X.shape[1], y.shape[1]), X.dtype)
            curve = []
            for _ in range(self.steps):
                r = X @ theta - y
                curve.append((s * r * r).sum() + (penalty * theta * theta).sum())
                theta -= X.dtype.type(2 * self.rate) * (X.T @ (s * r) + penalty * theta)
            r = X @ theta - y
            curve.append((s * r * r).sum() + (penalty * theta * theta).sum())
            return theta, np.array(curve)

    return Loop


def _torch() -> Callable[..., Any]:
    import numpy as np
    import torch

    class Autograd(_Dressed):
        """A linear layer, the loss by autograd, the steps by torch.optim.SGD."""

        def steps_on(self, X: Any, y: Any, sample_weight: Any) -> Any:
            x = torch.from_numpy(np.array(X, np.result_type(X, 1.0)))
            target = torch.from_numpy(np.array(y)).to(x.dtype).reshape(len(x), -1)
            s = torch.ones(len(x), dtype=x.dtype)
            if sample_weight is not None:
                s = torch.from_numpy(np.array(sample_weight)).to(x.dtype)
            layer = torch.nn.Linear(x.shape[1], target.shape[1], bias=self.intercept, dtype=x.dtype)
            for parameter in layer.parameters():
                torch.nn.init.zeros_(parameter)
            optimizer = torch.optim.SGD(layer.parameters(), lr=self.rate)
            curve = []
            for step in range(self.steps + 1):
                optimizer.zero_grad()
                squares = torch.square(layer(x) - target).sum(dim=1)
                loss = (torch.dot(s, squares) + self.alpha * layer.weight.square().sum()) / s.sum()
                curve.append(loss.item())
                if step < self.steps:
                    torch.autograd.backward(loss)
                    optimizer.step()
            bias = layer.bias if self.intercept else torch.zeros(target.shape[1], dtype=x.dtype)
            return torch.vstack([layer.weight.T, bias[None]]).detach().numpy(), np.array(curve)

    return Autograd


def _sklearn() -> Callable[..., Any]:
    from sklearn.linear_model import LinearRegression

    return LinearRegression  # type: ignore[no-any-return]


PEERS = {
    "LinearRegression": (
        Peer("a NumPy loop", "numpy", _numpy),
        Peer("torch autograd with torch.optim.SGD", "torch", _torch),
        Peer("scikit-learn", "sklearn", _sklearn, only_timed=("1e6x50, least squares, float64",)),
    ),
}
