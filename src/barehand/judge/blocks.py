"""The fifteen blocks as the judge names them, and the specs that each may answer to, likeliest first."""

from __future__ import annotations

from collections.abc import Mapping

SPECS_OF: Mapping[str, tuple[str, ...]] = {
    "softmax": ("softmax", "log_softmax"),
    "batch_norm": ("batch_norm",),
    "layer_norm": ("layer_norm",),
    "contrastive_loss": ("contrastive_loss",),
    "pairwise_margin_loss": ("pairwise_margin_loss",),
    "cross_entropy": ("cross_entropy",),
    "focal_loss": ("focal_loss", "softmax_focal_loss"),
    "iou": ("iou", "pairwise_iou"),
    "multi_head_attention": ("multi_head_attention", "attention"),
    "adam": ("Adam",),
    "roc_auc_score": ("roc_auc_score",),
    "bpr_loss": ("bpr_loss",),
    "linear_regression": ("LinearRegression",),
    "logistic_regression": ("LogisticRegression",),
    "self_attention": ("self_attention", "attention", "multi_head_attention"),
}
