"""The public functions on tensors of PyTorch: `barehand.softmax` and its sisters hand over to these."""

from __future__ import annotations

from barehand.blocks import homes as _homes
from barehand.core.lazy import face as _face

__getattr__, __dir__ = _face(__name__, _homes("autograd"))
