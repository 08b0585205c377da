"""How the time of somebody's code grows with its input, beside the textbook's and ours.

The clock is the judge's own. Inputs are fresh each time and lie in the child before the clock starts; what the child
answers in no time at all is taken off, and the last result is compared with the textbook's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import barehand
from barehand.core.spec import Inputs, Spec
from barehand.judge.adapt.adapter import Adapter, Remote
from barehand.judge.grading import Inexpressible, Raised
from barehand.judge.verdicts import Curve, Graded

_REPEATS = 3
_SLOWER = 20.0  # times the textbook at the largest size, before it is called slow
_STEEPER = 0.5  # of the exponent of growth
_LONGEST = 1.5  # seconds a call, after which no larger size is tried


def _rows(n: int, width: int) -> tuple[int, int]:
    return max(n // width, 2), width


def _pairs(*names: str) -> Callable[[Any, int], Inputs]:
    return lambda rng, n: {k: rng.standard_normal(_rows(n, 32)).astype(np.float32) for k in names}


def _boxes(rng: Any, n: int) -> Inputs:
    def some() -> Any:
        corner = rng.random((n, 2)) * 10
        return np.concatenate([corner, corner + 1 + rng.random((n, 2)) * 5], 1).astype(np.float32)

    return {"boxes1": some(), "boxes2": some()}


_MAKE: dict[str, tuple[tuple[int, ...], Callable[[Any, int], Inputs]]] = {
    "softmax": ((10**3, 10**4, 10**5), _pairs("x")),
    "log_softmax": ((10**3, 10**4, 10**5), _pairs("x")),
    "layer_norm": ((10**3, 10**4, 10**5), _pairs("x")),
    "batch_norm": ((10**3, 10**4, 10**5), _pairs("x")),
    "cross_entropy": (
        (10**3, 10**4, 10**5),
        lambda rng, n: {**_pairs("logits")(rng, n), "target": rng.integers(0, 32, max(n // 32, 2))},
    ),
    "softmax_focal_loss": (
        (10**3, 10**4, 10**5),
        lambda rng, n: {**_pairs("logits")(rng, n), "target": rng.integers(0, 32, max(n // 32, 2))},
    ),
    "focal_loss": (
        (10**3, 10**4, 10**5),
        lambda rng, n: {"logits": rng.standard_normal(n).astype(np.float32), "target": rng.integers(0, 2, n)},
    ),
    "contrastive_loss": (
        (10**3, 10**4, 10**5),
        lambda rng, n: {**_pairs("x1", "x2")(rng, n), "same": rng.integers(0, 2, max(n // 32, 2))},
    ),
    "pairwise_margin_loss": ((10**3, 10**4, 10**5), _pairs("anchor", "positive", "negative")),
    "bpr_loss": (
        (10**3, 10**4, 10**5),
        lambda rng, n: {k: rng.standard_normal(n).astype(np.float32) for k in ("positive_scores", "negative_scores")},
    ),
    "iou": ((10**2, 10**3, 10**4), _boxes),
    "pairwise_iou": ((30, 100, 300), _boxes),
    "roc_auc_score": (
        (300, 1000, 3000),
        lambda rng, n: {"y_true": np.arange(n) % 2, "y_score": rng.standard_normal(n).astype(np.float32)},
    ),
    "attention": (
        (32, 64, 128),
        lambda rng, n: {k: rng.standard_normal((n, 32)).astype(np.float32) for k in ("query", "key", "value")},
    ),
}


def speed(spec: Spec, adapter: Adapter, remote: Remote, seed: int) -> tuple[Graded, tuple[Curve, ...]]:
    """The grade, and the curves of yours, the textbook and barehand."""
    if spec.name not in _MAKE:
        return Graded("unverified", reason="no sizes to time for this kind of code"), ()
    sizes, make = _MAKE[spec.name]
    rng = np.random.default_rng([seed, 7])
    yours: list[float] = []
    textbook: list[float] = []
    ours: list[float] = []
    done: list[int] = []
    idle = remote.session.time([{"do": "forget"}], _REPEATS)
    for n in sizes:
        try:
            times = [_one(adapter, remote, make(rng, n)) for _ in range(_REPEATS)]
        except Inexpressible:
            return Graded("unverified", reason="the sizes to time cannot be put so"), ()
        except Raised as raised:
            return Graded("fail", len(done), len(sizes), f"at size {n} it {raised}"), ()
        inputs = adapter.restated(make(rng, n)) or {}
        yours.append(max(median(times) - median(idle), 1e-6))
        textbook.append(_here(spec, spec.reference, inputs))
        ours.append(_here(spec, getattr(barehand, spec.name), inputs))
        done.append(n)
        if yours[-1] > _LONGEST:
            break
    curves = tuple(
        Curve(name, tuple(done), tuple(seconds))
        for name, seconds in (("yours", yours), ("textbook", textbook), ("barehand", ours))
    )
    ratio = yours[-1] / textbook[-1]
    growth, usual = _growth(done, yours), _growth(done, textbook)
    said = f"{ratio:.1f} times the textbook's time, {yours[-1] / ours[-1]:.1f} times barehand's, at size {done[-1]}"
    if done[-1] < sizes[-1]:
        return Graded("fail", len(done), len(sizes), f"{said}; {yours[-1]:.1f} s a call"), curves
    if ratio > _SLOWER:
        return Graded("fail", len(sizes) - 1, len(sizes), said), curves
    if growth > usual + _STEEPER and growth > 1.6 and ratio > 2:
        return Graded("fail", len(sizes) - 1, len(sizes), f"{said}; it grows as n^{growth:.1f}"), curves
    return Graded("pass", len(sizes), len(sizes), said), curves


def _one(adapter: Adapter, remote: Remote, inputs: Inputs) -> float:
    found = adapter.restated(inputs)
    if found is None or adapter.form.each:
        raise Inexpressible
    *before, call = adapter.steps(found)
    remote.ask(before)
    start = time.perf_counter()
    remote.ask([call])
    return time.perf_counter() - start


def _here(spec: Spec, function: Callable[..., Any], inputs: Inputs) -> float:
    found = []
    for _ in range(_REPEATS + 1):
        start = time.perf_counter()
        spec.run(function, inputs)
        found.append(time.perf_counter() - start)
    return max(median(found[1:]), 1e-6)


def _growth(sizes: list[int], seconds: list[float]) -> float:
    if len(sizes) < 2:
        return 0.0
    return float(np.log(seconds[-1] / seconds[-2]) / np.log(sizes[-1] / sizes[-2]))
