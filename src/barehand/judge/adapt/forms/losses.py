"""Cross-entropy and focal loss: from scores or probabilities, of indices or one-hot rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.core.spec import Array, Inputs
from barehand.judge.adapt.forms.form import MOST_ROWS, Form, arguments, of_one_vector
from barehand.judge.pieces import Piece


def indices(target: Any) -> bool:
    """Whether these are class indices rather than probabilities."""
    return bool(np.asarray(target).dtype.kind in "iu")


def _as_probabilities(inputs: Inputs) -> Inputs | None:
    """Scores as the probabilities that they stand for."""
    if inputs.get("from_probabilities"):
        return inputs
    x, axis = inputs["logits"], inputs.get("axis", -1)
    if x.dtype.kind != "f" or not x.size or not np.isfinite(x).all():
        return None
    if "alpha" in inputs or "gamma" in inputs or (np.shape(inputs["target"]) == x.shape and "axis" not in inputs):
        wide = x.astype(np.float64)
        p = 1 / (1 + np.exp(-np.clip(wide, -30, 30)))
    else:
        wide = np.clip(x - x.max(axis=axis, keepdims=True), -30, 0).astype(np.float64)
        p = np.exp(wide) / np.exp(wide).sum(axis=axis, keepdims=True)
    return {**inputs, "logits": p.astype(x.dtype), "from_probabilities": True}


def _probabilities_of_labels(inputs: Inputs) -> Inputs | None:
    if inputs.get("from_probabilities"):
        return inputs
    x = inputs["logits"]
    if x.dtype.kind != "f" or not x.size or not np.isfinite(x).all() or np.abs(x).max() > 15:
        return None
    return {**inputs, "logits": (1 / (1 + np.exp(-x.astype(np.float64)))).astype(x.dtype), "from_probabilities": True}


def _only_indices(inputs: Inputs) -> Inputs | None:
    return inputs if indices(inputs["target"]) else None


def _float_type(x: Array) -> np.dtype[Any]:
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)


def _one_hot(inputs: Inputs) -> Inputs:
    target, x, axis = inputs["target"], inputs["logits"], inputs.get("axis", -1)
    if not indices(target):
        return inputs
    classes = np.moveaxis(np.eye(x.shape[axis])[target], -1, axis)
    return {**inputs, "target": classes.astype(_float_type(x))}


def _no_ignored(inputs: Inputs) -> Inputs | None:
    target = np.asarray(inputs["target"])
    return None if indices(target) and (target < 0).any() else inputs


def _may_take_probabilities(piece: Piece) -> bool:
    """Whether no argument says that scores go in, or lets the caller say."""
    names = {p.name.lower() for p in arguments(piece)}
    return not any("logit" in n or n.startswith(("from_", "score")) for n in names)


def _finite_scores(inputs: Inputs) -> bool:
    """One-hot rows multiply what they leave out by 0, as everybody's do, torch's too: -inf then gives nan."""
    x = inputs["logits"]
    return bool(x.ndim == 2 and np.isfinite(x).all())


def _one_row(inputs: Inputs) -> Inputs | None:
    """The rows of a small batch, one at a time, each with its loss."""
    x, small = inputs["logits"], 0 < inputs["logits"].size <= MOST_ROWS
    plain = small and x.dtype.kind == "f" and x.ndim in (1, 2) and inputs.get("axis", -1) in (-1, x.ndim - 1)
    return {**inputs, "reduction": "none"} if plain and _only_indices(inputs) and _no_ignored(inputs) else None


def _of(*restated: Callable[[Inputs], Inputs | None]) -> Callable[[Inputs], Inputs | None]:
    """One after another."""

    def restate(inputs: Inputs) -> Inputs | None:
        found: Inputs | None = inputs
        for one in restated:
            found = found and one(found)
        return found

    return restate


_PROBABILITIES: dict[str, Any] = {"pins": {"from_probabilities": True}, "suits": _may_take_probabilities}


def _one_sample(says: str, *restated: Callable[[Inputs], Inputs | None], **options: Any) -> Form:
    def suits(piece: Piece) -> bool:
        return of_one_vector(piece) and options.get("suits", lambda p: True)(piece)

    pins = {"reduction": "none", **options.get("pins", {})}
    return Form(says, _of(_one_row, *restated), **{**options, "suits": suits, "pins": pins}, each=True)


CROSS_ENTROPY = (
    Form(),
    Form("takes class indices", _only_indices),
    Form("takes one-hot targets", _no_ignored, _one_hot, plain=_finite_scores),
    Form("takes probabilities", _as_probabilities, **_PROBABILITIES),
    Form("takes probabilities and class indices", _of(_only_indices, _as_probabilities), **_PROBABILITIES),
    Form("takes probabilities and one-hot targets", _of(_no_ignored, _as_probabilities), _one_hot, **_PROBABILITIES),
    Form(
        "computes the scores X W itself",
        lambda i: _only_indices(i) and _no_ignored(i) if i["logits"].size and _finite_scores(i) else None,
        lambda i: {**i, "X": np.eye(len(i["logits"]), dtype=_float_type(i["logits"])), "W": i["logits"]},
        takes={"W": ("w", "weights", "theta"), "X": ("x", "features"), "target": ("y", "labels", "t", "targets")},
        pull=lambda g, i: {"logits": g["W"]},
        sources=("W",),
        half=False,
        suits=lambda piece: {"W", "X"} <= {p.name for p in arguments(piece)},
    ),
    _one_sample("takes one sample"),
    _one_sample("takes one sample and a one-hot target", dress=_one_hot),
    _one_sample("takes the probabilities of one sample", _as_probabilities, **_PROBABILITIES),
    _one_sample(
        "takes the probabilities of one sample and a one-hot target",
        _as_probabilities,
        dress=_one_hot,
        **_PROBABILITIES,
    ),
)


def _float_labels(inputs: Inputs) -> Inputs:
    return {**inputs, "target": np.asarray(inputs["target"]).astype(_float_type(inputs["logits"]))}


FOCAL = (
    Form(),
    Form("labels are floats", dress=_float_labels),
    Form(
        "takes probabilities",
        restate=_probabilities_of_labels,
        pins={"from_probabilities": True},
        suits=_may_take_probabilities,
    ),
)
