"""Python's own parser, without warnings, and with one kind of error for all that it refuses."""

from __future__ import annotations

import ast
import warnings


def parse(text: str) -> ast.Module:
    """The tree of a text; SyntaxError also where it is nested too deeply."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (ValueError, MemoryError, RecursionError, OverflowError) as problem:
        raise SyntaxError(str(problem) or "nested too deeply") from None


def compiled(text: str) -> list[ast.stmt]:
    """The statements of a text that compiles too: `return` at the top level is seen only then."""
    tree = parse(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (ValueError, MemoryError, RecursionError, OverflowError) as problem:
        raise SyntaxError(str(problem) or "nested too deeply") from None
    return tree.body


def is_python(text: str) -> bool:
    """Whether Python parses it."""
    try:
        parse(text)
    except SyntaxError:
        return False
    return True


def first_line(node: ast.stmt) -> int:
    """Where a statement begins, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])
