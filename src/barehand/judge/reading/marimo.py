"""A marimo notebook is a Python file whose cells are functions: their bodies, put at the top level."""

from __future__ import annotations

import ast
import re

from barehand.judge.reading.syntax import first_line, is_python, parse


def is_notebook(text: str) -> bool:
    """Whether the file is one."""
    return bool(re.search(r"^app = marimo\.App\(", text, re.MULTILINE)) and is_python(text)


def unwrap(text: str) -> str:
    """The file with each cell's body at the top level, every line at its place."""
    lines = text.split("\n")
    for node in parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _decorated(node, "cell"):
            body = [statement for statement in node.body if statement.lineno > node.lineno]
            header = next(
                (n for n in range(node.lineno, len(lines)) if lines[n - 1].rstrip().endswith(":")), node.lineno
            )
            _clear(lines, first_line(node), header)
            _unindent(lines, header + 1, body)
            for statement in body:
                if isinstance(statement, ast.Return):
                    _clear(lines, statement.lineno, statement.end_lineno or statement.lineno)
                elif words := _markdown(statement):
                    _clear(lines, statement.lineno, statement.end_lineno or statement.lineno)
                    for at, line in zip(range(statement.lineno - 1, statement.end_lineno or 0), words, strict=False):
                        lines[at] = f"# {line}"
        elif isinstance(node, ast.With) and _named(node.items[0].context_expr, "setup"):
            _clear(lines, node.lineno, node.lineno)
            _unindent(lines, node.lineno + 1, node.body)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for decorator in node.decorator_list:
                if _named(decorator, "function") or _named(decorator, "class_definition"):
                    _clear(lines, decorator.lineno, decorator.end_lineno or decorator.lineno)
    return "\n".join(lines)


def _named(node: ast.expr, attribute: str) -> bool:
    if isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Attribute) and node.attr == attribute and ast.unparse(node.value) == "app"


def _decorated(node: ast.FunctionDef | ast.AsyncFunctionDef, attribute: str) -> bool:
    return any(_named(decorator, attribute) for decorator in node.decorator_list)


def _clear(lines: list[str], first: int, last: int) -> None:
    lines[first - 1 : last] = [""] * (last - first + 1)


def _unindent(lines: list[str], first: int, body: list[ast.stmt]) -> None:
    """Move a body to the margin; lines inside strings that start at the margin stay."""
    if not body:
        return
    indent = " " * body[0].col_offset
    for at in range(first - 1, body[-1].end_lineno or 0):
        lines[at] = lines[at].removeprefix(indent)


def _markdown(statement: ast.stmt) -> list[str]:
    """The lines of `mo.md("...")`: what a reader sees as text above the next cell."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and ast.unparse(call.func) in ("mo.md", "marimo.md") and call.args):
        return []
    text = call.args[0]
    shown = text.value if isinstance(text, ast.Constant) and isinstance(text.value, str) else ""
    return [line.strip() for line in shown.strip().splitlines() if line.strip()]
