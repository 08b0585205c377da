"""What people write for Adam that is wrong, and the advice each earns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from barehand.blocks.adam import textbook
from barehand.core.spec import Mutant


class _Written(textbook.Adam):
    """The textbook's step in pieces, each of which a mutant gets wrong."""

    def step(self, grads: Sequence[Any]) -> None:
        for i, g in enumerate(grads):
            if g is not None:
                self.t[i] += 1
                self.move(i, self.decayed(self.params[i], -g if self.maximize else g))

    def decayed(self, p: Any, g: Any) -> Any:
        if self.decoupled:
            p -= self.lr * self.weight_decay * p
            return g
        return g + self.weight_decay * p

    def means(self, i: int, g: Any) -> tuple[Any, Any]:
        beta1, beta2 = self.betas
        self.m[i] = beta1 * self.m[i] + (1 - beta1) * g
        self.v[i] = beta2 * self.v[i] + (1 - beta2) * g**2
        self.largest[i] = np.maximum(self.largest[i], self.v[i])
        return self.m[i], self.largest[i] if self.amsgrad else self.v[i]

    def corrections(self, t: int) -> tuple[Any, Any]:
        return 1 - self.betas[0] ** t, 1 - self.betas[1] ** t

    def ratio(self, m: Any, v: Any, t: int) -> Any:
        c1, c2 = self.corrections(t)
        return (m / c1) / (np.sqrt(v / c2) + self.eps)

    def move(self, i: int, g: Any) -> None:
        m, v = self.means(i, g)
        self.params[i] -= self.lr * self.ratio(m, v, self.t[i])


class NoCorrection(_Written):
    def corrections(self, t: int) -> tuple[Any, Any]:
        return 1.0, 1.0


class CorrectionWithoutPower(_Written):
    """As in eriklindernoren/ML-From-Scratch, deep_learning/optimizers.py."""

    def corrections(self, t: int) -> tuple[Any, Any]:
        return 1 - self.betas[0], 1 - self.betas[1]


class CountsFromZero(_Written):
    """1 - beta^0 is 0; people then start the division at the second step."""

    def corrections(self, t: int) -> tuple[Any, Any]:
        return super().corrections(max(t - 1, 1))


class EpsilonInsideRoot(_Written):
    def ratio(self, m: Any, v: Any, t: int) -> Any:
        c1, c2 = self.corrections(t)
        return (m / c1) / np.sqrt(v / c2 + self.eps)


class NoRoot(_Written):
    def ratio(self, m: Any, v: Any, t: int) -> Any:
        c1, c2 = self.corrections(t)
        return (m / c1) / (v / c2 + self.eps)


class StepCountedPerParameter(_Written):
    """One counter for all, raised once for every parameter."""

    calls = 0

    def corrections(self, t: int) -> tuple[Any, Any]:
        self.calls += 1
        return super().corrections(self.calls)


class SharedState(_Written):
    def means(self, i: int, g: Any) -> tuple[Any, Any]:
        if self.m[0].shape != g.shape:
            return super().means(i, g)
        m, v = super().means(0, g)
        return m, v


class CorrectedMeanKept(_Written):
    def ratio(self, m: Any, v: Any, t: int) -> Any:
        c1, c2 = self.corrections(t)
        for i, mean in enumerate(self.m):
            if mean is m:
                self.m[i], self.v[i] = m / c1, v / c2
        return (m / c1) / (np.sqrt(v / c2) + self.eps)


def _betas_ignored(params: Iterable[Any], *args: Any, betas: Any = None, **kwargs: Any) -> _Written:
    return _Written(params, *args, **kwargs)


class BetasSwapped(_Written):
    def means(self, i: int, g: Any) -> tuple[Any, Any]:
        self.betas = self.betas[::-1]
        try:
            return super().means(i, g)
        finally:
            self.betas = self.betas[::-1]


class CoupledForDecoupled(_Written):
    def decayed(self, p: Any, g: Any) -> Any:
        return g + self.weight_decay * p


class DecoupledForCoupled(_Written):
    def decayed(self, p: Any, g: Any) -> Any:
        p -= self.lr * self.weight_decay * p
        return g


class MaximizeIgnored(_Written):
    def step(self, grads: Sequence[Any]) -> None:
        self.maximize = False
        super().step(grads)


class AmsgradIgnored(_Written):
    def means(self, i: int, g: Any) -> tuple[Any, Any]:
        self.amsgrad = False
        return super().means(i, g)


class NoneAsZero(_Written):
    def step(self, grads: Sequence[Any]) -> None:
        super().step([np.zeros_like(p) if g is None else g for p, g in zip(self.params, grads, strict=True)])


class NotInPlace(_Written):
    def move(self, i: int, g: Any) -> None:
        m, v = self.means(i, g)
        self.params[i] = self.params[i] - self.lr * self.ratio(m, v, self.t[i])


class Ascends(_Written):
    def move(self, i: int, g: Any) -> None:
        m, v = self.means(i, g)
        self.params[i] += self.lr * self.ratio(m, v, self.t[i])


class RawGradient(_Written):
    """The gradient itself over the root: RMSprop."""

    def means(self, i: int, g: Any) -> tuple[Any, Any]:
        _, v = super().means(i, g)
        return g * self.corrections(self.t[i])[0], v


def _mutant(name: str, function: Callable[..., Any], en: str, zh: str) -> Mutant:
    return Mutant(name, {"en": en, "zh": zh}, function)


MUTANTS = (
    _mutant(
        "no bias correction",
        NoCorrection,
        "m and v start at 0 and are too small at first: divide them by 1 - beta^t.",
        "m、v 从 0 开始，前几步偏小：应分别除以 1 - beta^t。",
    ),
    _mutant(
        "1 - beta for 1 - beta^t",
        CorrectionWithoutPower,
        "The correction fades as t grows: 1 - beta^t, not 1 - beta.",
        "修正项随步数 t 减弱：应是 1 - beta^t，而不是 1 - beta。",
    ),
    _mutant(
        "the step counted from 0",
        CountsFromZero,
        "Raise t before the first correction: t is 1 at the first step.",
        "先把 t 加 1 再修正：第一步时 t 为 1。",
    ),
    _mutant(
        "epsilon inside the root",
        EpsilonInsideRoot,
        "sqrt(v) + eps, not sqrt(v + eps): small gradients would hardly move.",
        "应是 sqrt(v) + eps，而不是 sqrt(v + eps)，否则小梯度几乎不动。",
    ),
    _mutant(
        "no root",
        NoRoot,
        "Divide by the root of v: v is a mean of squares.",
        "应除以 v 的平方根：v 是梯度平方的均值。",
    ),
    _mutant(
        "the step counted once a parameter",
        StepCountedPerParameter,
        "All parameters share a step: raise t once a step, not once for every array.",
        "所有参数同属一步：t 每步只加 1，而不是每个数组加 1。",
    ),
    _mutant(
        "state shared between parameters",
        SharedState,
        "Every parameter has its own m and v.",
        "每个参数要有自己的 m 和 v。",
    ),
    _mutant(
        "m overwritten by its corrected value",
        CorrectedMeanKept,
        "The corrected means are for this step only; keep the uncorrected ones for the next.",
        "修正后的 m、v 只用于本步；下一步要接着用未修正的值。",
    ),
    _mutant(
        "betas ignored",
        _betas_ignored,
        "0.9 and 0.999 are written into the code: use the betas that were passed.",
        "0.9 和 0.999 写死在代码里：应使用传入的 betas。",
    ),
    _mutant(
        "betas exchanged",
        BetasSwapped,
        "The first beta is for the mean, the second for the squares.",
        "第一个 beta 用于梯度均值，第二个用于平方。",
    ),
    _mutant(
        "L2 for decoupled decay",
        CoupledForDecoupled,
        "Decoupled decay is taken off the parameter, lr weight_decay p, and never divided by the root of v.",
        "解耦的权重衰减直接从参数中减去 lr * weight_decay * p，不经过 v 的平方根。",
    ),
    _mutant(
        "decoupled decay for L2",
        DecoupledForCoupled,
        "Without decoupled the decay is a part of the gradient: g + weight_decay p.",
        "不解耦时，衰减属于梯度：g + weight_decay * p。",
    ),
    _mutant(
        "maximize ignored",
        MaximizeIgnored,
        "To climb, turn the sign of the gradient before anything else.",
        "求最大值时，应先把梯度取反。",
    ),
    _mutant(
        "amsgrad ignored",
        AmsgradIgnored,
        "amsgrad divides by the root of the largest v so far.",
        "amsgrad 应除以至今最大的 v 的平方根。",
    ),
    _mutant(
        "None as a gradient of zeros",
        NoneAsZero,
        "A parameter without a gradient takes no step: zeros would still move it by its old mean.",
        "没有梯度的参数不走这一步；若当作 0，旧的 m 仍会推动它。",
    ),
    _mutant(
        "parameters replaced, not updated",
        NotInPlace,
        "p = p - ... makes a new array and the caller's stays as it was: p -= ...",
        "p = p - ... 会生成新数组，调用者的参数没有变化：应写 p -= ...",
    ),
    _mutant(
        "climbing",
        Ascends,
        "The step goes against the gradient: subtract it.",
        "应沿梯度的反方向走：减去更新量。",
    ),
    _mutant(
        "the gradient for its mean",
        RawGradient,
        "This is RMSprop: Adam divides the running mean m, not the gradient.",
        "这是 RMSprop：Adam 的分子是滑动均值 m，不是当前梯度。",
    ),
)
