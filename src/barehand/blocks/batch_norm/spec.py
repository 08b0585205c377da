"""What batch norm must do, on which inputs, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.batch_norm import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Convention, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]


def _plain(*shape: int, mean: float = 0.0, sd: float = 1.0, **options: Any) -> Make:
    """Normal values alone."""
    return lambda rng: {"x": mean + sd * rng.standard_normal(shape), **options}


def _affine(x: Any, rng: np.random.Generator, **options: Any) -> Inputs:
    n = x.shape[1]
    return {"x": x, "weight": 1 + 0.5 * rng.standard_normal(n), "bias": rng.standard_normal(n), **options}


def _running(x: Any, rng: np.random.Generator, **options: Any) -> Inputs:
    """With weight, bias and running statistics."""
    n = x.shape[1]
    statistics = {"running_mean": rng.standard_normal(n), "running_var": rng.uniform(0.5, 2, n)}
    return _affine(x, rng) | statistics | options


def _full(*shape: int, mean: float = 0.0, sd: float = 1.0, **options: Any) -> Make:
    return lambda rng: _running(mean + sd * rng.standard_normal(shape), rng, **options)


def _weight_alone(rng: np.random.Generator) -> Inputs:
    return {"x": rng.standard_normal((6, 4)), "weight": rng.standard_normal(4)}


def _bias_alone(rng: np.random.Generator) -> Inputs:
    return {"x": rng.standard_normal((6, 4)), "weight": None, "bias": rng.standard_normal(4)}


def _around_ten_thousand(rng: np.random.Generator) -> Inputs:
    """Whole numbers whose mean is 10000 exactly: a mean rounded once loses nothing, E[x²] - E[x]² everything."""
    d = rng.integers(-2, 3, (32, 4))
    return _affine(1e4 + np.concatenate([d, -d]), rng)


def _constant_channel(rng: np.random.Generator) -> Inputs:
    x = rng.standard_normal((6, 4))
    x[:, 1], x[:, 3] = 0.25, 0.0
    return _running(x, rng)


def _same_number(rng: np.random.Generator) -> Inputs:
    return _affine(np.full((100, 2), 10000.1), rng)


def _outlier(rng: np.random.Generator) -> Inputs:
    x = rng.standard_normal((64, 4))
    x[0] = 1e4
    return _affine(x, rng)


def _nan_in_a_channel(rng: np.random.Generator) -> Inputs:
    x = rng.standard_normal((6, 4))
    x[2, 1] = np.nan
    return _running(x, rng)


def _infinities(rng: np.random.Generator) -> Inputs:
    x = rng.standard_normal((6, 4, 3))
    x[0, 0, 0], x[2, 3, 1] = -np.inf, np.inf
    return _affine(x, rng)


# A mean over no rows warns in NumPy, so that the textbook has no training step of an empty batch; our kernel leaves the
# running statistics alone then.
CASES = (
    Case("(N, C) with running statistics", "a formula that is plainly wrong", _full(8, 5, mean=0.5, sd=2.0)),
    Case("(N, C, H, W)", "the wrong axes", _full(4, 3, 5, 2, mean=0.5, sd=2.0)),
    Case("(N, C, L)", "the wrong axes", _full(3, 4, 6, mean=-0.5)),
    Case("a batch of two", "the variance divided by n - 1", _full(2, 6)),
    Case("momentum 0.9", "momentum the wrong way round", _full(16, 3, mean=2.0, momentum=0.9)),
    Case("momentum 0", "running statistics replaced", _full(5, 3, momentum=0.0)),
    Case("evaluation", "batch statistics in evaluation", _full(8, 5, mean=0.5, sd=2.0, training=False)),
    Case("(N, C, H, W) in evaluation", "batch statistics in evaluation", _full(4, 3, 5, 2, training=False)),
    Case("one sample in evaluation", "batch statistics in evaluation", _full(1, 6, training=False)),
    Case("without anything but x", "parameters required", _plain(6, 4, mean=-1.0)),
    Case("a weight alone", "weight and bias tied together", _weight_alone),
    Case("a bias alone", "weight and bias tied together", _bias_alone),
    Case("variance 1e-10, eps 1e-3", "epsilon outside the root", _full(8, 4, sd=1e-5, eps=1e-3)),
    Case("constant channels", "0/0 without an epsilon", _constant_channel),
    Case("mean 1e4, sd 1", "E[x²] - E[x]²", _around_ten_thousand, "stability", dtypes=FULL),
    Case("mean 1e4, sd 1e-3", "a mean rounded once", _full(64, 4, mean=1e4, sd=1e-3), "stability", dtypes=FULL),
    Case(
        "(N, C, H, W), mean 1e4, sd 1e-3",
        "a mean rounded once",
        _full(4, 3, 8, 8, mean=1e4, sd=1e-3),
        "stability",
        dtypes=FULL,
    ),
    Case("a hundred times 10000.1", "a mean that is none of its values", _same_number, "stability", dtypes=FULL),
    Case("an outlier first", "sums that the first element spoils", _outlier, "stability", dtypes=FULL),
    Case("values of 1e18", "a cube on the way to the gradient", _plain(8, 3, sd=1e18), "stability", dtypes=FULL),
    Case("a large batch", "a sum that loses digits", _full(4096, 3, mean=0.5), dtypes=FULL),
    Case("large planes", "a sum that loses digits", _full(8, 2, 40, 40, mean=0.5), dtypes=FULL),
    Case("nan in one channel stays there", "a channel that spoils the others", _nan_in_a_channel, "stability"),
    Case("infinities stay in their channels", "a channel that spoils the others", _infinities, "stability"),
    Case(
        "integers",
        "integer arithmetic",
        lambda rng: {"x": np.array([[1, 200], [2, 300], [4, -500]])},
        "generality",
        dtypes=(DOUBLE,),
    ),
    Case("one channel", "an axis of length 1", _full(8, 1), "generality"),
    Case("planes of one pixel", "an axis of length 1", _full(5, 3, 1, 1), "generality"),
    Case("no rows in evaluation", "an empty array", _full(0, 3, training=False), "generality"),
)

_X, _ONES = np.arange(6.0).reshape(2, 3), np.ones(3)


def _statistics(**others: Any) -> Inputs:
    return {"x": _X, "running_mean": np.zeros(3), "running_var": np.ones(3), **others}


def _read_only() -> Inputs:
    mean = np.zeros(3)
    mean.setflags(write=False)
    return _statistics(running_mean=mean)


BAD_INPUTS = (
    BadInput(
        "one axis", lambda: {"x": np.zeros(3)}, ValueError, r"x has shape \(3,\); it needs a batch and a channel axis"
    ),
    BadInput(
        "a weight of another length",
        lambda: {"x": _X, "weight": np.ones(2)},
        ValueError,
        r"weight has shape \(2,\), x has 3 channels \(axis 1\)",
    ),
    BadInput(
        "a bias for every value",
        lambda: {"x": _X, "weight": _ONES, "bias": _X},
        ValueError,
        r"bias has shape \(2, 3\), x has 3 channels",
    ),
    BadInput(
        "running statistics of another length",
        lambda: _statistics(running_var=np.ones(2)),
        ValueError,
        r"running_var has shape \(2,\), x has 3 channels",
    ),
    BadInput(
        "evaluation without statistics",
        lambda: {"x": _X, "training": False},
        ValueError,
        "training=False needs running statistics",
    ),
    BadInput(
        "a running mean alone",
        lambda: _statistics(running_var=None),
        ValueError,
        "running_mean and running_var go together",
    ),
    BadInput(
        "momentum 2", lambda: _statistics(momentum=2.0), ValueError, "momentum is 2.0; use a finite number from 0 to 1"
    ),
    BadInput(
        "eps below zero", lambda: {"x": _X, "eps": -1.0}, ValueError, "eps is -1.0; use a finite number at least 0"
    ),
    BadInput(
        "one value a channel in training",
        lambda: {"x": np.zeros((1, 3))},
        ValueError,
        r"x of shape \(1, 3\) has one value in each channel",
    ),
    BadInput(
        "a list for the running mean",
        lambda: _statistics(running_mean=[0.0, 0.0, 0.0]),
        TypeError,
        "running_mean is a list, and it is updated in place",
    ),
    BadInput(
        "whole numbers for the running mean",
        lambda: _statistics(running_mean=np.zeros(3, int)),
        TypeError,
        "running_mean is an array of int64, and it is updated in place",
    ),
    BadInput(
        "a read-only running mean",
        _read_only,
        ValueError,
        "running_mean is read-only and training updates it",
        by_vjp=False,
    ),
    BadInput(
        "a negative running variance",
        lambda: _statistics(running_var=-_ONES, training=False),
        ValueError,
        "running_var holds -1.0; a variance is at least 0",
    ),
    BadInput("complex data", lambda: {"x": _X.astype(complex)}, TypeError, "dtype complex128"),
)


def _biased_running_variance(
    x: Any, weight: Any = None, bias: Any = None, *, running_var: Any = None, momentum: float = 0.1, **rest: Any
) -> Any:
    old = None if running_var is None else running_var.copy()
    y = textbook.batch_norm(x, weight, bias, running_var=running_var, momentum=momentum, **rest)
    if rest.get("training", True) and old is not None:
        n = x.size // x.shape[1]
        move = running_var - (1 - momentum) * old  # momentum times the unbiased variance
        running_var[...] = (1 - momentum) * old + move * (n - 1) / n
    return y


CONVENTIONS = (
    Convention(
        "biased running variance",
        {
            "en": "The running variance takes the batch's variance divided by n, as in Flax and Keras 3; PyTorch and "
            "the paper divide by n - 1.",
            "zh": "滑动方差采用除以 n 的批方差，Flax 与 Keras 3 如此；PyTorch 和原论文则除以 n - 1。",
        },
        _biased_running_variance,
        textbook.batch_norm_vjp,
    ),
)


def _moments(inputs: Inputs) -> tuple[Any, Any, Any, tuple[int, ...]]:
    """The size of xhat, 1 / sqrt(variance + eps), the batch's mean and variance or None, the axes of the statistics.

    In training an error of one eps in the differences moves the mean by their average size, the second term of the
    size; the mean itself is not in it, since what a large mean costs is what a program may avoid. In evaluation x and
    the running mean may be scaled apart, x · slope + shift, as is done when batch norm is folded into a convolution.
    """
    x, eps = inputs["x"], inputs.get("eps", 1e-5)
    axes = (0, *range(2, x.ndim))
    if inputs.get("training", True):
        xhat = textbook.batch_norm(x, eps=eps)
        var = x.var(axis=axes, keepdims=True)
        size = np.abs(xhat) + np.sqrt((xhat**2).mean(axis=axes, keepdims=True))
        return size, 1 / np.sqrt(var + eps), (x.mean(axis=axes), var.ravel()), axes
    rstd = 1 / np.sqrt(_channel(inputs["running_var"], x) + eps)
    return (np.abs(x) + np.abs(_channel(inputs["running_mean"], x))) * rstd, rstd, None, axes


def _channel(parameter: Any, x: Any) -> Any:
    return np.reshape(parameter, (1, -1) + (1,) * (x.ndim - 2))


def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """|xhat weight| + |bias|; for running statistics the old one and the share of the batch's."""
    size, _, batch, _ = _moments(inputs)
    weight, bias = inputs.get("weight"), inputs.get("bias")
    y = size if weight is None else size * np.abs(_channel(weight, size))
    y = y if bias is None else y + np.abs(_channel(bias, size))
    if inputs.get("running_mean") is None:
        return (y,)
    old_mean, old_var = np.abs(inputs["running_mean"]), inputs["running_var"]
    if batch is None:
        return y, old_mean, old_var
    mean, var = batch
    n, share = size.size // size.shape[1], inputs.get("momentum", 0.1)
    return y, old_mean + share * (np.abs(mean) + np.sqrt(var)), old_var + share * var * n / (n - 1)


def _gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    """The three terms of dx, which cancel in training, and the terms of the two sums."""
    size, rstd, batch, axes = _moments(inputs)
    weight, g = inputs.get("weight"), np.abs(cotangent)
    slope = rstd if weight is None else rstd * np.abs(_channel(weight, size))
    terms = g
    if batch is not None:
        terms = g + g.mean(axis=axes, keepdims=True) + size * (g * size).mean(axis=axes, keepdims=True)
    scales = [slope * terms]
    if weight is not None:
        scales.append((g * size).sum(axis=axes))
    if inputs.get("bias") is not None:
        scales.append(g.sum(axis=axes))
    return tuple(scales)


def _same_after_doubling(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    still = call(inputs)[0]
    return call({**inputs, "x": 2 * inputs["x"], "eps": 4 * inputs["eps"]})[0], still, 1 + np.abs(still)


def _same_after_shift(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    still = call(inputs)[0]
    return call({**inputs, "x": inputs["x"] + inputs["x"].dtype.type(64)})[0], still, 1 + np.abs(still)


def _in_any_order(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    still = call(inputs)[0]
    return call({**inputs, "x": inputs["x"][::-1]})[0][::-1], still, 1 + np.abs(still)


LAWS = (
    Law(
        "doubling with four times the epsilon changes nothing",
        {"en": "batch_norm(2x, 4 eps) = batch_norm(x, eps)", "zh": "batch_norm(2x, 4 eps) = batch_norm(x, eps)"},
        _plain(6, 4, eps=0.01),
        _same_after_doubling,
    ),
    Law(
        "a shift changes nothing",
        {"en": "batch_norm(x + c) = batch_norm(x)", "zh": "batch_norm(x + c) = batch_norm(x)"},
        lambda rng: {"x": rng.integers(-40, 40, (8, 5)) / 4},  # adding 64 to these is exact in every type
        _same_after_shift,
    ),
    Law(
        "the order of the batch changes nothing",
        {"en": "permuting the samples permutes the result", "zh": "打乱样本的顺序，结果只是随之打乱"},
        _plain(9, 4, 3),
        _in_any_order,
    ),
)


def _sized(*shape: int) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        x, weight, bias = (rng.standard_normal(s, np.float32) for s in (shape, shape[1], shape[1]))
        return {"x": x, "weight": weight, "bias": bias}

    return make


SPECS = (
    Spec(
        name="batch_norm",
        block="batch_norm",
        titles={"en": "Batch norm", "zh": "批归一化"},
        summary={
            "en": "each channel brought to mean 0 and variance 1 over the batch",
            "zh": "把每个通道在批次上变为均值 0、方差 1",
        },
        formula="y = (x - mean) / sqrt(variance + eps) * weight + bias, over all axes but axis 1",
        signature=("x", "weight", "bias"),
        differentiable=("x", "weight", "bias"),
        reference=textbook.batch_norm,
        vjp=textbook.batch_norm_vjp,
        scale=_scale,
        gradient_scale=_gradient_scale,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        accuracy=4.0,
        gradient_accuracy=4.0,
        laws=LAWS,
        conventions=CONVENTIONS,
        aliases={
            "batch_norm": (
                "batch_norm",
                "batchnorm",
                "batch_normalization",
                "batch_normalisation",
                "batchnorm_forward",
                "batch_norm_forward",
            ),
            "x": ("x", "input", "inputs"),
            "weight": ("weight", "gamma", "scale", "w"),
            "bias": ("bias", "beta", "shift", "b"),
            "running_mean": ("running_mean", "moving_mean", "run_mean", "mov_mean"),
            "running_var": ("running_var", "moving_var", "moving_variance", "run_var", "mov_var"),
            "training": ("training", "train", "is_training", "is_train"),
            "momentum": ("momentum",),
            "eps": ("eps", "epsilon"),
        },
        workloads=(
            Workload("32x64x56x56", _sized(32, 64, 56, 56)),
            Workload("32x64x56x56 value and gradient", _sized(32, 64, 56, 56), gradient=True),
            Workload("65536x256", _sized(65536, 256)),
            Workload("65536x256 value and gradient", _sized(65536, 256), gradient=True),
        ),
        writes=("running_mean", "running_var"),
        has_out=True,
        output_names=("y", "running_mean", "running_var"),
    ),
)
