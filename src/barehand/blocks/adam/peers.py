"""What people use today for Adam, on NumPy arrays under our argument names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from barehand.core.spec import Peer


def _torch(**how: Any) -> Callable[[], Callable[..., Any]]:
    """torch's optimizer over tensors that share the arrays' memory."""

    def load() -> Callable[..., Any]:
        import torch

        def tensor(g: Any) -> Any:
            return torch.from_numpy(g) if g.flags.carray else torch.tensor(g)

        class Dressed:
            def __init__(self, params: Sequence[Any], *, decoupled: bool = False, **options: Any) -> None:
                self.tensors = [torch.from_numpy(p) for p in params]
                kind = torch.optim.AdamW if decoupled else torch.optim.Adam
                options.setdefault("weight_decay", 0.0)
                self.optimizer = kind(self.tensors, **options, **how)

            def step(self, grads: Sequence[Any]) -> None:
                for t, g in zip(self.tensors, grads, strict=True):
                    t.grad = None if g is None else tensor(g)
                self.optimizer.step()

        return Dressed

    return load


_LACKS = {"zero gradients, epsilon 0": "0 / 0 is nan"}

PEERS = {
    "Adam": (
        Peer("torch.optim.Adam, foreach", "torch", _torch(foreach=True), lacks=_LACKS),
        Peer("torch.optim.Adam, fused", "torch", _torch(fused=True), lacks=_LACKS),
        Peer("torch.optim.Adam, a loop", "torch", _torch(foreach=False), lacks=_LACKS),
    ),
}
