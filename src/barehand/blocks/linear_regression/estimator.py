"""Linear regression as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from barehand.core import arrays
from barehand.core.lazy import LazyModule
from barehand.descent import blas, least_squares
from barehand.descent.estimator import GradientEstimator, MultiOutputMixin, RegressorMixin
from barehand.descent.lbfgs import Outcome
from barehand.descent.objective import Objective
from barehand.descent.quadratic import Quadratic

cpu = LazyModule("barehand.blocks.linear_regression.cpu")

_SOUND = 1e-10  # reciprocal condition of the columns' products down to which they may be solved with
_MANY = 4096  # columns from which products of all pairs are too many


class LinearRegression(MultiOutputMixin, RegressorMixin, GradientEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Linear regression: the weights that make the mean squared error smallest, by the descent of one's choice.

    f(w, b) = (sum_i s_i (x_i w + b - y_i)² + alpha ||w||²) / sum_i s_i, with s_i = 1 unless weights are given.

    Args:
        solver: "gd" takes plain steps w <- w - learning_rate * df/dw from zeros, the factor 2 of the square included;
            "sgd" mini-batches of shuffled rows; "adam" the same with Adam's steps; "exact" solves for the minimum;
            "auto" is "exact" while the rows or the columns are at most 4096 (always for sparse data), else "gd".
        learning_rate: above 0, or "auto": for gd 1 / L with L the largest eigenvalue of the Hessian of f; for sgd
            half of one over a mini-batch's L, falling as 1 / sqrt(epochs); 0.01 for adam. A number stays constant.
        max_iter: steps of gd, or epochs, at most.
        tol: gd stops where no component of the gradient exceeds tol times the largest at zero; sgd and adam after five
            epochs that bring f no further down than tol of itself. 0 takes all max_iter steps, without a warning.
        batch_size: rows of a mini-batch, 32 by default.
        alpha: the penalty on the weights, at least 0, as in scikit-learn's Ridge; the intercept is never penalised.
        fit_intercept: whether there is a b.
        warm_start: begin at the last fit's weights.
        random_state: of the shuffling.
        verbose: 1 shows a bar on standard error.

    Returns:
        `fit(X, y, sample_weight=None)` returns the estimator, with `coef_` (d,) or (outputs, d), `intercept_`,
        `n_iter_` and `loss_curve_`: f before each step and after the last, n_iter_ + 1 values; f before and after for
        "exact". X is (n, d), dense or CSR; y (n,) or (n, outputs), fitted side by side: f is then the sum over the
        outputs. `partial_fit` makes one pass over its rows by mini-batches (one step for "gd"), `loss_curve_` then
        holds f on the rows of each call after it. `predict(X)`, and `score` is R². float32 X gives float32 results;
        sums run in float64 for both.

    Raises:
        ValueError: an option out of its range, weights that sum to 0, X or y with nan or infinity, shapes that do not
            go together; a descent that diverges, with the rate below which it does not.
        TypeError: an option of the wrong kind.

    Edge cases: a whole-number weight is that many copies of the row. Columns that depend on each other: "exact" without
    a penalty gives the shortest of the best weights, and gd from zeros goes there too. A constant column gets weight 0
    beside an intercept. gd that has not converged after max_iter steps warns with ConvergenceWarning.

    Cost: gd gathers the products of all columns once, n d² with all threads, and then each step is d²; where the rows
    are fewer than the columns, a pass over X a step. While a fit runs BLAS has one thread in the whole process.

    Source: C. F. Gauss (1809), Theoria motus, section 3; A.-L. Cauchy (1847), Comptes rendus 25, 536 for the descent;
    A. Hoerl, R. Kennard (1970), doi:10.1080/00401706.1970.10488634, equation (2.1) for the penalty.

    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0])
    >>> model = LinearRegression(solver="gd", learning_rate=0.25, tol=0, max_iter=100).fit(X, y)
    >>> model.coef_.round(4), round(float(model.intercept_), 4)
    (array([2.]), 1.0)
    >>> model.loss_curve_[:3].round(4)
    array([11.6667,  0.463 ,  0.036 ])
    """

    solvers: ClassVar[tuple[str, ...]] = ("gd", "sgd", "adam", "exact")

    def __init__(
        self,
        *,
        solver: Literal["auto", "gd", "sgd", "adam", "exact"] = "auto",
        learning_rate: float | Literal["auto"] = "auto",
        max_iter: int = 1000,
        tol: float = 1e-6,
        batch_size: int | None = None,
        alpha: float = 0.0,
        fit_intercept: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.solver = solver
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Find the weights; see the class."""
        objective, kind, single = self._objective(X, y, sample_weight, reset=True)
        self._forget()
        few = min(objective.rows, objective.features) <= _MANY or not objective.dense
        self._solver = self.solver if self.solver != "auto" else "exact" if few else "gd"
        with blas.one_thread(), self._in_range():
            outcome = self._exactly(objective) if self._solver == "exact" else self._stepwise(objective)
        self._settle(outcome)
        return self._keep(outcome.x, kind, single)

    def partial_fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """One pass over these rows, from where the last one ended."""
        objective, kind, single = self._objective(X, y, sample_weight, reset=not hasattr(self, "coef_"))
        self._solver = self.solver if self.solver in ("gd", "adam") else "sgd"
        with blas.one_thread():
            theta = self._once_more(objective, 2.0)
        return self._keep(theta, kind, single)

    def predict(self, X: Any) -> NDArray[Any]:
        """x w + b, (n,) or (n, outputs)."""
        z = self._scores(X)
        return arrays.narrow(z[:, 0] if self.coef_.ndim == 1 else z, self._kind(X))

    def _objective(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Objective, np.dtype[Any], bool]:
        """The data checked; the type of the results, and whether y is a vector."""
        self._check_options()
        alpha = arrays.check_number("LinearRegression", "alpha", self.alpha, low=0.0)
        x, y = self._validated(X, y, reset=reset, multi_output=True, y_numeric=True)
        y = np.ascontiguousarray(y, np.float64)
        weight = self._weights(sample_weight, x)
        outputs = y.shape[1] if y.ndim == 2 else 1
        penalty = 2 * alpha / float(np.add.reduce(weight))
        objective = Objective(
            x, y, weight, cpu.squares, outputs=outputs, penalty=penalty, intercept=bool(self.fit_intercept)
        )
        return objective, x.dtype, y.ndim == 1

    def _stepwise(self, objective: Objective) -> Outcome:
        theta = self._start(objective)
        if self._solver == "gd" and objective.features <= min(objective.rows, _MANY):
            fast = Quadratic(objective)
            return self._descend(objective, theta, 2.0, function=fast, curvature=fast.curvature)
        return self._descend(objective, theta, 2.0)

    def _exactly(self, objective: Objective) -> Outcome:
        zeros = objective.zeros()
        if objective.features <= min(objective.rows, _MANY):
            fast = Quadratic(objective)
            if fast.factor.reciprocal_condition > _SOUND:
                theta = fast.minimum()
                value = fast(theta)[0]
                return Outcome(theta, value, [fast(zeros)[0], value], True)
        theta = least_squares.orthogonal(objective) if objective.dense else least_squares.iterative(objective)
        value = objective(theta)[0]
        return Outcome(theta, value, [objective(zeros)[0], value], True)

    def _keep(self, theta: NDArray[Any], kind: np.dtype[Any], single: bool) -> Self:
        weights = arrays.narrow(theta[:, : self.n_features_in_], kind)
        intercepts = arrays.narrow(theta[:, -1] if self.fit_intercept else np.zeros(len(theta)), kind)
        self.coef_ = weights[0].copy() if single else weights.copy()
        self.intercept_ = intercepts[0] if single else intercepts.copy()
        return self
