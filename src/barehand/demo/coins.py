"""A photo of 24 Greek coins, which comes with scikit-image: where they are, and boxes that may hold one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from barehand.demo.measure import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RADII = np.arange(12, 34)  # of circles, in pixels


@dataclass(frozen=True)
class Candidates:
    """Boxes around circles, and how much lighter the photo gets, on average, where one crosses the circle inwards."""

    boxes: Array  # (n, 4), two corners
    scores: Array


@cache
def photo() -> Array:
    """303 x 384 pixels, from 0 to 255."""
    from skimage import data

    load: Any = data.coins  # without types, and within the package: nothing is fetched
    return np.asarray(load(), np.float64)


@cache
def coins() -> Array:
    """The box of each coin, two corners, in float64: connected regions that are lighter than what is around them."""
    from scipy import ndimage

    light = ndimage.binary_fill_holes(photo() > ndimage.uniform_filter(photo(), 101))
    regions, _ = ndimage.label(ndimage.binary_opening(light, iterations=3))
    height, width = photo().shape
    found = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(regions)]
    whole = [b for b in found if b[0] > 0 and b[1] > 0 and b[2] < width and b[3] < height]  # the rim is no coin
    return np.array([b for b in whole if (b[2] - b[0]) * (b[3] - b[1]) > 500], np.float64)


@cache
def candidates(least: float) -> Candidates:
    """Every circle of whole pixels within the photo that scores more than `least`, in float32."""
    height, width = photo().shape
    down, across = np.gradient(photo())
    y, x = np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in photo().shape), indexing="ij")
    r = np.hypot(x, y)
    boxes, scores = [], []
    for radius in _RADII:
        ring = np.exp(-0.5 * (r - radius) ** 2)
        ring /= ring.sum() * np.maximum(r, 1)
        lighter = sum(
            np.fft.rfft2(slope) * np.conj(np.fft.rfft2(ring * step)) for slope, step in ((down, y), (across, x))
        )
        inwards = -np.fft.irfft2(lighter, photo().shape)[radius : height - radius, radius : width - radius]
        rows, columns = np.nonzero(inwards > least)
        boxes.append(np.stack((columns, rows, columns + 2 * radius, rows + 2 * radius), axis=1))
        scores.append(inwards[rows, columns])
    return Candidates(np.concatenate(boxes).astype(np.float32), np.concatenate(scores).astype(np.float32))


def show(ax: Axes, title: str) -> None:
    """The photo."""
    ax.imshow(photo(), cmap="gray", alpha=0.85)
    ax.set(title=title, xticks=[], yticks=[], frame_on=False)


def outline(ax: Axes, boxes: Array, colour: str, width: float = 1.4) -> None:
    """The boxes, drawn over the photo."""
    from matplotlib.collections import PolyCollection

    corners = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    ax.add_collection(PolyCollection(list(corners), facecolors="none", edgecolors=colour, linewidths=width))
