"""What the code's own words promise, and which line probably holds a mistake."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from barehand.judge.pieces import Piece

# A convention's name -> words that promise the other one.
_PROMISES: Mapping[str, str] = {
    "biased running variance": r"unbiased|as (py)?torch|无偏",
    "a factor of 1/2": r"without (the|a) (factor|half)|不带 ?1/2",
    "squared distances": r"(?<!squared )euclidean distance|欧氏距离",
    "alpha on both classes": r"1 ?- ?(alpha|α).{0,20}(negative|负)"
    r"|(alpha|α).{0,25}positive|(alpha|α).{0,10}正(样本|类)",
    "decoupled decay without lr": r"adamw|lr ?\* ?(wd|weight_decay)",
    "half the squared error": r"mean squared error|mse\b|均方误差",
}


def said(convention: str, docs: str) -> str:
    """What the docs promise against the convention that the code follows; "" where they promise nothing."""
    pattern = _PROMISES.get(convention)
    found = re.search(pattern, docs, re.IGNORECASE) if pattern else None
    return f"its own words say {found[0]!r}, and it follows the convention {convention!r}" if found else ""


# Words of a mistake's name -> what the line looks like that holds it; the first that occurs in the code is shown.
_LINES: tuple[tuple[str, str], ...] = (
    (r"shift|maximum|overflow", r"\.?exp\("),
    (r"axis|axes|batch", r"axis ?=|dim ?=|\.mean\(|\.sum\("),
    (r"epsilon|eps\b", r"eps|1e-"),
    (r"clamp|clip", r"clip|clamp|minimum|maximum"),
    (r"mask", r"mask"),
    (r"variance|ddof|squares|unbiased", r"var\(|\*\* ?2|std\("),
    (r"running|momentum", r"running|moving|momentum"),
    (r"scale|sqrt|root|dim", r"sqrt|\*\* ?-?0?\.5"),
    (r"head|transpose|reshape|view", r"view|reshape|transpose|permute"),
    (r"bias correction|correct|beta", r"beta|\*\* ?(self\.)?t\b|b1|b2"),
    (r"decay", r"decay|wd"),
    (r"margin|hinge", r"margin|relu|maximum|clamp"),
    (r"label|sign|flip|positive|negative", r"label|same|\by\b|pos|neg|target"),
    (r"alpha|gamma|weight", r"alpha|gamma|weight"),
    (r"log|softmax", r"log|softmax"),
    (r"mean|sum|reduc", r"mean|sum"),
    (r"tie|rank|sort|order", r"sort|rank|>"),
    (r"union|area|corner|width", r"area|union|- ?\w*x1|max|min"),
    (r"gradient|detach", r"detach|item\(|no_grad|data"),
    (r"intercept|learning|step|rate", r"-= |lr|rate|\bb\b"),
)


def where(mistake: str, block: str, piece: Piece) -> str:
    """The line that probably holds the mistake, as "line 7: ..."; "" where the source does not show it."""
    lines = piece.own.splitlines()
    places = _places(piece.own, backward="gradient" in mistake)
    for words, pattern in _LINES:
        if not re.search(words, mistake, re.IGNORECASE):
            continue
        for number in places:
            line = lines[number]
            code = line.split("#")[0]
            if re.search(pattern, code) and not re.match(r"\s*(def|class|import|from)\b", code):
                return f"line {piece.line + number}: {line.strip()}"
    return ""


def _places(text: str, *, backward: bool) -> list[int]:
    """The lines, the likelier ones first: none of a docstring; what is only kept for later, in `__init__`, last."""
    everything = list(range(len(text.splitlines())))
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:
        return everything
    functions = [n for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    words = [n.body[0] for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(n)]

    def within(parts: Sequence[ast.stmt]) -> set[int]:
        return {i for p in parts for i in range(p.lineno - 1, p.end_lineno or p.lineno)}

    first = within([f for f in functions if "back" in f.name or "grad" in f.name]) if backward else set()
    last = within([f for f in functions if f.name == "__init__"])
    return sorted(set(everything) - within(words), key=lambda i: (i not in first, i in last, i))
