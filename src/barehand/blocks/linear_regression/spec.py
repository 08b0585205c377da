"""What linear regression by gradient descent must do, on which inputs, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.linear_regression import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Convention, Grade, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]
DATA = ("X", "y", "sample_weight", "X_new")


def _line(n: int, d: int, *outputs: int, noise: float = 0.5, mean: float = 0.0, **options: Any) -> Make:
    """y = X w + 2 + noise."""

    def make(rng: np.random.Generator) -> Inputs:
        X = mean + rng.standard_normal((n, d))
        y = X @ rng.standard_normal((d, *outputs)) + 2 + noise * rng.standard_normal((n, *outputs))
        return {
            "X": X,
            "y": y,
            "X_new": mean + rng.standard_normal((5, d)),
            "learning_rate": 0.1,
            "max_iter": 8,
        } | options

    return make


def _weighted(make: Make, weigh: Callable[[np.random.Generator, int], Any]) -> Make:
    def weighted(rng: np.random.Generator) -> Inputs:
        inputs = make(rng)
        return inputs | {"sample_weight": weigh(rng, len(inputs["X"]))}

    return weighted


def _changed(make: Make, **change: Callable[[Inputs], Any]) -> Make:
    def changed(rng: np.random.Generator) -> Inputs:
        inputs = make(rng)
        return inputs | {k: f(inputs) for k, f in change.items()}

    return changed


def _whole(rng: np.random.Generator) -> Inputs:
    return {
        "X": rng.integers(-3, 4, (20, 3)),
        "y": rng.integers(-5, 6, 20),
        "X_new": rng.integers(-3, 4, (4, 3)),
        "learning_rate": 0.05,
        "max_iter": 6,
    }


def _unscaled(rng: np.random.Generator) -> Inputs:
    """Columns of sizes 1e-2 to 1e3, at a rate that the largest allows."""
    X = rng.standard_normal((40, 4)) * [1e-2, 1.0, 30.0, 1e3]
    return {
        "X": X,
        "y": X @ [50.0, 1.0, 0.1, 2e-3] + 1,
        "X_new": X[:5],
        "learning_rate": 0.2 / float(np.square(X).sum(axis=1).mean()),
        "max_iter": 10,
    }


def _case(name: str, catches: str, make: Make, grade: Grade = "correctness") -> Case:
    return Case(name, catches, make, grade, gradient=False, dtypes=FULL)


CASES = (
    _case("eight steps", "a formula that is plainly wrong", _line(30, 4)),
    _case("one step", "1/n or the 2 of the square missing", _line(25, 3, max_iter=1)),
    _case("y is 5", "no intercept", _changed(_line(20, 2), y=lambda i: np.full(20, 5.0))),
    _case("no intercept asked for", "an intercept all the same", _line(30, 3, fit_intercept=False)),
    _case("y as a column", "(N, 1) against (N,) is N x N", _line(20, 3, 1)),
    _case("several outputs", "outputs that share a gradient", _line(30, 3, 4)),
    _case("a penalty", "the penalty on the intercept, or not divided by n", _line(30, 3, alpha=7.0)),
    _case("a penalty and no intercept", "two options that meet", _line(30, 3, alpha=3.0, fit_intercept=False)),
    _case("weighted rows", "weights ignored, or divided by n", _weighted(_line(30, 3), lambda r, n: r.random(n))),
    _case(
        "whole-number weights, some 0",
        "weights squared, a row of weight 0 that counts",
        _weighted(_line(30, 3, alpha=1.0), lambda r, n: r.integers(0, 4, n)),
    ),
    _case("weighted rows, several outputs", "the wrong axis", _weighted(_line(8, 3, 8), lambda r, n: r.random(n))),
    Case("integers", "weights that truncate", _whole, gradient=False, dtypes=(DOUBLE,)),
    _case("one row", "a variance of one", _line(1, 3)),
    _case("one column", "an axis lost", _line(15, 1)),
    _case("more columns than rows", "products of all columns", _line(6, 12, learning_rate=0.02)),
    _case("as many outputs as rows", "a square matrix transposed in silence", _line(6, 2, 6)),
    _case("a constant column", "a division by its spread", _changed(_line(20, 3), X=lambda i: _with_constant(i["X"]))),
    _case("columns of all sizes", "nan in silence", _unscaled, "stability"),
    _case("nearly a perfect fit", "a loss of cancelled digits", _line(40, 3, noise=1e-5, max_iter=60), "stability"),
    _case("a perfect fit", "a loss below 0", _line(40, 3, noise=0.0, max_iter=150, learning_rate=0.2), "stability"),
    _case(
        "far from the origin",
        "centred moments that are not",
        _line(40, 3, mean=300.0, learning_rate=2e-6, max_iter=20),
        "stability",
    ),
    _case("y is 0", "0 / 0", _changed(_line(10, 2), y=lambda i: np.zeros(10)), "stability"),
    _case("many rows", "sums that lose digits", _line(5000, 3, max_iter=3)),
)


def _with_constant(X: Any) -> Any:
    return np.column_stack([X[:, 1:], np.full(len(X), 3.0)])


def _bad(**change: Any) -> Callable[[], Inputs]:
    return lambda: _line(10, 2)(np.random.default_rng(0)) | change


BAD_INPUTS = (
    BadInput("a learning rate of 0", _bad(learning_rate=0.0), ValueError, "learning_rate is 0.0; use a finite number"),
    BadInput("a rate that is a word", _bad(learning_rate="fast"), ValueError, "learning_rate is 'fast'; use 'auto'"),
    BadInput(
        "a rate that diverges", _bad(learning_rate=50.0, max_iter=500), ValueError, "diverged at step .* to below"
    ),
    BadInput("a rate that is nan", _bad(learning_rate=np.nan), ValueError, "learning_rate is nan"),
    BadInput("no steps", _bad(max_iter=0), ValueError, "max_iter is 0; use at least 1"),
    BadInput("half a step", _bad(max_iter=1.5), TypeError, "max_iter must be a whole number, not 1.5"),
    BadInput("a penalty below 0", _bad(alpha=-1.0), ValueError, "alpha is -1.0; use a finite number at least 0"),
    BadInput("an unknown solver", _bad(solver="newton"), ValueError, "solver is 'newton'; use 'auto', 'gd'"),
    BadInput("weights of 0", _bad(sample_weight=np.zeros(10)), ValueError, "sample_weight is zero in every row"),
    BadInput("a weight below 0", _bad(sample_weight=-np.ones(10)), ValueError, "sample_weight holds -1"),
    BadInput("a batch of 0", _bad(batch_size=0), ValueError, "batch_size is 0; use at least 1"),
    BadInput("a tolerance below 0", _bad(tol=-1.0), ValueError, "tol is -1.0"),
)


def _drive(spec: Spec, candidate: Callable[..., Any], inputs: Inputs) -> Outputs:
    """Steps of plain descent; the weights, the intercept, predictions for new rows and the losses on the way."""
    options = {k: v for k, v in inputs.items() if k not in DATA}
    if "solver" in (getattr(candidate.__init__, "__kwdefaults__", None) or {}):
        options = {"solver": "gd", "tol": 0.0} | options
    model = candidate(**options)
    model.fit(inputs["X"], inputs["y"], **{k: inputs[k] for k in ("sample_weight",) if k in inputs})
    predictions = model.predict(inputs["X_new"])
    kind = predictions.dtype
    return model.coef_, np.asarray(model.intercept_), predictions, np.asarray(model.loss_curve_, kind)


def _session(candidate: Callable[..., Any], inputs: Inputs) -> Callable[[], Any]:
    """Plain descent where a rate is given; else a fit as the candidate comes."""
    if "learning_rate" not in inputs:
        return lambda: candidate().fit(inputs["X"], inputs["y"])
    options = {k: v for k, v in inputs.items() if k not in DATA}
    if "solver" in (getattr(candidate.__init__, "__kwdefaults__", None) or {}):
        options = {"solver": "gd", "tol": 0.0} | options
    return lambda: candidate(**options).fit(inputs["X"], inputs["y"])


def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """What the steps add up, step by step.

    An error in a step is an eps of the terms in it; later steps only shrink it, in Euclidean length, since
    I - learning_rate * Hessian does while the rate is at most 2 / L. A squared error is never known better than the
    square of an eps of its terms.
    """
    X, y = np.multiply(inputs["X"], 1.0), np.multiply(inputs["y"], 1.0)
    s = np.multiply(inputs.get("sample_weight", np.ones(len(X))), 1.0)
    rate, alpha, intercept = inputs["learning_rate"], inputs.get("alpha", 0.0), inputs.get("fit_intercept", True)
    eps = np.finfo(np.float32 if X.dtype == np.float64 and inputs["X"].dtype.kind == "f" else np.float64).eps
    w, b = np.zeros((X.shape[1], *y.shape[1:]), X.dtype), np.zeros(y.shape[1:], X.dtype)
    error: Any = np.zeros(y.shape[1:])
    losses = []
    for step in range(inputs["max_iter"] + 1):
        r, size = X @ w + b - y, np.abs(X) @ np.abs(w) + np.abs(b) + np.abs(y)
        moved = size + (np.abs(X).sum(axis=1) * np.ones(y.T.shape)).T * error + error
        losses.append(_loss_scale(step, outputs, (s @ r**2).sum(), (s @ moved**2).sum(), eps, s.sum()))
        losses[-1] += alpha * (w**2 + 2 * np.abs(w) * error).sum() / s.sum()
        if step == inputs["max_iter"]:
            break
        weighted = (s * r.T).T
        w = w - rate * 2 * (X.T @ weighted + alpha * w) / s.sum()
        b = b - rate * 2 * weighted.sum(axis=0) / s.sum() if intercept else b
        terms = 2 * rate * (np.abs(X).T @ (s * size.T).T + alpha * np.abs(w)) / s.sum() + np.abs(w)
        constant = (2 * rate * (s @ size) / s.sum() + np.abs(b)) * intercept
        error = error + np.sqrt((terms**2).sum(axis=0) + constant**2)
    new = np.abs(np.multiply(inputs["X_new"], 1.0))
    predicted = (
        new @ np.abs(w)
        + np.abs(b)
        + (new.sum(axis=1) * np.ones((*y.shape[1:], 1))).T.reshape(len(new), *y.shape[1:]) * error
        + error
    )
    return np.broadcast_to(error, w.shape).T, error, predicted, np.array(losses)


def _loss_scale(step: int, outputs: Outputs, squares: Any, moved: Any, eps: Any, total: Any) -> Any:
    """mean r² + 2 mean |r| moved + eps mean moved²; r as large as the loss says where a convention's path has more."""
    known = outputs[3][step] * total if outputs and step < len(outputs[3]) else 0.0
    square = np.maximum(squares, np.abs(known))
    return (square + 2 * np.sqrt(square * moved) + eps * moved) / total


def _plain(rng: np.random.Generator) -> Inputs:
    return _line(20, 3)(rng)


def _twice(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    """The scale is the size of the predictions' terms."""
    again = inputs | {"X": np.concatenate([inputs["X"]] * 2), "y": np.concatenate([inputs["y"]] * 2)}
    return call(again)[2], call(inputs)[2], _scale(inputs, ())[2]


def _repeated(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    s = np.arange(len(inputs["X"])) % 4
    rows = np.repeat(np.arange(len(s)), s)
    weighted = inputs | {"sample_weight": s.astype(inputs["X"].dtype)}
    return (
        call(weighted)[2],
        call(inputs | {"X": inputs["X"][rows], "y": inputs["y"][rows]})[2],
        _scale(weighted, ())[2],
    )


def _upside_down(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    mirrored = inputs | {"X": inputs["X"][::-1].copy(), "y": inputs["y"][::-1].copy()}
    return call(mirrored)[2], call(inputs)[2], _scale(inputs, ())[2]


def _work(n: int, d: int, **descent: Any) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        X = rng.standard_normal((n, d))
        y = X @ rng.standard_normal(d) + rng.standard_normal(n)
        return {"X": X, "y": y, **descent}

    return make


SPECS = (
    Spec(
        name="LinearRegression",
        block="linear_regression",
        titles={"en": "Linear regression", "zh": "线性回归"},
        summary={
            "en": "the line through the data, found by gradient descent on the mean squared error",
            "zh": "对均方误差做梯度下降，求出拟合数据的直线",
        },
        formula="w <- w - 2 rate (X'(Xw + b - y) + alpha w) / n,  b <- b - 2 rate mean(Xw + b - y)",
        signature=(),
        differentiable=(),
        reference=textbook.LinearRegression,
        vjp=None,
        scale=_scale,
        gradient_scale=None,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        accuracy=2.0,
        gradient_accuracy=0.0,
        laws=(
            Law(
                "the data twice",
                {"en": "the data set twice takes the same path", "zh": "数据重复一遍，下降路径不变"},
                _plain,
                _twice,
            ),
            Law(
                "a weight is a repetition",
                {"en": "a row of weight k counts as k rows", "zh": "权重为 k 的行相当于 k 行"},
                _plain,
                _repeated,
            ),
            Law(
                "the order of the rows",
                {"en": "the order of the rows changes nothing", "zh": "行的顺序不影响结果"},
                _plain,
                _upside_down,
            ),
        ),
        conventions=(
            Convention(
                "half the squared error",
                {
                    "en": "The objective is half the mean squared error, so that its gradient has no 2.",
                    "zh": "目标函数取均方误差的一半，梯度中便没有 2。",
                },
                mutants.HalfTheSquare,
            ),
            Convention(
                "the 2 in the learning rate",
                {
                    "en": "The loss is the mean squared error; the 2 of its gradient is part of the learning rate.",
                    "zh": "损失是均方误差，梯度中的 2 并入学习率。",
                },
                mutants.HalfTheStep,
            ),
        ),
        aliases={
            "LinearRegression": ("LinearRegression", "LinearRegressionGD", "LinearRegressor", "linear_regression"),
            "X": ("X", "x", "features", "data"),
            "y": ("y", "Y", "target", "targets", "labels"),
            "sample_weight": ("sample_weight", "weights", "sample_weights"),
            "learning_rate": ("learning_rate", "lr", "eta", "eta0", "step_size", "alpha_lr"),
            "max_iter": ("max_iter", "n_iter", "n_iters", "n_iterations", "num_iterations", "iterations", "epochs"),
            "alpha": ("alpha", "l2", "l2_penalty", "reg", "lambda_", "lam"),
            "fit_intercept": ("fit_intercept", "bias", "intercept"),
        },
        workloads=(
            Workload("1e6x50, 100 steps, float64", _work(10**6, 50, learning_rate=0.1, max_iter=100)),
            Workload("1e6x50, least squares, float64", _work(10**6, 50)),
            Workload("1e4x20, 1000 steps, float64", _work(10**4, 20, learning_rate=0.1, max_iter=1000)),
        ),
        output_names=("coef_", "intercept_", "predictions", "loss_curve_"),
        drive=_drive,
        session=_session,
    ),
)
