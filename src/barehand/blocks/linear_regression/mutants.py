"""What people write for linear regression by gradient descent that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from barehand.blocks.linear_regression import textbook
from barehand.core.spec import Mutant


class _Loop(textbook.LinearRegression):
    """The textbook's loop with its parts apart, so that each mutant has one of them wrong."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        X, y = self.prepared(X), np.multiply(y, 1.0)
        s = np.ones(len(X)) if sample_weight is None else np.multiply(sample_weight, 1.0)
        s = s.astype(y.dtype, copy=False)
        w, b = self.first(X, y)
        curve = []
        for step in range(self.max_iter + 1):
            r = X @ w + b - y
            curve.append(self.value(r, s, w, b))
            if step < self.max_iter:
                w, b = self.moved(X, y, s, w, b)
        self.coef_, self.intercept_, self.loss_curve_ = w.T, b, np.array(curve)
        return self

    def prepared(self, X: Any) -> Any:
        return np.multiply(X, 1.0)

    def first(self, X: Any, y: Any) -> tuple[Any, Any]:
        return np.zeros((X.shape[1], *y.shape[1:]), y.dtype), np.zeros(y.shape[1:], y.dtype)

    def total(self, s: Any) -> Any:
        return s.sum()

    def value(self, r: Any, s: Any, w: Any, b: Any) -> Any:
        return ((s @ r**2).sum() + self.alpha * (w**2).sum()) / self.total(s)

    def slopes(self, X: Any, r: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        weighted = (s * r.T).T
        slope = 2 * (X.T @ weighted + self.alpha * w) / self.total(s)
        return slope, 2 * weighted.sum(axis=0) / self.total(s)

    def moved(self, X: Any, y: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = self.slopes(X, X @ w + b - y, s, w, b)
        return w - self.learning_rate * dw, b - self.learning_rate * db if self.fit_intercept else b


class EveryRowAgainstEveryLabel(_Loop):
    def value(self, r: Any, s: Any, w: Any, b: Any) -> Any:
        """The mean over all pairs, written for the mean label."""
        y = self.labels
        return super().value(r + y - y.mean(axis=0), s, w, b) + y.var(axis=0).sum()

    def moved(self, X: Any, y: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        return super().moved(X, np.broadcast_to(y.mean(axis=0), y.shape), s, w, b)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        self.labels = np.multiply(y, 1.0)
        return super().fit(X, y, sample_weight)


class SumForMean(_Loop):
    def slopes(self, X: Any, r: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = super().slopes(X, r, s, w, b)
        return dw * s.sum(), db * s.sum()


class NoIntercept(_Loop):
    def moved(self, X: Any, y: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        return super().moved(X, y, s, w, b)[0], b


class InterceptAfterTheWeights(_Loop):
    def moved(self, X: Any, y: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        w, _ = super().moved(X, y, s, w, b)
        return w, super().moved(X, y, s, w, b)[1]


class InterceptAlways(_Loop):
    def moved(self, X: Any, y: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = self.slopes(X, X @ w + b - y, s, w, b)
        return w - self.learning_rate * dw, b - self.learning_rate * db


class InterceptPenalised(_Loop):
    def slopes(self, X: Any, r: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = super().slopes(X, r, s, w, b)
        return dw, db + 2 * self.alpha * b / s.sum()


class PenaltyNotShared(_Loop):
    def value(self, r: Any, s: Any, w: Any, b: Any) -> Any:
        return (s @ r**2).sum() / s.sum() + self.alpha * (w**2).sum()

    def slopes(self, X: Any, r: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = super().slopes(X, r, s, w, b)
        return dw + 2 * self.alpha * w * (1 - 1 / s.sum()), db


class PenaltyOnlyInTheLoss(_Loop):
    def slopes(self, X: Any, r: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        return super().slopes(X, r, s, 0 * w, b)


class RowsOverWeights(_Loop):
    def total(self, s: Any) -> Any:
        return s.dtype.type(len(s))


class WeightsIgnored(_Loop):
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        return super().fit(X, y)


class WeightsSquared(_Loop):
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        s = np.ones(len(X)) if sample_weight is None else np.multiply(sample_weight, 1.0)
        return super().fit(X, y, s**2)


class IntegerWeights(_Loop):
    """w = np.zeros_like(X[0]) and `w -= step`, which NumPy refuses for integers unless somebody casts."""

    def moved(self, X: Any, y: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        w, b = super().moved(X, y, s, w, b)
        return (np.trunc(w) if self.whole else w), b

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        self.whole = np.asarray(X).dtype.kind in "iu"
        return super().fit(X, y, sample_weight)


class RandomStart(_Loop):
    def first(self, X: Any, y: Any) -> tuple[Any, Any]:
        w, b = super().first(X, y)
        return w + np.random.default_rng(0).standard_normal(w.shape).astype(w.dtype) / 100, b


class ScaledColumns(_Loop):
    def prepared(self, X: Any) -> Any:
        X = np.multiply(X, 1.0)
        spread = X.std(axis=0)
        return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1).astype(X.dtype)


class Uphill(_Loop):
    def slopes(self, X: Any, r: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = super().slopes(X, r, s, w, b)
        return -dw, -db


class RootOfTheLoss(_Loop):
    def value(self, r: Any, s: Any, w: Any, b: Any) -> Any:
        return np.sqrt(super().value(r, s, w, b))


class OneStepTooMany(_Loop):
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        steps = self.max_iter
        self.max_iter = steps + 1
        super().fit(X, y, sample_weight)
        self.max_iter, self.loss_curve_ = steps, self.loss_curve_[1:]
        return self


class HalfTheSquare(_Loop):
    """Right under another convention: half the squared error."""

    def value(self, r: Any, s: Any, w: Any, b: Any) -> Any:
        return super().value(r, s, w, b) / 2

    def slopes(self, X: Any, r: Any, s: Any, w: Any, b: Any) -> tuple[Any, Any]:
        dw, db = super().slopes(X, r, s, w, b)
        return dw / 2, db / 2


class HalfTheStep(HalfTheSquare):
    """Right under another convention: the 2 of the derivative is part of the learning rate."""

    def value(self, r: Any, s: Any, w: Any, b: Any) -> Any:
        return super().value(r, s, w, b) * 2


MUTANTS = (
    Mutant(
        "every row against every label",
        {
            "en": "(N, 1) minus (N,) is N x N: give predictions and labels one shape, or the fit goes to the mean.",
            "zh": "(N, 1) 减 (N,) 得到 N x N：预测与标签形状要一致，否则只会拟合出均值。",
        },
        EveryRowAgainstEveryLabel,
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
        "no intercept",
        {
            "en": "Without an intercept y = 5 cannot be learned: move b by the mean of the residuals.",
            "zh": "没有截距就学不会 y = 5：用残差的均值更新 b。",
        },
        NoIntercept,
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
        "an intercept although none was asked for",
        {
            "en": "With fit_intercept=False b stays 0.",
            "zh": "fit_intercept=False 时 b 应保持为 0。",
        },
        InterceptAlways,
    ),
    Mutant(
        "the intercept penalised",
        {
            "en": "The penalty is on the weights alone; on the intercept it pulls predictions towards 0.",
            "zh": "惩罚只作用于权重；作用于截距会把预测拉向 0。",
        },
        InterceptPenalised,
    ),
    Mutant(
        "the penalty not divided by n",
        {
            "en": "The objective is a mean: alpha ||w||² is divided by n like the squares are.",
            "zh": "目标函数是均值：alpha ||w||² 与平方误差一样要除以 n。",
        },
        PenaltyNotShared,
    ),
    Mutant(
        "the penalty in the loss alone",
        {
            "en": "The penalty has a gradient too, 2 alpha w / n; without it the weights do not shrink.",
            "zh": "惩罚项也有梯度 2 alpha w / n；漏掉它权重不会收缩。",
        },
        PenaltyOnlyInTheLoss,
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
            "en": "sample_weight multiplies each row's square and its gradient.",
            "zh": "sample_weight 要乘到每一行的平方误差及其梯度上。",
        },
        WeightsIgnored,
    ),
    Mutant(
        "the row weights squared",
        {
            "en": "A row of weight 2 counts as two rows, not four: scaling X and y by s needs the root of s.",
            "zh": "权重为 2 的行相当于两行而不是四行：若用缩放 X 和 y 的办法，应乘以 s 的平方根。",
        },
        WeightsSquared,
    ),
    Mutant(
        "integer weights",
        {
            "en": "zeros_like(X[0]) of integers truncates every step: start from np.zeros(d), which is floating.",
            "zh": "整数的 zeros_like(X[0]) 会截断每一步：应从浮点的 np.zeros(d) 出发。",
        },
        IntegerWeights,
    ),
    Mutant(
        "a random start",
        {
            "en": "The problem is convex: start from zeros, and two runs agree.",
            "zh": "问题是凸的：从零出发，两次运行结果才一致。",
        },
        RandomStart,
    ),
    Mutant(
        "coefficients of the scaled columns",
        {
            "en": "Scaling in fit has to be undone in coef_ and intercept_, or repeated in predict.",
            "zh": "fit 中做了标准化，就要在 coef_ 和 intercept_ 中还原，或在 predict 中同样处理。",
        },
        ScaledColumns,
    ),
    Mutant(
        "uphill",
        {
            "en": "Step against the gradient: with r = prediction - y, w moves by minus the rate times X'r.",
            "zh": "应沿梯度的反方向走：r = 预测 - y 时，w 减去学习率乘 X'r。",
        },
        Uphill,
    ),
    Mutant(
        "the root of the loss",
        {
            "en": "loss_curve_ holds the objective, the mean squared error and the penalty, not its root.",
            "zh": "loss_curve_ 记录的是目标函数（均方误差加惩罚），不是它的平方根。",
        },
        RootOfTheLoss,
    ),
    Mutant(
        "one step too many",
        {
            "en": "loss_curve_ starts with the objective at zeros, before the first step.",
            "zh": "loss_curve_ 从第一步之前、权重为零时的目标函数值开始。",
        },
        OneStepTooMany,
    ),
)
