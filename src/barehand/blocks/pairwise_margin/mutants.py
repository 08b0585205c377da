"""What people write for the pairwise margin loss that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.core.spec import Mutant


def _reduced(losses: Any, reduction: str) -> Any:
    return losses if reduction == "none" else losses.sum() / ((losses.size or 1) if reduction == "mean" else 1)


def _distance(a: Any, x: Any) -> Any:
    difference = np.multiply(a, 1.0) - x
    return np.linalg.norm(difference.astype(np.longdouble), axis=-1).astype(difference.dtype)


def _expanded(a: Any, x: Any) -> Any:
    a, x = np.multiply(a, 1.0), np.multiply(x, 1.0)
    return np.sqrt(np.maximum((a * a).sum(axis=-1) + (x * x).sum(axis=-1) - 2 * (a * x).sum(axis=-1), 0))


def _with(hinge: Any, distance: Any = _distance, collect: Any = _reduced) -> Any:
    """The loss with another hinge(d_ap, d_an, margin), another distance, or another collect(losses, reduction)."""

    def loss(anchor: Any, positive: Any, negative: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
        return collect(hinge(distance(anchor, positive), distance(anchor, negative), margin), reduction)

    return loss


def _right(to_p: Any, to_n: Any, margin: float) -> Any:
    return np.maximum(to_p - to_n + margin, 0)


def _over_active(losses: Any, reduction: str) -> Any:
    return losses.sum() / losses.dtype.type((losses > 0).sum()) if reduction == "mean" else _reduced(losses, reduction)


exchanged = _with(lambda to_p, to_n, m: _right(to_n, to_p, m))
no_hinge = _with(lambda to_p, to_n, m: to_p - to_n + m)
margin_subtracted = _with(lambda to_p, to_n, m: _right(to_p, to_n, -m))
margin_always_one = _with(lambda to_p, to_n, m: _right(to_p, to_n, 1.0))
mean_over_active = _with(_right, collect=_over_active)
every_row_against_every_row = _with(lambda to_p, to_n, m: _right(to_p[..., None], to_n, m))
city_blocks = _with(_right, lambda a, x: np.abs(np.multiply(a, 1.0) - x).sum(axis=-1))
mean_over_features = _with(_right, lambda a, x: _distance(a, x) / np.sqrt(np.shape(a)[-1] or 1))
expanded_square = _with(_right, _expanded)
plain_squares = _with(_right, lambda a, x: np.sqrt(((np.multiply(a, 1.0) - x) ** 2).sum(axis=-1)))
hinge_squared = _with(lambda to_p, to_n, m: _right(to_p, to_n, m) ** 2)
sum_for_mean = _with(_right, collect=lambda losses, reduction: losses if reduction == "none" else losses.sum())


def _unit(difference: Any) -> Any:
    d = np.linalg.norm(difference.astype(np.longdouble), axis=-1, keepdims=True).astype(difference.dtype)
    return difference / np.where(d == 0, 1, d)


def _with_units(unit: Any = _unit, open_: Any = lambda t: t > 0, anchor_slope: Any = np.subtract) -> Any:
    """The gradient with another unit(difference), another open_(t), or another anchor_slope(u_p, u_n)."""

    def vjp(
        anchor: Any, positive: Any, negative: Any, *, margin: float = 1.0, reduction: str = "mean", cotangent: Any
    ) -> tuple[Any, Any, Any]:
        a = np.multiply(anchor, 1.0)
        t = _distance(a, positive) - _distance(a, negative) + margin
        g = (cotangent * open_(t) / ((t.size or 1) if reduction == "mean" else 1))[..., None]
        u_p, u_n = g * unit(a - positive), g * unit(a - negative)
        return anchor_slope(u_p, u_n), -u_p, u_n

    return vjp


def _through_the_root(difference: Any) -> Any:
    return difference / np.sqrt((difference**2).sum(axis=-1, keepdims=True))


through_the_root = _with_units(_through_the_root)
epsilon_added = _with_units(lambda difference: _unit(difference + np.asarray(1e-6, difference.dtype)))
no_division = _with_units(lambda difference: difference)
no_hinge_in_the_gradient = _with_units(open_=np.ones_like)
open_at_the_edge = _with_units(open_=lambda t: t >= 0)
anchor_from_the_positive = _with_units(anchor_slope=lambda u_p, u_n: u_p)


_HINGE = {
    "en": "A triplet that has its margin costs nothing: max(..., 0). Without it easy triplets offset hard ones.",
    "zh": "满足间隔的三元组不应有损失：要取 max(..., 0)，否则简单的三元组会抵消困难的。",
}

MUTANTS = (
    Mutant(
        "positive and negative exchanged",
        {
            "en": "The positive is to be nearer: d(a, p) - d(a, n) + margin. This trains the ranking upside down.",
            "zh": "应让正样本更近：d(a, p) - d(a, n) + margin。你的写法会把排序训反。",
        },
        exchanged,
    ),
    Mutant("no hinge", _HINGE, no_hinge),
    Mutant(
        "the margin subtracted",
        {
            "en": "The margin is added: the negative must be farther by it.",
            "zh": "margin 应该加上：负样本必须远出一个 margin。",
        },
        margin_subtracted,
    ),
    Mutant(
        "the margin ignored",
        {"en": "The margin is 1 whatever is asked.", "zh": "无论传入什么，margin 都是 1。"},
        margin_always_one,
    ),
    Mutant(
        "the mean over the active rows",
        {
            "en": "The mean is over all rows; over the active ones it is 0/0 once all have their margin.",
            "zh": "平均应对所有行；只对有损失的行平均，等全部满足间隔时就成了 0/0。",
        },
        mean_over_active,
    ),
    Mutant(
        "every row against every row",
        {
            "en": "One distance of shape (N, 1) and one of (N,) broadcast to N x N: keep both (N,).",
            "zh": "一个距离形状为 (N, 1)，另一个为 (N,)，会广播成 N x N：两者都应是 (N,)。",
        },
        every_row_against_every_row,
    ),
    Mutant(
        "the sum of absolute differences",
        {"en": "The distance is Euclidean: the root of the sum of squares.", "zh": "这里用欧氏距离：平方和再开方。"},
        city_blocks,
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
        "squares that leave the range",
        {
            "en": "Large differences square to infinity, and infinity minus infinity is nan: divide the row by its "
            "largest difference first.",
            "zh": "差很大时平方溢出为无穷，无穷减无穷得 nan：应先把该行除以最大的差。",
        },
        plain_squares,
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
        "the hinge squared",
        {
            "en": "The hinge is not squared here; the contrastive loss does that.",
            "zh": "这里的 hinge 不平方；对比损失才平方。",
        },
        hinge_squared,
    ),
    Mutant(
        "the sum for the mean",
        {"en": "The mean divides by the number of rows; this is the sum.", "zh": "mean 应除以行数，这里只是求和。"},
        sum_for_mean,
    ),
    Mutant(
        "the gradient through the root",
        {
            "en": "Where two rows are the same the root's slope is infinite and the gradient nan: take 0 there.",
            "zh": "两行相同时开方的导数为无穷，梯度得 nan：此处应取 0。",
        },
        vjp=through_the_root,
    ),
    Mutant(
        "an epsilon added to the differences",
        {
            "en": "Adding 1e-6 to each difference, as F.pairwise_distance does, gives identical rows a gradient of "
            "full length in an arbitrary direction.",
            "zh": "像 F.pairwise_distance 那样给每个差加 1e-6，会让相同的两行得到长度为 1、方向任意的梯度。",
        },
        vjp=epsilon_added,
    ),
    Mutant(
        "the distance forgotten in the gradient",
        {
            "en": "The slope of a distance is (a - x) / d, of length 1; the division by d is missing.",
            "zh": "距离的导数是 (a - x) / d，长度为 1；这里漏了除以 d。",
        },
        vjp=no_division,
    ),
    Mutant(
        "a gradient at the hinge's edge",
        {
            "en": "Exactly at the edge the loss is 0 and so is the gradient here: open is t > 0, not t >= 0.",
            "zh": "恰在边界时损失为 0，这里约定梯度也为 0：条件是 t > 0，而不是 t >= 0。",
        },
        vjp=open_at_the_edge,
    ),
    Mutant("no hinge in the gradient", _HINGE, vjp=no_hinge_in_the_gradient),
    Mutant(
        "the anchor's gradient from the positive alone",
        {
            "en": "The anchor is in both distances: its gradient is u_p - u_n.",
            "zh": "锚点出现在两个距离里：它的梯度是 u_p - u_n。",
        },
        vjp=anchor_from_the_positive,
    ),
)
