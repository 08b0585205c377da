"""One step after another: gradient descent with our gradients, and the same by torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from barehand.demo.measure import Array
from barehand.demo.rules import Moves, Params, Rule

Batch = tuple[Array, ...]
Gradients = Callable[..., tuple[float, Moves]]  # (params, *batch) -> the loss and its gradients


class Ours:
    """NumPy arrays, moved by the gradients that a function gives."""

    def __init__(self, start: Params, gradients: Gradients, rule: Rule) -> None:
        self.params = [p.copy() for p in start]
        self.learnt = [True] * len(start)  # which parameters have gradients; the others are states
        self.gradients, self.move = gradients, rule.ours(self.params)

    def load(self, batches: Iterable[Batch]) -> list[Batch]:
        """The batches as `step` takes them."""
        return list(batches)

    def step(self, batch: Batch) -> float:
        """One step; the loss before it."""
        loss, gradients = self.gradients(self.params, *batch)
        self.learnt = [g is not None for g in gradients]
        self.move(gradients)
        return float(loss)


class Twin(Ours):
    """Ours on shaky ground: the weights it looks at and the gradients it gets are an eps too large or too small.

    How far it ends from ours is what rounding alone can do to the descent. Parameters that are states stay behind.
    """

    def __init__(self, start: Params, gradients: Gradients, rule: Rule) -> None:
        super().__init__(start, gradients, rule)
        self.rng = np.random.default_rng(0)

    def _shaken(self, a: Array) -> Array:
        signs = self.rng.integers(0, 2, a.shape, np.int8) * 2 - 1
        return np.asarray(a * (1 + signs * np.finfo(a.dtype).eps).astype(a.dtype))

    def step(self, batch: Batch) -> float:
        """One step; the loss before it."""
        loss, gradients = self.gradients([self._shaken(p) for p in self.params], *batch)
        self.move([g if g is None else self._shaken(g) for g in gradients])
        return float(loss)


class Torch:
    """The same by torch: autograd for the gradients, torch.optim for the rule."""

    def __init__(self, start: Params, loss: Callable[..., Any], rule: Rule) -> None:
        import torch

        self.from_numpy = torch.from_numpy
        self.tensors = [torch.from_numpy(p.copy()).requires_grad_() for p in start]
        self.loss, self.rule = loss, rule.theirs(self.tensors)

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
