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
    "iou": ("iou", "pairwise_iou", "nms"),
    "attention": ("attention", "multi_head_attention", "self_attention"),
    "adam": ("Adam",),
    "auc": ("roc_auc_score", "grouped_roc_auc_score", "roc_curve"),
    "linear_regression": ("LinearRegression",),
    "logistic_regression": ("LogisticRegression",),
}

# What a block's folder holds, and nothing else.
ROLES = (
    "__init__.py",  # the public functions: contract and documentation
    "vjp.py",  # their gradients, likewise
    "autograd.py",  # the functions on tensors of PyTorch
    "module.py",  # modules of PyTorch
    "launch.py",  # from any array to the shape that a kernel takes, and back
    "cpu.py",  # the kernels
    "textbook.py",  # the formula and its gradient as on paper: the reference
    "spec.py",  # cases, laws, accuracy, sizes to benchmark
    "mutants.py",  # wrong versions that people write, each with advice
    "peers.py",  # what people use today, called as an answer
    "lesson.en.md",
    "lesson.zh.md",
)
# Roles that some folders lack, and roles that some have besides.
LACKS: dict[str, tuple[str, ...]] = {
    "iou": ("module.py",),
    "adam": ("vjp.py", "autograd.py", "module.py"),
    "auc": ("vjp.py", "module.py"),
    "linear_regression": ("vjp.py", "autograd.py", "module.py", "launch.py"),
    "logistic_regression": ("vjp.py", "autograd.py", "module.py", "launch.py"),
}
BESIDES: dict[str, tuple[str, ...]] = {
    "adam": ("optimizer.py",),  # an optimizer of PyTorch
    "linear_regression": ("estimator.py",),  # a scikit-learn estimator
    "logistic_regression": ("estimator.py",),
    "iou": ("slopes.py", "suppression.py"),  # from slopes for corners to those for the numbers given; NMS
    "auc": ("labels.py", "ranking.py"),  # what labels mean; scores in order
    "attention": (
        "weights.py",  # the projections as one argument
        "scaled_dot_product.py",  # the textbook of a single head
        "units.py",  # broadcast stacks of matrices, one by one
        "tiles.py",  # tile by tile through BLAS and the kernels
    ),
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
