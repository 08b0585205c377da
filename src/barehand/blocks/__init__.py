"""One folder a block; in it, the file's name is its role."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from barehand.core.spec import Spec

# Folder -> the public functions and classes in it, in the order of the tour.
BLOCKS: dict[str, tuple[str, ...]] = {
    "softmax": ("softmax", "log_softmax"),
    "batch_norm": ("batch_norm",),
    "layer_norm": ("layer_norm",),
    "contrastive": ("contrastive_loss",),
    "pairwise_margin": ("pairwise_margin_loss",),
    "cross_entropy": ("cross_entropy",),
    "focal": ("focal_loss", "softmax_focal_loss"),
    "bpr": ("bpr_loss",),
    "adam": ("Adam",),
}

# What a block's folder holds, and nothing else.
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
# What is different in some folders: roles that they lack, and roles that they have besides.
LACKS: dict[str, tuple[str, ...]] = {
    "adam": ("vjp.py",),
    "auc": ("vjp.py",),
    "linear_regression": ("vjp.py", "launch.py"),
    "logistic_regression": ("vjp.py", "launch.py"),
}
BESIDES: dict[str, tuple[str, ...]] = {
    "attention": ("weights.py",),  # the projections as one argument
    "linear_regression": ("estimator.py",),  # a scikit-learn estimator
    "logistic_regression": ("estimator.py",),
}
# Public names without a gradient in a folder where others have one.
_NO_GRADIENT = {"nms"}


def roles(block: str) -> set[str]:
    """The files that the block's folder holds."""
    return {*ROLES, *BESIDES.get(block, ())} - {*LACKS.get(block, ())}


def homes(role: str = "") -> dict[str, str]:
    """Public name -> the module that holds it in the given role; without one, the function or class itself."""
    found = {}
    for block, names in BLOCKS.items():
        if role and f"{role}.py" not in roles(block):
            continue
        if not role and "estimator.py" in roles(block):
            continue  # `barehand.linear_model` has them
        for name in names:
            if not (role == "vjp" and name in _NO_GRADIENT):
                found[name] = f"barehand.blocks.{block}.{role}".removesuffix(".")
    return found


def public(name: str) -> Any:
    """The function or class of that name, wherever it is public."""
    return getattr(import_module((homes() | homes("estimator"))[name]), name)


@cache
def specs() -> dict[str, Spec]:
    """Every spec by the name of its function."""
    found = (spec for block in BLOCKS for spec in import_module(f"barehand.blocks.{block}.spec").SPECS)
    return {spec.name: spec for spec in found}
