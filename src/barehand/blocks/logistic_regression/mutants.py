"""What people write for logistic regression by gradient descent that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from barehand.blocks.logistic_regression import textbook
from barehand.core.spec import Mutant


class _Loop(textbook.LogisticRegression):
    """The textbook's loop with its parts apart, so that each mutant has one of them wrong."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        X = np.multiply(X, 1.0)
        s = np.ones(len(X), X.dtype) if sample_weight is None else np.asarray(sample_weight, X.dtype)
        label = self.labelled(y)
        outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        w, b = np.zeros((X.shape[1], outputs), X.dtype), np.zeros(outputs, X.dtype)
        curve = []
        for step in range(self.max_iter + 1):
            losses, slopes = self.losses(X @ w + b, label)
            curve.append((s @ losses + self.penalty(w)) / self.total(s))
            if step < self.max_iter:
                w, b = self.moved(X, label, s, slopes, w, b)
        self.coef_, self.intercept_, self.loss_curve_ = w.T, b, np.array(curve)
        return self

    def labelled(self, y: Any) -> Any:
        self.classes_, label = np.unique(y, return_inverse=True)
        return label

    def losses(self, z: Any, label: Any) -> tuple[Any, Any]:
        return self._binary(z, label) if z.shape[1] == 1 else self._softmax(z, label)

    def total(self, s: Any) -> Any:
        return s.sum()

    def penalty(self, w: Any) -> Any:
        return (w**2).sum() / (2 * self.C)

    def shrinking(self, w: Any) -> Any:
        return w / self.C

    def slopes(self, X: Any, s: Any, slopes: Any, w: Any, b: Any) -> tuple[Any, Any]:
        weighted = s[:, None] * slopes
        return (X.T @ weighted + self.shrinking(w)) / self.total(s), weighted.sum(axis=0) / self.total(s)

    def moved(self, X: Any, label: Any, s: Any, slopes: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = self.slopes(X, s, slopes, w, b)
        return w - self.learning_rate * dw, b - self.learning_rate * db if self.fit_intercept else b


class LogOfTheSigmoid(_Loop):
    def losses(self, z: Any, label: Any) -> tuple[Any, Any]:
        losses, slopes = super().losses(z, label)
        if z.shape[1] > 1:
            return losses, slopes
        p = 1 / (1 + np.exp(-z[:, 0]))
        return -(label * np.log(p) + (1 - label) * np.log(1 - p)), slopes


class ClippedProbabilities(_Loop):
    def losses(self, z: Any, label: Any) -> tuple[Any, Any]:
        losses, slopes = super().losses(z, label)
        p = np.clip(np.exp(-losses), z.dtype.type(1e-7), z.dtype.type(1 - 1e-7))
        return -np.log(p), slopes


class NoShiftInTheSoftmax(_Loop):
    def losses(self, z: Any, label: Any) -> tuple[Any, Any]:
        if z.shape[1] == 1:
            return super().losses(z, label)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        hot = np.eye(z.shape[1], dtype=z.dtype)[label]
        return -np.log(p[np.arange(len(z)), label]), p - hot


class OneAgainstTheRest(_Loop):
    def losses(self, z: Any, label: Any) -> tuple[Any, Any]:
        if z.shape[1] == 1:
            return super().losses(z, label)
        sign = 1 - 2 * np.eye(z.shape[1], dtype=z.dtype)[label]
        with np.errstate(over="ignore"):
            return np.logaddexp(0, sign * z).sum(axis=1), sign / (1 + np.exp(-sign * z))


class SoftmaxOverTheRows(_Loop):
    def losses(self, z: Any, label: Any) -> tuple[Any, Any]:
        losses, slopes = super().losses(z, label)
        if z.shape[1] == 1:
            return losses, slopes
        e = np.exp(z - z.max(axis=0))
        return losses, e / e.sum(axis=0) - np.eye(z.shape[1], dtype=z.dtype)[label]


class LabelsAsNumbers(_Loop):
    """p - y with the labels as they come: right for 0 and 1 alone."""

    def labelled(self, y: Any) -> Any:
        label = super().labelled(y)
        self.numbers = np.asarray(y) if np.asarray(y).dtype.kind in "iuf" and len(self.classes_) == 2 else label
        return label

    def losses(self, z: Any, label: Any) -> tuple[Any, Any]:
        losses, slopes = super().losses(z, label)
        return losses, slopes + (label - self.numbers)[:, None] if z.shape[1] == 1 else slopes


class Uphill(_Loop):
    def losses(self, z: Any, label: Any) -> tuple[Any, Any]:
        losses, slopes = super().losses(z, label)
        return losses, -slopes


class SumForMean(_Loop):
    """As in eriklindernoren/ML-From-Scratch, supervised_learning/logistic_regression.py."""

    def slopes(self, X: Any, s: Any, slopes: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = super().slopes(X, s, slopes, w, b)
        return dw * s.sum(), db * s.sum()


class SquaredError(_Loop):
    def losses(self, z: Any, label: Any) -> tuple[Any, Any]:
        losses, slopes = super().losses(z, label)
        p = np.abs(slopes)
        return losses, slopes * p * (1 - p)


class InterceptAfterTheWeights(_Loop):
    def moved(self, X: Any, label: Any, s: Any, slopes: Any, w: Any, b: Any) -> tuple[Any, Any]:
        w, _ = super().moved(X, label, s, slopes, w, b)
        again = self.losses(X @ w + b, label)[1]
        return w, super().moved(X, label, s, again, w, b)[1]


class NoIntercept(_Loop):
    def moved(self, X: Any, label: Any, s: Any, slopes: Any, w: Any, b: Any) -> tuple[Any, Any]:
        return super().moved(X, label, s, slopes, w, b)[0], b


class NoInterceptInPredict(_Loop):
    def predict_proba(self, X: Any) -> Any:
        kept, self.intercept_ = self.intercept_, np.zeros_like(self.intercept_)
        p = super().predict_proba(X)
        self.intercept_ = kept
        return p


class InterceptPenalised(_Loop):
    def slopes(self, X: Any, s: Any, slopes: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = super().slopes(X, s, slopes, w, b)
        return dw, db + b / self.C / s.sum()


class StrengthForInverse(_Loop):
    def penalty(self, w: Any) -> Any:
        return self.C * (w**2).sum() / 2

    def shrinking(self, w: Any) -> Any:
        return self.C * w


class PenaltyNotShared(_Loop):
    def slopes(self, X: Any, s: Any, slopes: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = super().slopes(X, s, slopes, w, b)
        return dw + self.shrinking(w) * (1 - 1 / s.sum()), db


class PenaltyOnlyInTheLoss(_Loop):
    def shrinking(self, w: Any) -> Any:
        return 0 * w


class NoPenalty(PenaltyOnlyInTheLoss):
    def penalty(self, w: Any) -> Any:
        return 0.0


class RowsOverWeights(_Loop):
    def total(self, s: Any) -> Any:
        return s.dtype.type(len(s))


class WeightsIgnored(_Loop):
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        return super().fit(X, y)


class LabelsForProbabilities(_Loop):
    def predict_proba(self, X: Any) -> Any:
        p = super().predict_proba(X)
        return (p == p.max(axis=1, keepdims=True)).astype(p.dtype)


class FirstClassPositive(_Loop):
    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(X)[:, ::-1]


_OVERFLOW = {
    "en": "At scores of ±1000 a probability rounds to 0 and its log is -inf: use log(1 + exp(-|z|)) + max(-z, 0).",
    "zh": "得分到 ±1000 时概率舍入为 0，取对数得 -inf：应写 log(1 + exp(-|z|)) + max(-z, 0)。",
}

MUTANTS = (
    Mutant("the logarithm of a sigmoid", _OVERFLOW, LogOfTheSigmoid),
    Mutant(
        "probabilities clipped for the logarithm",
        {
            "en": "Clipping caps the loss of the worst rows at 16; the stable form needs no clipping.",
            "zh": "截断会把最差样本的损失封顶在 16 左右；稳定的写法不需要截断。",
        },
        ClippedProbabilities,
    ),
    Mutant(
        "softmax without the shift",
        {
            "en": "exp overflows: subtract each row's largest score before the exponential.",
            "zh": "exp 会溢出：取指数前先减去每行的最大得分。",
        },
        NoShiftInTheSoftmax,
    ),
    Mutant(
        "one sigmoid a class",
        {
            "en": "More than two classes share one softmax; a sigmoid each is one-against-the-rest, another model.",
            "zh": "多分类应共用一个 softmax；每类一个 sigmoid 是“一对其余”，是另一种模型。",
        },
        OneAgainstTheRest,
    ),
    Mutant(
        "softmax over the rows",
        {
            "en": "The probabilities of a row add up to 1: the softmax runs over the classes, axis=1.",
            "zh": "每一行的概率之和为 1：softmax 应沿类别方向，即 axis=1。",
        },
        SoftmaxOverTheRows,
    ),
    Mutant(
        "labels taken as numbers",
        {
            "en": "p - y needs y of 0 and 1; map labels such as -1 and 1 to their places among the classes first.",
            "zh": "p - y 要求 y 为 0 和 1；标签是 -1 和 1 等时，先映射成类别序号。",
        },
        LabelsAsNumbers,
    ),
    Mutant(
        "uphill",
        {
            "en": "Step against the gradient: it is X'(p - y), and w moves by minus the rate times it.",
            "zh": "应沿梯度的反方向走：梯度是 X'(p - y)，w 减去学习率乘它。",
        },
        Uphill,
    ),
    Mutant(
        "the sum for the mean in the gradient",
        {
            "en": "The gradient of a mean is divided by n: without it, twice the data is twice the step.",
            "zh": "均值的梯度要除以 n：漏掉它，数据翻倍步长也翻倍。",
        },
        SumForMean,
    ),
    Mutant(
        "the gradient of the squared error",
        {
            "en": "Under the log loss the factor p (1 - p) cancels: the slope of a row is p - y.",
            "zh": "用对数损失时因子 p (1 - p) 正好消去：每行的斜率就是 p - y。",
        },
        SquaredError,
    ),
    Mutant(
        "the intercept moved after the weights",
        {
            "en": "Both gradients belong to the same point: compute dw and db first, then move w and b.",
            "zh": "两个梯度应取自同一点：先算出 dw 和 db，再更新 w 和 b。",
        },
        InterceptAfterTheWeights,
    ),
    Mutant(
        "no intercept",
        {
            "en": "Without an intercept the boundary passes through 0: move b by the mean of p - y.",
            "zh": "没有截距，分界面必过原点：用 p - y 的均值更新 b。",
        },
        NoIntercept,
    ),
    Mutant(
        "the intercept forgotten in predict",
        {
            "en": "What fit learned belongs into predict too: add the intercept, or the column of ones.",
            "zh": "fit 学到的截距（或全 1 列）在 predict 中也要加上。",
        },
        NoInterceptInPredict,
    ),
    Mutant(
        "the intercept penalised",
        {
            "en": "The penalty is on the weights alone; on the intercept it pulls all probabilities towards a half.",
            "zh": "惩罚只作用于权重；作用于截距会把所有概率拉向一半。",
        },
        InterceptPenalised,
    ),
    Mutant(
        "C as the strength of the penalty",
        {
            "en": "C is the inverse of the strength: the penalty is ||w||² / (2 C), and a large C penalises little.",
            "zh": "C 是惩罚强度的倒数：惩罚项为 ||w||² / (2 C)，C 越大惩罚越弱。",
        },
        StrengthForInverse,
    ),
    Mutant(
        "the penalty not divided by n",
        {
            "en": "The objective is a mean: the penalty's gradient w / C is divided by n like the rest.",
            "zh": "目标函数是均值：惩罚项的梯度 w / C 与其余部分一样要除以 n。",
        },
        PenaltyNotShared,
    ),
    Mutant(
        "the penalty in the loss alone",
        {
            "en": "The penalty has a gradient too, w / (C n); without it the weights do not shrink.",
            "zh": "惩罚项也有梯度 w / (C n)；漏掉它权重不会收缩。",
        },
        PenaltyOnlyInTheLoss,
    ),
    Mutant(
        "no penalty",
        {
            "en": "C = 1 is a penalty of ||w||² / 2; only C = inf is none.",
            "zh": "C = 1 意味着惩罚 ||w||² / 2；只有 C = inf 才没有惩罚。",
        },
        NoPenalty,
    ),
    Mutant(
        "weighted rows divided by their number",
        {
            "en": "A weighted mean is divided by the sum of the weights, not by the number of rows.",
            "zh": "加权平均应除以权重之和，而不是行数。",
        },
        RowsOverWeights,
    ),
    Mutant(
        "the row weights ignored",
        {
            "en": "sample_weight multiplies each row's loss and its gradient.",
            "zh": "sample_weight 要乘到每一行的损失及其梯度上。",
        },
        WeightsIgnored,
    ),
    Mutant(
        "labels for probabilities",
        {
            "en": "predict_proba returns the probabilities; the threshold belongs into predict.",
            "zh": "predict_proba 应返回概率；取阈值是 predict 的事。",
        },
        LabelsForProbabilities,
    ),
    Mutant(
        "the first class taken for the positive one",
        {
            "en": "The columns follow classes_, in sorted order: the sigmoid is the second class's probability.",
            "zh": "各列按 classes_ 的排序排列：sigmoid 给出的是第二个类别的概率。",
        },
        FirstClassPositive,
    ),
)
