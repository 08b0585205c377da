"""What the spec cannot say of linear regression: scikit-learn's protocol, the solvers, and divergence."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

from barehand.blocks.linear_regression.estimator import LinearRegression

SOLVERS = ("auto", "gd", "sgd", "adam", "exact")


def line(n: int = 200, d: int = 4, *, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 1
    return X, X @ rng.standard_normal(d) + 3 + 0.1 * rng.standard_normal(n)


@pytest.mark.parametrize("solver", SOLVERS)
def test_scikit_learns_own_checks(solver: str) -> None:
    """Not one may fail; a count, since they have been seen to pass by not running (scikit-learn#33003)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(LinearRegression(solver=solver), on_fail=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert not failed
    assert sum(r["status"] == "passed" for r in results) >= 50


@pytest.mark.parametrize("alpha", [0.0, 5.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", ["dense", "csr", "float32", "fortran"])
def test_exact_is_scikit_learns(kind: str, fit_intercept: bool, alpha: float) -> None:
    X, y = line()
    s = np.random.default_rng(1).random(200)
    convert = {
        "dense": np.asarray,
        "csr": sparse.csr_array,
        "float32": lambda a: a.astype(np.float32),
        "fortran": np.asfortranarray,
    }
    ours = LinearRegression(solver="exact", alpha=alpha, fit_intercept=fit_intercept).fit(convert[kind](X), y, s)
    theirs = linear_model.Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd").fit(X, y, s)
    rtol = 1e-5 if kind == "float32" else 1e-9
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=rtol)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=rtol, atol=1e-12)
    assert ours.coef_.dtype == (np.float32 if kind == "float32" else np.float64)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-6)


@pytest.mark.parametrize("shape", [(60, 4), (20, 40)])
def test_dependent_columns_give_the_shortest_weights(shape: tuple[int, int]) -> None:
    X, y = line(*shape)
    X = np.column_stack([X, X[:, :2] @ [[1.0], [2.0]], np.full(len(X), 7.0)])
    ours, theirs = LinearRegression().fit(X, y), linear_model.LinearRegression().fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-9)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)


def test_an_ill_conditioned_design_is_solved_by_orthogonal_transformations() -> None:
    rng = np.random.default_rng(0)
    u, _ = np.linalg.qr(rng.standard_normal((300, 6)))
    X = u * np.logspace(0, -9, 6) @ np.linalg.qr(rng.standard_normal((6, 6)))[0]
    w = rng.standard_normal(6)
    ours = LinearRegression(fit_intercept=False).fit(X, X @ w)
    np.testing.assert_allclose(ours.coef_, w, rtol=1e-5)


def test_several_outputs_are_fitted_side_by_side() -> None:
    X, y = line()
    Y = np.column_stack([y, -2 * y, X[:, 0]])
    for solver in ("exact", "gd"):
        both = LinearRegression(solver=solver, max_iter=50, tol=0).fit(X, Y)
        alone = [LinearRegression(solver=solver, max_iter=50, tol=0).fit(X, Y[:, k]) for k in range(3)]
        assert both.coef_.shape == (3, 4)
        assert both.predict(X).shape == (200, 3)
        np.testing.assert_allclose(both.coef_, [m.coef_ for m in alone], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(both.loss_curve_, sum(m.loss_curve_ for m in alone), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("solver", ["gd", "sgd", "adam"])
def test_every_descent_comes_close(solver: str) -> None:
    X, y = line(n=400)
    X = X - X.mean(axis=0)
    exact = LinearRegression().fit(X, y)
    found = LinearRegression(solver=solver, random_state=0, max_iter=500).fit(X, y)
    assert found.loss_curve_[-1] < 1.1 * exact.loss_curve_[-1]
    assert len(found.loss_curve_) == found.n_iter_ + 1
    assert found.n_iter_ <= 500


def test_the_same_seed_gives_the_same_fit() -> None:
    X, y = line()
    a, b, c = (LinearRegression(solver="sgd", max_iter=5, tol=0, random_state=r).fit(X, y) for r in (1, 1, 2))
    np.testing.assert_array_equal(a.coef_, b.coef_)
    assert not np.array_equal(a.coef_, c.coef_)


def test_a_warm_start_goes_on() -> None:
    X, y = line()
    once = LinearRegression(solver="gd", max_iter=20, tol=0).fit(X, y)
    twice = LinearRegression(solver="gd", max_iter=10, tol=0, warm_start=True).fit(X, y).fit(X, y)
    np.testing.assert_allclose(twice.coef_, once.coef_, rtol=1e-12)
    with pytest.raises(ValueError, match=r"LinearRegression: the last fit has coefficients of shape \(1, 4\)"):
        twice.fit(X[:, :3], y)


@pytest.mark.parametrize("solver", ["gd", "sgd", "adam"])
def test_partial_fit_learns_from_pieces(solver: str) -> None:
    X, y = line(n=600)
    model = LinearRegression(solver=solver, random_state=0)
    for _ in range(60):
        for piece in range(0, 600, 100):
            model.partial_fit(X[piece : piece + 100], y[piece : piece + 100])
    assert model.score(X, y) > 0.9
    assert model.n_iter_ == 360
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.partial_fit(X, y).coef_, model.partial_fit(X, y).coef_)
    assert model.fit(X, y).n_iter_ < 360 or solver == "gd"


@pytest.mark.parametrize("shape", [(100, 3), (10, 30)])
def test_too_large_a_rate_is_reported_with_the_bound(shape: tuple[int, int]) -> None:
    X, y = line(*shape)
    bound = 2 / np.linalg.eigvalsh(2 * np.cov(np.column_stack([X, np.ones(len(X))]).T, bias=True))[-1]
    with pytest.raises(ValueError, match=r"gd diverged at step \d+ .*lower learning_rate .* \(2 / L\)"):
        LinearRegression(solver="gd", learning_rate=5 * bound).fit(X, y)
    with pytest.raises(ValueError, match="sgd diverged at epoch"):
        LinearRegression(solver="sgd", learning_rate=1e3).fit(X, y)
    with pytest.raises(ValueError, match="sgd diverged"):
        LinearRegression(solver="sgd", learning_rate=1e200).partial_fit(X, y)


def test_a_rate_under_the_bound_of_the_message_does_not_diverge() -> None:
    X, y = line(100, 3)
    with pytest.raises(ValueError, match="diverged") as caught:
        LinearRegression(solver="gd", learning_rate=100.0).fit(X, y)
    bound = float(str(caught.value).split("to below ")[1].split(" ")[0])
    LinearRegression(solver="gd", learning_rate=0.98 * bound, max_iter=100, tol=0).fit(X, y)
    with pytest.raises(ValueError, match="diverged"):
        LinearRegression(solver="gd", learning_rate=1.05 * bound, max_iter=2000, tol=0).fit(X, y)


def test_columns_out_of_range_are_reported() -> None:
    X, y = line(50, 2)
    with pytest.raises(ValueError, match="squares of X leave the range of float64; scale X"):
        LinearRegression(solver="gd").fit(1e200 * X, y)


def test_what_has_not_converged_warns() -> None:
    X, y = line()
    with pytest.warns(ConvergenceWarning, match="gd did not converge in 2 iterations"):
        LinearRegression(solver="gd", max_iter=2).fit(X, y)


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = line()
    LinearRegression(solver="gd", max_iter=5, tol=0, verbose=1).fit(X, y)
    out, err = capsys.readouterr()
    assert out == ""
    assert "LinearRegression gd" in err
    LinearRegression(solver="gd", max_iter=5, tol=0).fit(X, y)
    assert capsys.readouterr().err == ""


def test_nan_is_refused_as_everywhere_in_scikit_learn() -> None:
    X, y = line()
    X[7, 2] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        LinearRegression().fit(X, y)
