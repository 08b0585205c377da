"""Adam as on paper, one array after another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


class Adam:
    """Gradient steps divided by the root of a running mean of squared gradients."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled: bool = False,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        self.params = list(params)
        self.lr, self.betas, self.eps = lr, betas, eps
        self.weight_decay, self.decoupled, self.amsgrad, self.maximize = weight_decay, decoupled, amsgrad, maximize
        self.t = [0] * len(self.params)
        self.m = [np.zeros_like(p) for p in self.params]
        self.v = [np.zeros_like(p) for p in self.params]
        self.largest = [np.zeros_like(p) for p in self.params]

    def step(self, grads: Sequence[Any]) -> None:
        """One step; a gradient of None leaves its parameter and its running means alone."""
        for i, (p, g) in enumerate(zip(self.params, grads, strict=True)):
            if g is None:
                continue
            beta1, beta2 = (p.dtype.type(beta) for beta in self.betas)
            if self.maximize:
                g = -g
            if self.weight_decay and self.decoupled:
                p -= self.lr * self.weight_decay * p
            elif self.weight_decay:
                g = g + self.weight_decay * p
            self.t[i] += 1
            self.m[i] = beta1 * self.m[i] + (1 - beta1) * g
            self.v[i] = beta2 * self.v[i] + (1 - beta2) * g**2
            self.largest[i] = np.maximum(self.largest[i], self.v[i])
            m_hat = self.m[i] / (1 - beta1 ** self.t[i])
            v_hat = (self.largest[i] if self.amsgrad else self.v[i]) / (1 - beta2 ** self.t[i])
            size = np.sqrt(v_hat) + self.eps
            p -= self.lr * np.divide(m_hat, size, out=np.zeros_like(p), where=size != 0)
