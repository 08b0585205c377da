"""Boxes: one pair or many, and as rows, dicts or objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from barehand.core.spec import Array, Inputs
from barehand.judge.adapt.forms.form import MOST_ROWS, Form
from barehand.judge.pieces import Piece

# How people call the four numbers of a box, in the order of a row.
_NAMES = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
    ("x", "y", "w", "h"),
    ("x", "y", "width", "height"),
    ("cx", "cy", "w", "h"),
    ("cx", "cy", "width", "height"),
)


def _rows(inputs: Inputs) -> Inputs | None:
    a, b = inputs["boxes1"], inputs["boxes2"]
    return inputs if a.ndim <= 2 and a.shape == b.shape and a.size <= MOST_ROWS else None


def _pairs(inputs: Inputs) -> Inputs | None:
    a, b = inputs["boxes1"], inputs["boxes2"]
    return inputs if a.ndim == b.ndim == 2 else None


def _floats(inputs: Inputs) -> Inputs | None:
    a, b = inputs["boxes1"], inputs["boxes2"]
    return inputs if a.shape == b.shape and a.ndim == 2 else None


def _out_of_column(y: Array, inputs: Inputs) -> Array:
    return y[..., 0] if y.ndim and y.shape[-1] == 1 else y


def _one_and_many(inputs: Inputs) -> Inputs | None:
    found = _pairs(inputs)
    return {**found, "boxes1": found["boxes1"][:1].copy()} if found and len(found["boxes1"]) else None


def _named(names: tuple[str, ...], as_: str, wrap: Callable[[dict[str, float]], Any]) -> Form:
    """One pair, whose numbers have names: `box["x1"]` or `box.x1`, as the code reads them."""
    patterns = [rf"""\[ *["']{n}["'] *\]""" if as_ == "dicts" else rf"\w\.{n}\b" for n in names]

    def suits(piece: Piece) -> bool:
        return all(re.search(p, piece.own) for p in patterns)

    def dress(inputs: Inputs) -> Inputs:
        found = {k: inputs[k].tolist() for k in ("boxes1", "boxes2")}
        return {**inputs, **{k: wrap(dict(zip(names, box, strict=True))) for k, box in found.items()}}

    return Form(
        f"takes one pair of boxes, {as_} of {', '.join(names)}", restate=_rows, dress=dress, each=True, suits=suits
    )


BOXES = (
    Form(),
    Form("gives a column", restate=_floats, read=_out_of_column),
    Form("takes one pair of boxes", restate=_rows, each=True),
    *(_named(names, "dicts", dict) for names in _NAMES),
    *(_named(names, "objects", lambda box: SimpleNamespace(**box)) for names in _NAMES),
)

PAIRS = (
    Form("every box with every other", restate=_pairs),
    Form(
        "one box with many",
        restate=_one_and_many,
        dress=lambda i: {**i, "boxes1": i["boxes1"][0]},
        read=lambda y, i: y[None] if y.ndim == 1 else y,
    ),
)
