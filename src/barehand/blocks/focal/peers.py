"""What people use today for the focal losses, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _floating(x: Any) -> Any:
    return x if x.is_floating_point() else x.double()


def _reduced(losses: Any, reduction: str) -> Any:
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


def _torchvision() -> Callable[..., Any]:
    from torch.nn import functional

    def sigmoid_focal_loss(
        logits: Any, target: Any, *, alpha: float | None = 0.25, gamma: float = 2.0, reduction: str = "mean"
    ) -> Any:
        logits = _floating(logits)
        target = target.to(logits.dtype)
        p = logits.sigmoid()
        ce = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        p_t = p * target + (1 - p) * (1 - target)
        losses = ce * ((1 - p_t) ** gamma)
        if alpha is not None:  # -1 there
            losses = (alpha * target + (1 - alpha) * (1 - target)) * losses
        return _reduced(losses, reduction)

    return sigmoid_focal_loss


def _from_cross_entropy() -> Callable[..., Any]:
    import torch
    from torch.nn import functional

    def focal_loss(logits: Any, target: Any, *, alpha: Any = 0.25, gamma: float = 2.0, reduction: str = "mean") -> Any:
        logits = _floating(logits)
        target = target.to(logits.dtype)
        ce = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        pos, neg = (1.0, 1.0) if alpha is None else alpha if isinstance(alpha, tuple) else (alpha, 1 - alpha)
        return _reduced((pos * target + neg * (1 - target)) * (-torch.expm1(-ce)) ** gamma * ce, reduction)

    return focal_loss


def _from_log_softmax() -> Callable[..., Any]:
    import torch
    from torch.nn import functional

    def softmax_focal_loss(
        logits: Any, target: Any, *, axis: int = -1, alpha: Any = None, gamma: float = 2.0, ignore_index: int = -100,
        reduction: str = "mean",
    ) -> Any:  # fmt: skip
        target, kept = target.long(), target != ignore_index
        index = torch.where(kept, target, 0)
        log_p = functional.log_softmax(_floating(logits), dim=axis)
        log_p_t = log_p.gather(axis, index.unsqueeze(axis)).squeeze(axis)
        losses = -((1 - log_p_t.exp()) ** gamma) * log_p_t
        if alpha is not None:
            losses = losses * (alpha[index] if isinstance(alpha, torch.Tensor) else alpha)
        losses = torch.where(kept, losses, 0)
        return losses.sum() / kept.sum() if reduction == "mean" else _reduced(losses, reduction)

    return softmax_focal_loss


_SUBTRACTED = "1 - p_t is a subtraction: at logit 16 it is 6% off in float32, from 17 on it is 0"
_POWER = "autograd's (1 - p_t)^(gamma - 1) is infinite at p_t = 1: the gradient is nan"
_NOTHING = "the mean of nothing is nan"
_LACKS = {
    "no elements": _NOTHING,
    **dict.fromkeys(
        (
            "probabilities",
            "probabilities, each loss",
            "probabilities and soft labels",
            "probabilities of 0 and 1",
        ),
        "takes logits only",
    ),
}

PEERS = {
    "focal_loss": (
        Peer(
            "torchvision.ops.sigmoid_focal_loss's formula",
            "torch",
            _torchvision,
            lacks={**_LACKS, "alpha for each label": "takes one alpha"},
            defects={"easy examples": _SUBTRACTED, "gamma 0.5 from logit 17 on": _POWER},
        ),
        Peer(
            "F.binary_cross_entropy_with_logits, times (1 - exp(-ce))^gamma",
            "torch",
            _from_cross_entropy,
            lacks={**_LACKS, "soft labels": "exp(-ce) is p_t for labels of 0 and 1 only"},
            defects={
                "easy examples": "autograd's slope, sigmoid(logit) - label, is a subtraction",
                "gamma 0.5 from logit 17 on": _POWER,
            },
        ),
    ),
    # torchvision has none; asked for in pytorch/vision#3250
    "softmax_focal_loss": (
        Peer(
            "F.log_softmax, times (1 - p_t)^gamma",
            "torch",
            _from_log_softmax,
            lacks={"no rows": _NOTHING},
            defects={
                "confident rows": _SUBTRACTED,
                "confident rows, gamma 0.5": _POWER,
                "all ignored": f"{_NOTHING}, as in pytorch#70348",
                "nan in a row to ignore": "its gradient is 0 times nan",
                "the target's class at -inf": "its gradient is 0 times infinity",
            },
        ),
    ),
}
