"""What people write for batch norm that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.blocks.batch_norm import textbook
from barehand.core.spec import Mutant


def _channel(parameter: Any, x: Any) -> Any:
    """A vector of one number a channel, shaped to go with x (N, C, ...)."""
    return np.reshape(parameter, (1, -1) + (1,) * (x.ndim - 2))


def _affine(y: Any, weight: Any, bias: Any) -> Any:
    y = y if weight is None else y * _channel(weight, y)
    return y if bias is None else y + _channel(bias, y)


def _over(x: Any, axes: Any, eps: float) -> Any:
    """x normalised over `axes`."""
    centred = x - x.mean(axis=axes, keepdims=True)
    centred = centred - centred.mean(axis=axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + eps)


def unbiased_forward(
    x: Any, weight: Any = None, bias: Any = None, *, training: bool = True, eps: float = 1e-5, **rest: Any
) -> Any:
    y = textbook.batch_norm(x, training=training, eps=eps, **rest)  # evaluation, and the running statistics
    if training:
        axes = (0, *range(2, x.ndim))
        y = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, ddof=1, keepdims=True) + eps)
    return _affine(y, weight, bias)


def epsilon_outside(
    x: Any, weight: Any = None, bias: Any = None, *, training: bool = True, eps: float = 1e-5, **rest: Any
) -> Any:
    y = textbook.batch_norm(x, training=training, eps=eps, **rest)  # evaluation, and the running statistics
    if training:
        axes = (0, *range(2, x.ndim))
        y = (x - x.mean(axis=axes, keepdims=True)) / (x.std(axis=axes, keepdims=True) + eps)
    return _affine(y, weight, bias)


def no_epsilon(
    x: Any, weight: Any = None, bias: Any = None, *, training: bool = True, eps: float = 1e-5, **rest: Any
) -> Any:
    y = textbook.batch_norm(x, training=training, eps=eps, **rest)  # evaluation, and the running statistics
    if training:
        axes = (0, *range(2, x.ndim))
        y = _over(x, axes, 0.0)
    return _affine(y, weight, bias)


def mean_rounded(
    x: Any, weight: Any = None, bias: Any = None, *, training: bool = True, eps: float = 1e-5, **rest: Any
) -> Any:
    y = textbook.batch_norm(x, training=training, eps=eps, **rest)  # evaluation, and the running statistics
    if training:
        axes = (0, *range(2, x.ndim))
        y = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return _affine(y, weight, bias)


def moment_formula(
    x: Any, weight: Any = None, bias: Any = None, *, training: bool = True, eps: float = 1e-5, **rest: Any
) -> Any:
    # As in labmlai/annotated_deep_learning_paper_implementations, labml_nn/normalization/batch_norm.
    y = textbook.batch_norm(x, training=training, eps=eps, **rest)  # evaluation, and the running statistics
    if training:
        axes = (0, *range(2, x.ndim))
        mean = x.mean(axis=axes, keepdims=True)
        y = (x - mean) / np.sqrt((x**2).mean(axis=axes, keepdims=True) - mean**2 + eps)
    return _affine(y, weight, bias)


def over_the_first_axis(
    x: Any, weight: Any = None, bias: Any = None, *, training: bool = True, eps: float = 1e-5, **rest: Any
) -> Any:
    y = textbook.batch_norm(x, training=training, eps=eps, **rest)  # evaluation, and the running statistics
    if training:
        y = _over(x, 0, eps)
    return _affine(y, weight, bias)


def channels_last(
    x: Any, weight: Any = None, bias: Any = None, *, training: bool = True, eps: float = 1e-5, **rest: Any
) -> Any:
    y = textbook.batch_norm(x, training=training, eps=eps, **rest)  # evaluation, and the running statistics
    if training:
        y = _over(x, tuple(range(x.ndim - 1)), eps)
    return _affine(y, weight, bias)


def over_each_sample(
    x: Any, weight: Any = None, bias: Any = None, *, training: bool = True, eps: float = 1e-5, **rest: Any
) -> Any:
    y = textbook.batch_norm(x, training=training, eps=eps, **rest)  # evaluation, and the running statistics
    if training:
        y = _over(x, tuple(range(1, x.ndim)), eps)
    return _affine(y, weight, bias)


def affine_ignored(x: Any, weight: Any = None, bias: Any = None, **rest: Any) -> Any:
    return textbook.batch_norm(x, **rest)


def bias_ignored(x: Any, weight: Any = None, bias: Any = None, **rest: Any) -> Any:
    return textbook.batch_norm(x, weight, **rest)


def momentum_reversed(x: Any, weight: Any = None, bias: Any = None, *, momentum: float = 0.1, **rest: Any) -> Any:
    return textbook.batch_norm(x, weight, bias, momentum=1 - momentum, **rest)


def running_not_updated(
    x: Any, weight: Any = None, bias: Any = None, *, running_mean: Any = None, running_var: Any = None,
    training: bool = True, **rest: Any,
) -> Any:  # fmt: skip
    if training:
        running_mean = running_var = None
    return textbook.batch_norm(
        x, weight, bias, running_mean=running_mean, running_var=running_var, training=training, **rest
    )


def running_replaced(x: Any, weight: Any = None, bias: Any = None, *, momentum: float = 0.1, **rest: Any) -> Any:
    return textbook.batch_norm(x, weight, bias, momentum=1.0, **rest)


def batch_in_evaluation(
    x: Any, weight: Any = None, bias: Any = None, *, running_mean: Any = None, running_var: Any = None,
    training: bool = True, **rest: Any,
) -> Any:  # fmt: skip
    if not training:
        running_mean = running_var = None
    return textbook.batch_norm(x, weight, bias, running_mean=running_mean, running_var=running_var, **rest)


def updated_in_evaluation(
    x: Any, weight: Any = None, bias: Any = None, *, running_mean: Any = None, running_var: Any = None,
    training: bool = True, **rest: Any,
) -> Any:  # fmt: skip
    given = {"running_mean": running_mean, "running_var": running_var, **rest}
    y = textbook.batch_norm(x, weight, bias, training=training, **given)
    if not training and np.size(x) > np.shape(x)[1]:
        textbook.batch_norm(x, **given)
    return y


def running_in_training(
    x: Any, weight: Any = None, bias: Any = None, *, running_mean: Any = None, running_var: Any = None, **rest: Any
) -> Any:
    y = textbook.batch_norm(x, weight, bias, running_mean=running_mean, running_var=running_var, **rest)
    if rest.get("training", True) and running_mean is not None:
        rest["training"] = False
        y = textbook.batch_norm(x, weight, bias, running_mean=running_mean, running_var=running_var, **rest)
    return y


def _pieces(
    x: Any, weight: Any, *, running_mean: Any = None, running_var: Any = None, training: bool = True,
    eps: float = 1e-5, **rest: Any,
) -> tuple[Any, Any, tuple[int, ...]]:  # fmt: skip
    """xhat, weight / sqrt(variance + eps), and the axes of the statistics."""
    axes = (0, *range(2, x.ndim))
    if training:
        xhat, var = _over(x, axes, eps), x.var(axis=axes, keepdims=True)
    else:
        var = _channel(running_var, x)
        xhat = (x - _channel(running_mean, x)) / np.sqrt(var + eps)
    return xhat, _affine(1 / np.sqrt(var + eps), weight, None), axes


def statistics_detached(x: Any, weight: Any = None, bias: Any = None, *, cotangent: Any, **rest: Any) -> Any:
    _, *parameters = textbook.batch_norm_vjp(x, weight, bias, cotangent=cotangent, **rest)
    _, slope, _ = _pieces(x, weight, **rest)
    return (slope * cotangent, *parameters)


def variance_detached(x: Any, weight: Any = None, bias: Any = None, *, cotangent: Any, **rest: Any) -> Any:
    dx, *parameters = textbook.batch_norm_vjp(x, weight, bias, cotangent=cotangent, **rest)
    _, slope, axes = _pieces(x, weight, **rest)
    if rest.get("training", True):
        dx = slope * (cotangent - cotangent.mean(axis=axes, keepdims=True))
    return (dx, *parameters)


def mean_detached(x: Any, weight: Any = None, bias: Any = None, *, cotangent: Any, **rest: Any) -> Any:
    dx, *parameters = textbook.batch_norm_vjp(x, weight, bias, cotangent=cotangent, **rest)
    xhat, slope, axes = _pieces(x, weight, **rest)
    if rest.get("training", True):
        dx = slope * (cotangent - xhat * (cotangent * xhat).mean(axis=axes, keepdims=True))
    return (dx, *parameters)


def sums_for_means(x: Any, weight: Any = None, bias: Any = None, *, cotangent: Any, **rest: Any) -> Any:
    dx, *parameters = textbook.batch_norm_vjp(x, weight, bias, cotangent=cotangent, **rest)
    xhat, slope, axes = _pieces(x, weight, **rest)
    if rest.get("training", True):
        g = cotangent
        dx = slope * (g - g.sum(axis=axes, keepdims=True) - xhat * (g * xhat).sum(axis=axes, keepdims=True))
    return (dx, *parameters)


def training_gradient_in_evaluation(
    x: Any, weight: Any = None, bias: Any = None, *, cotangent: Any, **rest: Any
) -> Any:
    dx, *parameters = textbook.batch_norm_vjp(x, weight, bias, cotangent=cotangent, **rest)
    xhat, slope, axes = _pieces(x, weight, **rest)
    if not rest.get("training", True) and x.size:
        g = cotangent
        dx = slope * (g - g.mean(axis=axes, keepdims=True) - xhat * (g * xhat).mean(axis=axes, keepdims=True))
    return (dx, *parameters)


def weight_left_out(x: Any, weight: Any = None, bias: Any = None, *, cotangent: Any, **rest: Any) -> Any:
    _, *parameters = textbook.batch_norm_vjp(x, weight, bias, cotangent=cotangent, **rest)
    return (textbook.batch_norm_vjp(x, cotangent=cotangent, **rest)[0], *parameters)


def dweight_of_x(x: Any, weight: Any = None, bias: Any = None, *, cotangent: Any, **rest: Any) -> Any:
    gradients = list(textbook.batch_norm_vjp(x, weight, bias, cotangent=cotangent, **rest))
    if weight is not None:
        gradients[1] = (cotangent * x).sum(axis=(0, *range(2, x.ndim)))
    return tuple(gradients)


MUTANTS = (
    Mutant(
        "the unbiased variance in the forward pass",
        {
            "en": "Normalise with the variance divided by n (ddof=0, unbiased=False); n - 1 is for the running one.",
            "zh": "归一化要用除以 n 的方差（ddof=0，unbiased=False）；除以 n - 1 的只用于滑动方差。",
        },
        unbiased_forward,
    ),
    Mutant(
        "epsilon outside the root",
        {
            "en": "Write sqrt(variance + eps), not sqrt(variance) + eps: they differ where the variance is small.",
            "zh": "应写 sqrt(方差 + eps)，而不是 sqrt(方差) + eps：方差较小时两者不同。",
        },
        epsilon_outside,
    ),
    Mutant(
        "no epsilon",
        {
            "en": "eps has no effect: a constant channel becomes 0/0. Add it to the variance, inside the root.",
            "zh": "eps 没有起作用：常数通道会得到 0/0。应在根号内把它加到方差上。",
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
        "statistics over axis 0 only",
        {
            "en": "For (N, C, H, W) a channel's statistics run over N, H and W: axis=(0, 2, 3), keepdims=True.",
            "zh": "对 (N, C, H, W)，每个通道要在 N、H、W 上求统计量：axis=(0, 2, 3)，keepdims=True。",
        },
        over_the_first_axis,
    ),
    Mutant(
        "the last axis taken for the channels",
        {
            "en": "Channels are axis 1, as in torch; this normalises each place on the last axis.",
            "zh": "通道在第 1 轴（与 torch 相同）；这里把最后一轴当成了通道。",
        },
        channels_last,
    ),
    Mutant(
        "statistics within each sample",
        {
            "en": "This is layer norm. Batch norm takes a channel's statistics over the batch, axis 0 included.",
            "zh": "这是层归一化；批归一化要跨批次求每个通道的统计量，包括第 0 轴。",
        },
        over_each_sample,
    ),
    Mutant(
        "weight and bias ignored",
        {
            "en": "weight and bias have no effect: y = xhat · weight + bias, one of each a channel.",
            "zh": "weight 和 bias 没有起作用：y = xhat · weight + bias，每个通道各一个。",
        },
        affine_ignored,
    ),
    Mutant(
        "bias ignored",
        {"en": "bias has no effect: y = xhat · weight + bias.", "zh": "bias 没有起作用：y = xhat · weight + bias。"},
        bias_ignored,
    ),
    Mutant(
        "momentum the wrong way round",
        {
            "en": "momentum is the weight of the new batch: running = (1 - momentum) · running + momentum · batch.",
            "zh": "momentum 是新批次的权重：running = (1 - momentum) · running + momentum · batch。",
        },
        momentum_reversed,
    ),
    Mutant(
        "momentum ignored",
        {
            "en": "The running statistics are replaced by this batch's; they should move towards them by `momentum`.",
            "zh": "滑动统计量被本批次的统计量直接替换了；应按 momentum 的比例向其移动。",
        },
        running_replaced,
    ),
    Mutant(
        "the running statistics not updated",
        {
            "en": "Training must update running_mean and running_var in place: running_mean[...] = ..., or +=, since "
            "running_mean = ... only renames a local variable.",
            "zh": "训练时要就地更新 running_mean 和 running_var：写 running_mean[...] = ... 或 +=；"
            "running_mean = ... 只是改了局部变量的指向。",
        },
        running_not_updated,
    ),
    Mutant(
        "batch statistics in evaluation",
        {
            "en": "With training=False use running_mean and running_var: the answer for one sample may not depend on "
            "the others.",
            "zh": "training=False 时应使用 running_mean 和 running_var：一个样本的结果不能依赖同批的其他样本。",
        },
        batch_in_evaluation,
    ),
    Mutant(
        "running statistics updated in evaluation",
        {
            "en": "Evaluation only reads the running statistics; update them under `if training:` alone.",
            "zh": "评估时只读取滑动统计量，不能更新；更新应放在 if training: 之内。",
        },
        updated_in_evaluation,
    ),
    Mutant(
        "running statistics used in training",
        {
            "en": "Training normalises with the batch's own mean and variance; the running ones are for evaluation.",
            "zh": "训练时要用本批次的均值和方差归一化；滑动统计量只在评估时使用。",
        },
        running_in_training,
    ),
    Mutant(
        "the statistics detached from the gradient",
        {
            "en": "In training the mean and variance depend on x too: dx = w rstd (g - mean(g) - xhat mean(g xhat)).",
            "zh": "训练时均值和方差也依赖 x：dx = w rstd (g - mean(g) - xhat mean(g xhat))。",
        },
        vjp=statistics_detached,
    ),
    Mutant(
        "the variance detached from the gradient",
        {
            "en": "In training the variance depends on x too: subtract xhat mean(g xhat) from g - mean(g).",
            "zh": "训练时方差也依赖 x：还要从 g - mean(g) 中减去 xhat mean(g xhat)。",
        },
        vjp=variance_detached,
    ),
    Mutant(
        "the mean detached from the gradient",
        {
            "en": "In training the mean depends on x too: subtract mean(g) from g.",
            "zh": "训练时均值也依赖 x：还要从 g 中减去 mean(g)。",
        },
        vjp=mean_detached,
    ),
    Mutant(
        "sums for means in the gradient",
        {
            "en": "dx = w rstd (g - mean(g) - xhat mean(g xhat)): divide both sums by a channel's number of values.",
            "zh": "dx = w rstd (g - mean(g) - xhat mean(g xhat))：两个求和都要除以每个通道的元素个数。",
        },
        vjp=sums_for_means,
    ),
    Mutant(
        "the gradient of training in evaluation",
        {
            "en": "In evaluation the statistics are constants: dx = w rstd g, without the two means.",
            "zh": "评估时统计量是常数：dx = w rstd g，没有那两个均值项。",
        },
        vjp=training_gradient_in_evaluation,
    ),
    Mutant(
        "the weight left out of dx",
        {
            "en": "The gradient reaches xhat through the weight: dx carries the factor weight.",
            "zh": "梯度要经过 weight 才到达 xhat：dx 应带有 weight 这个因子。",
        },
        vjp=weight_left_out,
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
