"""What softmax and log-softmax must do, on which inputs, and how right they must be."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.blocks.softmax import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Inputs, Law, Outputs, Spec, Workload


def _plain(*shape: int, axis: int = -1, size: float = 3.0) -> Any:
    return lambda rng: {"x": size * rng.standard_normal(shape), "axis": axis}


def _given(values: Any, **options: Any) -> Any:
    return lambda rng: {"x": np.array(values), **options}


def _masked(rng: np.random.Generator) -> Inputs:
    x, mask = rng.standard_normal((5, 7)), rng.random((5, 7)) < 0.6
    mask[2], mask[3, 1] = False, False
    x[3, 1], x[4] = np.nan, -np.inf
    mask[4] = False
    return {"x": x, "mask": mask}


CASES = (
    Case("a matrix", "a formula that is plainly wrong", _plain(6, 9)),
    Case("three axes, the middle one", "the axis ignored", _plain(3, 4, 5, axis=1)),
    Case("three axes, the first one", "the axis ignored", _plain(3, 4, 5, axis=0)),
    Case("a negative axis", "the axis ignored", _plain(3, 4, 5, axis=-2)),
    Case(
        "scores of 1e3",
        "no maximum subtracted",
        _given([[1000.0, 999.0, 0.0], [-1000.0, -1001.0, -999.0]]),
        "stability",
    ),
    Case(
        "rows around +1000 and -1000 together",
        "one maximum for all rows",
        lambda rng: {"x": rng.standard_normal((2, 6)) + np.array([[1000.0], [-1000.0]])},
        "stability",
    ),
    Case(
        "far below the maximum",
        "the logarithm of an underflow",
        _given([[0.0, -200.0, -1000.0]]),
        "stability",
        dtypes=FULL,
    ),
    Case(
        "a huge range", "overflow on the way", _given([[3e38, -3e38, 0.0], [1.0, 2.0, 3.0]]), "stability", dtypes=FULL
    ),
    Case(
        "-inf entries",
        "-inf minus -inf",
        _given([[0.0, -np.inf, 1.0], [-np.inf, -np.inf, 5.0]]),
        "stability",
        gradient=False,
    ),
    Case(
        "only -inf, nan, +inf",
        "nan hidden",
        _given([[-np.inf] * 3, [0.0, np.nan, 1.0], [0.0, np.inf, 1.0]]),
        "stability",
        gradient=False,
    ),
    Case("long rows", "a sum that loses digits", _plain(3, 20000), dtypes=FULL),
    Case("equal scores", "a slice that is not uniform", _given([[2.0] * 7])),
    Case("a mask, a row without any, nan under it", "the mask applied after the sum", _masked, gradient=True),
    Case("integers", "integer arithmetic", _given([[1, 2, 3], [400, 500, -600]]), "generality", dtypes=(DOUBLE,)),
    Case("bools", "integer arithmetic", _given([[True, False, True]]), "generality", dtypes=(DOUBLE,)),
    Case("one column", "an axis of length 1", _plain(4, 1), "generality"),
    Case("one number", "an array without axes", _given(2.5), "generality"),
    Case("no rows", "an empty array", lambda rng: {"x": np.empty((0, 3))}, "generality"),
    Case("an empty axis", "the maximum of nothing", lambda rng: {"x": np.empty((3, 0))}, "generality"),
)

BAD_INPUTS = (
    BadInput(
        "axis too large",
        lambda: {"x": np.zeros((2, 3)), "axis": 2},
        ValueError,
        r"axis 2 does not exist in x of shape \(2, 3\); use -2 to 1",
    ),
    BadInput("axis not whole", lambda: {"x": np.zeros(3), "axis": 0.5}, TypeError, "axis must be an integer, not 0.5"),
    BadInput("complex scores", lambda: {"x": np.zeros(3, complex)}, TypeError, "dtype complex128"),
    BadInput("words for scores", lambda: {"x": np.array(["a"])}, TypeError, "pass real numbers"),
    BadInput("long double scores", lambda: {"x": np.zeros(3, np.longdouble)}, TypeError, r"astype\(np.float64\)"),
    BadInput("ragged rows", lambda: {"x": [[1.0], [1.0, 2.0]]}, ValueError, "not a regular array"),
    BadInput(
        "a mask of numbers",
        lambda: {"x": np.zeros(3), "mask": np.ones(3)},
        TypeError,
        "mask has dtype float64, not bool",
    ),
    BadInput(
        "a mask of another shape",
        lambda: {"x": np.zeros((2, 3)), "mask": np.ones(2, bool)},
        ValueError,
        "does not broadcast",
    ),
)


def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """An error of one eps in a score's distance to the maximum moves p by p |log p|."""
    p = outputs[0]
    log_p = np.log(np.where(p > 0, p, 1))
    return (p * (1 + np.abs(log_p)),)


def _gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    axis = inputs.get("axis", -1)
    p = textbook.softmax(inputs["x"], axis=axis, mask=inputs.get("mask"))
    size = p * (1 + np.abs(np.log(np.where(p > 0, p, 1))))
    return (size * np.abs(cotangent) + p * np.sum(size * np.abs(cotangent), axis=axis, keepdims=True),)


def _log_scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """Two terms are subtracted: the distance to the maximum, and a logarithm of a sum that is at least 1."""
    return (1 + np.abs(np.where(np.isfinite(outputs[0]), outputs[0], 0)),)


def _log_gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    axis, mask = inputs.get("axis", -1), inputs.get("mask")
    g = np.abs(cotangent) if mask is None else np.where(mask, np.abs(cotangent), 0)
    p = textbook.softmax(inputs["x"], axis=axis, mask=mask)
    size = p * (1 + np.abs(np.log(np.where(p > 0, p, 1))))
    return (g + size * np.sum(g, axis=axis, keepdims=True),)


def _sums_to_one(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    total = call(inputs)[0].astype(np.float64).sum(axis=-1)
    return total, np.ones_like(total), 8.0  # a sum of as many rounded terms


def _same_after_shift(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    moved = call({**inputs, "x": inputs["x"] + inputs["x"].dtype.type(64)})[0]
    still = call(inputs)[0]
    return moved, still, 1.0


def _quarters(rng: np.random.Generator) -> Inputs:
    return {"x": rng.integers(-40, 40, (5, 8)) / 4}  # adding 64 to these is exact in every type


_SHIFT_LAW = Law(
    "a shift changes nothing",
    {"en": "softmax(x + c) = softmax(x)", "zh": "softmax(x + c) = softmax(x)"},
    _quarters,
    _same_after_shift,
)
_NAMES = {"x": ("x", "logits", "z", "scores", "a", "input"), "axis": ("axis", "dim")}
_WORKLOADS = (
    Workload("32x128", lambda rng: {"x": rng.standard_normal((32, 128), np.float32)}),
    Workload("1024x1024", lambda rng: {"x": rng.standard_normal((1024, 1024), np.float32)}),
    Workload("8192x4096", lambda rng: {"x": rng.standard_normal((8192, 4096), np.float32)}),
    Workload("8192x4096 out=", lambda rng: {"x": rng.standard_normal((8192, 4096), np.float32)}, out=True),
)
_COMMON: dict[str, Any] = {
    "block": "softmax",
    "signature": ("x",),
    "differentiable": ("x",),
    "cases": CASES,
    "bad_inputs": BAD_INPUTS,
    "accuracy": 4.0,
    "gradient_accuracy": 8.0,
    "has_out": True,
    "workloads": _WORKLOADS,
}

SPECS = (
    Spec(
        name="softmax",
        titles={"en": "Softmax", "zh": "Softmax"},
        summary={"en": "scores to probabilities along an axis", "zh": "沿一个轴把分数变成概率"},
        formula="p_i = exp(x_i - m) / sum_j exp(x_j - m),  m = max_j x_j",
        reference=textbook.softmax,
        vjp=textbook.softmax_vjp,
        scale=_scale,
        gradient_scale=_gradient_scale,
        mutants=mutants.SOFTMAX,
        laws=(
            Law(
                "sums to one",
                {"en": "the probabilities of a slice sum to 1", "zh": "每个切片的概率之和为 1"},
                _quarters,
                _sums_to_one,
            ),
            _SHIFT_LAW,
        ),
        aliases={"softmax": ("softmax", "stable_softmax", "soft_max"), **_NAMES},
        **_COMMON,
    ),
    Spec(
        name="log_softmax",
        titles={"en": "Log-softmax", "zh": "Log-softmax"},
        summary={"en": "scores to log-probabilities along an axis", "zh": "沿一个轴把分数变成对数概率"},
        formula="log p_i = (x_i - m) - log sum_j exp(x_j - m),  m = max_j x_j",
        reference=textbook.log_softmax,
        vjp=textbook.log_softmax_vjp,
        scale=_log_scale,
        gradient_scale=_log_gradient_scale,
        mutants=mutants.LOG_SOFTMAX,
        laws=(
            Law(
                "a shift changes nothing",
                {"en": "log_softmax(x + c) = log_softmax(x)", "zh": "log_softmax(x + c) = log_softmax(x)"},
                _quarters,
                lambda call, inputs: (*_same_after_shift(call, inputs)[:2], 16.0),
            ),
        ),
        aliases={"log_softmax": ("log_softmax", "logsoftmax"), **_NAMES},
        **_COMMON,
    ),
)
