"""What people write for the focal losses that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.blocks.focal import textbook
from barehand.core.spec import Mutant


def _reduced(losses: Any, reduction: str) -> Any:
    return losses if reduction == "none" else losses.sum() / ((losses.size or 1) if reduction == "mean" else 1)


def _pieces(logits: Any, target: Any, options: Any) -> tuple[Any, Any, Any, Any]:
    """p, 1 - p, t and the cross-entropy."""
    v, given = np.multiply(logits, 1.0), options.get("from_probabilities", False)
    p, r = (v, 1 - v) if given else (1 / (1 + np.exp(-v)), 1 / (1 + np.exp(v)))
    ce = textbook.focal_loss(v, target, **{**options, "alpha": None, "gamma": 0.0, "reduction": "none"})
    return p, r, np.asarray(target, v.dtype), ce


def _alphas(t: Any, options: Any) -> Any:
    alpha = options.get("alpha", 0.25)
    pos, neg = (1, 1) if alpha is None else alpha if np.ndim(alpha) else (alpha, 1 - alpha)
    return pos * t + neg * (1 - t)


def _with_factor(factor: Any) -> Any:
    """The loss with another factor(q, gamma, ce) in place of q^gamma."""

    def loss(logits: Any, target: Any, **options: Any) -> Any:
        p, r, t, ce = _pieces(logits, target, options)
        f = factor(p * (1 - t) + r * t, options.get("gamma", 2.0), ce)
        return _reduced(_alphas(t, options) * f * ce, options.get("reduction", "mean"))

    return loss


def _with_cross_entropy(cross_entropy: Any) -> Any:
    """The loss with another cross_entropy(p, r, t)."""

    def loss(logits: Any, target: Any, **options: Any) -> Any:
        p, r, t, _ = _pieces(logits, target, options)
        q = p * (1 - t) + r * t
        weight = _alphas(t, options) * q ** options.get("gamma", 2.0)
        return _reduced(weight * cross_entropy(p, r, t), options.get("reduction", "mean"))

    return loss


gamma_as_factor = _with_factor(lambda q, gamma, ce: gamma * q)
one_factor_for_all = _with_factor(lambda q, gamma, ce: (1 - np.exp(-ce.sum() / (ce.size or 1))) ** gamma)
power_of_p_t = _with_factor(lambda q, gamma, ce: (1 - q) ** gamma)
by_subtraction = _with_factor(lambda q, gamma, ce: (1 - (1 - q)) ** gamma)
no_factor = _with_factor(lambda q, gamma, ce: 1)
always_squared = _with_factor(lambda q, gamma, ce: q * q)
log_with_epsilon = _with_cross_entropy(lambda p, r, t: -t * np.log(p + 1e-7) - (1 - t) * np.log(r + 1e-7))
log_of_sigmoid = _with_cross_entropy(lambda p, r, t: -t * np.log(p) - (1 - t) * np.log(1 - p))
positives_only = _with_cross_entropy(lambda p, r, t: np.where(t == 0, 0, -t * np.log(p)))


def alpha_inverted(logits: Any, target: Any, *, alpha: Any = 0.25, **options: Any) -> Any:
    other = alpha if alpha is None else alpha[::-1] if np.ndim(alpha) else 1 - alpha
    return textbook.focal_loss(logits, target, alpha=other, **options)


def no_alpha(logits: Any, target: Any, *, alpha: Any = 0.25, **options: Any) -> Any:
    return textbook.focal_loss(logits, target, alpha=None, **options)


def sigmoid_twice(logits: Any, target: Any, *, from_probabilities: bool = False, **options: Any) -> Any:
    return textbook.focal_loss(logits, target, **options)


def sum_for_mean(logits: Any, target: Any, *, reduction: str = "mean", **options: Any) -> Any:
    return textbook.focal_loss(logits, target, reduction="none" if reduction == "none" else "sum", **options)


def _slopes(logits: Any, target: Any, cotangent: Any, options: Any, bend: Any) -> tuple[Any]:
    """The gradient a (q^gamma (p - t) + bend(q, q', gamma) ce)."""
    p, r, t, ce = _pieces(logits, target, options)
    q, gamma = p * (1 - t) + r * t, options.get("gamma", 2.0)
    given = options.get("from_probabilities", False)
    straight = np.where(t == 1, 0, (1 - t) / r) - np.where(t == 0, 0, t / p) if given else p * (1 - t) - r * t
    slope = q**gamma * straight + bend(q, (1 - 2 * t) * (1 if given else p * r), gamma) * ce
    return (cotangent * _alphas(t, options) * slope / _count(t, options.get("reduction", "mean")),)


def _count(a: Any, reduction: str) -> int:
    return (a.size or 1) if reduction == "mean" else 1


def factor_held_constant(logits: Any, target: Any, *, cotangent: Any, **options: Any) -> Any:
    return _slopes(logits, target, cotangent, options, lambda q, dq, gamma: 0)


def power_gamma_minus_one(logits: Any, target: Any, *, cotangent: Any, **options: Any) -> Any:
    return _slopes(logits, target, cotangent, options, lambda q, dq, gamma: gamma * q ** (gamma - 1) * dq)


def wrong_sign_inside(logits: Any, target: Any, *, cotangent: Any, **options: Any) -> Any:
    return _slopes(
        logits, target, cotangent, options, lambda q, dq, gamma: np.where(q > 0, -gamma * q**gamma * dq / q, 0)
    )


def gradient_of_the_sum(logits: Any, target: Any, *, cotangent: Any, reduction: str = "mean", **options: Any) -> Any:
    how = "none" if reduction == "none" else "sum"
    return textbook.focal_loss_vjp(logits, target, reduction=how, cotangent=cotangent, **options)


_FACTOR = {
    "en": "The factor is (1 - p_t)^gamma, a power of what the model misses.",
    "zh": "调制因子是 (1 - p_t)^gamma，即模型漏掉的那部分的 gamma 次幂。",
}
_MINUS_ONE = {
    "en": "For gamma below 1, (1 - p_t)^(gamma - 1) is infinite at p_t = 1, and infinity times 0 is nan: divide the "
    "slope of 1 - p_t by 1 - p_t on paper first.",
    "zh": "gamma 小于 1 时，(1 - p_t)^(gamma - 1) 在 p_t = 1 处为无穷，乘 0 得 nan："
    "应先在纸上把 1 - p_t 的导数除以 1 - p_t。",
}
_HELD = {
    "en": "(1 - p_t)^gamma depends on the logit too: add gamma times the cross-entropy times its logarithmic slope.",
    "zh": "(1 - p_t)^gamma 也依赖 logit：梯度里还要加上 gamma 乘交叉熵乘它的对数导数。",
}
_SUM = {
    "en": "The mean divides by the number of losses; this is the sum.",
    "zh": "mean 应除以损失的个数，这里只是求和。",
}
_SUBTRACTED = {
    "en": "For easy examples p_t rounds to 1 and 1 - p_t loses all digits: use the other side's probability itself, "
    "sigmoid(-logit) for label 1.",
    "zh": "易分样本的 p_t 会舍入到 1，1 - p_t 的有效数字全部丢失："
    "应直接算另一侧的概率，标签为 1 时即 sigmoid(-logit)。",
}

BINARY = (
    Mutant(
        "alpha inverted",
        {
            "en": "alpha belongs to the positives and 1 - alpha to the negatives; here they are exchanged.",
            "zh": "alpha 属于正样本，1 - alpha 属于负样本；这里弄反了。",
        },
        alpha_inverted,
    ),
    Mutant("alpha forgotten", {"en": "alpha has no effect.", "zh": "alpha 没有起作用。"}, no_alpha),
    Mutant(
        "times gamma for to the gamma",
        {
            "en": "gamma is an exponent, not a factor: (1 - p_t)^gamma.",
            "zh": "gamma 是指数，不是系数：应为 (1 - p_t)^gamma。",
        },
        gamma_as_factor,
    ),
    Mutant("p_t for 1 - p_t", _FACTOR, power_of_p_t),
    Mutant(
        "no focal factor",
        {
            "en": "This is weighted cross-entropy: (1 - p_t)^gamma is missing.",
            "zh": "这只是加权交叉熵：缺少 (1 - p_t)^gamma。",
        },
        no_factor,
    ),
    Mutant(
        "gamma always 2",
        {"en": "The factor is squared whatever gamma is.", "zh": "无论 gamma 取何值，因子都只取了平方。"},
        always_squared,
    ),
    Mutant(
        "p_t from the mean loss",
        {
            "en": "exp(-mean loss) gives one factor for all: take p_t of each element, and the mean last.",
            "zh": "用平均损失算 p_t 会让所有样本共用一个因子：应逐元素计算 p_t，最后再取平均。",
        },
        one_factor_for_all,
    ),
    Mutant(
        "an epsilon inside the logarithm",
        {
            "en": "log(p + eps) stops at log eps, -16 where -100 is right: write log p from the logit.",
            "zh": "log(p + eps) 最低只到 log eps，本应为 -100 处得到 -16：应直接由 logit 写出 log p。",
        },
        log_with_epsilon,
    ),
    Mutant(
        "the logarithm of the sigmoid",
        {
            "en": "The sigmoid rounds to 0 or 1 and its logarithm is infinite: log p = -log(1 + exp(-logit)), with the "
            "exponential of -|logit| only.",
            "zh": "sigmoid 会舍入到 0 或 1，取对数得到无穷："
            "应写成 log p = -log(1 + exp(-logit))，且只对 -|logit| 取指数。",
        },
        log_of_sigmoid,
    ),
    Mutant(
        "only the positives counted",
        {"en": "Negatives cost -log(1 - p); here they cost nothing.", "zh": "负样本的损失是 -log(1 - p)，这里却为 0。"},
        positives_only,
    ),
    Mutant("1 - p_t by subtraction", _SUBTRACTED, by_subtraction),
    Mutant(
        "the sigmoid taken twice",
        {
            "en": "The input holds probabilities already, and the sigmoid is taken again.",
            "zh": "输入已经是概率，却又取了一次 sigmoid。",
        },
        sigmoid_twice,
    ),
    Mutant("the sum for the mean", _SUM, sum_for_mean),
    Mutant("the factor held constant in the gradient", _HELD, vjp=factor_held_constant),
    Mutant("the power gamma - 1 in the gradient", _MINUS_ONE, vjp=power_gamma_minus_one),
    Mutant(
        "the factor's slope with the wrong sign",
        {
            "en": "1 - p_t falls as the right answer rises: its slope has the same sign as the cross-entropy's.",
            "zh": "答得越对，1 - p_t 越小：它的导数与交叉熵的导数同号。",
        },
        vjp=wrong_sign_inside,
    ),
    Mutant("the gradient of the sum for the mean", _SUM, vjp=gradient_of_the_sum),
)


def _rows(logits: Any, target: Any, options: Any) -> tuple[Any, Any, Any]:
    """Logits with classes last, each row's own class as a mask, and which rows count."""
    x = np.moveaxis(np.multiply(logits, 1.0), options.get("axis", -1), -1)
    kept = np.asarray(target) != options.get("ignore_index", -100)
    return x, np.eye(x.shape[-1], dtype=bool)[np.where(kept, target, 0)], kept


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _log_softmax(x: Any) -> Any:
    d = x - x.max(axis=-1, keepdims=True)
    return d - np.log(np.exp(d).sum(axis=-1, keepdims=True))


def _own(a: Any, own: Any) -> Any:
    return np.where(own, a, 0).sum(axis=-1)


def _class_weights(own: Any, options: Any, dtype: Any) -> Any:
    alpha = options.get("alpha")
    return 1 if alpha is None else _own(np.asarray(alpha, dtype), own)


def _over_classes(factor: Any, log_p: Any = _log_softmax) -> Any:
    """The loss with another factor(q, gamma), q = 1 - p_t, or another log_p(x)."""

    def loss(logits: Any, target: Any, **options: Any) -> Any:
        x, own, kept = _rows(logits, target, options)
        q = np.where(own, 0, _softmax(x)).sum(axis=-1)
        weight = _class_weights(own, options, x.dtype) * factor(q, options.get("gamma", 2.0))
        losses = np.where(kept, -weight * _own(log_p(x), own), np.zeros_like(q))
        return _class_mean(losses, kept.sum(), options)

    return loss


def _class_mean(losses: Any, count: Any, options: Any) -> Any:
    reduction = options.get("reduction", "mean")
    return losses if reduction == "none" else losses.sum() / losses.dtype.type(count or 1 if reduction == "mean" else 1)


classes_gamma_as_factor = _over_classes(lambda q, gamma: gamma * q)
classes_power_of_p_t = _over_classes(lambda q, gamma: (1 - q) ** gamma)
classes_no_factor = _over_classes(lambda q, gamma: 1)
classes_by_subtraction = _over_classes(lambda q, gamma: (1 - (1 - q)) ** gamma)
log_of_softmax = _over_classes(lambda q, gamma: q**gamma, lambda x: np.log(_softmax(x)))
classes_log_with_epsilon = _over_classes(lambda q, gamma: q**gamma, lambda x: np.log(_softmax(x) + 1e-7))
no_shift = _over_classes(lambda q, gamma: q**gamma, lambda x: x - np.log(np.exp(x).sum(axis=-1, keepdims=True)))


def alpha_by_place(logits: Any, target: Any, *, alpha: Any = None, **options: Any) -> Any:
    one = alpha if alpha is None or np.ndim(alpha) == 0 else float(np.mean(alpha))
    return textbook.softmax_focal_loss(logits, target, alpha=one, **options)


def mean_over_all_rows(logits: Any, target: Any, *, reduction: str = "mean", **options: Any) -> Any:
    each = textbook.softmax_focal_loss(logits, target, reduction="none", **options)
    return _reduced(each, reduction)


def ignored_rows_counted(logits: Any, target: Any, *, ignore_index: int = -100, **options: Any) -> Any:
    t = np.where((np.asarray(target) == ignore_index) & (ignore_index < 0), 0, target)
    x = np.multiply(logits, 1.0)
    return x.dtype.type(1) * textbook.softmax_focal_loss(x, t, **options)


def nothing_over_nothing(logits: Any, target: Any, **options: Any) -> Any:
    loss = textbook.softmax_focal_loss(logits, target, **options)
    empty = options.get("reduction", "mean") == "mean" and not _rows(logits, target, options)[2].any()
    return loss * np.nan if empty else loss


def _class_slopes(logits: Any, target: Any, cotangent: Any, options: Any, factor: Any) -> tuple[Any]:
    """The gradient factor(q, p_t, log p_t, gamma) (p - [j = t])."""
    x, own, kept = _rows(logits, target, options)
    p, log_p = _softmax(x), _log_softmax(x)
    q = np.where(own, 0, p).sum(axis=-1)
    weight = factor(q, _own(p, own), _own(log_p, own), options.get("gamma", 2.0))
    weight = np.where(kept, weight * _class_weights(own, options, x.dtype), np.zeros_like(q))
    mean = options.get("reduction", "mean") == "mean"
    g = weight * cotangent / q.dtype.type(kept.sum() or 1 if mean else 1)
    slope = np.where(own, -q[..., None], p)
    return (
        np.moveaxis(np.where(kept[..., None], g[..., None] * slope, 0 * g[..., None]), -1, options.get("axis", -1)),
    )


def classes_factor_held_constant(logits: Any, target: Any, *, cotangent: Any, **options: Any) -> Any:
    return _class_slopes(logits, target, cotangent, options, lambda q, p_t, log_p_t, gamma: q**gamma)


def classes_power_gamma_minus_one(logits: Any, target: Any, *, cotangent: Any, **options: Any) -> Any:
    def factor(q: Any, p_t: Any, log_p_t: Any, gamma: float) -> Any:
        return q**gamma - gamma * q ** (gamma - 1) * p_t * log_p_t

    return _class_slopes(logits, target, cotangent, options, factor)


def classes_gradient_over_all_rows(logits: Any, target: Any, *, cotangent: Any, **options: Any) -> Any:
    x = np.multiply(logits, 1.0)
    kept = np.asarray(target) != options.get("ignore_index", -100)
    share = kept.sum() / kept.size if kept.size and options.get("reduction", "mean") == "mean" else 1
    (dx,) = textbook.softmax_focal_loss_vjp(x, target, cotangent=cotangent, **options)
    return (dx * x.dtype.type(share),)


_SHIFT = {
    "en": "exp overflows for large scores: subtract each row's own maximum first.",
    "zh": "分数较大时 exp 会溢出：先减去该行自己的最大值。",
}

CLASSES = (
    Mutant("times gamma for to the gamma", BINARY[2].advice, classes_gamma_as_factor),
    Mutant("p_t for 1 - p_t", _FACTOR, classes_power_of_p_t),
    Mutant(
        "no focal factor",
        {"en": "This is cross-entropy: (1 - p_t)^gamma is missing.", "zh": "这只是交叉熵：缺少 (1 - p_t)^gamma。"},
        classes_no_factor,
    ),
    Mutant(
        "alpha not gathered by class",
        {
            "en": "A row counts with the alpha of its own class: alpha[target], not one number for all rows.",
            "zh": "每一行应乘它自己类别的权重 alpha[target]，而不是所有行共用一个数。",
        },
        alpha_by_place,
    ),
    Mutant(
        "the mean over all rows",
        {
            "en": "Ignored rows add nothing to the sum and must not count in the mean either.",
            "zh": "被忽略的行既不计入总和，也不应计入平均的分母。",
        },
        mean_over_all_rows,
    ),
    Mutant(
        "ignored rows counted",
        {
            "en": "Rows with ignore_index as target still cost something.",
            "zh": "目标为 ignore_index 的行仍产生了损失。",
        },
        ignored_rows_counted,
    ),
    Mutant(
        "0/0 where all is ignored",
        {
            "en": "With every row ignored the mean is 0/0: divide by max(count, 1).",
            "zh": "所有行都被忽略时平均为 0/0：分母应取 max(行数, 1)。",
        },
        nothing_over_nothing,
    ),
    Mutant("no maximum subtracted", _SHIFT, no_shift),
    Mutant(
        "the logarithm of softmax",
        {
            "en": "Where the softmax is 0 its logarithm is -inf: use x - max - log sum exp(x - max).",
            "zh": "softmax 为 0 处取对数得 -inf：应写成 x - max - log sum exp(x - max)。",
        },
        log_of_softmax,
    ),
    Mutant(
        "an epsilon inside the logarithm",
        {
            "en": "log(p + eps) stops at log eps, -16 where -1000 is right: use x - max - log sum exp(x - max).",
            "zh": "log(p + eps) 最低只到 log eps，本应为 -1000 处得到 -16：应写成 x - max - log sum exp(x - max)。",
        },
        classes_log_with_epsilon,
    ),
    Mutant(
        "1 - p_t by subtraction",
        {
            "en": "For confident rows p_t rounds to 1 and 1 - p_t loses all digits: sum the other classes instead.",
            "zh": "对很有把握的行，p_t 会舍入到 1，1 - p_t 的有效数字全部丢失：应改为对其他类别求和。",
        },
        classes_by_subtraction,
    ),
    Mutant("the factor held constant in the gradient", _HELD, vjp=classes_factor_held_constant),
    Mutant("the power gamma - 1 in the gradient", _MINUS_ONE, vjp=classes_power_gamma_minus_one),
    Mutant(
        "the gradient shared out over all rows",
        {
            "en": "The mean is over the rows not ignored, and so is its gradient.",
            "zh": "平均只对未被忽略的行，其梯度也应如此。",
        },
        vjp=classes_gradient_over_all_rows,
    ),
)
