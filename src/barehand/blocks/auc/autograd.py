"""Areas under ROC curves of tensors on the CPU; they have no gradient."""

from __future__ import annotations

from typing import Any

import barehand.blocks.auc as arrays
from barehand.core.tensors import on_cpu


def roc_auc_score(
    y_true: Any, y_score: Any, *, sample_weight: Any = None, max_fpr: float | None = None, multi_class: str = "raise",
    average: str | None = "macro", labels: Any = None,
) -> Any:  # fmt: skip
    """As `barehand.roc_auc_score`; the area is a tensor without axes."""
    return on_cpu(
        arrays.roc_auc_score, y_true=y_true, y_score=y_score, sample_weight=sample_weight, max_fpr=max_fpr,
        multi_class=multi_class, average=average, labels=labels,
    )  # fmt: skip


def grouped_roc_auc_score(
    y_true: Any, y_score: Any, groups: Any, *, sample_weight: Any = None, average: str = "rows"
) -> Any:
    """As `barehand.grouped_roc_auc_score`; the value is a tensor without axes, the counts are numbers."""
    given = {"y_true": y_true, "y_score": y_score, "groups": groups, "sample_weight": sample_weight}
    return on_cpu(arrays.grouped_roc_auc_score, **given, average=average)


def roc_curve(
    y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None, drop_intermediate: bool = True
) -> Any:
    """As `barehand.roc_curve`."""
    return on_cpu(
        arrays.roc_curve, y_true=y_true, y_score=y_score, pos_label=pos_label, sample_weight=sample_weight,
        drop_intermediate=drop_intermediate,
    )  # fmt: skip
