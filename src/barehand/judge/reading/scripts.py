"""Bare scripts: cells that compute at the top level, as a gradient descent that leaves `w` and `b` behind."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from barehand.judge.reading.statements import GIVEN, Module, Statement

# What is handed to a script from outside, rather than computed by it.
_DATA = re.compile(
    r"(x|y|xs|ys|t|data|dataset|features?|targets?|labels?|inputs?|samples?)_?(train|tr|data|input|raw|all|set)?", re.I
)
_LOOPS = (ast.For, ast.While)


@dataclass(frozen=True)
class Script:
    """The statements of one script, the data that it reads, and what it leaves behind."""

    statements: tuple[int, ...]  # definitions and imports included
    own: tuple[int, ...]
    assigns: tuple[str, ...]
    reads: tuple[str, ...]
    missing: tuple[str, ...]
    data: tuple[int, ...]  # what sets the data as its author did


def scripts(module: Module) -> list[Script]:
    """Each loop at the top level that changes numbers, with what leads to it; loops of one cell together."""
    cells: dict[int, list[int]] = {}
    for at, statement in enumerate(module.statements):
        if at not in module.guards and _learns(statement):
            cells.setdefault(statement.cell, []).append(at)
    return [_script(module, loops) for loops in cells.values()]


def _learns(statement: Statement) -> bool:
    """Whether it is a loop that makes new numbers of old ones: `w -= lr * dw`, `w = w - lr * dw`."""
    return any(
        _updates(inner)
        for node in statement.nodes
        for loop in ast.walk(node)
        if isinstance(loop, _LOOPS) and not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))
        for inner in ast.walk(loop)
    )


def _updates(node: ast.AST) -> bool:
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, (ast.Sub, ast.Add)) and any(isinstance(n, ast.BinOp) for n in ast.walk(node.value))
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.Sub):
        return ast.unparse(node.targets[0]) == ast.unparse(node.value.left)
    return False


def _script(module: Module, loops: list[int]) -> Script:
    """The loops, and what they need down to the data."""
    data = {name for at in loops for name in _reached(module, at) if _DATA.fullmatch(name)}
    wanted = set(loops)
    cell = module.statements[loops[0]].cell
    # Numbers set between or after the loops in their cell belong to what is left behind.
    wanted |= {
        at
        for at, s in enumerate(module.statements)
        if s.cell == cell and module.notebook and at > loops[0] and s.sets and not s.sets & data and _plain(s)
    }
    needed, at_once, when_called = module.needs(wanted, given=data)
    needed = [at for at in needed if at in wanted or not module.statements[at].sets & data]
    own = [at for at in needed if not _definition(module.statements[at])]
    left = {name for at in own for name in module.statements[at].sets | module.statements[at].adds}
    reads = [name for name in sorted(data) if name not in left]
    setters = {maker for name in data for maker in module.before(name, min(loops))}
    return Script(
        tuple(needed),
        tuple(own),
        tuple(sorted(left)),
        tuple(reads),
        tuple(sorted(at_once | when_called)),
        tuple(module.needs(setters)[0]),
    )


def _reached(module: Module, at: int) -> set[str]:
    """The names that a statement uses, and those that lead to them, up to data."""
    seen: set[str] = set()
    queue = [(name, module.before(name, at)) for name in module.statements[at].uses]
    while queue:
        name, makers = queue.pop()
        if name in seen or name in GIVEN:
            continue
        seen.add(name)
        if not _DATA.fullmatch(name):
            for maker in makers:
                statement = module.statements[maker]
                queue += [(n, module.before(n, maker)) for n in statement.uses]
                queue += [(n, module.when_called(n, maker)) for n in statement.later]
    return seen


def _definition(statement: Statement) -> bool:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    return all(isinstance(n, kinds) for n in statement.nodes)


def _plain(statement: Statement) -> bool:
    return all(isinstance(n, (ast.Assign, ast.AnnAssign)) for n in statement.nodes)
