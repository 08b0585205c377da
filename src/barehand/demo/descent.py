"""One step after another: gradient descent with our gradients, and the same by torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from barehand.demo.measure import Array

Params = list[Array]
Batch = tuple[Array, ...]
# (params, *batch) -> the loss, and a gradient for each parameter; None for a state that the function itself moves on.
Gradients = Callable[..., tuple[float, Sequence[Array | None]]]


@dataclass(frozen=True)
class Rule:
    """v = momentum v + (g + decay w);  w = w - lr v: the arithmetic of torch.optim.SGD."""

    lr: float
    momentum: float = 0.0
    decay: float = 0.0


class Ours:
    """NumPy arrays, moved by the gradients that a function gives."""

    def __init__(self, start: Params, gradients: Gradients, rule: Rule) -> None:
        self.params = [p.copy() for p in start]
        self.velocity: list[Array | None] = [np.zeros_like(p) for p in start]
        self.gradients, self.rule = gradients, rule

    def load(self, batches: Iterable[Batch]) -> list[Batch]:
        """The batches as `step` takes them."""
        return list(batches)

    def step(self, batch: Batch) -> float:
        """One step; the loss before it."""
        loss, gradients = self.gradients(self.params, *batch)
        rule = self.rule
        for i, (p, g) in enumerate(zip(self.params, gradients, strict=True)):
            v = self.velocity[i]
            if g is None or v is None:
                self.velocity[i] = None
                continue
            v *= rule.momentum
            v += g
            if rule.decay:
                v += rule.decay * p
            p -= rule.lr * v
        return float(loss)

    def learnt(self) -> list[bool]:
        """Which parameters have gradients; the others are states."""
        return [v is not None for v in self.velocity]


class Torch:
    """The same by torch: autograd for the gradients, torch.optim.SGD for the rule."""

    def __init__(self, start: Params, loss: Callable[..., Any], rule: Rule) -> None:
        import torch

        self.from_numpy = torch.from_numpy
        self.tensors = [torch.from_numpy(p.copy()).requires_grad_() for p in start]
        self.loss = loss
        self.rule = torch.optim.SGD(self.tensors, lr=rule.lr, momentum=rule.momentum, weight_decay=rule.decay)

    @property
    def params(self) -> Params:
        """Views of the tensors."""
        return [t.detach().numpy() for t in self.tensors]

    def load(self, batches: Iterable[Batch]) -> list[Any]:
        """The batches as tensors that share their memory."""
        return [tuple(self.from_numpy(a) for a in batch) for batch in batches]

    def step(self, batch: Any) -> float:
        """One step; the loss before it."""
        self.rule.zero_grad()
        loss = self.loss(self.tensors, *batch)
        loss.backward()
        self.rule.step()
        return float(loss.detach())
