"""Gradients for NumPy users: `vjp.<name>(same arguments, cotangent=None)` gives a tuple of gradients.

One gradient for each differentiable input that was given, in order. With `with_value=True` the value comes along, from
the same pass: `(value, gradients)`.
"""

from __future__ import annotations

from barehand.blocks import homes as _homes
from barehand.core.lazy import face as _face

__getattr__, __dir__ = _face(__name__, _homes("vjp"))
