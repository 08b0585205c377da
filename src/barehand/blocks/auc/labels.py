"""The door: labels of any type, scores, weights and group names, read as scikit-learn reads them.

Messages keep the words that its users search for.
"""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays
from barehand.core.arrays import Array


class UndefinedMetricWarning(UserWarning):
    """The metric has no value for these labels; where scikit-learn is loaded its class of this name is used."""


def undefined(name: str, message: str) -> None:
    """Warn whoever called the public function, three calls up."""
    theirs = sys.modules.get("sklearn.exceptions")
    kind = theirs.UndefinedMetricWarning if theirs else UndefinedMetricWarning
    warnings.warn(f"{name}: {message}", kind, stacklevel=5)  # past the dispatch on kinds


class Labels(NamedTuple):
    """Labels in one column or an indicator matrix, their sorted classes, and of at most two the rows of the greater."""

    y: Array
    classes: Array
    positive: Array | None


def _column(a: Array) -> Array:
    return a[:, 0] if a.ndim == 2 and a.shape[1] == 1 else a


def _two_classes(y: Array) -> Labels:
    """Rows that differ from the first, and rows that equal the first of those: with two classes, the same rows."""
    other = y != y.flat[0]
    if not other.any():
        one = y.reshape(-1)[:1]
        return Labels(y, one, y > 0 if y.ndim == 2 and y.dtype.kind in "biuf" else other)
    second = y.flat[int(other.argmax())]
    positive = y == second
    if np.count_nonzero(positive) != np.count_nonzero(other):
        return Labels(y, np.unique(y), None)
    classes = np.unique(np.array([y.flat[0], second], y.dtype))
    return Labels(y, classes, positive if classes[1] == second else ~positive)


def read(name: str, y_true: ArrayLike) -> Labels:
    """Labels of a type that has classes; how many there may be is for the caller to say."""
    y = _column(arrays.as_array(name, "y_true", y_true))
    if y.ndim not in (1, 2):
        raise ValueError(f"{name}: y_true has shape {y.shape}; give one label a row")
    if not y.size:
        raise ValueError(f"{name}: y_true is empty: Found array with 0 sample(s); give a label of each class at least")
    if isinstance(y.flat[0], bytes):
        raise TypeError(f"{name}: y_true: Support for labels represented as bytes is not supported; decode them")
    if y.dtype.kind not in "biufUOTmM":
        raise TypeError(f"{name}: y_true has dtype {y.dtype}; labels are numbers, bools, words or dates")
    try:
        found = _two_classes(y)
    except TypeError as error:
        raise TypeError(f"{name}: y_true holds labels without an order ({error}); give them one type") from None
    kind = "multiclass"
    if y.dtype.kind in "fmM":
        if not np.isfinite(found.classes).all():
            raise ValueError(f"{name}: y_true holds nan or infinity: Input y_true contains NaN; drop those rows")
        if y.dtype.kind == "f" and (found.classes != np.floor(found.classes)).any():
            kind = "continuous"
    if y.ndim == 2 and (found.positive is None or kind == "continuous" or y.dtype.kind not in "biuf"):
        raise ValueError(f"{name}: y_true: {kind}-multioutput format is not supported; give 0 and 1, or one column")
    if kind == "continuous":
        raise ValueError(f"{name}: y_true: continuous format is not supported; labels are classes, not quantities")
    return found


def class_places(name: str, found: Labels, labels: ArrayLike | None, columns: int) -> Array:
    """Which column of the scores belongs to each row's class."""
    classes = np.unique(found.y)
    if labels is None:
        if classes.size != columns:
            raise ValueError(
                f"{name}: Number of classes in y_true not equal to the number of columns in 'y_score', {classes.size} "
                f"and {columns}; give a column for each class, or labels= with all classes"
            )
        return np.searchsorted(classes, found.y)
    given = _column(arrays.as_array(name, "labels", labels))
    ordered = np.unique(given)
    if ordered.size != given.size:
        raise ValueError(f"{name}: Parameter 'labels' must be unique, not {given.tolist()}; drop what is there twice")
    if not np.array_equal(ordered, given):
        raise ValueError(f"{name}: Parameter 'labels' must be ordered, not {given.tolist()}; sort it, and the columns")
    if given.size != columns:
        raise ValueError(
            f"{name}: Number of given labels, {given.size}, not equal to the number of columns in 'y_score', "
            f"{columns}; give one label a column"
        )
    unknown = np.setdiff1d(classes, given)
    if unknown.size:
        raise ValueError(f"{name}: 'y_true' contains labels not in parameter 'labels': {unknown.tolist()}; add them")
    return np.searchsorted(given, found.y)


def _numbers(name: str, argument: str, value: ArrayLike) -> Array:
    """A floating array; long doubles stay, and objects that are numbers become float64."""
    a = arrays.as_array(name, argument, value)
    if a.dtype.char == "g":
        return a
    if a.dtype.kind == "O":
        try:
            a = a.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name}: {argument} holds what is no number ({error}); pass real numbers") from None
    return arrays.as_floating(name, argument, a)


def read_scores(name: str, y_score: ArrayLike, rows: int) -> Array:
    """Scores without nan, a row for each label."""
    s = _column(_numbers(name, "y_score", y_score))
    if s.ndim not in (1, 2):
        raise ValueError(f"{name}: y_score has shape {s.shape}; give one score for each label")
    if len(s) != rows:
        raise ValueError(
            f"{name}: y_true and y_score differ in length, {rows} and {len(s)}; give one score for each label"
        )
    if s.size and np.isnan(s.min()):
        raise ValueError(f"{name}: y_score holds nan: Input contains NaN, which has no rank; drop or fill those rows")
    return s


def one_column(name: str, s: Array) -> Array:
    """Scores for two classes: one column."""
    if s.ndim == 2:
        hint = "y_score[:, 1]" if s.shape[1] == 2 else "one column"
        raise ValueError(f"{name}: y_score should be a 1d array, got an array of shape {s.shape} instead; pass {hint}")
    return s


def read_weights(name: str, sample_weight: ArrayLike | None, rows: int) -> Array:
    """Weights in float64, times a power of two if their products would leave its range; empty for none."""
    if sample_weight is None:
        return np.empty(0)
    w = _column(_numbers(name, "sample_weight", sample_weight))
    if w.shape != (rows,):
        raise ValueError(
            f"{name}: sample_weight has shape {w.shape}, y_true {rows} rows; give one weight for each label"
        )
    low, high = float(w.min()), float(w.max())
    if not (low >= 0 and high < math.inf):
        bad = low if not low >= 0 else high
        raise ValueError(f"{name}: sample_weight holds {bad}; weights are finite and at least 0")
    if high == 0:
        raise ValueError(f"{name}: Sample weights must contain at least one non-zero number; all are 0")
    w = w.astype(np.float64, copy=False)
    return arrays.for_kernel(w if 1e-100 < high < 1e100 else np.ldexp(w, -math.frexp(high)[1]))


_SIGNED = ([0, 1], [-1, 1], [0], [-1], [1])  # classes of which one is the positive one by itself


def _unclear(name: str, classes: list[Any], hint: str) -> ValueError:
    words = ", ".join(map(repr, classes))
    return ValueError(f"{name}: y_true takes value in {{{words}}} and pos_label is not specified{hint}")


def check_indicators(name: str, found: Labels) -> None:
    """A matrix of two numbers says what is positive only by 0 and 1, or -1 and 1."""
    classes = found.classes.tolist()
    if len(classes) == 2 and classes not in _SIGNED:
        raise _unclear(name, classes, "; use 0 and 1, or -1 and 1")


def positive_label(name: str, found: Labels, pos_label: Any) -> Array:
    """The rows of the positive class of a curve: `pos_label`, or 1 where the labels are 0 and 1, or -1 and 1."""
    if pos_label is None:
        if found.positive is None:
            raise ValueError(f"{name}: y_true: multiclass format is not supported; pass pos_label, or two classes")
        classes = found.classes.tolist()
        if found.y.dtype.kind in "UOTmM" or classes not in _SIGNED:
            hint = ": either make y_true take value in {0, 1} or {-1, 1} or pass pos_label explicitly."
            raise _unclear(name, classes, hint)
        pos_label = 1
    return np.asarray(found.y == pos_label)
