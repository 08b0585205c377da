"""What people use today for softmax, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _torch(name: str) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        import torch

        function = getattr(torch, name)
        return lambda x, *, axis=-1, out=None: (
            function(x, dim=axis, out=out) if x.is_floating_point() else function(x.double(), dim=axis)
        )

    return load


def _scipy(name: str) -> Callable[[], Callable[..., Any]]:
    def load() -> Callable[..., Any]:
        import scipy.special

        function = getattr(scipy.special, name)
        return lambda x, *, axis=-1, out=None: function(x, axis=axis)

    return load


_NO_MASK = {"a mask, a row without any, nan under it": "no mask"}
_SCIPY = _NO_MASK | {
    "an empty axis": "the maximum of an empty axis is an error",
    "one number": "returns an array without axes",
}

_SCIPY_LOG = {
    "only -inf, nan, +inf": "a row with +inf gives -inf, and nan at that place alone; exp of it does not sum to 1"
}

PEERS = {
    "softmax": (
        Peer("torch.softmax", "torch", _torch("softmax"), lacks=_NO_MASK),
        Peer("scipy.special.softmax", "scipy", _scipy("softmax"), lacks=_SCIPY),
    ),
    "log_softmax": (
        Peer("torch.log_softmax", "torch", _torch("log_softmax"), lacks=_NO_MASK),
        Peer("scipy.special.log_softmax", "scipy", _scipy("log_softmax"), lacks=_SCIPY, defects=_SCIPY_LOG),
    ),
}
