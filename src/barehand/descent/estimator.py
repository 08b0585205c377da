"""What the two estimators share: options, data, the first-order solvers, and what is left after a fit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from barehand.core import arrays, threads
from barehand.descent import gram, steps, sweeps
from barehand.descent.lbfgs import Outcome
from barehand.descent.line_search import Function
from barehand.descent.objective import Objective, squared
from barehand.descent.progress import shown

# Mixins come from here, so that a missing scikit-learn is reported by `barehand.descent` first.
__all__ = ["ClassifierMixin", "GradientEstimator", "MultiOutputMixin", "RegressorMixin", "check_classification_targets"]

Array = NDArray[Any]

_BATCH = 32
_ADAM_RATE = 0.01


class _Pass:
    """Where `partial_fit` stands between two calls."""

    def __init__(self, theta: Array) -> None:
        self.theta = theta
        self.rate = 0.0
        self.curve: list[float] = []
        self.optimizer: Any = None
        self.rng: Any = None


def _adam(theta: Array, rate: float) -> Any:
    from barehand.blocks.adam import Adam

    return Adam([theta], lr=rate)


class GradientEstimator(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """An estimator that minimises a mean loss of linear scores."""

    solvers: ClassVar[tuple[str, ...]]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # At the door

    def _check_options(self) -> None:
        name = type(self).__name__
        arrays.check_option(name, "solver", self.solver, ("auto", *self.solvers))
        if not isinstance(self.learning_rate, str):
            arrays.check_number(name, "learning_rate", self.learning_rate, low=0.0, above=True)
        elif self.learning_rate != "auto":
            raise ValueError(f"{name}: learning_rate is {self.learning_rate!r}; use 'auto' or a number above 0")
        arrays.check_number(name, "tol", self.tol, low=0.0)
        for argument, value in (("max_iter", self.max_iter), ("batch_size", self.batch_size)):
            if value is None and argument == "batch_size":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise TypeError(f"{name}: {argument} must be a whole number, not {value!r}; pass an int")
            if value < 1:
                raise ValueError(f"{name}: {argument} is {value!r}; use at least 1")

    def _validated(self, X: Any, *y: Any, reset: bool, **options: Any) -> Any:
        """X in C order and float32 or float64, and y, checked; finiteness by a kernel with all threads."""
        checked = validate_data(
            self,
            X,
            *y,
            reset=reset,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            **options,
        )
        x = checked[0] if y else checked
        if isinstance(x, np.ndarray):
            x = arrays.for_kernel(x)
            finite = np.isfinite(sum(threads.partial_results(sweeps.total, len(x), x.shape[1], x)))
        else:
            finite = np.isfinite(np.add.reduce(x.data))
        if not finite:
            assert_all_finite(x, estimator_name=type(self).__name__, input_name="X")
        return (x, checked[1]) if y else x

    def _weights(self, sample_weight: Any, x: Any) -> Array:
        name = type(self).__name__
        if sample_weight is None:
            return np.ones(x.shape[0])
        weight: Array = _check_sample_weight(sample_weight, x, dtype=np.float64, allow_all_zero_weights=True)
        if weight.min(initial=0.0) < 0:
            raise ValueError(f"{name}: sample_weight holds {weight.min():g}; use weights of at least 0")
        if not weight.any():
            raise ValueError(f"{name}: sample_weight is zero in every row; give some a positive weight")
        if not np.add.reduce(weight) < np.inf:
            raise ValueError(f"{name}: sample_weight sums to infinity; scale the weights down")
        return np.ascontiguousarray(weight)

    def _start(self, objective: Objective) -> Array:
        """Zeros, or the last fit's parameters on a warm start."""
        if not (self.warm_start and hasattr(self, "coef_")):
            return objective.zeros()
        return self._last(objective)

    def _last(self, objective: Objective) -> Array:
        coef = np.atleast_2d(np.asarray(self.coef_, np.float64))
        if coef.shape != (objective.outputs, objective.features):
            raise ValueError(
                f"{type(self).__name__}: the last fit has coefficients of shape {coef.shape}, and the data need "
                f"{(objective.outputs, objective.features)}; use warm_start=False or a new estimator"
            )
        intercept = np.broadcast_to(np.asarray(self.intercept_, np.float64), objective.outputs)
        return np.column_stack([coef, intercept]) if objective.intercept else coef.copy()

    def _scores(self, X: Any) -> Array:
        """x w + b in float64 for new rows, (rows, outputs)."""
        check_is_fitted(self)
        x = self._validated(X, reset=False)
        coef = np.ascontiguousarray(np.atleast_2d(self.coef_), np.float64)
        intercept = np.broadcast_to(np.asarray(self.intercept_, np.float64), len(coef))
        if len(coef) == 1 and isinstance(x, np.ndarray):
            z = np.empty(len(x))
            threads.over_rows(sweeps.project, len(x), 2 * x.shape[1], x, coef[0], intercept[0], z)
            return z.reshape(-1, 1)
        return np.asarray(x @ coef.T) + intercept

    def _kind(self, X: Any) -> np.dtype[Any]:
        """The type of results for these rows: float32 where rows and coefficients have it."""
        return np.result_type(X.dtype if getattr(X, "dtype", None) == np.float32 else np.float64, self.coef_.dtype)

    # Solvers

    def _curvature(self, objective: Objective, bound: float) -> float:
        """An upper bound for the Hessian, where no loss has a second derivative above `bound`."""
        return bound * gram.mean_square(objective.x, objective.weight, objective.intercept) + objective.penalty

    def _rate(self, objective: Objective, bound: float, curvature: Callable[[], float]) -> float:
        """The learning rate of plain or mini-batch steps; `bound` is the largest second derivative of a loss."""
        if self.learning_rate != "auto":
            return float(self.learning_rate)
        if self._solver in ("gd", "adam"):
            return _ADAM_RATE if self._solver == "adam" else 1 / self._usable(curvature())
        norms = np.asarray(squared(objective.x).sum(axis=1)).ravel() + objective.intercept
        worst = float((objective.weight * norms).max(initial=0.0)) * objective.rows / objective.total
        batch = self.batch_size or _BATCH
        largest = bound * worst + objective.penalty
        return 0.5 / self._usable(steps.batch_curvature(curvature(), largest, objective.rows, batch))

    @contextmanager
    def _in_range(self) -> Iterator[None]:
        """What overflows in a fit is either followed by a check or reported here."""
        try:
            with np.errstate(all="ignore"):
                yield
        except OverflowError:
            self._usable(np.inf)

    def _usable(self, curvature: float) -> float:
        if not np.isfinite(curvature):
            raise ValueError(
                f"{type(self).__name__}: the squares of X leave the range of float64; scale X, as with StandardScaler"
            )
        return curvature or 1.0  # X is all zeros: any rate will do

    def _descend(
        self,
        objective: Objective,
        theta: Array,
        bound: float,
        *,
        function: Function | None = None,
        curvature: Callable[[], float] | None = None,
    ) -> Outcome:
        """By the chosen first-order solver; `function` is a faster form of the objective."""
        curved = curvature or (lambda: self._curvature(objective, bound))
        rate = self._rate(objective, bound, curved)
        options: dict[str, Any] = {"tol": float(self.tol), "max_iter": int(self.max_iter)}
        try:
            with np.errstate(all="ignore"), shown(self._label(), int(self.max_iter), bool(self.verbose)) as watch:
                if self._solver == "gd":
                    f = function or objective
                    largest = float(np.abs(f(objective.zeros())[1]).max(initial=0.0)) if self.tol else 0.0
                    return steps.plain(f, theta, rate, largest=largest, watch=watch, **options)
                return steps.epochs(
                    objective,
                    theta,
                    self._stepper(theta, rate),
                    batch_size=min(self.batch_size or _BATCH, objective.rows),
                    rng=check_random_state(self.random_state),
                    watch=watch,
                    **options,
                )
        except steps.Diverged as gone:
            raise ValueError(self._advice(gone, rate, curved())) from None

    def _advice(self, gone: steps.Diverged, rate: float, curvature: float) -> str:
        what = "step" if self._solver == "gd" else "epoch"
        remedy = (
            f"lower learning_rate from {rate:.3g} to below {2 / curvature:.3g} (2 / L)"
            if self._solver == "gd"
            else f"lower learning_rate from {rate:.3g}"
        )
        return (
            f"{type(self).__name__}: {self._solver} diverged at {what} {gone.step} (objective {gone.value:.3g}); "
            f'{remedy}, use learning_rate="auto", or scale X'
        )

    def _label(self) -> str:
        return f"{type(self).__name__} {self._solver}"

    def _stepper(self, theta: Array, rate: float, optimizer: Any = None) -> steps.Step:
        """What a mini-batch's gradient does to theta."""
        if self._solver == "adam":
            optimizer = optimizer or _adam(theta, rate)
            return lambda gradient, epoch: optimizer.step([gradient])
        falling = self.learning_rate == "auto"

        def step(gradient: Array, epoch: int) -> None:
            gradient *= rate / np.sqrt(1 + epoch) if falling else rate
            np.subtract(theta, gradient, out=theta)

        return step

    def _once_more(self, objective: Objective, bound: float) -> Array:
        """One more pass over the rows given now, from where the last one ended: the parameters after it."""
        if not hasattr(self, "_pass"):
            self._pass = _Pass(self._last(objective) if hasattr(self, "coef_") else objective.zeros())
            self._pass.rate = self._rate(objective, bound, lambda: self._curvature(objective, bound))
            if self._solver == "adam":
                self._pass.optimizer = _adam(self._pass.theta, self._pass.rate)
        done = self._pass
        if done.theta.shape != objective.shape:
            self._last(objective)  # says what does not fit
        step = self._stepper(done.theta, done.rate, done.optimizer)
        batch = objective.rows if self._solver == "gd" else min(self.batch_size or _BATCH, objective.rows)
        if done.rng is None:
            done.rng = check_random_state(self.random_state)
        with np.errstate(all="ignore"):
            steps.one_epoch(objective, done.theta, step, len(done.curve), batch, done.rng)
            value = objective(done.theta)[0]
        if not np.isfinite(value):
            gone = steps.Diverged(len(done.curve) + 1, value)
            raise ValueError(self._advice(gone, done.rate, self._curvature(objective, bound)))
        done.curve.append(value)
        self.n_iter_, self.loss_curve_ = len(done.curve), np.array(done.curve)
        return done.theta

    def _forget(self) -> None:
        """A fit begins anew: where `partial_fit` stood is no longer true."""
        self.__dict__.pop("_pass", None)

    def _settle(self, outcome: Outcome) -> None:
        """What every fit leaves behind, and a warning where it stopped early."""
        self.n_iter_ = len(outcome.curve) - 1
        self.loss_curve_ = np.array(outcome.curve)
        if not outcome.converged and self.tol > 0:
            warnings.warn(
                f"{type(self).__name__}: {self._solver} did not converge in {self.n_iter_} iterations (objective "
                f"{outcome.value:.6g}); raise max_iter or tol, or scale X",
                ConvergenceWarning,
                stacklevel=3,
            )
