"""Pictures as inline SVG whose ink follows the page, in light and in dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from barehand.demo.measure import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS, PEER, MUTED, GOOD = "#2f81c9", "#e07a2f", "#8b929c", "#3a9d6a"
_INK = "#010203"  # stands for the page's own text colour, which it becomes below
_STYLE: dict[Any, Any] = {
    "figure.figsize": (8.0, 3.0),
    "figure.facecolor": "none",
    "figure.titlesize": "medium",
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture everywhere
    "font.size": 9.0,
    "lines.linewidth": 1.8,
    "svg.fonttype": "path",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
}


def svg(draw: Callable[[Figure], None], name: str) -> str:
    """The picture as an `<svg>` element; `name` keeps its ids apart from those of other pictures on the page."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE | {"svg.hashsalt": name}):
        figure = Figure(layout="constrained")
        draw(figure)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace(_INK, "currentColor")
    drawn = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", drawn)
    return re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawn, count=1), count=1
    )


def _rgba(colour: str, strength: Array) -> Array:
    from matplotlib.colors import to_rgb

    return np.dstack([*(np.full(strength.shape, part) for part in to_rgb(colour)), strength])


def shades(colour: str) -> Any:
    """A colour map from nothing, which shows the page's ground, to the colour."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    return LinearSegmentedColormap.from_list(colour, [to_rgba(colour, 0.0), to_rgba(colour, 1.0)])


def image(ax: Axes, pixels: Array, title: str = "", *, signed: bool = False) -> None:
    """A digit's 64 pixels, as strength of colour; signed ones blue above zero and orange below."""
    square = pixels.reshape(8, 8).astype(np.float64)
    strength = np.abs(square) / np.abs(square).max()
    if signed:
        picture = np.where((square > 0)[..., None], _rgba(OURS, strength), _rgba(PEER, strength))
    else:
        picture = _rgba(OURS, strength)
    ax.imshow(picture, interpolation="nearest")
    ax.set_axis_off()
    ax.set_title(title, fontsize=8, loc="center")


def heat(ax: Axes, title: str, values: Array, rows: list[str], columns: list[str], size: float = 8) -> None:
    """A matrix of numbers from 0 up as strength of colour, with a word for each row and column."""
    ax.imshow(values, cmap=shades(OURS), vmin=0, interpolation="nearest")
    style: dict[str, Any] = {"fontsize": size, "parse_math": False}
    ax.set_xticks(range(len(columns)), columns, rotation=90, **style)
    ax.set_yticks(range(len(rows)), rows, **style)
    ax.tick_params(length=0)
    ax.set_title(title)


def curve(ax: Axes, title: str, lines: dict[str, list[float]], levels: dict[str, float] | None = None) -> None:
    """Values by epoch, the first line ours, and levels to compare them with."""
    for (label, values), colour in zip(lines.items(), (OURS, PEER), strict=False):
        ax.plot(range(1, len(values) + 1), values, color=colour, label=label)
    for label, level in (levels or {}).items():
        ax.axhline(level, color=MUTED, linestyle="--", linewidth=1.2, label=label)
    ax.set(title=title, xlabel="epoch")
    ax.legend(fontsize=8)


def words(ax: Axes, title: str, lines: list[tuple[str, list[str]]]) -> None:
    """A heading and what belongs to it, paragraph by paragraph."""
    ax.set_axis_off()
    ax.set_title(title)
    for i, (heading, rest) in enumerate(lines):
        top = 0.96 - i / len(lines)
        style: dict[str, Any] = {"va": "top", "parse_math": False, "transform": ax.transAxes}  # a title may hold a $
        ax.text(0, top, heading, color=OURS, fontweight="bold", **style)
        ax.text(0.03, top - 0.07, "\n".join(rest), fontsize=8, **style)
