"""What people use today for AUC, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _sklearn() -> Callable[..., Any]:
    from sklearn import metrics

    return metrics.roc_auc_score  # type: ignore[no-any-return]


def _sklearn_curve() -> Callable[..., Any]:
    from sklearn import metrics

    return metrics.roc_curve  # type: ignore[no-any-return]


def _mann_whitney() -> Callable[..., Any]:
    import numpy as np
    from scipy import stats

    def roc_auc_score(y_true: Any, y_score: Any, **options: Any) -> Any:
        if options:
            raise NotImplementedError(f"no {', '.join(options)}")
        positive = y_true == np.unique(y_true)[-1]
        p, n = np.count_nonzero(positive), np.count_nonzero(~positive)
        return np.float64((stats.rankdata(y_score)[positive].sum() - p * (p + 1) / 2) / (p * n))

    return roc_auc_score


def _torch() -> Callable[..., Any]:
    import torch

    def roc_auc_score(y_true: Any, y_score: Any, **options: Any) -> Any:
        if options:
            raise NotImplementedError(f"no {', '.join(options)}")
        positive = y_true == y_true.max()
        p, n = y_score[positive], torch.sort(y_score[~positive]).values
        below = torch.searchsorted(n, p) + torch.searchsorted(n, p, right=True)
        return below.sum().double() / (2 * p.numel() * n.numel())

    return roc_auc_score


def _by_group() -> Callable[..., Any]:
    from itertools import pairwise

    import numpy as np
    from sklearn import metrics

    def grouped_roc_auc_score(
        y_true: Any, y_score: Any, groups: Any, *, sample_weight: Any = None, average: str = "rows"
    ) -> Any:
        w = np.ones(len(y_true)) if sample_weight is None else sample_weight.astype(np.float64)
        names, codes = np.unique(groups, return_inverse=True)
        order = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
        positive, areas, shares = y_true == y_true.max(), [], []
        for a, b in pairwise(edges):
            rows = order[a:b]
            p, n = w[rows][positive[rows]].sum(), w[rows][~positive[rows]].sum()
            if p and n:
                areas.append(metrics.roc_auc_score(positive[rows], y_score[rows], sample_weight=w[rows]))
                shares.append({"rows": p + n, "positives": p, "groups": 1}[average])
        return np.average(areas, weights=shares), len(names), len(names) - len(areas)

    return grouped_roc_auc_score


_INFINITE = "refuses infinite scores: check_array(y_score) in sklearn/metrics/_ranking.py"
_OPTIONS = (
    "weights", "weights and ties", "whole weights", "weights of zero", "weights of 1e200", "weights of 1e-200",
    "many weighted rows", "max_fpr of 0.3", "max_fpr between tied scores", "max_fpr below the first false positive",
    "max_fpr with weights", "max_fpr of 1", "several labels", "several labels, each", "several labels, micro",
    "several labels, weighted", "several labels, samples", "classes against the rest",
    "classes against the rest, weighted", "classes against the rest, micro", "classes against the rest, each",
    "pairs of classes", "pairs of classes, weighted", "named classes",
)  # fmt: skip
_NO_OPTION = dict.fromkeys(_OPTIONS, "a formula for two classes, without options")

PEERS = {
    "roc_auc_score": (
        Peer("sklearn.metrics.roc_auc_score", "sklearn", _sklearn, defects={"infinite scores": _INFINITE}),
        Peer("scipy.stats.rankdata", "scipy", _mann_whitney, lacks=_NO_OPTION),
        Peer(
            "torch.searchsorted",
            "torch",
            _torch,
            lacks={
                **_NO_OPTION,
                "labels as words": "tensors hold numbers",
                "labels as objects": "tensors hold numbers",
            },
        ),
    ),
    "grouped_roc_auc_score": (
        Peer(
            "sklearn.metrics.roc_auc_score in each group",
            "sklearn",
            _by_group,
            lacks={"objects for names": "names are sorted"},
            defects={"infinite scores and zeros": _INFINITE},
        ),
    ),
    "roc_curve": (
        Peer(
            "sklearn.metrics.roc_curve",
            "sklearn",
            _sklearn_curve,
            defects={"infinite scores": _INFINITE},
        ),
    ),
}
