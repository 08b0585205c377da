"""Each block as on paper, in NumPy: the formula, readable in a minute, and `<name>_vjp`, its gradient.

These are the reference for everything else. They compute in the precision that they are given.
"""

from __future__ import annotations

from barehand.blocks import homes as _homes
from barehand.core.lazy import face as _face

_FORMULAS = _homes("textbook")
_GRADIENTS = {f"{name}_vjp": _FORMULAS[name] for name in _homes("vjp")}
__getattr__, __dir__ = _face(__name__, _FORMULAS | _GRADIENTS)
