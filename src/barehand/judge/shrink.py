"""The smallest input that still shows a failure: fewer rows, fewer columns, rounder numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from barehand.core.spec import Case, Inputs, Spec
from barehand.judge.grading import Candidate, Finding, probe

_TRIES = 120


def shrink(spec: Spec, candidate: Candidate, finding: Finding, seed: int) -> Finding:
    """The finding on the smallest input found; the finding itself where nothing smaller fails in the same way."""
    kind, _, name = finding.check.partition(": ")
    if kind not in ("case", "gradient") or not finding.inputs or "was not called again" in finding.message:
        return finding
    case = next((c for c in spec.cases if c.name == name), None)
    if case is None:
        return finding
    best, tries = finding, 0
    progress = True
    while progress and tries < _TRIES:
        progress = False
        for smaller in _smaller(best.inputs):
            tries += 1
            if tries >= _TRIES:
                break
            found = _fails(spec, candidate, case, smaller, best, seed)
            if found is not None:
                best, progress = found, True
                break
    return best


def _fails(spec: Spec, candidate: Candidate, case: Case, inputs: Inputs, like: Finding, seed: int) -> Finding | None:
    again = replace(case, make=lambda rng: inputs, dtypes=(np.dtype(like.dtype),))
    try:
        found = probe(spec, candidate, again, np.dtype(like.dtype), like.check.startswith("gradient"), seed)
    except Exception:  # the smaller input is none for this block
        return None
    if found is None or found.raised != like.raised or _finite(found.expected) < _finite(like.expected):
        return None
    if _kind(found.message) != _kind(like.message):  # another failure, which the smaller input brought in
        return None
    return found


def _kind(message: str) -> str:
    """A message without its numbers."""
    return re.sub(r"\(line \d+\)|[-\d.,()e+]+|inf\b", "", message)


def _finite(value: Any) -> bool:
    try:
        return bool(np.isfinite(np.asarray(value, float)).all())
    except (TypeError, ValueError):
        return True


def _smaller(inputs: Inputs) -> Iterator[Inputs]:
    arrays = {k: v for k, v in inputs.items() if isinstance(v, np.ndarray) and v.ndim}
    tables = {k: v for k, v in arrays.items() if v.ndim > 1}
    for axis in (0, -1):
        lengths = {v.shape[axis] for v in arrays.values()}
        for n in sorted(lengths, reverse=True):
            # A vector belongs to the rows or to the columns of a table; where it may be either, both stay as they are.
            other = -1 - axis
            if n <= 1 or (len(tables) < len(arrays) and any(v.shape[other] == n for v in tables.values())):
                continue
            along = [k for k, v in arrays.items() if v.shape[axis] == n]
            half = n // 2
            parts = [slice(0, half), slice(half, n)] if n > 3 else [slice(i, i + 1) for i in range(n)]
            if axis == -1 and n <= 3:
                parts = [slice(0, n - 1), slice(1, n)] if n > 2 else []
            for part in parts:
                cut = {k: _cut(arrays[k], axis, part) for k in along}
                yield {**inputs, **cut}
    for digits in (0, 1):
        rounded: dict[str, Any] = {}
        for k, v in arrays.items():
            if v.dtype.kind == "f":
                with np.errstate(all="ignore"):
                    rounded[k] = _locked(np.round(v, digits))
        if any(not np.array_equal(rounded[k], arrays[k], equal_nan=True) for k in rounded):
            yield {**inputs, **rounded}


def _cut(array: Any, axis: int, part: slice) -> Any:
    return _locked(np.ascontiguousarray(array[part] if axis == 0 else array[..., part]))


def _locked(array: Any) -> Any:
    array.setflags(write=False)
    return array
