"""What people write for cross-entropy that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.blocks.cross_entropy import textbook
from barehand.core.spec import Mutant


def _softmax(logits: Any, axis: int) -> Any:
    x = np.multiply(logits, 1.0)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _is_index(target: Any) -> bool:
    return np.asarray(target).dtype.kind != "f"


def _ignored(target: Any, ignore_index: int) -> Any:
    """Which rows are ignored; for probabilities none."""
    return np.asarray(target) == ignore_index if _is_index(target) else np.zeros((), bool)


def softmax_twice(logits: Any, target: Any, *, axis: int = -1, from_probabilities: bool = False, **rest: Any) -> Any:
    x = logits if from_probabilities else _softmax(logits, axis)
    return textbook.cross_entropy(x, target, axis=axis, from_probabilities=from_probabilities, **rest)


def softmax_of_probabilities(logits: Any, target: Any, *, from_probabilities: bool = False, **rest: Any) -> Any:
    return textbook.cross_entropy(logits, target, **rest)


def log_of_softmax(logits: Any, target: Any, *, axis: int = -1, from_probabilities: bool = False, **rest: Any) -> Any:
    p = logits if from_probabilities else _softmax(logits, axis)
    return textbook.cross_entropy(p, target, axis=axis, from_probabilities=True, **rest)


def no_shift(logits: Any, target: Any, *, axis: int = -1, from_probabilities: bool = False, **rest: Any) -> Any:
    p = logits
    if not from_probabilities:
        e = np.exp(np.multiply(logits, 1.0))
        p = e / e.sum(axis=axis, keepdims=True)
    return textbook.cross_entropy(p, target, axis=axis, from_probabilities=True, **rest)


def log_with_epsilon(logits: Any, target: Any, *, axis: int = -1, from_probabilities: bool = False, **rest: Any) -> Any:
    p = logits if from_probabilities else _softmax(logits, axis)
    p = p + p.dtype.type(1e-8)
    return textbook.cross_entropy(p, target, axis=axis, from_probabilities=True, **rest)


def log_with_epsilon_vjp(
    logits: Any, target: Any, *, axis: int = -1, from_probabilities: bool = False, **rest: Any
) -> Any:
    p = logits if from_probabilities else _softmax(logits, axis)
    (dp,) = textbook.cross_entropy_vjp(p + p.dtype.type(1e-8), target, axis=axis, from_probabilities=True, **rest)
    return (dp if from_probabilities else p * (dp - (dp * p).sum(axis=axis, keepdims=True)),)


def clamped(logits: Any, target: Any, *, axis: int = -1, from_probabilities: bool = False, **rest: Any) -> Any:
    p = logits if from_probabilities else _softmax(logits, axis)
    p = np.clip(p, 1e-7, 1 - 1e-7).astype(p.dtype)
    return textbook.cross_entropy(p, target, axis=axis, from_probabilities=True, **rest)


def reshaped_classes(logits: Any, target: Any, *, axis: int = -1, **rest: Any) -> Any:
    n, target = np.shape(logits)[axis], np.asarray(target)
    rows = np.reshape(logits, (-1, n))
    losses = textbook.cross_entropy(rows, target.reshape(-1) if _is_index(target) else target.reshape(-1, n), **rest)
    return losses.reshape(np.delete(np.shape(logits), axis)) if rest.get("reduction") == "none" else losses


def zero_times_infinity(
    logits: Any, target: Any, *, axis: int = -1, weight: Any = None, ignore_index: int = -100,
    label_smoothing: float = 0.0, reduction: str = "mean", from_probabilities: bool = False,
) -> Any:  # fmt: skip
    log_p, a, _, kept = textbook._pieces(
        logits, target, axis, weight, ignore_index, label_smoothing, from_probabilities
    )
    losses = -(a * log_p).sum(axis=-1)
    if reduction == "none":
        return losses
    return losses.sum() / (kept.sum() or 1) if reduction == "mean" else losses.sum()


def ignore_index_ignored(logits: Any, target: Any, *, ignore_index: int = -100, **rest: Any) -> Any:
    return textbook.cross_entropy(logits, target, ignore_index=np.iinfo(np.int64).min, **rest)


def plain_mean(logits: Any, target: Any, *, reduction: str = "mean", **rest: Any) -> Any:
    if reduction != "mean":
        return textbook.cross_entropy(logits, target, reduction=reduction, **rest)
    losses = textbook.cross_entropy(logits, target, reduction="none", **rest)
    return losses.sum() / max(losses.size, 1)


def weights_not_in_the_mean(
    logits: Any, target: Any, *, reduction: str = "mean", ignore_index: int = -100, **rest: Any
) -> Any:
    losses = textbook.cross_entropy(logits, target, reduction="none", ignore_index=ignore_index, **rest)
    if reduction == "none":
        return losses
    kept = losses.size - np.broadcast_to(_ignored(target, ignore_index), losses.shape).sum()
    return losses.sum() / losses.dtype.type(max(kept, 1)) if reduction == "mean" else losses.sum()


def mean_over_nothing(
    logits: Any, target: Any, *, reduction: str = "mean", ignore_index: int = -100, **rest: Any
) -> Any:
    loss = textbook.cross_entropy(logits, target, reduction=reduction, ignore_index=ignore_index, **rest)
    nothing = _is_index(target) and np.all(_ignored(target, ignore_index))
    return loss * loss.dtype.type(np.nan) if reduction == "mean" and nothing else loss


def weights_ignored(logits: Any, target: Any, *, weight: Any = None, **rest: Any) -> Any:
    return textbook.cross_entropy(logits, target, **rest)


def smoothing_ignored(logits: Any, target: Any, *, label_smoothing: float = 0.0, **rest: Any) -> Any:
    return textbook.cross_entropy(logits, target, **rest)


def sum_for_mean(logits: Any, target: Any, *, reduction: str = "mean", **rest: Any) -> Any:
    return textbook.cross_entropy(logits, target, reduction="sum" if reduction == "mean" else reduction, **rest)


def mean_over_classes(logits: Any, target: Any, *, axis: int = -1, reduction: str = "mean", **rest: Any) -> Any:
    loss = textbook.cross_entropy(logits, target, axis=axis, reduction=reduction, **rest)
    return loss / loss.dtype.type(np.shape(logits)[axis]) if reduction == "mean" else loss


def reduction_ignored(logits: Any, target: Any, *, reduction: str = "mean", **rest: Any) -> Any:
    return textbook.cross_entropy(logits, target, **rest)


def sign_lost(logits: Any, target: Any, **rest: Any) -> Any:
    return -textbook.cross_entropy(logits, target, **rest)


def gradient_not_divided(logits: Any, target: Any, *, reduction: str = "mean", **rest: Any) -> Any:
    return textbook.cross_entropy_vjp(logits, target, reduction="sum" if reduction == "mean" else reduction, **rest)


def gradient_without_weights(logits: Any, target: Any, *, weight: Any = None, **rest: Any) -> Any:
    return textbook.cross_entropy_vjp(logits, target, **rest)


def gradient_without_smoothing(logits: Any, target: Any, *, label_smoothing: float = 0.0, **rest: Any) -> Any:
    return textbook.cross_entropy_vjp(logits, target, **rest)


def gradient_of_ignored_rows(
    logits: Any, target: Any, *, axis: int = -1, ignore_index: int = -100, cotangent: Any = 1.0, **rest: Any
) -> Any:
    (dx,) = textbook.cross_entropy_vjp(
        logits, target, axis=axis, ignore_index=ignore_index, cotangent=cotangent, **rest
    )
    ignored = _ignored(target, ignore_index)
    if not ignored.any():
        return (dx,)
    kept = max((~ignored).sum(), 1) if rest.get("reduction", "mean") == "mean" else 1
    g = np.broadcast_to(np.expand_dims(np.broadcast_to(cotangent, ignored.shape), axis) / kept, dx.shape)
    return (np.where(np.expand_dims(ignored, axis), g * _softmax(logits, axis), dx).astype(dx.dtype),)


def sum_of_shares_forgotten(
    logits: Any, target: Any, *, axis: int = -1, weight: Any = None, ignore_index: int = -100,
    label_smoothing: float = 0.0, reduction: str = "mean", from_probabilities: bool = False, cotangent: Any = 1.0,
) -> Any:  # fmt: skip
    options = {"weight": weight, "ignore_index": ignore_index, "label_smoothing": label_smoothing}
    options |= {"reduction": reduction, "from_probabilities": from_probabilities, "cotangent": cotangent}
    (dx,) = textbook.cross_entropy_vjp(logits, target, axis=axis, **options)
    if weight is None or from_probabilities:
        return (dx,)
    _, a, p, kept = textbook._pieces(logits, target, axis, weight, ignore_index, label_smoothing, False)
    g = np.asarray(cotangent)[..., None] / ((kept.sum() or 1) if reduction == "mean" else 1)
    return (np.moveaxis(g * (p - a) * (kept > 0)[..., None], -1, axis).astype(dx.dtype),)


def gradient_sign_lost(logits: Any, target: Any, **rest: Any) -> Any:
    return (-textbook.cross_entropy_vjp(logits, target, **rest)[0],)


def cotangent_forgotten(logits: Any, target: Any, *, cotangent: Any = 1.0, **rest: Any) -> Any:
    return textbook.cross_entropy_vjp(logits, target, cotangent=np.ones_like(cotangent), **rest)


def gradient_for_logits_always(logits: Any, target: Any, *, from_probabilities: bool = False, **rest: Any) -> Any:
    if not from_probabilities:
        return textbook.cross_entropy_vjp(logits, target, **rest)
    with np.errstate(divide="ignore"):
        return textbook.cross_entropy_vjp(np.log(logits), target, **rest)


MUTANTS = (
    Mutant(
        "softmax twice",
        {
            "en": "cross_entropy takes logits and applies the softmax itself: a second one keeps the loss of two "
            "classes above 0.3133. Pass the raw scores.",
            "zh": "cross_entropy 接收 logits，内部会做 softmax；再做一次，二分类的损失就永远降不到 0.3133 以下。"
            "应传入原始分数。",
        },
        softmax_twice,
    ),
    Mutant(
        "a softmax of probabilities",
        {
            "en": "from_probabilities=True says that the softmax has been taken: take the logarithm of the numbers "
            "given.",
            "zh": "from_probabilities=True 表示已经做过 softmax：应直接对给出的概率取对数。",
        },
        softmax_of_probabilities,
    ),
    Mutant(
        "the logarithm of softmax",
        {
            "en": "Far below the maximum the softmax is 0 and its logarithm -inf: use x - max - log sum exp(x - max).",
            "zh": "远小于最大值时 softmax 为 0，取对数得 -inf：应写成 x - max - log sum exp(x - max)。",
        },
        log_of_softmax,
    ),
    Mutant(
        "no maximum subtracted",
        {
            "en": "exp overflows for large logits: subtract each row's own maximum first.",
            "zh": "logits 较大时 exp 会溢出：先减去每一行自己的最大值。",
        },
        no_shift,
    ),
    Mutant(
        "an epsilon inside the logarithm",
        {
            "en": "log(p + eps) caps the loss at -log eps, 18.4 for 1e-8 where 1000 is right, and takes the gradient "
            "from exactly the worst rows. Work with log-softmax.",
            "zh": "log(p + eps) 使损失最多为 -log eps：本应为 1000 处只得到 18.4（eps 为 1e-8），"
            "而错得最厉害的行恰恰没有梯度。应使用 log-softmax。",
        },
        log_with_epsilon,
        log_with_epsilon_vjp,
    ),
    Mutant(
        "probabilities clamped",
        {
            "en": "A clamp at 1e-7 caps the loss at 16.1 where 1000 is right, with no gradient there. Work with "
            "log-softmax, which needs no clamp.",
            "zh": "把概率截断到 1e-7，损失最多只有 16.1（本应为 1000），那里也没有梯度。应使用无需截断的 log-softmax。",
        },
        clamped,
    ),
    Mutant(
        "the class axis reshaped, not moved",
        {
            "en": "reshape(-1, C) cuts rows across other axes when the classes are on axis 1. Move the class axis to "
            "the end first: np.moveaxis(x, axis, -1), in torch movedim.",
            "zh": "类别在第 1 轴时，reshape(-1, C) 会把别的轴混进一行。应先把类别轴移到最后："
            "np.moveaxis(x, axis, -1)，torch 用 movedim。",
        },
        reshaped_classes,
    ),
    Mutant(
        "zero times infinity",
        {
            "en": "A class with probability 0 in the target and a logit of -inf gives 0 · -inf = nan. Leave out the "
            "terms whose target is 0: 0 log 0 = 0.",
            "zh": "目标概率为 0 而 logit 为 -inf 时，0 · -inf = nan。应去掉目标为 0 的项：0 log 0 = 0。",
        },
        zero_times_infinity,
    ),
    Mutant(
        "ignore_index without effect",
        {
            "en": "Rows whose target is ignore_index count here. Leave them out of the sum and of the mean's divisor; "
            "used as an index, -1 silently reads the last class.",
            "zh": "target 等于 ignore_index 的行仍被计入。求和与平均的分母都应排除它们；直接当下标用时，"
            "-1 会悄悄读到最后一类。",
        },
        ignore_index_ignored,
    ),
    Mutant(
        "the mean over all rows",
        {
            "en": "The mean divides by the number of rows. Divide by the sum of the weights of the targets kept: "
            "ignored rows weigh nothing.",
            "zh": "平均时除以了总行数。应除以所保留目标的权重之和：被忽略的行权重为 0。",
        },
        plain_mean,
    ),
    Mutant(
        "weights missing from the mean's divisor",
        {
            "en": "A weighted mean divides by the sum of the weights of the targets, not by their number.",
            "zh": "加权平均应除以各目标的权重之和，而不是目标的个数。",
        },
        weights_not_in_the_mean,
    ),
    Mutant(
        "a mean over nothing is nan",
        {
            "en": "With every row ignored, or no rows, the mean is 0/0. Return 0, so that such a batch does not spoil "
            "the training.",
            "zh": "所有行都被忽略或没有行时，平均是 0/0。应返回 0，以免这样的批次毁掉训练。",
        },
        mean_over_nothing,
    ),
    Mutant(
        "class weights ignored",
        {
            "en": "weight has no effect: each term is multiplied by the weight of its class.",
            "zh": "weight 没有起作用：每一项都要乘以所属类别的权重。",
        },
        weights_ignored,
    ),
    Mutant(
        "label smoothing ignored",
        {
            "en": "label_smoothing has no effect: the target is (1 - e) q + e / n.",
            "zh": "label_smoothing 没有起作用：目标应为 (1 - e) q + e / n。",
        },
        smoothing_ignored,
    ),
    Mutant(
        "the sum in place of the mean",
        {
            "en": "reduction='mean' divides by the sum of the targets' weights, which is their number without weights.",
            "zh": "reduction='mean' 要除以各目标的权重之和；没有权重时就是目标的个数。",
        },
        sum_for_mean,
    ),
    Mutant(
        "a mean over the classes too",
        {
            "en": "np.mean(q log p) divides by the number of classes as well. Sum over the classes, then average the "
            "rows.",
            "zh": "np.mean(q log p) 还多除了类别数。应先对类别求和，再对各行取平均。",
        },
        mean_over_classes,
    ),
    Mutant(
        "reduction ignored",
        {
            "en": "The mean comes back whatever reduction says: 'sum' adds the losses up, 'none' returns each.",
            "zh": "无论 reduction 是什么都返回平均值：'sum' 应求和，'none' 应返回每行的损失。",
        },
        reduction_ignored,
    ),
    Mutant(
        "the sign lost",
        {
            "en": "This is log p, which training would drive down: the loss is -log p.",
            "zh": "这是 log p，训练会让它越来越小；损失应为 -log p。",
        },
        sign_lost,
    ),
    Mutant(
        "the gradient not divided by the mean's divisor",
        {
            "en": "p - onehot is the gradient of the sum; for the mean divide it by what the mean divides by.",
            "zh": "p - onehot 是总和的梯度；取平均时要除以同一个分母。",
        },
        vjp=gradient_not_divided,
    ),
    Mutant(
        "the gradient without class weights",
        {
            "en": "The gradient of a row carries the weight of its class, and the mean's divisor their sum.",
            "zh": "每行的梯度要乘以其类别的权重，平均的分母是这些权重之和。",
        },
        vjp=gradient_without_weights,
    ),
    Mutant(
        "the gradient without label smoothing",
        {
            "en": "The gradient is p minus the smoothed target, (1 - e) q + e / n, not p - onehot.",
            "zh": "梯度是 p 减去平滑后的目标 (1 - e) q + e / n，而不是 p - onehot。",
        },
        vjp=gradient_without_smoothing,
    ),
    Mutant(
        "p minus the weighted target",
        {
            "en": "With class weights the target's shares a no longer sum to 1: the gradient is p sum(a) - a, not p - "
            "a.",
            "zh": "有类别权重时，各类份额 a 之和不再是 1：梯度为 p sum(a) - a，而不是 p - a。",
        },
        vjp=sum_of_shares_forgotten,
    ),
    Mutant(
        "a gradient for ignored rows",
        {
            "en": "Ignored rows have no gradient: subtracting a onehot of zeros leaves p there. Set those rows to 0.",
            "zh": "被忽略的行没有梯度：减去全零的 onehot 会留下 p。应把这些行置为 0。",
        },
        vjp=gradient_of_ignored_rows,
    ),
    Mutant(
        "the sign of the gradient lost",
        {"en": "The gradient is p - onehot, not onehot - p.", "zh": "梯度是 p - onehot，而不是 onehot - p。"},
        vjp=gradient_sign_lost,
    ),
    Mutant(
        "the cotangent forgotten",
        {
            "en": "Multiply by the incoming gradient: each row by its own with reduction='none'.",
            "zh": "应乘上传入的梯度；reduction='none' 时每行乘各自的那一个。",
        },
        vjp=cotangent_forgotten,
    ),
    Mutant(
        "p - onehot for probabilities",
        {
            "en": "p - onehot is the gradient for logits; for probabilities given it is -onehot / p.",
            "zh": "p - onehot 是对 logits 的梯度；直接给出概率时应为 -onehot / p。",
        },
        vjp=gradient_for_logits_always,
    ),
)
