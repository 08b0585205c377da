"""What a definition says of itself: arguments, methods, words, and the library that it computes with."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Sequence

from barehand.judge.pieces import How, Kind, Library, Method, Parameter, Piece, Stretch
from barehand.judge.reading.statements import Module, Statement
from barehand.judge.reading.syntax import first_line
from barehand.judge.sources import Source

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_TORCH_METHODS = {"unsqueeze", "backward", "requires_grad_", "register_buffer", "register_parameter", "masked_fill"}
_HEADING = re.compile(r"^#[\s#]*\d+\W|^#\s*#|%%|[-=*~_]{3}|\[markdown\]")
_RULE = re.compile(r"[-=#*~_%\s]{2,}|\[markdown\]")


def describe(
    node: Definition | None, text: Sequence[str], start: int, source: str, needed: Iterable[ast.stmt]
) -> Piece:
    """A piece as far as its own syntax goes; `start` is how far down the joined text its cell begins."""
    parameters: tuple[Parameter, ...] = ()
    methods: tuple[Method, ...] = ()
    kind: Kind = "script"
    name, own, takes_self = "", source, False
    if node is not None:
        own = "\n".join(text[first_line(node) - 1 + start : (node.end_lineno or node.lineno) + start])
        name, kind = node.name, "function"
    if isinstance(node, ast.ClassDef):
        kind = "class"
        defined = [n for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
        methods = tuple(Method(m.name, _bound(m), m.lineno) for m in defined)
        parameters = next((m.parameters for m in methods if m.name == "__init__"), _fields(node))
    elif node is not None:
        parameters = _parameters(node.args)
        takes_self = bool(parameters) and parameters[0].name == "self"
        parameters = parameters[takes_self:]
    return Piece(
        name=name,
        kind=kind,
        source=source,
        lines=(),
        own=own,
        cell=None,
        line=1,
        heading="",
        parameters=parameters,
        methods=methods,
        bases=tuple(ast.unparse(b) for b in node.bases) if isinstance(node, ast.ClassDef) else (),
        library=library(own, needed, node),
        docs=_docs(node, own),
        path="",
        folder="",
        takes_self=takes_self,
    )


def _parameters(arguments: ast.arguments) -> tuple[Parameter, ...]:
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
    found = [_parameter(a, d, "positional") for a, d in zip(plain, [*defaults, *arguments.defaults], strict=True)]
    if arguments.vararg:
        found.append(_parameter(arguments.vararg, None, "var_positional"))
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    found += [_parameter(a, d, "keyword") for a, d in named]
    if arguments.kwarg:
        found.append(_parameter(arguments.kwarg, None, "var_keyword"))
    return tuple(found)


def _parameter(argument: ast.arg, default: ast.expr | None, kind: How) -> Parameter:
    annotation = ast.unparse(argument.annotation) if argument.annotation else None
    return Parameter(argument.arg, ast.unparse(default) if default else None, kind, annotation)


def _bound(method: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[Parameter, ...]:
    """A method's parameters without `self`."""
    static = any(ast.unparse(d) == "staticmethod" for d in method.decorator_list)
    found = _parameters(method.args)
    return found if static or not found or found[0].kind != "positional" else found[1:]


def _fields(node: ast.ClassDef) -> tuple[Parameter, ...]:
    """The arguments of a dataclass."""
    if not any("dataclass" in ast.unparse(d) for d in node.decorator_list):
        return ()
    return tuple(
        Parameter(n.target.id, ast.unparse(n.value) if n.value else None, "positional", ast.unparse(n.annotation))
        for n in node.body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    )


def library(own: str, needed: Iterable[ast.stmt], node: Definition | None) -> Library:
    """What the definition computes with: by the names of imports that it uses, or by its methods and keywords."""
    homes: dict[str, str] = {}
    for statement in needed:
        for n in ast.walk(statement):
            if isinstance(n, ast.Import):
                homes |= {(a.asname or a.name.split(".")[0]): a.name.split(".")[0] for a in n.names}
            elif isinstance(n, ast.ImportFrom):
                homes |= {a.asname or a.name: (n.module or "").split(".")[0] for a in n.names}
    words = set(re.findall(r"\w+", own))
    direct = {homes[w] for w in words if w in homes}
    for roots in (direct, set(homes.values())):
        if "torch" in roots:
            return "torch"
        if "numpy" in roots:
            return "numpy"
    inner = list(ast.walk(node)) if node is not None else []
    called = {n.attr for n in inner if isinstance(n, ast.Attribute)}
    by_dim = any(k.arg == "dim" for n in inner if isinstance(n, ast.Call) for k in n.keywords)
    return "torch" if by_dim or called & _TORCH_METHODS else "python"


def _docs(node: Definition | None, own: str) -> str:
    """Docstrings, then comments."""
    inner = ast.walk(node) if node is not None else ()
    found = [ast.get_docstring(n) or "" for n in inner if isinstance(n, Definition)]
    return "\n".join(words for words in [*found, *_comments(own)] if words)


def _comments(text: str) -> list[str]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    return [t.string.lstrip("#! ").rstrip() for t in tokens if t.type == tokenize.COMMENT]


def heading_above(
    source: Source, text: Sequence[str], statement: Statement, stretches: Sequence[Stretch], module: Module
) -> str:
    """The headings over its cell, the last heading among comments at the margin, and the comment right above it."""
    cell = source.cells[statement.cell]
    start = stretches[statement.cell].start - 1
    above = _sections(text[start : statement.first - 1])
    title = [_module_docstring(module, statement.cell)]
    return "\n".join(line for line in [*cell.headings, *title, *above] if line)


def _sections(lines: Sequence[str]) -> list[str]:
    """The last comment that looks like a heading, and the block of comments that ends the lines."""
    sections, closing = "", ""
    block: list[str] = []
    for line in [*lines, ""]:
        if line.startswith("#"):
            block.append(line)
            continue
        if block:
            closing = _clean(block)
            sections = closing if closing and any(_HEADING.search(row) for row in block) else sections
            block = []
        if line.strip():
            closing = ""
    return [sections, closing] if sections != closing else [closing]


def _clean(block: Sequence[str]) -> str:
    words = (_RULE.sub(" ", line.lstrip("#")).strip(" #") for line in block)
    return "\n".join(w for w in words if w)


def _module_docstring(module: Module, cell: int) -> str:
    """The first line of the text at the head of a file."""
    first = next((s for s in module.statements if s.cell == cell), None)
    value = first.nodes[0].value if first and isinstance(first.nodes[0], ast.Expr) else None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value.strip().partition("\n")[0]
    return ""
