"""Adam."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.adam import launch
from barehand.core.arrays import Array


class Adam:
    """Gradient steps scaled, number by number, to the size of recent gradients; NumPy arrays updated in place.

    m = beta1 m + (1 - beta1) g and v = beta2 v + (1 - beta2) g²; then
    p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps), with t counted for each parameter.

    Args:
        params: a list of distinct, writable arrays of float16, float32 or float64, of any shape, views included.
        lr: the step size, at least 0; may be set anew between steps.
        betas: how much of the old means stays at a step, each in [0, 1).
        eps: added to the root, at least 0.
        weight_decay: how strongly parameters are drawn to 0, at least 0: added to the gradient as weight_decay p, or,
            with `decoupled`, taken off directly as lr weight_decay p (AdamW).
        decoupled: see weight_decay.
        amsgrad: divide by the largest v so far.
        maximize: climb instead of descend.

    Raises:
        TypeError: params is no list of arrays, or not floating; a gradient is not real numbers.
        ValueError: parameters that share memory or are read-only, an option out of its range, gradients that do not
            go with the parameters. A step that raises has changed nothing.

    Edge cases: a gradient of None leaves its parameter and its means alone, and does not count as a step. 0 / 0 (eps
    and gradients 0) is no step. nan in a gradient makes that number nan for good. float16 parameters keep their means
    and do their arithmetic in float32, so a zero gradient does no harm. Squares must fit: gradients up to 1e19 in
    float32.

    Returns: `step` returns nothing; `state_dict` a snapshot that later steps do not change, laid out as torch's.

    Cost: one pass over parameters, gradients and means a step; two numbers of state a parameter, three with amsgrad.

    Source: D. P. Kingma, J. Ba (2015), arXiv:1412.6980, algorithm 1; I. Loshchilov, F. Hutter (2019),
    arXiv:1711.05101, for decoupled decay; S. J. Reddi, S. Kale, S. Kumar (2018), arXiv:1904.09237, for amsgrad.

    >>> import numpy as np
    >>> w = np.array([1.0, -2.0])
    >>> optimizer = Adam([w], lr=0.1)
    >>> optimizer.step([2 * w])
    >>> w.round(6)
    array([ 0.9, -1.9])
    """

    def __init__(
        self,
        params: Iterable[Array],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled: bool = False,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        self.params = launch.check_params(params)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.decoupled, self.amsgrad, self.maximize = bool(decoupled), bool(amsgrad), bool(maximize)
        launch.check_options(self._options())
        self._states = [launch.fresh(p) for p in self.params]

    def step(self, grads: Sequence[ArrayLike | None]) -> None:
        """Move every parameter by its gradient, in place; None leaves one alone."""
        options = launch.check_options(self._options())
        for p, g, state in zip(self.params, launch.check_grads(grads, self.params), self._states, strict=True):
            if g is not None:
                launch.step(p, g, state, options)

    def state_dict(self) -> dict[str, Any]:
        """A snapshot of the state and the options, in the layout of torch.optim.Adam's."""
        state = {
            i: launch.snapshot(s, p) for i, (s, p) in enumerate(zip(self._states, self.params, strict=True)) if s.step
        }
        return {"state": state, "param_groups": [{**self._options(), "params": list(range(len(self.params)))}]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a snapshot; the parameters themselves are not part of it."""
        options, self._states = launch.restored(state_dict, self.params, self._options())
        for name, value in options.items():
            setattr(self, name, value)

    def _options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in launch.OPTIONS}

    def __repr__(self) -> str:
        options = ", ".join(f"{k}={v!r}" for k, v in self._options().items())
        return f"Adam({len(self.params)} parameters, {options})"
