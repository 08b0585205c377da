"""What people write for the contrastive loss that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.blocks.contrastive import textbook
from barehand.core.spec import Mutant


def _reduced(losses: Any, reduction: str) -> Any:
    return losses if reduction == "none" else losses.sum() / ((losses.size or 1) if reduction == "mean" else 1)


def _distance(x1: Any, x2: Any) -> Any:
    return np.linalg.norm((np.multiply(x1, 1.0) - x2).astype(np.longdouble), axis=-1)


def _expanded(x1: Any, x2: Any) -> Any:
    a, b = np.multiply(x1, 1.0), np.multiply(x2, 1.0)
    return np.sqrt(np.maximum((a * a).sum(axis=-1) + (b * b).sum(axis=-1) - 2 * (a * b).sum(axis=-1), 0))


def _with_terms(pull: Any, push: Any, distance: Any = _distance) -> Any:
    """The loss with other terms pull(d) and push(d, margin), or another distance."""

    def loss(x1: Any, x2: Any, same: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
        dtype = np.multiply(x1, 1.0).dtype
        d = distance(x1, x2).astype(dtype)
        s = np.asarray(same, dtype)
        return _reduced(np.where(s == 0, 0, s * pull(d)) + np.where(s == 1, 0, (1 - s) * push(d, margin)), reduction)

    return loss


def _square(d: Any) -> Any:
    return d * d


def _lack(d: Any, margin: float) -> Any:
    return np.maximum(margin - d, 0) ** 2


margin_minus_square = _with_terms(_square, lambda d, m: np.maximum(m - d * d, 0))
squares_compared = _with_terms(_square, lambda d, m: np.maximum(m * m - d * d, 0))
no_hinge = _with_terms(_square, lambda d, m: (m - d) ** 2)
hinge_not_squared = _with_terms(_square, lambda d, m: np.maximum(m - d, 0))
distance_not_squared = _with_terms(lambda d: d, _lack)
margin_always_one = _with_terms(_square, lambda d, m: _lack(d, 1.0))
mean_over_features = _with_terms(_square, _lack, lambda x1, x2: _distance(x1, x2) / np.sqrt(np.shape(x1)[-1] or 1))
city_blocks = _with_terms(_square, _lack, lambda x1, x2: np.abs(np.multiply(x1, 1.0) - x2).sum(axis=-1))
expanded_square = _with_terms(_square, _lack, _expanded)


def labels_reversed(x1: Any, x2: Any, same: Any, **options: Any) -> Any:
    return textbook.contrastive_loss(x1, x2, 1 - np.asarray(same, float), **options)


def zero_times_infinity(x1: Any, x2: Any, same: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    difference = np.multiply(x1, 1.0) - x2
    d, s = np.sqrt((difference**2).sum(axis=-1)), np.asarray(same, difference.dtype)
    return _reduced(s * d**2 + (1 - s) * _lack(d, margin), reduction)


def sum_for_mean(x1: Any, x2: Any, same: Any, *, reduction: str = "mean", **options: Any) -> Any:
    how = "none" if reduction == "none" else "sum"
    return textbook.contrastive_loss(x1, x2, same, reduction=how, **options)


def _with_slopes(slopes: Any, other: Any = np.negative) -> Any:
    """The gradient with another slopes(difference, d, same, margin), or another other(dx1) for x2."""

    def vjp(
        x1: Any, x2: Any, same: Any, *, margin: float = 1.0, reduction: str = "mean", cotangent: Any
    ) -> tuple[Any, Any]:
        difference = np.multiply(x1, 1.0) - x2
        d, s = _distance(x1, x2).astype(difference.dtype)[..., None], np.asarray(same, difference.dtype)[..., None]
        g = np.asarray(cotangent)[..., None] / ((s.size or 1) if reduction == "mean" else 1)
        dx1 = g * slopes(difference, d, s, margin)
        return dx1, other(dx1)

    return vjp


def _unit(difference: Any, d: Any) -> Any:
    return difference / np.where(d == 0, 1, d)


def _right(difference: Any, d: Any, s: Any, margin: float) -> Any:
    return 2 * s * difference - 2 * (1 - s) * np.maximum(margin - d, 0) * _unit(difference, d)


def _through_the_root(difference: Any, d: Any, s: Any, margin: float) -> Any:
    d = np.sqrt((difference**2).sum(axis=-1, keepdims=True))
    return (2 * s * d - 2 * (1 - s) * np.maximum(margin - d, 0)) * (difference / d)


def _no_hinge(difference: Any, d: Any, s: Any, margin: float) -> Any:
    return 2 * s * difference - 2 * (1 - s) * (margin - d) * _unit(difference, d)


def _no_unit(difference: Any, d: Any, s: Any, margin: float) -> Any:
    return 2 * (s - (1 - s) * np.maximum(margin - d, 0)) * difference


through_the_root = _with_slopes(_through_the_root)
no_hinge_in_the_gradient = _with_slopes(_no_hinge)
no_unit_in_the_gradient = _with_slopes(_no_unit)
factor_two_forgotten = _with_slopes(lambda *pieces: _right(*pieces) / 2)
same_sign_for_both = _with_slopes(_right, np.positive)


_HINGE = {
    "en": "Beyond the margin a dissimilar pair costs nothing: max(margin - d, 0), so that it is not pulled back.",
    "zh": "不相似对的距离超过 margin 后不应有损失：用 max(margin - d, 0)，否则会把它们拉回来。",
}

MUTANTS = (
    Mutant(
        "the labels reversed",
        {
            "en": "same = 1 marks similar pairs here; this pushes them apart. (Hadsell's paper has Y = 0 for similar.)",
            "zh": "这里 same = 1 表示相似，你的实现却把相似对推开。（Hadsell 的论文里 Y = 0 表示相似。）",
        },
        labels_reversed,
    ),
    Mutant(
        "margin - d² for (margin - d)²",
        {
            "en": "The hinge is taken of margin - d and then squared: max(margin - d, 0)².",
            "zh": "应先取 margin - d 的 hinge，再平方：max(margin - d, 0)²。",
        },
        margin_minus_square,
    ),
    Mutant(
        "margin² - d² for (margin - d)²",
        {
            "en": "margin and d are subtracted before they are squared: max(margin - d, 0)².",
            "zh": "应先把 margin 与 d 相减再平方：max(margin - d, 0)²。",
        },
        squares_compared,
    ),
    Mutant("no hinge", _HINGE, no_hinge),
    Mutant(
        "the hinge not squared",
        {
            "en": "Dissimilar pairs cost max(margin - d, 0)², squared.",
            "zh": "不相似对的损失是 max(margin - d, 0)²，要平方。",
        },
        hinge_not_squared,
    ),
    Mutant(
        "the distance not squared",
        {"en": "Similar pairs cost d², not d.", "zh": "相似对的损失是 d²，而不是 d。"},
        distance_not_squared,
    ),
    Mutant(
        "the margin ignored",
        {"en": "The margin is 1 whatever is asked.", "zh": "无论传入什么，margin 都是 1。"},
        margin_always_one,
    ),
    Mutant(
        "the mean over the features",
        {
            "en": "The squared distance is the sum over the features, not their mean.",
            "zh": "距离的平方是对各特征求和，而不是取平均。",
        },
        mean_over_features,
    ),
    Mutant(
        "the sum of absolute differences",
        {"en": "The distance is Euclidean: the root of the sum of squares.", "zh": "这里用欧氏距离：平方和再开方。"},
        city_blocks,
    ),
    Mutant(
        "|a|² + |b|² - 2ab for the squared distance",
        {
            "en": "Far from the origin these large terms cancel and leave nothing: subtract first, then square.",
            "zh": "远离原点时，这几个大数相消后什么也不剩：应先相减，再平方。",
        },
        expanded_square,
    ),
    Mutant(
        "0 times infinity",
        {
            "en": "d² overflows for pairs that are far apart, and a weight of 0 makes it nan: take a term only where "
            "its weight is not 0.",
            "zh": "相距很远时 d² 溢出为无穷，再乘权重 0 就得到 nan：权重为 0 的项应直接取 0。",
        },
        zero_times_infinity,
    ),
    Mutant(
        "the sum for the mean",
        {
            "en": "The mean divides by the number of pairs; this is the sum.",
            "zh": "mean 应除以样本对的个数，这里只是求和。",
        },
        sum_for_mean,
    ),
    Mutant(
        "the gradient through the root",
        {
            "en": "At identical rows the root's slope is infinite and the gradient nan: d² has the slope 2 (x1 - x2), "
            "and at d = 0 the other term's is 0.",
            "zh": "两行相同时开方的导数为无穷，梯度得 nan：d² 的导数直接写 2 (x1 - x2)，另一项在 d = 0 处取 0。",
        },
        vjp=through_the_root,
    ),
    Mutant("no hinge in the gradient", _HINGE, vjp=no_hinge_in_the_gradient),
    Mutant(
        "the unit vector forgotten in the gradient",
        {
            "en": "d's slope is (x1 - x2) / d, of length 1; the division by d is missing.",
            "zh": "d 的导数是 (x1 - x2) / d，长度为 1；这里漏了除以 d。",
        },
        vjp=no_unit_in_the_gradient,
    ),
    Mutant(
        "the factor 2 forgotten in the gradient",
        {"en": "The slope of a square is twice its root.", "zh": "平方的导数要乘 2。"},
        vjp=factor_two_forgotten,
    ),
    Mutant(
        "one sign for both gradients",
        {
            "en": "x1 - x2 has slope 1 in x1 and -1 in x2: the gradients are opposite.",
            "zh": "x1 - x2 对 x1 的导数是 1，对 x2 是 -1：两个梯度应互为相反数。",
        },
        vjp=same_sign_for_both,
    ),
)
