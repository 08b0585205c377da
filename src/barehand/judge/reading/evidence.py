"""What the body of each block calls: the sign by which a definition without a telling name is known."""

from __future__ import annotations

import ast
from functools import lru_cache

from barehand.judge.pieces import Piece
from barehand.judge.reading.syntax import parse

# What a body of each block calls, one of each group; a number stands for itself, `for` and `if` for themselves.
_BODY: dict[str, tuple[str, ...]] = {
    "softmax": ("exp|exp2|logsumexp|tanh|expm1|pow|softmax", "sum|logsumexp|einsum|@|for|tanh|softmax|cumsum"),
    "batch_norm": (
        "mean|sum|average",
        "var|std|sqrt|rsqrt|batch_norm",
        "0|running_mean|gamma|beta|weight|momentum|permute",
    ),
    "layer_norm": ("mean|sum|average", "var|std|sqrt|rsqrt|layer_norm"),
    "contrastive_loss": (
        "margin|m",
        "clamp|clip|maximum|relu|max|clamp_min|hinge|where|if|>",
        "sqrt|norm|pairwise_distance|distance|cdist|sum",
    ),
    "pairwise_margin_loss": (
        "clamp|clip|maximum|relu|max|clamp_min|hinge|where|if|>",
        "margin|m|alpha|1",
        "mean|sum|average|len",
    ),
    "cross_entropy": (
        "log|logsumexp|log_softmax|cross_entropy|log1p|nll_loss|logaddexp",
        "exp|logsumexp|log_softmax|softmax|sum|mean|arange|gather",
    ),
    "focal_loss": (
        "gamma|focusing|focus|2",
        "log|logsigmoid|binary_cross_entropy_with_logits|binary_cross_entropy|bce|logaddexp|softplus|log_softmax",
    ),
    "iou": ("max|maximum|clamp|clip|relu|if|where", "min|minimum|where|if"),
    "multi_head_attention": (
        "num_heads|n_heads|heads|h|nhead|n_head|num_head|head|head_dim|d_k|dk|head_size|nheads",
        "softmax|exp|logsumexp|scaled_dot_product_attention",
        "@|matmul|einsum|bmm|dot|scaled_dot_product_attention",
    ),
    "self_attention": (
        "softmax|exp|logsumexp|scaled_dot_product_attention|attention",
        "@|matmul|einsum|bmm|dot|Linear|linear",
    ),
    "adam": ("beta1|beta2|betas|b1|b2|beta_1|beta_2|m|v|exp_avg", "sqrt|**"),
    "roc_auc_score": (
        "argsort|sort|sorted|rankdata|searchsorted|>|cumsum|trapz|trapezoid|unique|for|bincount|lexsort",
    ),
    "bpr_loss": (
        "log|logsigmoid|softplus|logaddexp|log1p|bpr",
        "sigmoid|exp|logsigmoid|softplus|logaddexp|expit|bpr|tanh",
    ),
    "linear_regression": (
        "@|dot|matmul|sum|mm|mv|einsum|lstsq|solve|inv|pinv|*",
        "for|while|lstsq|solve|inv|pinv|range",
    ),
    "logistic_regression": (
        "exp|sigmoid|expit|tanh|logistic|softmax",
        "@|dot|matmul|sum|mm|mv|einsum|*",
        "for|while|range",
    ),
}
_OPERATORS = {ast.MatMult: "@", ast.Gt: ">", ast.GtE: ">", ast.Lt: ">", ast.LtE: ">", ast.Pow: "**", ast.Mult: "*"}


@lru_cache(maxsize=512)
def names_used(source: str) -> frozenset[str]:
    """Names, attributes, arguments and operators of a program."""
    try:
        tree = parse(source)
    except SyntaxError:
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, (ast.arg, ast.keyword)):
            found.add(node.arg or "")
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            found.add(f"{node.value:g}" if not isinstance(node.value, bool) and abs(node.value) < 1e9 else "")
        elif isinstance(node, (ast.For, ast.While, ast.comprehension)):
            found.add("for")
        elif isinstance(node, (ast.If, ast.IfExp)):
            found.add("if")
        else:
            found.add(_OPERATORS.get(type(node), ""))
    return frozenset(found)


def evidence(block: str, piece: Piece) -> float:
    """The share of what the block's body should call that this one's program calls."""
    used = names_used(piece.source)
    groups = _BODY[block]
    return sum(bool(used & set(group.split("|"))) for group in groups) / len(groups)
