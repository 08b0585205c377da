"""The parts that both estimators descend with, each against something plain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy import linalg
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info

from barehand.blocks.linear_regression import cpu as squares
from barehand.blocks.logistic_regression import cpu as logs
from barehand.blocks.logistic_regression.estimator import _second as second
from barehand.core import threads
from barehand.descent import curved, gram, lbfgs, least_squares, line_search, steps
from barehand.descent.objective import Objective
from barehand.descent.quadratic import Quadratic
from barehand.linear_model import LinearRegression, LogisticRegression


def data(n: int, d: int, outputs: int, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 2
    y = X @ rng.standard_normal((d, outputs)) + rng.standard_normal((n, outputs))
    return X, y if outputs > 1 else y[:, 0].copy(), rng.random(n)


def squared(X: Any, y: Any, s: Any, *, penalty: float = 0.3, intercept: bool = True) -> Objective:
    outputs = 1 if y.ndim == 1 else y.shape[1]
    return Objective(X, y, s, squares.squares, outputs=outputs, penalty=penalty, intercept=intercept)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("kind", ["dense", "float32", "sparse"])
def test_an_objective_is_its_formula(kind: str, outputs: int, intercept: bool) -> None:
    X, y, s = data(500, 7, outputs)
    X = X.astype(np.float32) if kind == "float32" else X
    given = sparse.csr_array(X) if kind == "sparse" else X
    objective = squared(given, y, s, intercept=intercept)
    theta = np.random.default_rng(1).standard_normal(objective.shape)
    w, b = theta[:, :7], theta[:, 7] if intercept else 0.0
    r = X.astype(np.float64) @ w.T + b - y.reshape(500, outputs)
    value, gradient = objective(theta)
    assert value == pytest.approx((s @ r**2).sum() / s.sum() + 0.15 * (w**2).sum(), rel=1e-14)
    expected = 2 * (s[:, None] * r).T @ X / s.sum() + 0.3 * w
    np.testing.assert_allclose(gradient[:, :7], expected, rtol=1e-11)
    if intercept:
        np.testing.assert_allclose(gradient[:, 7], 2 * (s @ r) / s.sum(), rtol=1e-11)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("shape", [(1, 3), (700, 1), (5001, 7), (9000, 60)], ids=str)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_fused_sweep_is_the_sweeps_in_turn(kind: Any, shape: tuple[int, int], intercept: bool) -> None:
    rng = np.random.default_rng(0)
    X, sign, s = rng.standard_normal(shape).astype(kind), rng.choice([-1.0, 1.0], shape[0]), rng.random(shape[0])
    rest: Any = {"outputs": 1, "penalty": 0.1, "intercept": intercept}
    in_turn = Objective(X, sign, s, logs.log_losses, **rest)
    fused = Objective(X, sign, s, logs.log_losses, fused=logs.descend, **rest)
    theta = rng.standard_normal(in_turn.shape)
    value, gradient = in_turn(theta)
    assert fused(theta)[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(fused(theta)[1], gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("penalty", [0.0, 0.7])
def test_moments_give_the_same_function(outputs: int, intercept: bool, penalty: float) -> None:
    X, y, s = data(800, 5, outputs)
    objective = squared(X, y, s, penalty=penalty, intercept=intercept)
    fast = Quadratic(objective)
    for theta in (objective.zeros(), np.ones(objective.shape), fast.minimum()):
        value, gradient = objective(theta)
        same_value, same_gradient = fast(theta)
        assert same_value == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(same_gradient, gradient, rtol=1e-9, atol=1e-12)
    assert np.abs(fast(fast.minimum())[1]).max() < 1e-12
    X1 = np.column_stack([X, np.ones(800)]) if intercept else X
    hessian = 2 * (X1 * s[:, None]).T @ X1 / s.sum() + penalty * np.diag(np.append(np.ones(5), 0)[: X1.shape[1]])
    assert fast.curvature() == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-12)


def test_a_small_loss_keeps_its_digits() -> None:
    """y'y - 2 w'X'y + w'X'X w would be off by eps y'y, here more than the loss itself."""
    X, y, s = data(400, 4, 1)
    y = 1e6 + X @ np.arange(4.0) + 1e-6 * y
    objective = squared(X, y, s, penalty=0.0)
    fast = Quadratic(objective)
    best = fast.minimum()
    assert fast(best)[0] == pytest.approx(objective(best)[0], rel=1e-6)
    assert 0 < fast(best)[0] < 1e-10


@pytest.mark.parametrize("outputs", [1, 3])
def test_results_do_not_depend_on_the_threads(outputs: int) -> None:
    X, y, s = data(40_000, 20, outputs)
    found = []
    for n in (1, 2, 3):
        threads.set_num_threads(n)
        objective = squared(X, y, s)
        fast = Quadratic(objective)
        found.append((*objective(objective.zeros()), fast.minimum(), fast(objective.zeros())[1]))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_sample_is_unbiased_and_always_the_same() -> None:
    X, y, s = data(5000, 3, 1)
    whole = squared(X, y, s)
    sample = whole.sample(1000)
    assert sample.rows == 1000
    np.testing.assert_array_equal(sample.x, whole.sample(1000).x)
    assert sample(np.ones(whole.shape))[0] == pytest.approx(whole(np.ones(whole.shape))[0], rel=0.15)


@pytest.mark.parametrize("size", [5, 300, 1999])
def test_rows_that_add_most_are_the_likeliest(size: int) -> None:
    added = np.exp(2 * np.random.default_rng(0).standard_normal(2000))
    chance = curved._chances(added, size)
    assert 0.9 * size <= chance.sum() <= size * (1 + 1e-12)
    assert chance.max() <= 1
    below = chance < 1
    np.testing.assert_allclose(chance[below] / added[below], (chance[below] / added[below]).max(), rtol=1e-12)
    assert added[below].max(initial=0.0) <= added[~below].min(initial=np.inf)


@pytest.mark.parametrize("outputs", [1, 3])
def test_few_rows_tell_the_hessian_of_data_nearly_separable(outputs: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40_000, 30))
    target = np.ones(40_000) if outputs == 1 else np.zeros(40_000, np.int64)
    pointwise = logs.log_losses if outputs == 1 else logs.softmax_losses
    objective = Objective(X, target, rng.random(40_000), pointwise, outputs=outputs, penalty=1e-6, intercept=True)
    sample = objective.sample(4096)
    flat, steep = 0.01 * rng.standard_normal(objective.shape), 5 * rng.standard_normal(objective.shape)
    assert curved.telling(objective, sample, second, flat) is sample
    chosen = curved.telling(objective, sample, second, steep)
    assert 3500 <= chosen.rows <= 4096

    def hessian(rows: Objective) -> Any:
        factor = curved.whole(rows, second, steep)
        root = factor.scale[:, None] * np.tril(factor.lower)
        return root @ root.T

    exact = hessian(objective)
    near, far = (linalg.eigvalsh(hessian(rows), exact) for rows in (chosen, sample))
    assert near.min() > 0.75
    assert near.max() < 1.3
    assert far.min() < 0.6 or far.max() > 1.7


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_the_largest_eigenvalue(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, _, s = data(200, 6, 1)
    given = sparse.csr_array(X) if kind == "sparse" else X
    exact = gram.mean_square(given, s, True)
    X1 = np.column_stack([X, np.ones(200)])
    assert exact == pytest.approx(np.linalg.eigvalsh((X1 * s[:, None]).T @ X1 / s.sum())[-1])
    monkeypatch.setattr(gram, "_DENSE", 0)  # by Lanczos, as for many columns
    assert exact <= gram.mean_square(given, s, True) <= 1.02 * exact


def test_a_factor_of_a_singular_matrix() -> None:
    a = np.random.default_rng(0).standard_normal((5, 3))
    matrix = a @ a.T
    factor = gram.Factor(matrix)
    assert factor.reciprocal_condition < 1e-12
    right = matrix @ np.arange(5.0)
    np.testing.assert_allclose(matrix @ factor.solve(right), right, rtol=1e-6)
    u = np.arange(5.0)
    np.testing.assert_allclose(factor.to_unit(factor.from_unit(u)), u, atol=1e-6)
    assert gram.Factor(np.diag([1.0, 0.0])).reciprocal_condition == 0


@pytest.mark.parametrize("penalty", [0.0, 0.5])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("n", "d"), [(300, 5), (20, 40)])
def test_least_squares_both_ways(n: int, d: int, intercept: bool, penalty: float) -> None:
    X, y, s = data(n, d, 2)
    dense = squared(X, y, s, penalty=penalty, intercept=intercept)
    found = least_squares.orthogonal(dense)
    root = np.sqrt(s / s.sum())[:, None]
    means = (s @ X / s.sum(), s @ y / s.sum()) if intercept else (np.zeros(d), np.zeros(2))
    a = np.vstack([root * (X - means[0]), np.sqrt(penalty / 2) * np.eye(d)])
    right = np.vstack([root * (y - means[1]), np.zeros((d, 2))])
    np.testing.assert_allclose(found[:, :d], np.linalg.lstsq(a, right, rcond=None)[0].T, rtol=1e-7, atol=1e-10)
    other = least_squares.iterative(squared(sparse.csr_array(X), y, s, penalty=penalty, intercept=intercept))
    np.testing.assert_allclose(other, found, rtol=1e-6, atol=1e-8)


def rosenbrock(x: Any) -> tuple[float, Any]:
    a, b = x
    slope = np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])
    return (1 - a) ** 2 + 100 * (b - a * a) ** 2, slope


def test_lbfgs_finds_a_minimum() -> None:
    outcome = lbfgs.minimise(rosenbrock, np.array([-1.2, 1.0]), tol=1e-9, max_iter=100)
    assert outcome.converged
    np.testing.assert_allclose(outcome.x, [1, 1], atol=1e-7)
    assert outcome.curve == sorted(outcome.curve, reverse=True)
    assert not lbfgs.minimise(rosenbrock, np.array([-1.2, 1.0]), tol=1e-9, max_iter=3).converged


def test_a_line_search_meets_its_conditions() -> None:
    x = np.array([-1.2, 1.0])
    value, slope = rosenbrock(x)
    found = line_search.search(rosenbrock, x, value, slope, -slope)
    assert found is not None
    point, there, slope_there = found
    assert there < value
    assert -(slope_there @ slope) >= 0.9 * -(slope @ slope)
    np.testing.assert_array_equal(slope_there, rosenbrock(point)[1])
    assert line_search.search(rosenbrock, x, value, slope, slope) is None


def test_descent_that_leaves_is_stopped() -> None:
    X, y, s = data(50, 3, 1)
    objective = squared(X, y, s)
    with pytest.raises(steps.Diverged) as gone:
        steps.plain(objective, objective.zeros(), 10.0, tol=0, largest=0, max_iter=500, watch=lambda i, v: None)
    assert gone.value.step < 20


def test_a_batch_is_curved_between_mean_and_worst() -> None:
    assert steps.batch_curvature(1.0, 9.0, 100, 100) == 1.0
    assert steps.batch_curvature(1.0, 9.0, 100, 1) == 9.0
    assert 1.0 < steps.batch_curvature(1.0, 9.0, 100, 10) < 9.0


@pytest.mark.parametrize("z", [0.0, 1.0, 40.0, 700.0, 1e4, 1e300])
def test_log_losses_keep_their_digits(z: float) -> None:
    for sign in (1.0, -1.0):
        scores = np.array([z * sign])
        loss = logs.log_losses(scores, np.array([1.0]), np.array([1.0]))
        t = np.longdouble(z * sign)
        assert loss == pytest.approx(float(np.logaddexp(np.longdouble(0), t)), rel=4e-16, abs=1e-305)
        with np.errstate(over="ignore"):
            assert scores[0] == pytest.approx(float(1 / (1 + np.exp(-t))), rel=4e-16, abs=1e-305)


def test_many_equal_losses_do_not_drift() -> None:
    """A plain running sum of log 2 is off by some 70 eps after 5000 rows."""
    total = logs.log_losses(np.zeros(5000), np.ones(5000), np.ones(5000))
    assert total == pytest.approx(5000 * np.log(2), rel=4.5e-16)


@pytest.mark.parametrize("block", ["linear_regression", "logistic_regression"])
def test_without_scikit_learn_the_extra_is_named(block: str) -> None:
    script = f"import sys; sys.modules['sklearn'] = None; import barehand.blocks.{block}.estimator"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert "MissingBackend: linear_model: scikit-learn is not installed" in done.stderr
    assert "pip install barehand[sklearn]" in done.stderr


def test_fits_at_once_leave_the_threads_of_blas_as_they_were() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2000, 5)), rng.standard_normal(2000)

    def numbers() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    def fit(epochs: int) -> None:
        LinearRegression(solver="sgd", tol=0, batch_size=256, max_iter=epochs).fit(x, y)

    before = numbers()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(fit, (3, 9, 5)))
    assert numbers() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_within_a_fit_has_all_threads_of_blas() -> None:
    """And a fit of its own has one again, whichever thread runs it."""
    script = """
import os, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import scipy.linalg
from threadpoolctl import threadpool_info
from barehand.descent import blas
def numbers():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
print(before := numbers(), flush=True)  # else the child has it in its buffer too
def child():
    found = [numbers()]
    def fit():
        with blas.one_thread():
            found.append(numbers())
    thread = threading.Thread(target=fit)
    thread.start()
    thread.join()
    print(found[0] == before, set(found[1]) == {1}, numbers() == before, flush=True)
    os._exit(0)
with blas.one_thread():
    pid = os.fork()
    if pid == 0:
        child()
    os.waitpid(pid, 0)
"""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, env=environment)
    assert done.stdout.splitlines()[-1] == "True True True", done.stderr
    assert set(json.loads(done.stdout.splitlines()[0])) == {2}


def test_where_nothing_slopes_no_step_is_taken() -> None:
    """No warning either: warnings are errors here."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    assert LinearRegression(solver="gd").fit(x, np.zeros(40)).n_iter_ == 0
    assert LinearRegression(solver="gd", fit_intercept=False).fit(0 * x, y).n_iter_ == 0
    assert LogisticRegression(solver="gd").fit(0 * x, np.arange(40) % 2).n_iter_ == 0
    assert LinearRegression(solver="gd", tol=0, max_iter=7).fit(x, np.zeros(40)).n_iter_ == 7  # all that were asked for


def test_options_as_numpy_holds_them() -> None:
    x, y = np.random.default_rng(0).standard_normal((20, 2)), np.arange(20) % 2
    free = LogisticRegression(C=np.float32(np.inf), solver=np.str_("newton")).fit(x, y)
    np.testing.assert_array_equal(free.coef_, LogisticRegression(C=np.inf, solver="newton").fit(x, y).coef_)
    with pytest.raises(ValueError, match=r"C is -1; use a finite number above 0, or np\.inf for no penalty"):
        LogisticRegression(C=-1).fit(x, y)
