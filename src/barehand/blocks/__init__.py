"""One folder a block; in it, the file's name is its role."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from barehand.core.spec import Spec

# Folder -> the public functions in it, in the order of the tour.
BLOCKS: dict[str, tuple[str, ...]] = {
    "softmax": ("softmax", "log_softmax"),
    "batch_norm": ("batch_norm",),
    "layer_norm": ("layer_norm",),
    "contrastive": ("contrastive_loss",),
    "pairwise_margin": ("pairwise_margin_loss",),
    "cross_entropy": ("cross_entropy",),
    "focal": ("focal_loss", "softmax_focal_loss"),
    "bpr": ("bpr_loss",),
}

# What every block's folder holds, and nothing else. A block that comes to have more (a torch module, an estimator)
# extends this by declaring it here.
ROLES = (
    "__init__.py",  # the public functions: contract and documentation
    "vjp.py",  # their gradients, likewise
    "launch.py",  # from any array to the shape that a kernel takes, and back
    "cpu.py",  # the kernels
    "textbook.py",  # the formula and its gradient as on paper: the reference
    "spec.py",  # cases, laws, accuracy, sizes to benchmark
    "mutants.py",  # wrong versions that people write, each with advice
    "peers.py",  # what people use today, called as an answer
    "lesson.en.md",
    "lesson.zh.md",
)


def homes(role: str = "") -> dict[str, str]:
    """Public name -> the module that holds it in the given role."""
    suffix = f".{role}" if role else ""
    return {name: f"barehand.blocks.{block}{suffix}" for block, names in BLOCKS.items() for name in names}


@cache
def specs() -> dict[str, Spec]:
    """Every spec by the name of its function."""
    found = (spec for block in BLOCKS for spec in import_module(f"barehand.blocks.{block}.spec").SPECS)
    return {spec.name: spec for spec in found}
