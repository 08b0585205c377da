"""The machine-learning blocks that people write by hand: right to the last digits, stable, fast.

>>> import barehand as bh
>>> bh.softmax([0.0, 0.0])
array([0.5, 0.5])
"""

from __future__ import annotations

from barehand.blocks import homes as _homes
from barehand.core.lazy import face as _face

__version__ = "0.1.0"

_HOMES = {
    **_homes(),
    "AttentionWeights": "barehand.blocks.attention.weights",
    "GroupedAuc": "barehand.blocks.auc",
    "check": "barehand.judge.check",
    "MissingBackend": "barehand.core.arrays",
    "set_num_threads": "barehand.core.threads",
    "get_num_threads": "barehand.core.threads",
    "specs": "barehand.blocks",
}
_FACES = ("linear_model", "nn", "optim", "textbook", "vjp")

__all__ = [*_HOMES, *_FACES, "__version__"]
# IPython calls this for `%load_ext barehand`.
__getattr__, __dir__ = _face(__name__, {**_HOMES, "load_ipython_extension": "barehand.judge.magic"}, _FACES)
