"""Modules for PyTorch: `from barehand import nn`. They need the extra `torch`: `pip install 'barehand[torch]'`.

Where torch has a module of the same name, arguments, parameters, `state_dict` and `repr` are torch's, and `dim` is the
name of an axis.
"""

from __future__ import annotations

from barehand.core.arrays import MissingBackend as _MissingBackend
from barehand.core.lazy import face as _face

try:
    import torch as _torch  # noqa: F401 - here the want of it can still be named
except ImportError as _error:
    raise _MissingBackend(f"barehand.nn: torch is not installed ({_error}); pip install 'barehand[torch]'") from None

_HOMES = {
    name: f"barehand.blocks.{block}.module"
    for block, names in {
        "softmax": ("Softmax",),
        "batch_norm": ("BatchNorm1d", "BatchNorm2d"),
        "layer_norm": ("LayerNorm",),
        "contrastive": ("ContrastiveLoss",),
        "pairwise_margin": ("PairwiseMarginLoss",),
        "cross_entropy": ("CrossEntropyLoss",),
        "focal": ("FocalLoss", "SoftmaxFocalLoss"),
        "bpr": ("BPRLoss",),
        "attention": ("MultiHeadAttention", "SelfAttention"),
    }.items()
    for name in names
}

__all__ = [*_HOMES]
__getattr__, __dir__ = _face(__name__, _HOMES)
