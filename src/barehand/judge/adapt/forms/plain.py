"""Which inputs every right version must take; others are a matter of generality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from barehand.core.spec import Inputs
from barehand.judge.adapt.forms.losses import indices as _indices


def someone_sees(inputs: Inputs) -> bool:
    """Whether every query has a key to attend to: zeros, nan and an even share are all found in published work."""
    mask = inputs.get("mask")
    if mask is None:
        return inputs.get("causal") != "bottom_right" or inputs["query"].shape[-2] <= inputs["key"].shape[-2]
    seen = mask if mask.dtype == bool else mask > -np.inf
    return bool(seen.any(-1).all()) and not np.isnan(inputs["key"] if "key" in inputs else inputs["x"]).any()


def _dims(*names: str, at_most: int = 2) -> Callable[[Inputs], bool]:
    return lambda i: all(1 <= np.ndim(i[n]) <= at_most for n in names if n in i)


def _boxes(inputs: Inputs) -> bool:
    """Boxes of finite numbers, of which none is inverted: what such a one covers, no two libraries agree on."""
    given = [inputs[k] for k in ("boxes1", "boxes2")]
    corners = inputs.get("box_format", "xyxy") == "xyxy"
    sides = [b[..., 2:] - b[..., :2] if corners else b[..., 2:] for b in given if b.dtype.kind == "f"]
    return len(sides) == 2 and all(bool(np.isfinite(b).all()) for b in given) and all((s >= 0).all() for s in sides)


def _labels_are_numbers(target: Any) -> bool:
    t = np.asarray(target)
    return bool(t.dtype == np.int64 or t.dtype.kind == "f") and bool(np.isin(t, (0, 1)).all())


# The inputs that every right version must take; others are a matter of generality.
PLAIN: Mapping[str, Callable[[Inputs], bool]] = {
    "attention": lambda i: i["query"].ndim <= 3 and someone_sees(i),
    "multi_head_attention": lambda i: i["query"].ndim == 3 and someone_sees(i),
    "self_attention": lambda i: i["x"].ndim == 3 and someone_sees(i),
    "softmax": lambda i: np.ndim(i["x"]) > 0,
    "log_softmax": lambda i: np.ndim(i["x"]) > 0,
    "batch_norm": lambda i: i["x"].ndim == 2,
    "layer_norm": lambda i: i.get("axis", -1) == -1 and i["x"].ndim <= 2,
    "contrastive_loss": lambda i: i["x1"].ndim == 2 and _labels_are_numbers(i["same"]),
    "pairwise_margin_loss": lambda i: i["anchor"].ndim == 2 and i.get("margin", 1.0) > 0,
    "cross_entropy": lambda i: i["logits"].ndim == 2 and _indices(i["target"]),
    "focal_loss": lambda i: (
        i["logits"].ndim == 1 and _labels_are_numbers(i["target"]) and isinstance(i.get("alpha", 0.25), float)
    ),
    "softmax_focal_loss": lambda i: i["logits"].ndim == 2,
    "bpr_loss": lambda i: i["positive_scores"].shape == i["negative_scores"].shape and i["positive_scores"].ndim == 1,
    "iou": lambda i: i["boxes1"].shape == i["boxes2"].shape and i["boxes1"].ndim <= 2 and _boxes(i),
    "pairwise_iou": lambda i: i["boxes1"].ndim == i["boxes2"].ndim == 2 and _boxes(i),
    "Adam": lambda i: "absent" not in i and i.get("eps", 1e-8) > 0 and min(i.get("betas", (0.9,))) >= 0.5,
    "LinearRegression": lambda i: np.ndim(i["y"]) == 1 and len(i["X"]) > 1 and i["X"].dtype.kind == "f",
    "LogisticRegression": lambda i: (
        _labels_are_numbers(i["y"])
        and "sample_weight" not in i
        and i["y"].dtype.kind == "i"
        and i["X"].dtype.kind == "f"
    ),
    "roc_auc_score": lambda i: (
        np.ndim(i["y_true"]) == 1
        and np.ndim(i["y_score"]) == 1
        and _labels_are_numbers(i["y_true"])
        and bool(np.isfinite(i["y_score"]).all())  # scikit-learn refuses others
    ),
}


def _needs_ignoring(inputs: Inputs) -> set[str]:
    target = np.asarray(inputs["target"])
    return {"ignore_index"} if _indices(target) and (target < 0).any() else set()


def _needs_classes(inputs: Inputs) -> set[str]:
    return set() if np.ndim(inputs["y_score"]) == 1 else {"multi_class"}


# Roles that an input calls for without naming them.
CALLS_FOR: Mapping[str, Callable[[Inputs], set[str]]] = {
    "cross_entropy": _needs_ignoring,
    "softmax_focal_loss": _needs_ignoring,
    "roc_auc_score": _needs_classes,
}
