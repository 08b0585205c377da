"""What people write for layer norm that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.blocks.layer_norm import textbook
from barehand.core.spec import Mutant


def _axes(x: Any, axis: int) -> tuple[int, ...]:
    return tuple(range(axis % x.ndim, x.ndim))


def _affine(y: Any, weight: Any, bias: Any) -> Any:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _over(x: Any, axes: Any, eps: float) -> Any:
    """x normalised over `axes`."""
    x = np.multiply(x, 1.0)
    centred = x - x.mean(axis=axes, keepdims=True)
    centred = centred - centred.mean(axis=axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + eps)


def over_the_batch(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    return _affine(_over(x, 0, eps), weight, bias)


def over_everything(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    return _affine(_over(x, None, eps), weight, bias)


def last_axis_only(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    return _affine(_over(x, -1, eps), weight, bias)


def named_axis_only(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    return _affine(_over(x, axis, eps), weight, bias)


def unbiased_variance(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    axes = _axes(x, axis)
    y = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, ddof=1, keepdims=True) + eps)
    return _affine(y, weight, bias)


def epsilon_outside(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    axes = _axes(x, axis)
    y = (x - x.mean(axis=axes, keepdims=True)) / (x.std(axis=axes, keepdims=True) + eps)
    return _affine(y, weight, bias)


def no_epsilon(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    return textbook.layer_norm(x, weight, bias, axis=axis, eps=0.0)


def moment_formula(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    # As in labmlai/annotated_deep_learning_paper_implementations, labml_nn/normalization/layer_norm.
    x, axes = np.multiply(x, 1.0), _axes(x, axis)
    mean = x.mean(axis=axes, keepdims=True)
    var = (x**2).mean(axis=axes, keepdims=True) - mean**2
    return _affine((x - mean) / np.sqrt(var + eps), weight, bias)


def mean_rounded(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    axes = _axes(x, axis)
    y = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return _affine(y, weight, bias)


def mean_not_subtracted(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    x = np.multiply(x, 1.0)
    return _affine(x / np.sqrt((x**2).mean(axis=_axes(x, axis), keepdims=True) + eps), weight, bias)


def affine_ignored(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    return textbook.layer_norm(x, axis=axis, eps=eps)


def bias_ignored(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
    return textbook.layer_norm(x, weight, axis=axis, eps=eps)


def _pieces(x: Any, weight: Any, axis: int, eps: float, cotangent: Any) -> tuple[Any, Any, Any, tuple[int, ...]]:
    """xhat, 1 / sqrt(variance + eps), g weight, and the axes normalised over."""
    axes = _axes(x, axis)
    rstd = 1 / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return _over(x, axes, eps), rstd, _affine(cotangent, weight, None), axes


def statistics_detached(
    x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5, cotangent: Any
) -> Any:
    _, *parameters = textbook.layer_norm_vjp(x, weight, bias, axis=axis, eps=eps, cotangent=cotangent)
    _, rstd, gw, _ = _pieces(x, weight, axis, eps, cotangent)
    return (rstd * gw, *parameters)


def variance_detached(
    x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5, cotangent: Any
) -> Any:
    _, *parameters = textbook.layer_norm_vjp(x, weight, bias, axis=axis, eps=eps, cotangent=cotangent)
    _, rstd, gw, axes = _pieces(x, weight, axis, eps, cotangent)
    return (rstd * (gw - gw.mean(axis=axes, keepdims=True)), *parameters)


def mean_detached(
    x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5, cotangent: Any
) -> Any:
    _, *parameters = textbook.layer_norm_vjp(x, weight, bias, axis=axis, eps=eps, cotangent=cotangent)
    xhat, rstd, gw, axes = _pieces(x, weight, axis, eps, cotangent)
    return (rstd * (gw - xhat * (gw * xhat).mean(axis=axes, keepdims=True)), *parameters)


def weight_left_out(
    x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5, cotangent: Any
) -> Any:
    _, *parameters = textbook.layer_norm_vjp(x, weight, bias, axis=axis, eps=eps, cotangent=cotangent)
    return (textbook.layer_norm_vjp(x, axis=axis, eps=eps, cotangent=cotangent)[0], *parameters)


def dweight_without_xhat(
    x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5, cotangent: Any
) -> Any:
    gradients = list(textbook.layer_norm_vjp(x, weight, bias, axis=axis, eps=eps, cotangent=cotangent))
    if weight is not None:
        gradients[1] = cotangent.sum(axis=tuple(range(axis % x.ndim)))
    return tuple(gradients)


def dweight_of_x(
    x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5, cotangent: Any
) -> Any:
    gradients = list(textbook.layer_norm_vjp(x, weight, bias, axis=axis, eps=eps, cotangent=cotangent))
    if weight is not None:
        gradients[1] = (cotangent * x).sum(axis=tuple(range(axis % x.ndim)))
    return tuple(gradients)


MUTANTS = (
    Mutant(
        "statistics over the batch",
        {
            "en": "The mean and variance run over axis 0. Layer norm takes them within each sample: over the axes "
            "from `axis` to the last, with keepdims=True.",
            "zh": "均值和方差是沿第 0 轴（批次）求的。层归一化应在每个样本内部求：从 axis 到最后一轴，"
            "并加 keepdims=True。",
        },
        over_the_batch,
    ),
    Mutant(
        "one mean and variance for the whole array",
        {
            "en": "x.mean() without an axis mixes all samples. Take the statistics from `axis` to the last axis.",
            "zh": "不带 axis 的 x.mean() 把所有样本混在了一起。应从 axis 到最后一轴求统计量。",
        },
        over_everything,
    ),
    Mutant(
        "only the last axis normalised",
        {
            "en": "`axis` is the first of the axes normalised over; this stops at the last one alone.",
            "zh": "axis 是参与归一化的第一个轴，应一直到最后一轴；这里只归一化了最后一轴。",
        },
        last_axis_only,
    ),
    Mutant(
        "only the named axis normalised",
        {
            "en": "`axis` is the first of several axes: all those after it belong to the sample too.",
            "zh": "axis 只是起点，它之后的各轴同样属于一个样本，应一起归一化。",
        },
        named_axis_only,
    ),
    Mutant(
        "the variance divided by n - 1",
        {
            "en": "Divide the squares by n: ddof=0 in NumPy, unbiased=False (correction=0) in torch.",
            "zh": "方差应除以 n：NumPy 用 ddof=0，torch 用 unbiased=False（correction=0）。",
        },
        unbiased_variance,
    ),
    Mutant(
        "epsilon outside the root",
        {
            "en": "Write sqrt(variance + eps), not sqrt(variance) + eps: they differ for small variances, and at "
            "variance 0 the gradient is several hundred times too large, or nan.",
            "zh": "应写 sqrt(方差 + eps)，而不是 sqrt(方差) + eps：方差小时两者不同；"
            "方差为 0 时后者的梯度会大几百倍，甚至是 nan。",
        },
        epsilon_outside,
    ),
    Mutant(
        "no epsilon",
        {
            "en": "eps has no effect: a constant sample becomes 0/0. Add it to the variance, inside the root.",
            "zh": "eps 没有起作用：常数样本会得到 0/0。应在根号内把它加到方差上。",
        },
        no_epsilon,
    ),
    Mutant(
        "E[x²] - E[x]² for the variance",
        {
            "en": "E[x²] - E[x]² cancels when the mean is large, and can be negative. Subtract the mean, then square.",
            "zh": "均值较大时 E[x²] - E[x]² 会相消，甚至得到负数。应先减均值，再平方。",
        },
        moment_formula,
    ),
    Mutant(
        "a large mean rounded once",
        {
            "en": "Right except where the mean dwarfs the spread: near 1e4 a float32 mean is off by up to 0.0005, and "
            "every difference with it. Subtract what is left: d = x - mean; d = d - d.mean().",
            "zh": "只有均值远大于标准差时才出错：1e4 附近的 float32 均值最多差 0.0005，所有差值随之偏移。"
            "应把残余再减一次：d = x - mean；d = d - d.mean()。",
        },
        mean_rounded,
    ),
    Mutant(
        "the mean not subtracted",
        {
            "en": "This is RMS norm: layer norm subtracts the mean before it divides.",
            "zh": "这是 RMS 归一化；层归一化要先减去均值再除。",
        },
        mean_not_subtracted,
    ),
    Mutant(
        "weight and bias ignored",
        {
            "en": "weight and bias have no effect: y = xhat · weight + bias.",
            "zh": "weight 和 bias 没有起作用：y = xhat · weight + bias。",
        },
        affine_ignored,
    ),
    Mutant(
        "bias ignored",
        {"en": "bias has no effect: y = xhat · weight + bias.", "zh": "bias 没有起作用：y = xhat · weight + bias。"},
        bias_ignored,
    ),
    Mutant(
        "the statistics detached from the gradient",
        {
            "en": "The mean and variance depend on x too: dx = rstd (h - mean(h) - xhat mean(h xhat)), h = g · weight.",
            "zh": "均值和方差也依赖 x：dx = rstd (h - mean(h) - xhat mean(h xhat))，其中 h = g · weight。",
        },
        vjp=statistics_detached,
    ),
    Mutant(
        "the variance detached from the gradient",
        {
            "en": "The variance depends on x too: subtract xhat mean(h xhat), h = g · weight, then multiply by rstd.",
            "zh": "方差也依赖 x：乘 rstd 之前还要减去 xhat mean(h xhat)，其中 h = g · weight。",
        },
        vjp=variance_detached,
    ),
    Mutant(
        "the mean detached from the gradient",
        {
            "en": "The mean depends on x too: subtract mean(h), h = g · weight, then multiply by rstd.",
            "zh": "均值也依赖 x：乘 rstd 之前还要减去 mean(h)，其中 h = g · weight。",
        },
        vjp=mean_detached,
    ),
    Mutant(
        "the weight left out of dx",
        {
            "en": "The gradient reaches xhat through the weight: use g · weight, inside the two means as well.",
            "zh": "梯度要经过 weight 才到达 xhat：应使用 g · weight，两个均值里也一样。",
        },
        vjp=weight_left_out,
    ),
    Mutant(
        "dweight without xhat",
        {
            "en": "This is dbias. The weight's gradient is the sum of g · xhat over the samples.",
            "zh": "这是 bias 的梯度；weight 的梯度是 g · xhat 对样本求和。",
        },
        vjp=dweight_without_xhat,
    ),
    Mutant(
        "dweight from x in place of xhat",
        {
            "en": "The weight multiplies the normalised values: its gradient is the sum of g · xhat, not of g · x.",
            "zh": "weight 乘的是归一化之后的值：它的梯度是 g · xhat 之和，而不是 g · x 之和。",
        },
        vjp=dweight_of_x,
    ),
)
