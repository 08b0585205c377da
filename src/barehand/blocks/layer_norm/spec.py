"""What layer norm must do, on which inputs, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.layer_norm import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]


def _plain(*shape: int, mean: float = 0.0, sd: float = 1.0, **options: Any) -> Make:
    """Normal values, without weight and bias."""
    return lambda rng: {"x": mean + sd * rng.standard_normal(shape), **options}


def _affine(x: Any, rng: np.random.Generator, **options: Any) -> Inputs:
    shape = x.shape[options.get("axis", -1) :]
    return {"x": x, "weight": 1 + 0.5 * rng.standard_normal(shape), "bias": rng.standard_normal(shape), **options}


def _full(*shape: int, mean: float = 0.0, sd: float = 1.0, **options: Any) -> Make:
    """Normal values, with weight and bias."""
    return lambda rng: _affine(mean + sd * rng.standard_normal(shape), rng, **options)


def _weight_alone(rng: np.random.Generator) -> Inputs:
    return {"x": rng.standard_normal((4, 6)), "weight": rng.standard_normal(6)}


def _bias_alone(rng: np.random.Generator) -> Inputs:
    return {"x": rng.standard_normal((4, 6)), "weight": None, "bias": rng.standard_normal(6)}


def _around_ten_thousand(rng: np.random.Generator) -> Inputs:
    """Whole numbers whose mean is 10000 exactly: a mean rounded once loses nothing, E[x²] - E[x]² everything."""
    d = rng.integers(-2, 3, (4, 32))
    return _affine(1e4 + np.concatenate([d, -d], axis=1), rng)


def _constant_rows(rng: np.random.Generator) -> Inputs:
    x = rng.standard_normal((4, 6))
    x[0], x[2] = 4.0, -0.5
    return _affine(x, rng)


def _same_number(rng: np.random.Generator) -> Inputs:
    return _affine(np.full((2, 100), 10000.1), rng)


def _outlier(rng: np.random.Generator) -> Inputs:
    x = rng.standard_normal((4, 64))
    x[:, 0] = 1e4
    return _affine(x, rng)


def _bad_row(rng: np.random.Generator) -> Inputs:
    x = rng.standard_normal((4, 6))
    x[1, 2], x[3, 0] = np.nan, np.inf
    return _affine(x, rng)


# The textbook squares in the data's own type, so that 1e30 in float32 is beyond it, though not beyond our kernel.
CASES = (
    Case("a matrix, N != D", "statistics over the batch", _full(3, 8, mean=0.5, sd=2.0)),
    Case("sequences", "statistics over the places of a sequence", _full(2, 3, 5, mean=0.5, sd=2.0)),
    Case("two axes of three", "only one axis normalised", _full(4, 3, 5, mean=0.5, axis=-2)),
    Case("all axes", "the axis ignored", _full(3, 4, 5, mean=0.5, axis=0)),
    Case("an axis counted from the front", "the axis ignored", _full(2, 3, 4, 5, axis=2)),
    Case("two features", "the variance divided by n - 1", _full(5, 2)),
    Case("without weight and bias", "parameters required", _plain(4, 6, mean=-1.0)),
    Case("a weight alone", "weight and bias tied together", _weight_alone),
    Case("a bias alone", "weight and bias tied together", _bias_alone),
    Case("constant rows", "epsilon outside the root, 0/0 without one", _constant_rows),
    Case("variance 1e-10, eps 1e-3", "epsilon outside the root", _full(4, 8, sd=1e-5, eps=1e-3)),
    Case("mean 1e4, sd 1", "E[x²] - E[x]²", _around_ten_thousand, "stability", dtypes=FULL),
    Case("mean 1e4, sd 1e-3", "a mean rounded once", _full(4, 64, mean=1e4, sd=1e-3), "stability", dtypes=FULL),
    Case("a hundred times 10000.1", "a mean that is none of its values", _same_number, "stability", dtypes=FULL),
    Case("an outlier first", "sums that the first element spoils", _outlier, "stability", dtypes=FULL),
    Case("values of 1e18", "a cube on the way to the gradient", _full(3, 8, sd=1e18), "stability", dtypes=FULL),
    Case("long rows", "a sum that loses digits", _full(3, 20000, mean=0.5), dtypes=FULL),
    Case("nan and inf in their own rows", "a sample that spoils the others", _bad_row, "stability"),
    Case(
        "integers",
        "integer arithmetic",
        lambda rng: {"x": np.array([[1, 2, 4], [400, 500, -600]])},
        "generality",
        dtypes=(DOUBLE,),
    ),
    Case(
        "bools",
        "integer arithmetic",
        lambda rng: {"x": np.array([[True, False, True]])},
        "generality",
        dtypes=(DOUBLE,),
    ),
    Case("one feature", "no variance", _full(4, 1), "generality"),
    Case("one sample without a batch", "a batch axis required", _full(7), "generality"),
    Case("no rows", "an empty array", _full(0, 5), "generality"),
)

_X = np.zeros((2, 3))
BAD_INPUTS = (
    BadInput("one number", lambda: {"x": np.array(2.5)}, ValueError, "single number, with no axis"),
    BadInput(
        "axis too large",
        lambda: {"x": _X, "axis": 2},
        ValueError,
        r"axis 2 does not exist in x of shape \(2, 3\); use -2 to 1",
    ),
    BadInput("axis not whole", lambda: {"x": _X, "axis": 0.5}, TypeError, "axis must be an integer, not 0.5"),
    BadInput(
        "a weight of another length",
        lambda: {"x": _X, "weight": np.ones(2)},
        ValueError,
        r"weight has shape \(2,\), the axes normalised over \(3,\)",
    ),
    BadInput(
        "a bias of another length",
        lambda: {"x": _X, "weight": None, "bias": np.ones(4)},
        ValueError,
        r"bias has shape \(4,\), the axes normalised over \(3,\)",
    ),
    BadInput(
        "a weight for the last axis only",
        lambda: {"x": _X, "weight": np.ones(3), "axis": 0},
        ValueError,
        r"the axes normalised over \(2, 3\)",
    ),
    BadInput(
        "eps below zero", lambda: {"x": _X, "eps": -1.0}, ValueError, "eps is -1.0; use a finite number at least 0"
    ),
    BadInput("eps nan", lambda: {"x": _X, "eps": np.nan}, ValueError, "eps is nan"),
    BadInput("a word for eps", lambda: {"x": _X, "eps": "small"}, TypeError, "eps must be a number, not 'small'"),
    BadInput("complex data", lambda: {"x": _X.astype(complex)}, TypeError, "dtype complex128"),
    BadInput("ragged rows", lambda: {"x": [[1.0], [1.0, 2.0]]}, ValueError, "not a regular array"),
)


def _moments(inputs: Inputs) -> tuple[Any, Any, tuple[int, ...]]:
    """The size of xhat, 1 / sqrt(variance + eps), and the axes normalised over.

    An error of one eps in the differences moves the mean by their average size, which is the second term.
    """
    x, axis, eps = inputs["x"], inputs.get("axis", -1), inputs.get("eps", 1e-5)
    axes = tuple(range(axis % x.ndim, x.ndim))
    xhat = textbook.layer_norm(x, axis=axis, eps=eps)
    size = np.abs(xhat) + np.sqrt((xhat**2).mean(axis=axes, keepdims=True))
    return size, 1 / np.sqrt(x.var(axis=axes, keepdims=True) + eps), axes


def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """|xhat weight| + |bias|; the mean is not in it: what a large mean costs is what a program may avoid."""
    size, _, _ = _moments(inputs)
    weight, bias = inputs.get("weight"), inputs.get("bias")
    size = size if weight is None else size * np.abs(weight)
    return (size if bias is None else size + np.abs(bias),)


def _gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    """The three terms of dx, which cancel, and the terms of the two sums."""
    size, rstd, axes = _moments(inputs)
    weight, rows = inputs.get("weight"), tuple(range(axes[0]))
    g = np.abs(cotangent)
    gw = g if weight is None else g * np.abs(weight)
    scales = [rstd * (gw + gw.mean(axis=axes, keepdims=True) + size * (gw * size).mean(axis=axes, keepdims=True))]
    if weight is not None:
        scales.append((g * size).sum(axis=rows))
    if inputs.get("bias") is not None:
        scales.append(g.sum(axis=rows))
    return tuple(scales)


def _same_after_doubling(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    still = call(inputs)[0]
    return call({**inputs, "x": 2 * inputs["x"]})[0], still, 1 + np.abs(still)


def _same_after_shift(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    still = call(inputs)[0]
    return call({**inputs, "x": inputs["x"] + inputs["x"].dtype.type(64)})[0], still, 1 + np.abs(still)


LAWS = (
    Law(
        "doubling changes nothing",
        {"en": "layer_norm(2x) = layer_norm(x) for eps = 0", "zh": "eps = 0 时 layer_norm(2x) = layer_norm(x)"},
        _plain(4, 6, eps=0.0),
        _same_after_doubling,
    ),
    Law(
        "a shift changes nothing",
        {"en": "layer_norm(x + c) = layer_norm(x)", "zh": "layer_norm(x + c) = layer_norm(x)"},
        lambda rng: {"x": rng.integers(-40, 40, (5, 8)) / 4},  # adding 64 to these is exact in every type
        _same_after_shift,
    ),
)


def _sized(n: int, d: int) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        x, weight, bias = (rng.standard_normal(shape, np.float32) for shape in ((n, d), d, d))
        return {"x": x, "weight": weight, "bias": bias}

    return make


SPECS = (
    Spec(
        name="layer_norm",
        block="layer_norm",
        titles={"en": "Layer norm", "zh": "层归一化"},
        summary={
            "en": "each sample's features brought to mean 0 and variance 1",
            "zh": "把每个样本的特征变为均值 0、方差 1",
        },
        formula="y = (x - mean) / sqrt(variance + eps) * weight + bias, over the axes from `axis` to the last",
        signature=("x", "weight", "bias"),
        differentiable=("x", "weight", "bias"),
        reference=textbook.layer_norm,
        vjp=textbook.layer_norm_vjp,
        scale=_scale,
        gradient_scale=_gradient_scale,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        accuracy=4.0,
        gradient_accuracy=4.0,
        laws=LAWS,
        aliases={
            "layer_norm": (
                "layer_norm",
                "layernorm",
                "layer_normalization",
                "layer_normalisation",
                "layernorm_forward",
            ),
            "x": ("x", "input", "inputs", "hidden_states"),
            "weight": ("weight", "gamma", "scale", "w", "g"),
            "bias": ("bias", "beta", "shift", "b"),
            "axis": ("axis", "dim", "begin_norm_axis"),
            "eps": ("eps", "epsilon"),
        },
        workloads=tuple(
            Workload(f"{n}x{d}{' value and gradient' if gradient else ''}", _sized(n, d), gradient)
            for n, d in ((32, 128), (1024, 1024), (8192, 4096))
            for gradient in ((False,) if n == 32 else (False, True))
        ),
        has_out=True,
    ),
)
