"""What people write for the BPR loss that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.blocks.bpr import textbook
from barehand.core.spec import Mutant


def _margins(positive_scores: Any, negative_scores: Any) -> Any:
    p, n = np.multiply(positive_scores, 1.0), np.multiply(negative_scores, 1.0)
    return (p[..., None] if n.ndim > p.ndim else p) - n


def _reduced(losses: Any, reduction: str) -> Any:
    return losses if reduction == "none" else losses.sum() / ((losses.size or 1) if reduction == "mean" else 1)


def _of_margin(loss: Any) -> Any:
    """The loss with another loss(z)."""

    def function(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
        return _reduced(loss(_margins(positive_scores, negative_scores)), reduction)

    return function


log_of_sigmoid = _of_margin(lambda z: -np.log(1 / (1 + np.exp(-z))))
epsilon_inside = _of_margin(lambda z: -np.log(1e-8 + 1 / (1 + np.exp(-z))))
smaller_epsilon_inside = _of_margin(lambda z: -np.log(1e-10 + 1 / (1 + np.exp(-z))))
sign_reversed = _of_margin(lambda z: np.logaddexp(0, z))
sign_forgotten = _of_margin(lambda z: -np.logaddexp(0, -z))
hinge = _of_margin(lambda z: np.maximum(1 - z, 0))
clipped = _of_margin(lambda z: np.logaddexp(0, -np.clip(z, -10, 10)))


def every_pair(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
    p, n = np.atleast_1d(np.multiply(positive_scores, 1.0)), np.atleast_1d(np.multiply(negative_scores, 1.0))
    z = p[..., None] - (n if n.ndim > p.ndim else n[..., None, :])
    return _reduced(np.logaddexp(0, -z), reduction)


def broadcast_as_it_comes(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
    return _reduced(np.logaddexp(0, -(np.multiply(positive_scores, 1.0) - negative_scores)), reduction)


def mean_negative_first(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
    n = np.multiply(negative_scores, 1.0)
    if n.ndim > np.ndim(positive_scores):
        n = n.sum(axis=-1) / (n.shape[-1] or 1)
    return textbook.bpr_loss(positive_scores, n, reduction=reduction)


def sum_for_mean(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
    how = "none" if reduction == "none" else "sum"
    return textbook.bpr_loss(positive_scores, negative_scores, reduction=how)


def mean_over_positives(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean") -> Any:
    loss = sum_for_mean(positive_scores, negative_scores, reduction=reduction)
    return loss / (np.size(positive_scores) or 1) if reduction == "mean" else loss


def _with_slope(slope: Any, collect: Any = lambda dn: dn.sum(axis=-1)) -> Any:
    """The gradient with another slope(z), or another collect(dn) for a positive with several negatives."""

    def vjp(positive_scores: Any, negative_scores: Any, *, reduction: str = "mean", cotangent: Any) -> tuple[Any, Any]:
        z = _margins(positive_scores, negative_scores)
        dn = cotangent * slope(z) / ((z.size or 1) if reduction == "mean" else 1)
        return (-collect(dn) if z.ndim > np.ndim(positive_scores) else -dn), dn

    return vjp


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


one_negative_only = _with_slope(lambda z: _sigmoid(-z), lambda dn: dn[..., -1:].sum(axis=-1))
epsilon_in_the_slope = _with_slope(lambda z: _sigmoid(-z) * _sigmoid(z) / (_sigmoid(z) + 1e-10))
inf_over_inf = _with_slope(lambda z: np.exp(-z) / (1 + np.exp(-z)))
slope_by_subtraction = _with_slope(lambda z: 1 - _sigmoid(z))
slope_of_the_other_side = _with_slope(_sigmoid)


_EPSILON = {
    "en": "log(sigmoid + eps) caps the loss at -log eps and takes the gradient from exactly the worst pairs: write "
    "max(-z, 0) + log1p(exp(-|z|)).",
    "zh": "log(sigmoid + eps) 把损失封顶在 -log eps，恰好让最差的样本对失去梯度："
    "应写成 max(-z, 0) + log1p(exp(-|z|))。",
}
_REVERSED = {
    "en": "The loss falls as p - n rises; this one takes n - p and puts the negatives on top.",
    "zh": "p - n 越大损失应越小；这里用了 n - p，会把负样本排到前面。",
}

MUTANTS = (
    Mutant(
        "the logarithm of the sigmoid",
        {
            "en": "Far below 0 the sigmoid is 0 and its logarithm -inf, far above it rounds to 1: write max(-z, 0) + "
            "log1p(exp(-|z|)).",
            "zh": "z 很负时 sigmoid 为 0，取对数得 -inf；z 很大时又舍入到 1：应写成 max(-z, 0) + log1p(exp(-|z|))。",
        },
        log_of_sigmoid,
    ),
    Mutant("1e-8 inside the logarithm", _EPSILON, epsilon_inside),
    Mutant("1e-10 inside the logarithm", _EPSILON, smaller_epsilon_inside),
    Mutant(
        "the difference clipped",
        {
            "en": "Clipping p - n gives the worst pairs no gradient; the stable form needs no clipping.",
            "zh": "截断 p - n 会让最差的样本对没有梯度；稳定的写法不需要截断。",
        },
        clipped,
    ),
    Mutant("n - p for p - n", _REVERSED, sign_reversed),
    Mutant(
        "the minus sign forgotten",
        {
            "en": "log sigmoid is to be maximised; the loss is its negative.",
            "zh": "log sigmoid 要最大化，损失应取它的相反数。",
        },
        sign_forgotten,
    ),
    Mutant(
        "a hinge for the logarithm",
        {
            "en": "max(1 - z, 0) is the hinge loss; BPR is log(1 + exp(-z)).",
            "zh": "max(1 - z, 0) 是 hinge 损失；BPR 是 log(1 + exp(-z))。",
        },
        hinge,
    ),
    Mutant(
        "every positive against every negative",
        {
            "en": "Each positive goes with its own negatives; (N, 1) minus (N,) is N x N.",
            "zh": "每个正样本只与自己的负样本配对；(N, 1) 减 (N,) 会变成 N x N。",
        },
        every_pair,
    ),
    Mutant(
        "broadcast along the wrong axis",
        {
            "en": "(N,) minus (N, K) fails or pairs wrongly, and minus (N, 1) is N x N: write p[..., None] - n.",
            "zh": "(N,) 减 (N, K) 会报错或错配，减 (N, 1) 则变成 N x N：应写成 p[..., None] - n。",
        },
        broadcast_as_it_comes,
    ),
    Mutant(
        "the negatives averaged first",
        {
            "en": "The loss is the mean over the pairs, not the loss of the mean negative.",
            "zh": "应对所有样本对的损失取平均，而不是先把负样本得分取平均再算损失。",
        },
        mean_negative_first,
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
        "the mean over the positives alone",
        {
            "en": "With several negatives the mean is over all pairs, N x K of them.",
            "zh": "有多个负样本时，平均应对全部 N x K 个样本对。",
        },
        mean_over_positives,
    ),
    Mutant(
        "a positive's gradient from one negative",
        {
            "en": "A positive takes part in K pairs: its gradient is the sum over them.",
            "zh": "一个正样本参与 K 个样本对，它的梯度是这些对的梯度之和。",
        },
        vjp=one_negative_only,
    ),
    Mutant(
        "the gradient of log(sigmoid + eps)",
        _EPSILON,
        vjp=epsilon_in_the_slope,
    ),
    Mutant(
        "inf over inf in the gradient",
        {
            "en": "exp(-z) / (1 + exp(-z)) is nan where exp overflows: write 1 / (1 + exp(z)).",
            "zh": "exp 溢出时 exp(-z) / (1 + exp(-z)) 为 nan：应写成 1 / (1 + exp(z))。",
        },
        vjp=inf_over_inf,
    ),
    Mutant(
        "1 - sigmoid by subtraction",
        {
            "en": "For pairs that are right sigmoid(z) rounds to 1 and the difference loses all digits: sigmoid(-z).",
            "zh": "排对的样本对上 sigmoid(z) 舍入到 1，相减后有效数字全部丢失：应写 sigmoid(-z)。",
        },
        vjp=slope_by_subtraction,
    ),
    Mutant(
        "sigmoid(z) for sigmoid(-z) in the gradient",
        {
            "en": "The slope is sigmoid(n - p): large where the pair is wrong, not where it is right.",
            "zh": "斜率是 sigmoid(n - p)：排错的对梯度大，而不是排对的对。",
        },
        vjp=slope_of_the_other_side,
    ),
)
