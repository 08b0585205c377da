"""What people use today for cross-entropy, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _torch() -> Callable[..., Any]:
    from torch.nn import functional

    def cross_entropy(logits: Any, target: Any, *, axis: int = -1, **options: Any) -> Any:
        x = logits if logits.is_floating_point() else logits.double()
        if x.ndim > 1:  # torch's classes are on axis 1
            x = x.movedim(axis, 1)
            target = target.movedim(axis, 1) if target.is_floating_point() else target
        return functional.cross_entropy(x, target, **options)

    return cross_entropy


_NO_PROBABILITIES = "takes logits only"
_NOTHING = "a mean over nothing is nan (pytorch#70348)"

PEERS = {
    "cross_entropy": (
        Peer(
            "torch.nn.functional.cross_entropy",
            "torch",
            _torch,
            lacks={
                "from probabilities": _NO_PROBABILITIES,
                "from probabilities, soft targets": _NO_PROBABILITIES,
                "from probabilities, all options": _NO_PROBABILITIES,
                "from probabilities with zeros": _NO_PROBABILITIES,
                "probability 0 for the label": _NO_PROBABILITIES,
                "long rows of probabilities": _NO_PROBABILITIES,
            },
            defects={
                "all rows ignored": _NOTHING,
                "all rows ignored, with weights": _NOTHING,
                "weights that are all zero": _NOTHING,
                "no rows": _NOTHING,
                "soft zeros at -inf": "PyTorch 2.13: 0 times -inf is nan",
            },
        ),
    ),
}
