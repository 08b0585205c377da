"""What people use today for layer norm, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _torch() -> Callable[..., Any]:
    from torch.nn import functional

    def layer_norm(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> Any:
        x = x if x.is_floating_point() else x.double()
        return functional.layer_norm(x, x.shape[axis:], weight, bias, eps)

    return layer_norm


_PYTORCH = "PyTorch 2.13, CPU: y = x · rstd - mean · rstd rounds two large products before they cancel"

PEERS = {
    "layer_norm": (
        Peer(
            "torch.nn.functional.layer_norm",
            "torch",
            _torch,
            defects={
                "mean 1e4, sd 1": f"{_PYTORCH}; float32 is off by 1e-4",
                "mean 1e4, sd 1e-3": f"{_PYTORCH}; float32 is off by 2e-2",
                "a hundred times 10000.1": f"{_PYTORCH}; xhat and dx are not those of a constant row",
                "one feature": f"{_PYTORCH}; xhat, and with it the gradient of weight, is not 0",
            },
        ),
    ),
}
