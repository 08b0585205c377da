"""The rules that turn gradients into steps, each as ours and as torch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

import barehand as bh
from barehand.demo.measure import Array

Params = list[Array]
Moves = Sequence[Array | None]  # a gradient for each parameter; None for a state that the function itself moves on


class Rule(Protocol):
    """A rule by its options."""

    # Whether rounding may grow by more than an eps a step on the way, so that its effect has to be measured.
    amplifies: ClassVar[bool]

    def ours(self, params: Params) -> Callable[[Moves], None]:
        """What moves the parameters in place, given their gradients."""
        ...

    def theirs(self, tensors: list[Any]) -> Any:
        """torch's optimizer of the same rule."""
        ...


@dataclass(frozen=True)
class SGD:
    """v = momentum v + (g + decay w);  w = w - lr v: the arithmetic of torch.optim.SGD."""

    lr: float
    momentum: float = 0.0
    decay: float = 0.0
    amplifies: ClassVar[bool] = False

    def ours(self, params: Params) -> Callable[[Moves], None]:
        """In NumPy."""
        velocity = [np.zeros_like(p) for p in params]

        def move(gradients: Moves) -> None:
            for p, v, g in zip(params, velocity, gradients, strict=True):
                if g is None:
                    continue
                v *= self.momentum
                v += g
                if self.decay:
                    v += self.decay * p
                p -= self.lr * v

        return move

    def theirs(self, tensors: list[Any]) -> Any:
        """torch.optim.SGD."""
        from torch.optim import SGD

        return SGD(tensors, lr=self.lr, momentum=self.momentum, weight_decay=self.decay)


@dataclass(frozen=True)
class Adam:
    """Adam with its usual betas.

    It divides by the root of the gradient's squares: a gradient that all but cancels moves its weight as far as any
    other, and what rounding left in it comes along.
    """

    lr: float
    decay: float = 0.0
    amplifies: ClassVar[bool] = True

    def ours(self, params: Params) -> Callable[[Moves], None]:
        """barehand.Adam."""
        return bh.Adam(params, lr=self.lr, weight_decay=self.decay).step  # type: ignore[no-any-return]

    def theirs(self, tensors: list[Any]) -> Any:
        """torch.optim.Adam."""
        from torch.optim import Adam

        return Adam(tensors, lr=self.lr, weight_decay=self.decay)
