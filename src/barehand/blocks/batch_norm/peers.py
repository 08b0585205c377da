"""What people use today for batch norm, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _torch() -> Callable[..., Any]:
    from torch.nn import functional

    def batch_norm(
        x: Any, weight: Any = None, bias: Any = None, *, running_mean: Any = None, running_var: Any = None,
        training: bool = True, momentum: float = 0.1, eps: float = 1e-5,
    ) -> Any:  # fmt: skip
        x = x if x.is_floating_point() else x.double()
        return functional.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)

    return batch_norm


_PYTORCH = "PyTorch 2.13, CPU: y = x · slope + shift rounds two large products before they cancel"

PEERS = {
    "batch_norm": (
        Peer(
            "torch.nn.functional.batch_norm",
            "torch",
            _torch,
            defects={
                "mean 1e4, sd 1": f"{_PYTORCH}; float32 is off by 2e-4",
                "mean 1e4, sd 1e-3": f"{_PYTORCH}; float32 is off by 3e-2",
                "(N, C, H, W), mean 1e4, sd 1e-3": f"{_PYTORCH}; float32 is off by 3e-2",
                "a hundred times 10000.1": f"{_PYTORCH}; a constant channel does not become bias",
            },
        ),
    ),
}
