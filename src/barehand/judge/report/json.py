"""A Judgement for programs: version 1 of the layout that `schema.json` describes.

Strict JSON: what is not finite stands as "nan", "inf" or "-inf".
"""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any

import numpy as np

from barehand.judge.report.values import array
from barehand.judge.report.words import readable
from barehand.judge.verdicts import GRADES, Failure, Item, Judgement

VERSION = 1
LARGEST = 4096  # entries of an array that is written whole
FIRST = 64  # entries of a larger one
_DEEPEST = 8


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of version 1."""
    found: dict[str, Any] = json.loads(files("barehand.judge.report").joinpath("schema.json").read_text("utf-8"))
    return found


def to_json(judgement: Judgement) -> dict[str, Any]:
    """The judgement in the layout of version 1."""
    return {
        "version": VERSION,
        "target": readable(judgement.target),
        "seed": int(judgement.seed),
        "sandbox": [readable(s) for s in judgement.sandbox],
        "items": [_item(item) for item in judgement.items],
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "block": item.block,
        "object": readable(item.object),
        "cell": item.cell,
        "line": int(item.line),
        "adapter": readable(item.adapter),
        "verdict": item.verdict,
        "grades": {grade: _grade(item, grade) for grade in GRADES},
        "convention": [readable(c) for c in item.convention],
        "mistakes": [{"id": readable(m.id), "message": readable(m.message)} for m in item.mistakes],
        "failing_case": _failing_case(item.failures[0]) if item.failures else None,
    }


def _grade(item: Item, grade: str) -> dict[str, Any]:
    """All five are always there; what could not be judged says why."""
    graded = item.grades.get(grade)
    if graded is None:
        return {"verdict": "unverified", "passed": 0, "total": 0, "reason": readable(item.error)}
    return {
        "verdict": graded.verdict,
        "passed": int(graded.passed),
        "total": int(graded.total),
        "reason": readable(graded.reason),
    }


def _failing_case(failure: Failure) -> dict[str, Any]:
    return {
        "check": readable(failure.check),
        "grade": failure.grade,
        "dtype": failure.dtype,
        "message": readable(failure.message),
        "inputs": {readable(name): _value(value) for name, value in failure.inputs.items()},
        "expected": _value(failure.expected),
        "got": _value(failure.got),
    }


def _value(value: Any, depth: int = 0) -> Any:
    """Nested lists of numbers; of a large array its type, its shape and where it starts."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return readable(value)
    numbers = array(value)
    if numbers is None and isinstance(value, list | tuple) and depth < _DEEPEST:
        return [_value(v, depth + 1) for v in value]
    if numbers is None and isinstance(value, dict) and depth < _DEEPEST:
        return {readable(str(k)): _value(v, depth + 1) for k, v in value.items()}
    if numbers is None:
        text = getattr(value, "text", None)
        return readable(text if isinstance(text, str) else repr(value))[:1000]
    if numbers.size > LARGEST:
        first = [_number(x) for x in numbers.ravel()[:FIRST]]
        return {"dtype": str(numbers.dtype), "shape": list(numbers.shape), "first": first}
    return _nested(numbers)


def _nested(numbers: Any) -> Any:
    return [_nested(row) for row in numbers] if np.ndim(numbers) else _number(numbers)


def _number(number: Any) -> Any:
    plain = float(number) if np.asarray(number).dtype.kind == "f" else np.asarray(number).item()
    if isinstance(plain, float) and not math.isfinite(plain):
        return str(plain)
    return plain
