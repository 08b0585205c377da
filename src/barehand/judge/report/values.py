"""Values of a failing case as people read them: small arrays whole, large ones around the first wrong entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from barehand.core.compare import error_in_eps
from barehand.judge.report.words import readable

ROWS, COLUMNS = 6, 6  # of what is shown of a large array
_DIGITS = (4, 6, 9, 17)
_LONGEST = 300  # characters of a value that is no array
_TOLERANCE = 64.0  # eps of the largest entry; below it a difference is rounding


@dataclass(frozen=True)
class Cell:
    """An entry's digits, and whether it is where the two sides differ."""

    text: str
    wrong: bool = False


@dataclass(frozen=True)
class Shown:
    """A value laid out in rows; the caption says its type and shape, and which part of it is here."""

    caption: str
    rows: tuple[tuple[Cell, ...], ...]
    numeric: bool = True


def array(value: Any) -> NDArray[Any] | None:
    """The numbers of an array, a scalar, a tensor's record or an even list; None for anything else."""
    value = getattr(value, "array", value)  # a record of a tensor
    if value is None or isinstance(value, str | bytes | dict):
        return None
    try:
        found = np.asarray(value)
    except (ValueError, TypeError):  # a ragged list
        return None
    return found if found.dtype.kind in "biuf" else None


def wrong_entries(expected: NDArray[Any], got: NDArray[Any]) -> NDArray[np.bool_]:
    """Where two arrays of one shape differ by more than rounding, or else most."""
    if expected.size == 0:
        return np.zeros(got.shape, bool)
    if "f" not in (expected.dtype.kind, got.dtype.kind):
        return np.asarray(expected != got)
    dtype = got.dtype if got.dtype.kind == "f" else np.dtype(np.float64)
    wide = expected.astype(np.result_type(expected.dtype, np.float64))
    finite = np.abs(wide[np.isfinite(wide)])
    error = error_in_eps(got.astype(dtype), wide, float(finite.max(initial=0.0)) or 1.0, dtype)
    bound = _TOLERANCE if error.max() > _TOLERANCE else error.max()
    return np.asarray((error >= bound) & (error > 0))


def shown(value: Any) -> Shown:
    """One value by itself: an input, or a result that cannot be compared."""
    numbers = array(value)
    return _text(value) if numbers is None else _grid(numbers, np.zeros(numbers.shape, bool), _DIGITS[0])


def side_by_side(expected: Any, got: Any) -> tuple[Shown, Shown]:
    """Expected and got, cut to the same part, with the differing entries marked."""
    left, right = array(expected), array(got)
    if left is None or right is None or left.shape != right.shape:
        return shown(expected), shown(got)
    wrong = wrong_entries(left, right)
    for digits in _DIGITS:  # until entries that differ also look different
        pair = _grid(left, wrong, digits), _grid(right, wrong, digits)
        cells = ((a, b) for x, y in zip(pair[0].rows, pair[1].rows, strict=True) for a, b in zip(x, y, strict=True))
        if all(a.text != b.text for a, b in cells if a.wrong):
            break
    return pair


def _grid(numbers: NDArray[Any], wrong: NDArray[np.bool_], digits: int) -> Shown:
    """The part around the first wrong entry; axes before the last two are laid under one another."""
    if numbers.size == 0:
        return Shown(f"{numbers.dtype} {numbers.shape}", ((Cell("[]"),),))
    table = numbers.reshape(-1, numbers.shape[-1] if numbers.ndim else 1)
    marks = wrong.reshape(table.shape)
    row, column = np.unravel_index(int(np.argmax(marks)), marks.shape)
    rows, columns = _window(int(row), table.shape[0], ROWS), _window(int(column), table.shape[1], COLUMNS)
    caption = f"{numbers.dtype} {numbers.shape}" if numbers.ndim else str(numbers.dtype)
    if table.size > rows[1] * columns[1]:
        laid = f" → {table.shape}" if numbers.ndim > 2 else ""
        caption += f"{laid}[{', '.join(f'{a}:{a + n}' for a, n in (rows, columns)[-numbers.ndim :])}]"
    part = slice(rows[0], sum(rows)), slice(columns[0], sum(columns))
    cells = (zip(t, m, strict=True) for t, m in zip(table[part], marks[part], strict=True))
    return Shown(caption, tuple(tuple(Cell(_digits(x, digits), bool(bad)) for x, bad in line) for line in cells))


def _window(first: int, whole: int, most: int) -> tuple[int, int]:
    """Start and length of at most `most` places of `whole` that hold the place `first`."""
    length = min(whole, most)
    return min(max(first - most // 2, 0), whole - length), length


def _digits(number: Any, digits: int) -> str:
    return f"{number:.{digits}g}" if isinstance(number, np.floating) else str(number)


def _text(value: Any) -> Shown:
    """Anything else by its name and its text."""
    kind, text = getattr(value, "type_name", type(value).__name__), getattr(value, "text", None)
    text = readable(text if isinstance(text, str) else repr(value))
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return Shown("" if value is None else readable(str(kind)), tuple((Cell(line),) for line in cut.split("\n")), False)
