"""What people's versions of a block take and give where it differs from ours, block by block.

A `Form` changes inputs in one of two ways: `restate` puts them in the spec's own terms, for the reference as well
(logits become probabilities); `dress` gives the same inputs the shape in which the code takes them (indices become
one-hot rows).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from barehand.core.spec import Inputs
from barehand.judge.adapt.forms.boxes import BOXES, PAIRS
from barehand.judge.adapt.forms.form import MOST_ROWS, Form, down_columns, of_one_vector, unchanged
from barehand.judge.adapt.forms.losses import CROSS_ENTROPY, FOCAL
from barehand.judge.adapt.forms.norms import BATCH_NORM, DERIVED, FILLS, LAYER_NORM
from barehand.judge.adapt.forms.plain import CALLS_FOR, PLAIN
from barehand.judge.adapt.forms.ranking import RANKED
from barehand.judge.adapt.forms.sequences import SEQUENCES
from barehand.judge.adapt.forms.towers import BPR, CONTRASTIVE, MARGIN

__all__ = [
    "CALLS_FOR", "CONSTANTS", "DERIVED", "FILLS", "FORMS", "FREE", "NUMBERS", "OPEN", "PLAIN", "WORDS", "Form",
    "unchanged",
]  # fmt: skip


def _vectors(inputs: Inputs) -> Inputs | None:
    x = inputs["x"]
    return inputs if x.ndim in (1, 2) and x.dtype.kind == "f" and 0 < x.size <= MOST_ROWS else None


def _matrices(inputs: Inputs) -> Inputs | None:
    x = inputs["x"]
    return inputs if x.ndim == 2 else None


FORMS: Mapping[str, tuple[Form, ...]] = {
    "batch_norm": BATCH_NORM,
    "layer_norm": LAYER_NORM,
    "cross_entropy": CROSS_ENTROPY,
    "bpr_loss": BPR,
    "pairwise_margin_loss": MARGIN,
    "contrastive_loss": CONTRASTIVE,
    "iou": BOXES,
    "pairwise_iou": PAIRS,
    "attention": SEQUENCES,
    "roc_auc_score": RANKED,
    "focal_loss": FOCAL,
    "softmax": (
        Form(),
        Form("takes one vector", restate=_vectors, suits=of_one_vector, each=True),
        Form(
            "down the columns",
            restate=_matrices,
            dress=lambda i: {**i, "x": i["x"].T},
            read=lambda y, i: y.T,
            suits=down_columns,
        ),
    ),
}

# What a call may leave open, and the values to try for it beside the numbers that stand in the code.
OPEN: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "softmax": {"axis": (-1,)},
    "log_softmax": {"axis": (-1,)},
    "batch_norm": {"eps": (1e-5,), "momentum": (0.1,), "training": (True,)},
    "layer_norm": {"axis": (-1,), "eps": (1e-5,)},
    "contrastive_loss": {"margin": (1.0,), "reduction": ("mean", "sum", "none")},
    "pairwise_margin_loss": {"margin": (1.0,), "reduction": ("mean", "sum", "none")},
    "cross_entropy": {"axis": (-1, 1), "reduction": ("mean", "sum", "none")},
    "focal_loss": {"alpha": (0.25, None), "gamma": (2.0,), "reduction": ("mean", "sum", "none")},
    "softmax_focal_loss": {"axis": (-1, 1), "alpha": (None,), "gamma": (2.0,), "reduction": ("mean", "sum", "none")},
    "bpr_loss": {"reduction": ("mean", "sum", "none")},
    "iou": {"box_format": ("xyxy", "xywh", "cxcywh"), "offset": (0, 1), "kind": ("iou", "giou", "diou", "ciou")},
    "pairwise_iou": {
        "box_format": ("xyxy", "xywh", "cxcywh"),
        "offset": (0, 1),
        "kind": ("iou", "giou", "diou", "ciou"),
    },
}

# Options that are words.
WORDS: Mapping[str, tuple[str, ...]] = {
    "box_format": ("xyxy", "xywh", "cxcywh"),
    "kind": ("iou", "giou", "diou", "ciou"),
}

# Options whose value in a case may be replaced by the code's own: the case still shows what it is for.
FREE = frozenset({"reduction", "margin", "alpha", "gamma", "eps", "momentum"})

NUMBERS = frozenset({"eps", "momentum", "margin", "alpha", "gamma"})  # options that the code may hold as a number

# Roles that switch off what is no part of the block.
CONSTANTS: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "penalty": (0.0, ("reg", "l2", "l2_reg", "reg_lambda", "lambda_reg", "weight_decay", "lam", "regularization")),
    "dropout": (0.0, ("dropout", "dropout_p", "drop", "p_drop", "attn_dropout")),
}
