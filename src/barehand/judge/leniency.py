"""How much a failed check weighs for code written by hand, beside a function that promises our whole contract.

Somebody's softmax need not know masks, nor their layer norm inputs on which torch's own is wrong: such checks count
under generality, which lowers the mark and decides nothing. Code that says "same contract as barehand" is held to all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from barehand.core.spec import HALF, Case, Inputs, Spec
from barehand.judge.adapt.forms import PLAIN
from barehand.judge.grading import Finding

# Of the norms: inputs so far from 0 that a mean, rounded once as everybody writes it, is farther off than they vary.
_ROUNDED_MEANS = frozenset({"mean 1e4, sd 1e-3", "(N, C, H, W), mean 1e4, sd 1e-3", "a hundred times 10000.1"})
# Of boxes: where a side is clamped at its very edge, and either slope is right.
_KINKS = frozenset({"boxes that touch", "apart along one axis"})
_CORE = 2  # cases that a version must at least run on
_HUGE = 1e6
_FEW, _SINGLE = 1e3, 2e-6  # eps, and what float32 may lose
_LONG = 4096  # numbers added up in one go
_NO_DIGIT = 2.0  # an error of so many times what was added up
FULL_CONTRACT = "same contract as barehand"


def promises_all(docs: str) -> bool:
    """Whether the code's own words hold it to everything that ours does."""
    return FULL_CONTRACT in " ".join(docs.lower().split())


def eased(spec: Spec, cases: tuple[Case, ...], form_plain: Callable[[Inputs], bool] | None = None) -> tuple[Case, ...]:
    """The cases with those that go beyond the block's plain inputs under generality."""
    plain = form_plain or PLAIN.get(spec.name, lambda i: True)

    def ease(case: Case) -> Case:
        beyond = not plain(case.make(np.random.default_rng(0)))
        return replace(case, grade="generality") if beyond else case

    return tuple(map(ease, cases))


def regrade(spec: Spec, peers_miss: frozenset[str], *, torch: bool = False) -> Callable[[Finding], Finding]:
    """What a failure weighs, given the eased cases of the spec, and those that libraries in wide use get wrong."""
    grades = {c.name: c.grade for c in spec.cases}
    core = {c.name for c in [c for c in spec.cases if c.grade == "correctness"][:_CORE]}

    def weigh(finding: Finding) -> Finding:
        _, _, name = finding.check.partition(": ")
        if finding.dtype == str(HALF) and not _overflows(finding):
            return replace(finding, grade="generality")
        if name in _ROUNDED_MEANS or _only_digits(finding, spec, torch) or _holds_nan(finding):
            return replace(finding, grade="generality")
        if name in peers_miss and not _nonsense(finding, spec):
            return replace(finding, grade="generality")
        if finding.grade == "gradient" and (_not_numbers(finding) or name in _KINKS):
            return replace(finding, grade="generality")  # where nan or infinity went in
        if finding.grade == "gradient" and grades.get(name) == "generality":
            return replace(finding, grade="generality")
        if finding.raised and finding.grade in ("correctness", "gradient") and name not in core:
            return replace(finding, grade="generality")  # it refuses, and gives no wrong number
        if finding.dtype == str(HALF):
            return replace(finding, grade="stability" if finding.grade == "correctness" else finding.grade)
        return finding

    return weigh


def _only_digits(finding: Finding, spec: Spec, torch: bool) -> bool:
    """Whether all that is wrong are the last digits, for a reason that right versions have.

    A constant of torch's is float32, as are scores; a long sum in one go loses digits with its length; without a shift
    of each score the result is that of scores an eps away; and the slope of torch's rsqrt is a cube.
    """
    if finding.raised or not finding.error < np.inf:
        return finding.grade == "gradient" and _cubes_overflow(finding)
    if finding.grade == "gradient":
        return finding.error < _FEW or _cubes_overflow(finding)
    if _numbers(finding) > _LONG and finding.error < _numbers(finding):
        return True
    if spec.block in ("softmax", "cross_entropy") and finding.error <= 2 * _largest(finding):
        return True
    wide = finding.dtype == "float64" and torch
    return (wide or spec.result_dtype is not None) and finding.error * float(np.finfo(np.float64).eps) < _SINGLE


def _floats(finding: Finding) -> list[NDArray[Any]]:
    return [v for v in finding.inputs.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]


def _numbers(finding: Finding) -> int:
    return max((v.size for v in _floats(finding)), default=0)


def _largest(finding: Finding) -> float:
    return max((float(np.max(np.abs(v), initial=0.0, where=np.isfinite(v))) for v in _floats(finding)), default=0.0)


def _cubes_overflow(finding: Finding) -> bool:
    return bool(_largest(finding) > float(np.finfo(finding.dtype).max) ** (1 / 3))


def _holds_nan(finding: Finding) -> bool:
    return any(bool(np.isnan(v).any()) for v in _floats(finding))


def _not_numbers(finding: Finding) -> bool:
    return not all(np.isfinite(v).all() for v in _floats(finding))


def _nonsense(finding: Finding, spec: Spec) -> bool:
    """Whether no digit of the result is right, or a norm of ordinary numbers is nan."""
    if finding.error == np.inf:
        return (
            spec.name in ("batch_norm", "layer_norm")
            and finding.check.startswith("case")
            and not finding.raised
            and _moderate(finding)
        )
    return bool(finding.error * float(np.finfo(finding.dtype).eps) > _NO_DIGIT)


def _moderate(finding: Finding) -> bool:
    """Whether neither what went in nor what should come out is extreme."""
    sizes = [np.abs(v[v != 0].astype(np.float64)) for v in _floats(finding)]
    usual = all(s.size == 0 or (s.max() < _HUGE and s.min() > 1 / _HUGE) for s in sizes)
    return usual and bool(np.isfinite(np.asarray(finding.expected, float)).all())


def _overflows(finding: Finding) -> bool:
    """Whether low precision made nan or infinity of what is a number."""
    try:
        got, expected = np.asarray(finding.got, float), np.asarray(finding.expected, float)
    except (TypeError, ValueError):
        return False
    if got.shape != expected.shape:
        return False
    with np.errstate(all="ignore"):
        return bool(np.any(~np.isfinite(got) & np.isfinite(expected) & (np.abs(expected) < 6e4)))
