"""Pictures of a judgement: a failing case beside what was expected, and the time of a call by size.

They hold no words: the page has them in either language, and matplotlib's font has no Chinese.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from barehand.demo.pictures import GOOD, MUTED, OURS, PEER, shades, svg
from barehand.judge.report.values import array
from barehand.judge.verdicts import Curve, Failure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST, _MOST_BARS, _LARGEST = 3, 64, 512 * 512
COLOURS = {"yours": PEER, "textbook": MUTED, "barehand": OURS, "expected": GOOD, "got": PEER}


@dataclass(frozen=True)
class Picture:
    """An inline SVG; `maps` where it is three heat maps: expected, got and how far apart."""

    svg: str
    maps: bool = False


def failing_case(failure: Failure, name: str) -> Picture | None:
    """Expected against got: bars for a row of numbers, heat maps for a matrix; None where a picture says nothing."""
    left, right = array(failure.expected), array(failure.got)
    if left is None or right is None or left.shape != right.shape or not _FEWEST <= left.size <= _LARGEST:
        return None
    expected, got = (a.astype(np.float64).reshape(-1, a.shape[-1]) for a in (left, right))
    if not (np.isfinite(expected).any() and np.isfinite(got).any()):
        return None
    if len(expected) == 1 and expected.size <= _MOST_BARS:
        return Picture(svg(lambda figure: _bars(figure, expected[0], got[0]), name))
    return Picture(svg(lambda figure: _heat_maps(figure, expected, got), name), maps=True)


def _bars(figure: Figure, expected: NDArray[Any], got: NDArray[Any]) -> None:
    figure.set_size_inches(8, 2.2)
    ax = figure.subplots()
    at = np.arange(expected.size)
    for shift, values, colour in ((-0.2, expected, GOOD), (0.2, got, PEER)):
        shown = np.where(np.isfinite(values), values, 0.0)
        ax.bar(at + shift, shown, 0.4, color=colour)
        for place in at[~np.isfinite(values)]:
            ax.text(place + shift, 0, str(values[place]), color=colour, ha="center", va="bottom", rotation=90)
    ax.set_xticks(at if at.size <= 16 else at[:: -(-at.size // 16)])


def _heat_maps(figure: Figure, expected: NDArray[Any], got: NDArray[Any]) -> None:
    """Both on one scale, and how far they are apart; what is not finite is crossed out."""
    with np.errstate(all="ignore"):
        apart = np.abs(got - expected)
    both = np.concatenate([expected.ravel(), got.ravel()])
    low, high = (float(f(both[np.isfinite(both)])) for f in (np.min, np.max))
    rows, columns = expected.shape
    figure.set_size_inches(8, float(np.clip(2.4 * rows / columns + 0.6, 1.3, 3.6)))
    axes = figure.subplots(1, 3)
    _heat_map(axes[0], expected, OURS, low, high)
    _heat_map(axes[1], got, OURS, low, high)
    _heat_map(axes[2], apart, PEER, 0.0, None)


def _heat_map(ax: Axes, values: NDArray[Any], colour: str, low: float, high: float | None) -> None:
    shown = np.ma.masked_invalid(values)
    image = ax.imshow(shown, cmap=shades(colour), vmin=low, vmax=high, interpolation="nearest", aspect="auto")
    rows, columns = np.nonzero(~np.isfinite(values))
    ax.plot(columns[:2000], rows[:2000], "x", color=PEER, markersize=4)
    ax.tick_params(length=0, labelsize=7)
    ax.figure.colorbar(image, ax=ax, shrink=0.9).ax.tick_params(labelsize=7)


def speeds(curves: Sequence[Curve], name: str) -> Picture:
    """Seconds a call against the size, on logarithmic axes."""

    def draw(figure: Figure) -> None:
        figure.set_size_inches(8, 2.6)
        ax = figure.subplots()
        for curve in curves:
            style = "o-" if len(curve.sizes) > 1 else "o"
            ax.loglog(curve.sizes, curve.seconds, style, color=COLOURS.get(curve.contender, GOOD), markersize=4)
        ax.grid(alpha=0.25)

    return Picture(svg(draw, name))
