"""Cross-entropy and focal loss: from scores or probabilities, of indices or one-hot rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.core.spec import Inputs
from barehand.judge.adapt.forms.form import Form
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


def _one_hot(inputs: Inputs) -> Inputs:
    target, x, axis = inputs["target"], inputs["logits"], inputs.get("axis", -1)
    if not indices(target):
        return inputs
    classes = np.moveaxis(np.eye(x.shape[axis])[target], -1, axis)
    return {**inputs, "target": classes.astype(x.dtype if x.dtype.kind == "f" else np.float64)}


def _no_ignored(inputs: Inputs) -> Inputs | None:
    target = np.asarray(inputs["target"])
    return None if indices(target) and (target < 0).any() else inputs


def _may_take_probabilities(piece: Piece) -> bool:
    """Whether no argument says that scores go in, or lets the caller say."""
    names = {p.name.lower() for p in (*piece.parameters, *(q for m in piece.methods for q in m.parameters))}
    return not any("logit" in n or n.startswith(("from_", "score")) for n in names)


CROSS_ENTROPY = (
    Form(),
    Form("takes class indices", restate=_only_indices),
    Form("takes one-hot targets", restate=_no_ignored, dress=_one_hot),
    Form(
        "takes probabilities",
        restate=_as_probabilities,
        pins={"from_probabilities": True},
        suits=_may_take_probabilities,
    ),
    Form(
        "takes probabilities and class indices",
        restate=lambda i: _only_indices(i) and _as_probabilities(i),
        pins={"from_probabilities": True},
        suits=_may_take_probabilities,
    ),
    Form(
        "takes probabilities and one-hot targets",
        restate=lambda i: _no_ignored(i) and _as_probabilities(i),
        dress=_one_hot,
        pins={"from_probabilities": True},
        suits=_may_take_probabilities,
    ),
)


def _float_labels(inputs: Inputs) -> Inputs:
    x = inputs["logits"]
    return {**inputs, "target": np.asarray(inputs["target"]).astype(x.dtype if x.dtype.kind == "f" else np.float64)}


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
