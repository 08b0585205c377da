"""A training loop of ours beside torch's: equal starts, batches and arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from barehand.demo.descent import Batch, Gradients, Ours, Torch, Twin
from barehand.demo.measure import Array, apart
from barehand.demo.outcome import Check, Comparison
from barehand.demo.rules import Params, Rule
from barehand.demo.stop import installed

# A step rounds in some eight places that a twin does not shake, in ours and in torch's: the sums of the loss and of its
# gradients, and the rule. (There torch's 0.999 is another number in float32, and its mean of squares decays otherwise.)
_PLACES = 16


@dataclass(frozen=True)
class Trained:
    """Where both descents ended, and what each epoch of ours was like."""

    params: Params
    seconds: float
    steps: int
    losses: list[float]  # the mean over an epoch
    watched: list[float]  # what `watch` saw after an epoch
    theirs: Params | None
    their_seconds: float
    learnt: list[bool]
    twin: Params | None = None  # where `Twin` ended, for a rule that amplifies rounding

    def compare(self, peer: str, figure: Callable[[Params], float], one_flip: float = 0.0) -> Comparison | None:
        """The figure that the peer's weights reach, and how far apart the two ends are; None without a peer.

        A figure above 1 is compared relative to its size. one_flip: what the figure changes by when one held-out row on
        the boundary falls to the other side.
        """
        if self.theirs is None:
            return None
        ours, theirs = ([p for p, k in zip(ps, self.learnt, strict=True) if k] for ps in (self.params, self.theirs))
        results = figure(self.params), figure(self.theirs)
        drift, because = self._drift()
        return Comparison(
            peer,
            results[1],
            self.their_seconds,
            (
                Check("weights", apart(ours, theirs), drift, because),
                Check(
                    "figure",
                    abs(results[0] - results[1]) / max(1.0, abs(results[1])),
                    drift + one_flip,
                    "the drift of the weights" + (", and one row on the boundary" if one_flip else ""),
                ),
            ),
        )

    def _drift(self) -> tuple[float, str]:
        """How far two descents that differ in rounding may part, and why."""
        eps = float(np.finfo(self.params[0].dtype).eps)
        if self.twin is None:
            return self.steps * eps, f"{self.steps} steps, each of which may round by eps = {eps:.1e} in its own way"
        shaken = apart(self.twin, self.params)
        return _PLACES * shaken, (
            f"{_PLACES} times {shaken:.0e}, which is how far ours ends from itself when all weights and gradients are "
            f"off by eps = {eps:.1e}, up or down at random, at every step"
        )


def train(
    start: Params,
    gradients: Gradients,
    epochs: Sequence[Sequence[Batch]],
    rule: Rule,
    *,
    peer: Callable[..., Any] | None = None,
    watch: Callable[[Params], float] | None = None,
) -> Trained:
    """Descend with `gradients`, and with torch on the loss `peer` where torch is installed, an epoch each in turn.

    One step of each, on copies, goes before the clock starts: kernels load, and torch sets itself up.
    """
    made: list[Callable[[], Ours | Torch]] = [lambda: Ours(start, gradients, rule)]
    if peer is not None and installed("torch"):
        made.append(lambda: Torch(start, peer, rule))
        if rule.amplifies:
            made.append(lambda: Twin(start, gradients, rule))
    for make in made:
        warm = make()
        warm.step(warm.load(epochs[0][:1])[0])
    learners = [make() for make in made]
    seconds, losses, watched = [0.0] * 3, list[float](), list[float]()
    for epoch in epochs:
        for i, learner in enumerate(learners):
            batches = learner.load(epoch)
            began = perf_counter()
            steps = [learner.step(batch) for batch in batches]
            seconds[i] += perf_counter() - began
            if i == 0:
                losses.append(float(np.mean(steps)))
        if watch is not None:
            watched.append(watch(learners[0].params))
    first, *others = learners
    assert isinstance(first, Ours)
    theirs, twin, *_ = [*(learner.params for learner in others), None, None]
    steps_taken = sum(len(epoch) for epoch in epochs)
    return Trained(first.params, seconds[0], steps_taken, losses, watched, theirs, seconds[1], first.learnt, twin)


def shuffled(rng: np.random.Generator, rows: int, size: int, epochs: int, *arrays: Array) -> list[list[Batch]]:
    """Batches of `size` rows of the arrays, in a new order every epoch; the rows left over sit an epoch out."""
    orders = [rng.permutation(rows) for _ in range(epochs)]
    return [[tuple(a[o[i : i + size]] for a in arrays) for i in range(0, rows - size + 1, size)] for o in orders]
