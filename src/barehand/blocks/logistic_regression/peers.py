"""What people use today for logistic regression by gradient descent, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from barehand.core.spec import Peer


class _Dressed:
    """What `steps_on` finds, (columns + 1, outputs) with the intercepts at the end, and probabilities from it."""

    def __init__(self, *, C: float = 1.0, learning_rate: float, max_iter: int, fit_intercept: bool = True) -> None:
        self.C, self.rate, self.steps, self.intercept = C, learning_rate, max_iter, fit_intercept

    def steps_on(self, X: Any, label: Any, sample_weight: Any, outputs: int) -> Any:
        raise NotImplementedError

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        import numpy as np

        self.classes_, label = np.unique(y, return_inverse=True)
        X = np.array(X, np.result_type(X, 1.0))
        s = np.ones(len(X), X.dtype) if sample_weight is None else np.array(sample_weight, X.dtype)
        two = len(self.classes_) == 2
        theta, self.loss_curve_ = self.steps_on(X, label, s, 1 if two else len(self.classes_))
        self.coef_, self.intercept_ = theta[:-1].T, theta[-1]
        return self

    def predict_proba(self, X: Any) -> Any:
        import numpy as np
        from scipy import special

        z = np.multiply(X, 1.0) @ self.coef_.T + self.intercept_
        if z.shape[1] == 1:
            return special.expit(np.concatenate([-z, z], axis=1))
        return special.softmax(z, axis=1)


def _scipy() -> Callable[..., Any]:
    import numpy as np
    from scipy import special

    class Loop(_Dressed):
        """The intercept as a last column of ones; expit, log_expit and log_softmax from scipy.special."""

        def steps_on(self, X: Any, label: Any, sample_weight: Any, outputs: int) -> Any:
            X = np.column_stack([X, np.full(len(X), self.intercept, X.dtype)])
            s = sample_weight / sample_weight.sum()
            penalty = np.full((X.shape[1], 1), 1 / (self.C * sample_weight.sum()), X.dtype)
            penalty[-1] = 0
            theta = np.zeros((X.shape[1], outputs), X.dtype)
            sign = np.where(label == 1, 1, -1).astype(X.dtype)[:, None]
            hot = np.eye(max(outputs, 2), dtype=X.dtype)[label]
            curve = []
            for step in range(self.steps + 1):
                z = X @ theta
                losses = -special.log_expit(sign * z) if outputs == 1 else -hot * special.log_softmax(z, axis=1)
                curve.append((s @ losses).sum() + (penalty * theta * theta).sum() / 2)
                if step < self.steps:
                    slopes = -sign * special.expit(-sign * z) if outputs == 1 else special.softmax(z, axis=1) - hot
                    theta -= X.dtype.type(self.rate) * (X.T @ (s[:, None] * slopes) + penalty * theta)
            return theta, np.array(curve)

    return Loop


def _torch() -> Callable[..., Any]:
    import numpy as np
    import torch
    from torch.nn import functional

    class Autograd(_Dressed):
        """A linear layer, the loss of torch.nn.functional by autograd, the steps by torch.optim.SGD."""

        def steps_on(self, X: Any, label: Any, sample_weight: Any, outputs: int) -> Any:
            x, s, target = (torch.from_numpy(a) for a in (X, sample_weight, label))
            layer = torch.nn.Linear(x.shape[1], outputs, bias=self.intercept, dtype=x.dtype)
            for parameter in layer.parameters():
                torch.nn.init.zeros_(parameter)
            optimizer = torch.optim.SGD(layer.parameters(), lr=self.rate)
            curve = []
            for step in range(self.steps + 1):
                optimizer.zero_grad()
                z = layer(x)
                if outputs == 1:
                    wrong = target.to(x.dtype)
                    losses = functional.binary_cross_entropy_with_logits(z[:, 0], wrong, reduction="none")
                else:
                    losses = functional.cross_entropy(z, target, reduction="none")
                loss = (torch.dot(s, losses) + layer.weight.square().sum() / (2 * self.C)) / s.sum()
                curve.append(loss.item())
                if step < self.steps:
                    torch.autograd.backward(loss)
                    optimizer.step()
            bias = layer.bias if self.intercept else torch.zeros(outputs, dtype=x.dtype)
            return torch.vstack([layer.weight.T, bias[None]]).detach().numpy(), np.array(curve)

    return Autograd


def _sklearn(solver: str) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        from functools import partial

        from sklearn.linear_model import LogisticRegression

        return partial(LogisticRegression, solver=solver, max_iter=1000)

    return load


_OPTIMUM = ("1e6x50 to the optimum, float64", "1e5x500 to the optimum, float64")

PEERS = {
    "LogisticRegression": (
        Peer("scikit-learn, lbfgs", "sklearn", _sklearn("lbfgs"), only_timed=_OPTIMUM),
        Peer("scikit-learn, newton-cholesky", "sklearn", _sklearn("newton-cholesky"), only_timed=_OPTIMUM),
        Peer("a NumPy loop with scipy.special", "scipy", _scipy),
        Peer("torch autograd with torch.optim.SGD", "torch", _torch),
    ),
}
