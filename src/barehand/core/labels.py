"""Labels at the door: class indices, probabilities, class weights, names of any kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from barehand.core import arrays
from barehand.core.arrays import Array
from barehand.core.lazy import LazyModule

rows = LazyModule("barehand.core.rows")


def class_indices(
    name: str, target: Array, shape: tuple[int, ...], classes: int, ignore_index: int
) -> tuple[Array, int]:
    """Integer targets as a flat int64 vector, -1 where ignored, and how many are not.

    Any other number outside the classes is an error.
    """
    if target.shape != shape:
        raise ValueError(
            f"{name}: target has shape {target.shape}, logits without their class axis {shape}; give one index a row, "
            "or floating probabilities in the shape of logits"
        )
    if type(ignore_index) is not int and not isinstance(ignore_index, np.integer):
        raise TypeError(f"{name}: ignore_index must be an integer, not {ignore_index!r}; pass a label such as -100")
    ignored = int(ignore_index) if -(2**63) <= ignore_index < 2**63 else -1 - 2**62  # no label is beyond int64
    t = target.astype(np.int64).reshape(-1)
    if target.dtype == np.uint64:
        t[target.reshape(-1) >= 2**63] = -2 - 2**62  # beyond int64, hence no class
    wrong, kept = rows.clean_indices(t, classes, ignored)
    if wrong >= 0:
        place = tuple(int(i) for i in np.unravel_index(wrong, shape))
        raise ValueError(
            f"{name}: target holds {target[place]} at {place}, not a class from 0 to {classes - 1} and not "
            f"ignore_index={ignore_index}; correct the label, or mark it with ignore_index"
        )
    return t, kept


def check_probabilities(name: str, argument: str, values: Array) -> None:
    """Every number from 0 to 1, none nan."""
    flat = arrays.for_kernel(values).reshape(-1)
    place = rows.first_outside(flat)
    if place >= 0:
        raise ValueError(f"{name}: {argument} holds {flat[place]}; probabilities run from 0 to 1")


def class_weight(name: str, weight: ArrayLike, classes: int) -> Array:
    """One finite, non-negative number a class."""
    w = arrays.as_floating(name, "weight", weight).astype(np.float64)
    if w.shape != (classes,):
        raise ValueError(f"{name}: weight has shape {w.shape}, there are {classes} classes; give shape ({classes},)")
    if not (np.isfinite(w).all() and w.min() >= 0):
        bad = w[~(np.isfinite(w) & (w >= 0))][0]
        raise ValueError(f"{name}: weight holds {bad}; class weights are finite and at least 0")
    return w


def read_names(name: str, argument: str, values: Any) -> Array:
    """Names as an array: lists of one kind of number or word as NumPy has them, and others as objects.

    NumPy would write 1 and "1" alike, round a whole number beyond 2^63, and take a list of tuples for a matrix.
    """
    if not isinstance(values, (list, tuple)):
        array = arrays.as_array(name, argument, values)
    else:
        plain = len(set(map(type, values))) == 1 and isinstance(values[0], (str, int, float, np.generic))
        array = np.asarray(values) if plain else np.fromiter(values, object, len(values))
        if array.dtype.kind == "f" and isinstance(values[0], int):
            array = np.fromiter(values, object, len(values))
    if array.dtype.kind in "fcmM":
        _refuse_nameless(name, argument, list(array[array != array][:1]))
    return array


def numbered(name: str, argument: str, names: Array) -> tuple[Array, int]:
    """Names that hash as numbers from 0 on, in the order they come, and how many there are."""
    known: dict[Any, int] = {}
    try:
        codes = np.fromiter((known.setdefault(k, len(known)) for k in names.tolist()), np.int64, names.size)
        nameless = [k for k in known if k is None or k != k]
    except TypeError as error:
        raise TypeError(f"{name}: {argument} holds what is no name ({error}); use numbers or words") from None
    _refuse_nameless(name, argument, nameless)
    return codes, len(known)


def _refuse_nameless(name: str, argument: str, nameless: list[Any]) -> None:
    """What is not equal to itself, as nan and NaT are not, cannot be found again; None stands for nothing."""
    if nameless:
        raise ValueError(f"{name}: {argument} holds {nameless[0]}, which is no name; give those rows one, or drop them")
