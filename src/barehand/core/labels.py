"""Targets at the door: class indices, probabilities, class weights."""

from __future__ import annotations

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
    if values.size and not (np.minimum.reduce(values, None) >= 0 and np.maximum.reduce(values, None) <= 1):
        bad = values[~((values >= 0) & (values <= 1))].ravel()[0]
        raise ValueError(f"{name}: {argument} holds {bad}; probabilities run from 0 to 1")


def class_weight(name: str, weight: ArrayLike, classes: int) -> Array:
    """One finite, non-negative number a class."""
    w = arrays.as_floating(name, "weight", weight).astype(np.float64)
    if w.shape != (classes,):
        raise ValueError(f"{name}: weight has shape {w.shape}, there are {classes} classes; give shape ({classes},)")
    if not (np.isfinite(w).all() and w.min() >= 0):
        bad = w[~(np.isfinite(w) & (w >= 0))][0]
        raise ValueError(f"{name}: weight holds {bad}; class weights are finite and at least 0")
    return w
