"""Which block a piece is: by its name, by the heading over it, by its arguments and by what it calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from barehand.judge.aliases import ATTENTION, DESCENT, JUDGED, OTHER, RANKING, claims, mentioned, word_list, words
from barehand.judge.pieces import Piece
from barehand.judge.reading.evidence import evidence, names_used


@dataclass(frozen=True)
class Guess:
    """The block that a piece is taken for; `score` up to 1, and why in words."""

    block: str
    score: float
    why: str


# Headings of other things than a task, and of a task's gradient.
_NOT_TASKS = re.compile(
    r"\b(tests?|testing|plots?|visuali[sz]\w*|compar\w*|benchmarks?|usage|demo|helpers?|util\w*|imports?|setup|results?"
    r"|backward|gradients? (of|check\w*)|derivatives?)\b|测试|画图|绘图|可视化|示例"
    r"|辅助|工具|导入|求导|导数|反向传播|梯度检[查验]",
    re.IGNORECASE,
)
_NAMED, _HEADED = 0.9, 0.7  # least score by name, most by heading
_WEIGHTS = re.compile(r"(w|b|W|B|w[01]|b[01]|theta\w*|weights?|bias|beta|coefs?|slope|intercept|params?|k|m|c|a)")


def recognise(piece: Piece) -> Guess | None:
    """The block that this piece is, seen by itself; None for helpers, tests and whatever else is not judged."""
    if piece.kind == "script":
        return _script(piece)
    claim = claims(piece.name)
    block = _settled(claim, piece) if claim else ""
    if claim == OTHER or (claim in JUDGED and not block):
        return None
    if block:
        seen = evidence(block, piece)
        if seen < 0.6 and set(words(piece.name)) <= word_list("brief"):
            return None
        return Guess(block, (0.9 if claim in JUDGED else 0.8) + 0.1 * seen, f"its name, {piece.name}")
    return None if _is_helper(piece.name) else _by_heading(piece)


def _by_heading(piece: Piece) -> Guess | None:
    """From its docstring, then the most specific heading that names anything."""
    docstring = piece.docs.splitlines()[:1]
    for line in [*docstring, *reversed(piece.heading.splitlines())]:
        if _NOT_TASKS.search(line) and not _named_alike(line, piece):
            return None
        found = mentioned(line)
        ours = found & set(JUDGED) or found - {OTHER}
        block = _settled(ours.pop(), piece) if len(ours) == 1 else ""
        seen = evidence(block, piece) if block else 0.0
        if seen >= 0.6:
            return Guess(block, 0.4 + 0.3 * seen, f"what is written above it: {line[:60]}")
        if found and line not in docstring:
            return None
    return None


def _named_alike(line: str, piece: Piece) -> bool:
    return bool(set(words(line)) & set(words(piece.name)))


def _is_helper(name: str) -> bool:
    return bool(set(words(name)) & word_list("helpers")) or name.startswith("__")


def _arguments(piece: Piece) -> set[str]:
    """All argument names, of methods too."""
    found = {p.name.lower() for p in piece.parameters}
    return found | {p.name.lower() for m in piece.methods for p in m.parameters}


def _settled(claim: str, piece: Piece) -> str:
    """The block, where several go by one name or a name has two meanings; "" where it is none of ours."""
    arguments, used = _arguments(piece), names_used(piece.own)
    if claim == RANKING:
        if any("margin" in name.lower() for name in used) or used & {"clamp", "maximum", "relu", "clamp_min"}:
            return "pairwise_margin_loss"
        return "bpr_loss" if evidence("bpr_loss", piece) == 1 else ""
    if claim == DESCENT:
        if arguments & _TRAINED or not any(_TARGETS.fullmatch(name) for name in arguments):
            return ""
        curved = used & {"exp", "sigmoid", "expit"} or "sigmoid" in piece.calls
        return "logistic_regression" if curved else "linear_regression"
    if claim in (ATTENTION, "self_attention", "multi_head_attention"):
        return _attention(claim, piece, arguments, used)
    if claim == "contrastive_loss" and {"temperature", "tau", "temp", "t"} & arguments and "margin" not in used:
        return ""
    if claim == "roc_auc_score" and {"fpr", "tpr", "precision", "recall"} & arguments:
        return ""
    if claim == "iou" and any("mask" in name or "seg" in name for name in arguments):
        return ""
    if claim in ("linear_regression", "logistic_regression") and piece.kind == "function":
        # `linreg(X, w, b)` predicts; what learns is told the targets.
        return "" if arguments & _GIVEN_WEIGHTS and not any(_TARGETS.fullmatch(name) for name in arguments) else claim
    if claim == "adam" and not piece.parameters and not piece.methods:
        return ""
    return claim if claim in JUDGED else ""


_TARGETS = re.compile(r"(y|t|targets?|labels?)(_?(true|train|data|tr|s|batch|vec))?")
_TRAINED = {"model", "net", "network", "optimizer", "opt", "criterion", "loss_fn", "estimator"}
_GIVEN_WEIGHTS = {"w", "theta", "weights", "weight", "beta", "params", "coef"}
_HEADS = re.compile(r"(num_|n_?|nr_)?heads?(_num|_count|_dim|_size)?|nhead|h", re.I)


def _attention(claim: str, piece: Piece, arguments: set[str], used: Iterable[str]) -> str:
    """Heads make it multi-head; without them one sequence that looks at itself is self-attention."""
    heads = {name for name in (*arguments, *used) if _HEADS.fullmatch(name) and not name.lower().startswith("head")}
    heads |= {name for name in arguments if name.lower() == "heads"}
    if heads - {"h"} or ("h" in heads & arguments and claim == "multi_head_attention"):
        return "multi_head_attention"
    if claim == "multi_head_attention":
        return claim
    if claim == "self_attention":
        return claim
    first = next((m.parameters for m in piece.methods if m.name in ("forward", "__call__")), piece.parameters)
    sequence = [p.name for p in first if p.default is None and "mask" not in p.name]
    own_weights = bool({"Linear", "W_q", "Wq", "w_q", "wq", "WQ", "Wk"} & set(used))
    return "self_attention" if len(sequence) == 1 and own_weights else ""


def _script(piece: Piece) -> Guess | None:
    """A descent at the top level: of a line, or of a sigmoid of one."""
    weights = [name for name in piece.assigns if _WEIGHTS.fullmatch(name)]
    if not weights or not piece.reads:
        return None
    used = names_used(piece.source)
    named = {b for line in piece.heading.splitlines() for b in mentioned(line)}
    curved = bool(used & {"exp", "sigmoid", "expit", "logistic"})
    block = "logistic_regression" if curved else "linear_regression"
    if "adam" in named:
        block = "adam"
    elif named & set(JUDGED) and block not in named:
        other = {"linear_regression", "logistic_regression"} & named
        if not other:
            return None
        block = other.pop()
    seen = evidence(block, piece)
    why = f"a descent that leaves {', '.join(weights)} behind"
    return Guess(block, 0.5 + 0.3 * (block in named) + 0.1 * seen, why) if seen == 1 or block in named else None


def recognise_all(pieces: Sequence[Piece]) -> list[tuple[Piece, Guess]]:
    """The pieces to judge, each with its block: helpers of another piece of the same block are left to that piece."""
    found = [(piece, guess) for piece in pieces if (guess := recognise(piece))]
    for yields in (_uses, _helps, _fits_less):
        found = [one for one in found if not any(_same_task(one, other) and yields(one, other) for other in found)]
    return found


Found = tuple[Piece, Guess]


def _same_task(one: Found, other: Found) -> bool:
    return one[0] is not other[0] and one[0].path == other[0].path and one[1].block == other[1].block


def _uses(one: Found, other: Found) -> bool:
    """Whether this one, a script or a function without a telling name, only tries the other, which has one."""
    calls = other[0].name in one[0].calls
    return calls and (one[0].kind == "script" or one[1].score < _NAMED <= other[1].score)


def _helps(one: Found, other: Found) -> bool:
    """Whether the other calls this one, or hangs it on itself as a method."""
    hung = rf"^{re.escape(other[0].name)}\.\w+ *= *{re.escape(one[0].name)}\b"
    if one[0].kind == "script" or other[0].kind == "script":
        return False
    mutual = other[0].name in one[0].calls
    return bool(re.search(hung, other[0].source, re.MULTILINE)) or (one[0].name in other[0].calls and not mutual)


def _fits_less(one: Found, other: Found) -> bool:
    """Whether, under the same heading, the other is the better guess: it says its name, or it fits better."""
    (piece, guess), (rival, better) = one, other
    if piece.heading != rival.heading or guess.score > _HEADED:
        return False
    later = (rival.cell or 0, rival.line) > (piece.cell or 0, piece.line)
    return better.score > guess.score or (better.score == guess.score and later)


_BACK, _FORTH = {"backward", "bwd", "back", "grad", "gradient", "vjp"}, {"forward", "fwd", "forwards"}


def backward_of(piece: Piece, pieces: Sequence[Piece]) -> Piece | None:
    """The function beside this one that is its backward pass, by its name: `batchnorm_backward`, `grad_softmax`."""
    if piece.kind != "function":
        return None
    stem = [w for w in words(piece.name) if w not in _FORTH]
    for other in pieces:
        theirs = words(other.name)
        back = other.kind == "function" and other.path == piece.path and set(theirs) & _BACK
        if back and [w for w in theirs if w not in _BACK] == stem:
            return other
    return None


def with_block(guess: Guess, block: str) -> Guess:
    """The guess, overruled."""
    return replace(guess, block=block, score=1.0, why="as asked")
