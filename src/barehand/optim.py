"""Optimizers for PyTorch: `from barehand import optim`. They need the extra `torch`: `pip install 'barehand[torch]'`.

Arguments and `state_dict` are torch's.
"""

from __future__ import annotations

from barehand.core.arrays import MissingBackend as _MissingBackend
from barehand.core.lazy import face as _face

try:
    import torch as _torch  # noqa: F401 - here the want of it can still be named
except ImportError as _error:
    raise _MissingBackend(f"barehand.optim: torch is not installed ({_error}); pip install 'barehand[torch]'") from None

_HOMES = {"Adam": "barehand.blocks.adam.optimizer"}

__all__ = [*_HOMES]
__getattr__, __dir__ = _face(__name__, _HOMES)
