"""From boxes, scores and classes to NMS's kernel: the order of the boxes, and a grid over their centres."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from barehand.blocks.iou.launch import Door, read_boxes
from barehand.core import arrays
from barehand.core.arrays import Array
from barehand.core.labels import numbered, read_names
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.iou.cpu")

_CELLS = 4.0  # cells of the grid, at most so many a box


def _one_a_box(argument: str, value: Array, count: int) -> Array:
    if value.shape != (count,):
        raise ValueError(f"nms: {argument} has shape {value.shape}; give one for each box, shape ({count},)")
    return value


def _best_first(scores: ArrayLike, count: int) -> Array:
    """The order of the scores; of equal ones the lower index comes first."""
    s = arrays.as_array("nms", "scores", scores)
    s = _one_a_box("scores", s if s.dtype.kind in "iub" else arrays.as_floating("nms", "scores", s), count)
    if s.dtype.kind == "f" and np.isnan(s).any():
        raise ValueError(f"nms: scores holds nan at {np.isnan(s).argmax()}; it has no rank: leave such boxes out")
    return count - 1 - np.argsort(s[::-1], kind="stable")[::-1]


def _groups(classes: ArrayLike | None, count: int) -> tuple[Array, int]:
    """The class of each box, counted from 0, and how many there are."""
    if classes is None:
        return np.zeros(count, np.int64), 1
    labels = _one_a_box("classes", read_names("nms", "classes", classes), count)
    if labels.dtype.kind not in "biufmMSU":
        return numbered("nms", "classes", labels)
    names, group = np.unique(labels, return_inverse=True)
    return group, len(names)


def _grid(c: Array, offset: float, group: Array, groups: int) -> tuple[Array, ...]:
    """A grid over the boxes' centres, about as fine as the boxes are large; each class has all cells for itself.

    For each box its cell and the first of its class; the grid as the kernel reads it; where each cell's slots start.
    """
    side, middle = np.maximum(c[2:4] - c[:2] + offset, 0), (c[:2] + c[2:4]) / 2
    corner, mean = middle.min(axis=1), side.mean(axis=1)
    span = middle.max(axis=1) - corner
    most = max(1.0, math.sqrt(_CELLS * len(group) / groups))
    count = np.floor(np.clip(span / np.where(mean > 0, mean, np.inf), 1, most))
    per_cell = count / np.where(span > 0, span, np.inf)
    x, y = np.minimum((middle - corner[:, None]) * per_cell[:, None], count[:, None] - 1).astype(np.int64)
    first_cell = group * int(count[0] * count[1])
    cell = first_cell + y * int(count[0]) + x
    sizes = np.bincount(cell, minlength=groups * int(count[0] * count[1]))
    return cell, first_cell, np.stack([corner, per_cell, count - 1, side.max(axis=1)]), np.cumsum(sizes) - sizes


def keep_best(
    boxes: ArrayLike, scores: ArrayLike, iou_threshold: float, classes: ArrayLike | None, box_format: str, offset: float
) -> Array:
    """Which boxes are kept, best first; overlaps are decided in float64 whatever the type."""
    door = Door("nms", box_format, offset)
    x = read_boxes("nms", "boxes", arrays.as_floating("nms", "boxes", boxes), 2).astype(np.float64)
    order = _best_first(scores, len(x))
    t = arrays.check_number("nms", "iou_threshold", iou_threshold, low=0.0, high=1.0)
    group, groups = _groups(classes, len(x))
    finite = np.isfinite(x).all(axis=1)
    if not finite.all():
        row = finite.argmin()
        raise ValueError(f"nms: boxes holds {x[row]} in row {row}, which is not finite; leave such boxes out")
    if not len(x):
        return order
    (c,) = door.lay_out(x)
    cell, first_cell, grid, starts = _grid(c, door.wide, group, groups)
    # A box that overlaps another by more than t is at most 1 / t times as long, so its centre is this near, in sides.
    reach = (1 - t) * max(1.0, 0.5 / max(t, 1e-300))
    kept = np.empty(len(x), np.int64)
    given = order, c, cell, first_cell, grid, np.empty((2, 2), np.int64), reach, door.wide, t
    return kept[: cpu.suppress(*given, starts, starts.copy(), np.empty_like(c), kept)].copy()
