"""What logistic regression by gradient descent must do, on which inputs, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.logistic_regression import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Grade, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]
DATA = ("X", "y", "sample_weight", "X_new")


def _clouds(n: int, d: int, classes: int = 2, *, labels: Any = None, mean: float = 0.0, **options: Any) -> Make:
    """Clouds of points that overlap, a class each, of different sizes."""

    def make(rng: np.random.Generator) -> Inputs:
        y = np.minimum(rng.integers(0, classes + 1, n), classes - 1)
        y[:classes] = np.arange(classes)
        centres = rng.standard_normal((classes, d))
        named = y if labels is None else np.array(labels)[y]
        X, X_new = mean + centres[y] + rng.standard_normal((n, d)), mean + 2 * rng.standard_normal((5, d))
        return {"X": X, "y": named, "X_new": X_new, "learning_rate": 0.3, "max_iter": 8} | options

    return make


def _weighted(make: Make, weigh: Callable[[np.random.Generator, int], Any]) -> Make:
    def weighted(rng: np.random.Generator) -> Inputs:
        inputs = make(rng)
        return inputs | {"sample_weight": weigh(rng, len(inputs["X"]))}

    return weighted


def _far(classes: int, **options: Any) -> Make:
    """Rows that one step scores at ±1000, some of them on the wrong side."""

    def make(rng: np.random.Generator) -> Inputs:
        y = np.arange(8 * classes) % classes
        X = 45 * np.eye(classes)[y] + rng.standard_normal((len(y), classes))
        X[:classes] = -X[:classes]
        still = {"X": X, "y": y, "X_new": X[::5].copy(), "learning_rate": 60.0, "max_iter": 1, "C": 1e3}
        return still | options

    return make


def _separable(rng: np.random.Generator) -> Inputs:
    """Two clouds that a plane separates: the weights grow for ever, the losses fall below every eps."""
    y = np.arange(20) % 2
    X = rng.random((20, 2)) + 8.0 * (2 * y - 1)[:, None]
    return {"X": X, "y": y, "X_new": X[:4], "learning_rate": 0.05, "max_iter": 60, "C": np.inf}


def _whole(rng: np.random.Generator) -> Inputs:
    return {
        "X": rng.integers(-3, 4, (20, 3)),
        "y": np.arange(20) % 2,
        "X_new": rng.integers(-3, 4, (4, 3)),
        "learning_rate": 0.2,
        "max_iter": 6,
    }


def _case(name: str, catches: str, make: Make, grade: Grade = "correctness") -> Case:
    return Case(name, catches, make, grade, gradient=False, dtypes=FULL)


CASES = (
    _case("two classes", "a formula that is plainly wrong", _clouds(30, 4)),
    _case("three classes", "one sigmoid a class, the softmax over the rows", _clouds(40, 4, 3)),
    _case("one step", "1/n missing, the gradient of the squared error", _clouds(25, 3, max_iter=1)),
    _case("labels -1 and 1", "labels taken as numbers", _clouds(30, 3, labels=[-1, 1])),
    _case("labels 3 and 7", "labels taken as numbers", _clouds(30, 3, labels=[3, 7])),
    _case("labels as words", "labels that must be numbers", _clouds(30, 3, 3, labels=["low", "high", "middle"])),
    _case("true and false", "not y is y == 0", _clouds(30, 3, labels=[False, True])),
    _case("no intercept asked for", "an intercept all the same", _clouds(30, 3, fit_intercept=False)),
    _case("a strong penalty", "C for its inverse, a penalised intercept", _clouds(30, 3, mean=1.0, C=0.05)),
    _case("a strong penalty, three classes", "a penalty on one class alone", _clouds(30, 3, 3, C=0.1)),
    _case("no penalty", "1 / C with C infinite", _clouds(30, 3, C=np.inf)),
    _case("weighted rows", "weights ignored, or divided by n", _weighted(_clouds(30, 3), lambda r, n: r.random(n))),
    _case(
        "weighted rows, three classes",
        "the wrong axis",
        _weighted(_clouds(30, 3, 3), lambda r, n: r.random(n)),
    ),
    _case(
        "whole-number weights, some 0",
        "a row of weight 0 that counts",
        _weighted(_clouds(30, 3), lambda r, n: r.integers(0, 4, n)),
    ),
    Case("integers", "weights that truncate", _whole, gradient=False, dtypes=(DOUBLE,)),
    _case("one row a class", "a variance of one", _clouds(2, 3)),
    _case("one column", "an axis lost", _clouds(15, 1)),
    _case("more columns than rows", "products of all columns", _clouds(6, 12, learning_rate=0.05)),
    _case("as many classes as columns and rows", "a matrix transposed in silence", _clouds(5, 5, 5)),
    _case("scores of 1000", "log 0 and exp overflow", _far(2), "stability"),
    _case("scores of 1000, three steps", "a sigmoid of inf over inf in the gradient", _far(2, max_iter=3), "stability"),
    _case("scores of 1000, three classes, three steps", "exp overflows", _far(3, max_iter=3), "stability"),
    _case("scores of 1000, three classes", "exp overflows without the shift", _far(3), "stability"),
    _case("separable", "log 0 on separable data", _separable, "stability"),
    _case("far from the origin", "an error that the mean multiplies", _clouds(40, 3, mean=50.0, learning_rate=1e-4)),
    _case("many rows", "sums that lose digits", _clouds(5000, 3, max_iter=3)),
    _case("many rows, four classes", "sums that lose digits", _clouds(3000, 3, 4, max_iter=3)),
)


def _bad(**change: Any) -> Callable[[], Inputs]:
    return lambda: _clouds(10, 2)(np.random.default_rng(0)) | change


BAD_INPUTS = (
    BadInput("one class", _bad(y=np.ones(10, np.int64)), ValueError, "y holds one class only"),
    BadInput("C of 0", _bad(C=0.0), ValueError, "C is 0.0; use a finite number above 0"),
    BadInput("C below 0", _bad(C=-1.0), ValueError, "C is -1.0; use a finite number above 0"),
    BadInput("C a word", _bad(C="none"), TypeError, "C must be a number, not 'none'"),
    BadInput("a learning rate of 0", _bad(learning_rate=0.0), ValueError, "learning_rate is 0.0; use a finite number"),
    BadInput("a rate that is a word", _bad(learning_rate="fast"), ValueError, "learning_rate is 'fast'; use 'auto'"),
    BadInput("no steps", _bad(max_iter=0), ValueError, "max_iter is 0; use at least 1"),
    BadInput("half a step", _bad(max_iter=1.5), TypeError, "max_iter must be a whole number, not 1.5"),
    BadInput("an unknown solver", _bad(solver="saga"), ValueError, "solver is 'saga'; use 'auto', 'gd'"),
    BadInput("weights of 0", _bad(sample_weight=np.zeros(10)), ValueError, "sample_weight is zero in every row"),
    BadInput("a weight below 0", _bad(sample_weight=-np.ones(10)), ValueError, "sample_weight holds -1"),
    BadInput("a batch of 0", _bad(batch_size=0), ValueError, "batch_size is 0; use at least 1"),
    BadInput(
        "a rate too large",
        _bad(learning_rate=1e4, max_iter=300, C=1e-3),
        ValueError,
        "diverged at step .* to below",
    ),
)


def _made(candidate: Callable[..., Any], inputs: Inputs) -> Any:
    """The candidate with the case's options; ours by plain descent, and never stopping early."""
    options = {k: v for k, v in inputs.items() if k not in DATA}
    if "solver" in (getattr(candidate.__init__, "__kwdefaults__", None) or {}):
        options = {"solver": "gd", "tol": 0.0} | options
    return candidate(**options)


def _drive(spec: Spec, candidate: Callable[..., Any], inputs: Inputs) -> Outputs:
    """Steps of plain descent; the weights, the intercepts, probabilities of new rows and the losses on the way."""
    model = _made(candidate, inputs)
    model.fit(inputs["X"], inputs["y"], **{k: inputs[k] for k in ("sample_weight",) if k in inputs})
    probabilities = model.predict_proba(inputs["X_new"])
    losses = np.asarray(model.loss_curve_, probabilities.dtype)
    return model.coef_, np.asarray(model.intercept_), probabilities, losses


def _session(candidate: Callable[..., Any], inputs: Inputs) -> Callable[[], Any]:
    """Plain descent where a rate is given; else a fit as the candidate comes."""
    if "learning_rate" not in inputs:
        return lambda: candidate().fit(inputs["X"], inputs["y"])
    return lambda: _made(candidate, inputs).fit(inputs["X"], inputs["y"])


def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """What the steps add up, step by step.

    An error of one eps in a score's terms moves a row's slope by p (1 - p) times as much; later steps only shrink what
    a step got wrong, in Euclidean length, while the rate is at most 2 / L. Larger rates only come for one step.
    """
    X = np.multiply(inputs["X"], 1.0)
    s = np.multiply(inputs.get("sample_weight", np.ones(len(X))), 1.0)
    rate, C, intercept = inputs["learning_rate"], inputs.get("C", 1.0), inputs.get("fit_intercept", True)
    classes, label = np.unique(inputs["y"], return_inverse=True)
    two = len(classes) == 2
    w, b = np.zeros((X.shape[1], 1 if two else len(classes)), X.dtype), np.zeros(1 if two else len(classes), X.dtype)
    error, ax, losses = 0.0, np.abs(X), []
    formulas = textbook.LogisticRegression._binary if two else textbook.LogisticRegression._softmax
    for step in range(inputs["max_iter"] + 1):
        each, slopes = formulas(X @ w + b, label)
        size = ax @ np.abs(w) + np.abs(b)
        moved = (size + (ax.sum(axis=1, keepdims=True) + 1) * error).max(axis=1, keepdims=True)
        terms = np.abs(slopes) + 2 * np.abs(slopes) * (1 - np.abs(slopes)) * moved
        loss = s @ (each + (np.abs(slopes) * moved).sum(axis=1)) + ((w**2).sum() + 2 * np.abs(w).sum() * error) / (
            2 * C
        )
        losses.append(loss / s.sum())
        if step == inputs["max_iter"]:
            break
        weighted = s[:, None] * slopes
        w, dw = w - rate * (X.T @ weighted + w / C) / s.sum(), ax.T @ (s[:, None] * terms) + np.abs(w) / C
        b, db = b - rate * weighted.sum(axis=0) / s.sum() * intercept, s @ terms * intercept
        lost = (rate * dw / s.sum() + np.abs(w)) ** 2, (rate * db / s.sum() + np.abs(b)) ** 2
        error = error + np.sqrt(lost[0].sum() + lost[1].sum())
    new = np.abs(np.multiply(inputs["X_new"], 1.0))
    p = _probabilities(np.multiply(inputs["X_new"], 1.0) @ w + b)
    moved = (new @ np.abs(w) + np.abs(b) + (new.sum(axis=1, keepdims=True) + 1) * error).max(axis=1, keepdims=True)
    return np.full(w.T.shape, error), np.full(b.shape, error), p + 2 * p * (1 - p) * moved, np.array(losses)


def _probabilities(z: Any) -> Any:
    z = np.concatenate([0 * z, z], axis=1) if z.shape[1] == 1 else z
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _plain(rng: np.random.Generator) -> Inputs:
    return _clouds(20, 3, 3)(rng) | {"C": np.inf}  # a penalty is shared by more rows when there are more


def _twice(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    again = inputs | {"X": np.concatenate([inputs["X"]] * 2), "y": np.concatenate([inputs["y"]] * 2)}
    return call(again)[2], call(inputs)[2], _scale(inputs, ())[2]


def _repeated(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    s = 1 + np.arange(len(inputs["X"])) % 3
    rows = np.repeat(np.arange(len(s)), s)
    weighted = inputs | {"sample_weight": s.astype(inputs["X"].dtype), "C": 0.5}
    repeated = inputs | {"X": inputs["X"][rows], "y": inputs["y"][rows], "C": 0.5}
    return call(weighted)[2], call(repeated)[2], _scale(weighted, ())[2]


def _renamed(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    """The classes in the opposite order: the columns of probabilities are exchanged with them."""
    return call(inputs | {"y": 2 - inputs["y"]})[2][:, ::-1], call(inputs)[2], _scale(inputs, ())[2]


def _work(n: int, d: int, classes: int, **descent: Any) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        X = rng.standard_normal((n, d))
        y = (X @ rng.standard_normal((d, classes)) + rng.gumbel(size=(n, classes))).argmax(axis=1)
        return {"X": X, "y": y, **descent}

    return make


SPECS = (
    Spec(
        name="LogisticRegression",
        block="logistic_regression",
        titles={"en": "Logistic regression", "zh": "逻辑回归"},
        summary={
            "en": "probabilities of classes from a linear score, found by descent on the mean log loss",
            "zh": "对平均对数损失做下降，由线性得分给出各类别的概率",
        },
        formula="w <- w - rate (X'(p - y) + w / C) / n,  b <- b - rate mean(p - y),  p = sigmoid(Xw + b) or softmax",
        signature=(),
        differentiable=(),
        reference=textbook.LogisticRegression,
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
                "the names of the classes",
                {"en": "classes renamed exchange their probabilities", "zh": "类别改名，概率只是随之换列"},
                _plain,
                _renamed,
            ),
        ),
        aliases={
            "LogisticRegression": (
                "LogisticRegression",
                "LogisticRegressionGD",
                "LogisticClassifier",
                "SoftmaxRegression",
                "logistic_regression",
            ),
            "X": ("X", "x", "features", "data"),
            "y": ("y", "Y", "target", "targets", "labels"),
            "sample_weight": ("sample_weight", "weights", "sample_weights"),
            "learning_rate": ("learning_rate", "lr", "eta", "eta0", "step_size"),
            "max_iter": ("max_iter", "n_iter", "n_iters", "n_iterations", "num_iterations", "iterations", "epochs"),
            "C": ("C", "c", "inverse_penalty"),
            "fit_intercept": ("fit_intercept", "bias", "intercept"),
        },
        workloads=(
            Workload("1e6x50 to the optimum, float64", _work(10**6, 50, 2)),
            Workload("1e5x500 to the optimum, float64", _work(10**5, 500, 2)),
            Workload("1e6x50, 20 steps, float64", _work(10**6, 50, 2, learning_rate=0.1, max_iter=20)),
            Workload("1e5x50, 5 classes, 20 steps, float64", _work(10**5, 50, 5, learning_rate=0.1, max_iter=20)),
        ),
        output_names=("coef_", "intercept_", "probabilities", "loss_curve_"),
        drive=_drive,
        session=_session,
    ),
)
