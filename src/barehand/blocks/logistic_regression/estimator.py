"""Logistic regression as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from barehand.core import arrays, threads
from barehand.core.lazy import LazyModule
from barehand.descent import blas, newton
from barehand.descent.estimator import ClassifierMixin, GradientEstimator, check_classification_targets
from barehand.descent.lbfgs import Outcome
from barehand.descent.objective import Objective
from barehand.descent.progress import shown

cpu = LazyModule("barehand.blocks.logistic_regression.cpu")

_COST = 8  # an exponential costs as much as so many plain elements
_FEW, _CHEAP = 256, 2e8  # columns, and multiplications a Hessian, up to which Newton's steps are the best
_FIRST = 1024  # labels among which to look for the classes first


class LogisticRegression(ClassifierMixin, GradientEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Logistic regression: the probabilities of two classes or more, by the descent of one's choice.

    f(w, b) = sum_i s_i loss_i / sum_i s_i + ||w||² / (2 C sum_i s_i), with s_i = 1 unless weights are given. With two
    classes loss_i = -log of the probability of the row's class, sigmoid(±(x_i w + b)); with more, softmax over one row
    of weights a class.

    Args:
        C: above 0, the inverse of the penalty on the weights, as in scikit-learn; infinity is no penalty. The intercept
            is never penalised.
        solver: "gd" takes plain steps w <- w - learning_rate * df/dw from zeros; "sgd" mini-batches of shuffled rows;
            "adam" the same with Adam's steps; "newton" Newton's steps with a line search, for few columns; "lbfgs"
            L-BFGS in coordinates from the Hessian of a sample; "auto" is "newton" where that is cheap, else "lbfgs".
        learning_rate: above 0, or "auto": for gd 1 / L with L = lambda_max(mean of x x') / 4 + 1 / (C sum s), and a
            half for the quarter with more than two classes; for sgd half of one over a mini-batch's L, falling as
            1 / sqrt(epochs); 0.01 for adam. A number stays constant. newton and lbfgs find their steps.
        max_iter: steps, or epochs, at most.
        tol: newton and lbfgs stop once f is expected to fall by no more than tol² (half the Newton decrement's square);
            gd where no component of the gradient exceeds tol times the largest at zero; sgd and adam after five epochs
            that bring f no further down than tol of itself. 0 takes all max_iter steps, without a warning.
        batch_size: rows of a mini-batch, 32 by default.
        fit_intercept: whether there is a b.
        warm_start: begin at the last fit's weights.
        random_state: of the shuffling.
        verbose: 1 shows a bar on standard error.

    Returns:
        `fit(X, y, sample_weight=None)` returns the estimator, with `classes_`, `coef_` (1, d) or (classes, d),
        `intercept_`, `n_iter_` and `loss_curve_`: f before each step and after the last. X is (n, d), dense or CSR; y
        holds labels of any kind. `partial_fit(X, y, classes=None)` makes one pass over its rows by mini-batches (one
        step for "gd"); its first call names all classes, and `loss_curve_` then holds f on the rows of each call after
        it. `decision_function`, `predict_proba`, `predict_log_proba`, `predict`, and `score` is the accuracy. float32 X
        gives float32 results; sums run in float64 for both.

    Raises:
        ValueError: an option out of its range, one class only, weights that sum to 0, X with nan or infinity, shapes
            that do not go together; a descent that diverges, with the rate below which it does not.
        TypeError: an option of the wrong kind.

    Edge cases: a whole-number weight is that many copies of the row. Classes that a plane separates have no best
    weights without a penalty: the descent follows them outwards until f is about 0. Scores of any size give finite
    losses, and `predict_log_proba` keeps its digits where a probability rounds to 0 or 1. What has not converged after
    max_iter steps warns with ConvergenceWarning.

    Cost: a pass over X for a value with its gradient, with all threads; lbfgs takes some five to twenty. While a fit
    runs BLAS has one thread in the whole process.

    Source: D. R. Cox (1958), doi:10.1111/j.2517-6161.1958.tb00292.x; T. Hastie, R. Tibshirani, J. Friedman (2009), The
    Elements of Statistical Learning, equations (4.17), (4.20) and (4.21); L for the softmax: D. Böhning (1992),
    doi:10.1007/BF00048682.

    >>> import numpy as np
    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), ["no", "no", "yes", "yes"]
    >>> model = LogisticRegression().fit(X, y)
    >>> model.predict([[-0.5], [3.0]])
    array(['no', 'yes'], dtype='<U3')
    >>> model.predict_proba([[0.0]]).round(6)
    array([[0.5, 0.5]])
    """

    solvers: ClassVar[tuple[str, ...]] = ("gd", "sgd", "adam", "newton", "lbfgs")

    def __init__(
        self,
        *,
        C: float = 1.0,
        solver: Literal["auto", "gd", "sgd", "adam", "newton", "lbfgs"] = "auto",
        learning_rate: float | Literal["auto"] = "auto",
        max_iter: int = 1000,
        tol: float = 1e-6,
        batch_size: int | None = None,
        fit_intercept: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.C = C
        self.solver = solver
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.fit_intercept = fit_intercept
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    classes_: NDArray[Any]

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Find the weights; see the class."""
        self._check_options()
        x, y = self._validated(X, y, reset=True)
        classes, codes = _encoded(y)
        if len(classes) < 2:
            raise ValueError(
                f"LogisticRegression: y holds one class only, {classes[0]}; give rows of at least two classes"
            )
        if self.warm_start and hasattr(self, "classes_") and not np.array_equal(self.classes_, classes):
            raise ValueError(
                f"LogisticRegression: y holds the classes {classes}, the last fit {self.classes_}; use warm_start=False"
            )
        objective = self._objective(x, codes, len(classes), sample_weight)
        self._forget()
        self.classes_ = classes
        cheap = objective.shape[1] <= _FEW and objective.rows * objective.zeros().size ** 2 <= _CHEAP
        self._solver = self.solver if self.solver != "auto" else "newton" if cheap else "lbfgs"
        theta = self._start(objective)
        with blas.one_thread(), self._in_range():
            if self._solver in ("newton", "lbfgs"):
                outcome = self._second_order(objective, theta)
            else:
                outcome = self._descend(objective, theta, self._bound())
        self._settle(outcome)
        return self._keep(outcome.x, x.dtype)

    def partial_fit(
        self, X: Any, y: Any, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """One pass over these rows, from where the last one ended; the first call names all classes."""
        self._check_options()
        first = not hasattr(self, "classes_")
        x, y = self._validated(X, y, reset=first)
        if first and classes is None:
            raise ValueError("LogisticRegression: classes is missing; pass all labels to the first call of partial_fit")
        known = self.classes_ if not first else np.unique(np.asarray(classes))
        if not first and classes is not None and not np.array_equal(np.unique(np.asarray(classes)), known):
            raise ValueError(f"LogisticRegression: classes is {classes!r}, the first call's {known}; pass the same")
        if len(known) < 2:
            raise ValueError(f"LogisticRegression: classes holds {known}; name at least two")
        check_classification_targets(y)
        codes = np.minimum(np.searchsorted(known, y), len(known) - 1)
        if not np.array_equal(known[codes], y):
            raise ValueError(
                f"LogisticRegression: y holds {y[known[codes] != y][0]}, which is none of the classes {known}; name "
                "all classes in the first call"
            )
        objective = self._objective(x, codes, len(known), sample_weight)
        self.classes_ = known
        self._solver = self.solver if self.solver in ("gd", "adam") else "sgd"
        with blas.one_thread():
            theta = self._once_more(objective, self._bound())
        return self._keep(theta, x.dtype)

    def decision_function(self, X: Any) -> NDArray[Any]:
        """x w + b: (n,) in favour of the second class, or (n, classes)."""
        z = self._scores(X)
        return arrays.narrow(z[:, 0] if len(self.coef_) == 1 else z, self._kind(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each row."""
        z = self._scores(X)
        codes = (z[:, 0] > 0).astype(np.intp) if len(self.coef_) == 1 else z.argmax(axis=1)
        return np.asarray(self.classes_[codes])

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """The probability of each class, (n, classes)."""
        return arrays.narrow(_probabilities(self._scores(X)), self._kind(X))

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """The logarithm of each probability, from the scores and not from a rounded probability."""
        z = self._scores(X)
        with np.errstate(under="ignore"):
            if z.shape[1] == 1:
                return arrays.narrow(-np.logaddexp(0, np.column_stack([z, -z])), self._kind(X))
            z -= z.max(axis=1, keepdims=True)
            return arrays.narrow(z - np.log(np.exp(z).sum(axis=1, keepdims=True)), self._kind(X))

    def _bound(self) -> float:
        return 0.25 if len(self.classes_) == 2 else 0.5

    def _objective(self, x: Any, codes: NDArray[Any], classes: int, sample_weight: Any) -> Objective:
        free = isinstance(self.C, (int, float, np.floating)) and np.inf == self.C
        try:
            strength = 0.0 if free else 1 / arrays.check_number("LogisticRegression", "C", self.C, low=0.0, above=True)
        except ValueError as error:
            raise ValueError(f"{error}, or np.inf for no penalty") from None
        weight = self._weights(sample_weight, x)
        two = classes == 2
        return Objective(
            x,
            1.0 - 2.0 * codes if two else codes.astype(np.int64),
            weight,
            cpu.log_losses if two else cpu.softmax_losses,
            fused=cpu.descend if two else None,
            outputs=1 if two else classes,
            penalty=strength / float(np.add.reduce(weight)),
            intercept=bool(self.fit_intercept),
        )

    def _second_order(self, objective: Objective, theta: NDArray[Any]) -> Outcome:
        tol, most = float(self.tol), int(self.max_iter)
        with np.errstate(all="ignore"), shown(self._label(), most, bool(self.verbose)) as watch:
            if self._solver == "newton":
                outcome = newton.damped(objective, _second, theta, tol, most, watch)
            else:
                value = objective(theta)[0] if theta.any() else float(np.log(len(self.classes_)))
                outcome = newton.preconditioned(objective, _second, theta, value, tol, most, watch)
        if objective.outputs > 1:
            # What all classes share changes no probability; plain descent from zeros leaves it at 0.
            outcome = outcome._replace(x=outcome.x - outcome.x.mean(axis=0))
        return outcome

    def _keep(self, theta: NDArray[Any], kind: np.dtype[Any]) -> Self:
        self.coef_ = arrays.narrow(theta[:, : self.n_features_in_], kind).copy()
        self.intercept_ = arrays.narrow(theta[:, -1] if self.fit_intercept else np.zeros(len(theta)), kind).copy()
        return self


def _encoded(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The classes in order, and each label's place among them.

    Sorting all labels costs more than a pass over the data, so the first rows' classes are tried for all of them.
    """
    if y.dtype.kind in "iufb" and len(y) > _FIRST:
        classes = np.unique(y[:_FIRST])
        if len(classes) < _FIRST // 8:
            codes = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
            if np.array_equal(classes[codes], y):
                check_classification_targets(classes)
                return classes, codes
    check_classification_targets(y)
    return np.unique(y, return_inverse=True)


def _second(z: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
    """As `descent.curved` asks: second derivatives for two classes, probabilities for more."""
    if z.ndim == 2:
        return _probabilities(z)
    second = np.empty_like(z)
    threads.over_rows(cpu.curvatures, len(z), _COST, z, weight, second)
    return second


def _probabilities(z: NDArray[Any]) -> NDArray[Any]:
    """Of all classes, from the scores; a matrix of several columns is overwritten."""
    if z.shape[1] > 1:
        z = np.ascontiguousarray(z)
        threads.over_rows(cpu.softmax_rows, len(z), _COST * z.shape[1], z)
        return z
    p = np.empty((len(z), 2))
    threads.over_rows(cpu.probabilities, len(z), 2 * _COST, z[:, 0].copy(), p)
    return p
