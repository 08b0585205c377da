"""Top-level statements with the names they set and use, and a program cut down to what one of them needs."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from barehand.judge.reading.syntax import first_line

GIVEN = {*dir(builtins), "__file__", "__name__", "__doc__", "__builtins__", "display", "get_ipython", "In", "Out", "_"}
# Calls at the top level that change what later code does, and bind no name.
_SETTINGS = re.compile(
    r"^(sys\.path\.(append|insert|extend)|torch\.set_default_\w+|(np|numpy)\.seterr|warnings\.(filterwarnings|simplefilter))\("
)
_AT_ONCE = {"listcomp", "setcomp", "dictcomp", "genexpr"}  # scopes that run where they stand


@dataclass(frozen=True)
class Statement:
    """One statement, or several on the same lines."""

    nodes: tuple[ast.stmt, ...]
    first: int  # lines of the joined text, from 1, decorators included
    last: int
    cell: int  # index among the cells
    sets: frozenset[str]  # names it binds whatever was there before
    adds: frozenset[str]  # names it changes, or may bind
    uses: frozenset[str]  # at once
    later: frozenset[str]  # when a function in it is called
    setting: bool = False
    star: bool = False  # from ... import *


def statements(body: list[ast.stmt], lines: list[str], offset: int, cell: int) -> list[Statement]:
    """The statements of one parsed text that stands `offset` lines down the joined text."""
    found: list[list[ast.stmt]] = []
    for node in body:
        if found and (first_line(node) <= (found[-1][-1].end_lineno or 0) or _scopes(found[-1], lines) is None):
            found[-1].append(node)  # on the same line, or carried on by a backslash
        else:
            found.append([node])
    return [_statement(tuple(nodes), lines, offset, cell) for nodes in found]


def _scopes(nodes: Sequence[ast.stmt], lines: list[str], more: int = 0) -> symtable.SymbolTable | None:
    """The scopes of the lines that these nodes stand on, and `more`; None where they are no Python by themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            text = "\n".join(lines[first_line(nodes[0]) - 1 : (nodes[-1].end_lineno or 0) + more])
            return symtable.symtable(text, "<cell>", "exec")
        except SyntaxError:
            return None


def _statement(nodes: tuple[ast.stmt, ...], lines: list[str], offset: int, cell: int) -> Statement:
    first, last = first_line(nodes[0]), nodes[-1].end_lineno or nodes[-1].lineno
    # A backslash may carry the last statement over a few lines more, to nothing.
    table, more = next(
        ((found, more) for more in range(9) if (found := _scopes(nodes, lines, more))),
        (symtable.symtable("", "<cell>", "exec"), 0),
    )
    last += more
    text = "\n".join(lines[first - 1 : last])
    uses, later = _used(table)
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    changed = _changed(nodes)
    whole = not any(isinstance(n, (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.AugAssign)) for n in nodes)
    return Statement(
        nodes,
        first + offset,
        last + offset,
        cell,
        sets=frozenset(bound - changed if whole else ()),
        adds=frozenset(changed if whole else changed | bound),
        uses=frozenset(uses | changed),
        later=frozenset(later),
        setting=all(isinstance(n, ast.Expr) for n in nodes) and bool(_SETTINGS.match(text)),
        star=any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in nodes),
    )


def _used(table: symtable.SymbolTable) -> tuple[set[str], set[str]]:
    """Global names that are read at once, and those that are read when functions are called."""
    uses: set[str] = set()
    later: set[str] = set()
    stack: list[tuple[symtable.SymbolTable, bool]] = [(table, False)]
    while stack:
        scope, waits = stack.pop()
        kind = getattr(scope.get_type(), "value", scope.get_type())
        if kind == "annotation":
            continue
        waits = waits or (kind == "function" and scope.get_name() not in _AT_ONCE)
        for symbol in scope.get_symbols():
            if symbol.is_referenced() and (kind == "module" or symbol.is_global()):
                (later if waits else uses).add(symbol.get_name())
        stack += [(child, waits) for child in scope.get_children()]
    return uses, later


def _changed(nodes: Iterable[ast.stmt]) -> set[str]:
    """Names whose object is changed in place: `w -= ...`, `w[i] = ...`, `Model.forward = forward`."""
    found = set()
    for node in (n for top in nodes for n in _here(top)):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = [t for t in node.targets if not isinstance(t, ast.Name)]
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        for target in targets:
            while isinstance(target, (ast.Attribute, ast.Subscript)):
                target = target.value
            if isinstance(target, ast.Name):
                found.add(target.id)
    return found


def _here(top: ast.AST) -> Iterable[ast.AST]:
    """The nodes that run where they stand: not the bodies of functions."""
    stack = [top]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            stack += ast.iter_child_nodes(node)


class Module:
    """All statements of a file or notebook in order, and who needs whom."""

    def __init__(self, found: list[Statement], notebook: bool) -> None:
        self.statements = found
        self.notebook = notebook
        self.star = any(s.star for s in found)
        self._setters: dict[str, list[int]] = {}
        self._adders: dict[str, list[int]] = {}
        for at, statement in enumerate(found):
            for name in statement.sets:
                self._setters.setdefault(name, []).append(at)
            for name in statement.adds:
                self._adders.setdefault(name, []).append(at)
        self.guards = {at for at, s in enumerate(found) if is_main_guard(s)}

    def sets(self, name: str) -> bool:
        """Whether any statement that is run on import binds the name."""
        return any(at not in self.guards for at in (*self._setters.get(name, ()), *self._adders.get(name, ())))

    def before(self, name: str, at: int) -> list[int]:
        """The statements that make the name what it is when statement `at` begins."""
        setter = max((i for i in self._setters.get(name, ()) if i < at and i not in self.guards), default=None)
        adders = [i for i in self._adders.get(name, ()) if (setter or 0) <= i < at and i not in self.guards]
        return [*([] if setter is None else [setter]), *adders]

    def when_called(self, name: str, at: int) -> list[int]:
        """Those that make it what a function defined by statement `at` finds.

        In a file that is what it is at the end. In a notebook, where a name is used again from task to task, what it
        was when the function's cell was run; or else what the next cells make it.
        """
        if not self.notebook:
            return self.before(name, len(self.statements))
        known = self.before(name, at + 1)
        if known:
            return known
        later = [i for i in (*self._setters.get(name, ()), *self._adders.get(name, ())) if i not in self.guards]
        return [min(later)] if later else []

    def extensions(self, name: str, at: int) -> list[int]:
        """Statements after `at` that hang something on the name's object, as `Model.forward = forward` does."""
        until = min((i for i in self._setters.get(name, ()) if i > at), default=len(self.statements))
        return [
            i
            for i in self._adders.get(name, ())
            if at < i < until and all(isinstance(n, ast.Assign) for n in self.statements[i].nodes)
        ]

    def needs(self, wanted: Iterable[int], given: Iterable[str] = ()) -> tuple[list[int], set[str], set[str]]:
        """The statements that these need, in order; names missing at once, and names missing when called.

        `given` are names that somebody else sets.
        """
        given = {*given, *GIVEN}
        queue, seen = list(wanted), set(wanted)
        at_once, when_called = set(), set()
        while queue:
            at = queue.pop()
            statement = self.statements[at]
            found = []
            for name in statement.uses - given:
                makers = self.before(name, at)
                # A loop may set a name before it reads it; an assignment reads first.
                own = statement.adds if len(statement.nodes) == 1 else statement.adds | statement.sets
                if not makers and name not in own:
                    at_once.add(name)
                found += makers
            for name in statement.later - given - statement.sets:
                makers = self.when_called(name, at)
                if not makers:
                    when_called.add(name)
                found += makers
            queue += [i for i in found if i not in seen]
            seen.update(found)
        seen |= self._settings(seen)
        if not self.star:
            return sorted(seen), at_once, when_called
        return sorted(seen), set(), set()

    def _settings(self, seen: set[int]) -> set[int]:
        """Statements above the last that change it without binding a name it uses."""
        found: set[int] = set()
        for at in range(max(seen, default=-1)):
            statement = self.statements[at]
            if statement.star or _future(statement):
                found.add(at)
            elif statement.setting:
                makers = {i for name in statement.uses - GIVEN for i in self.before(name, at)}
                if makers <= seen or "sys" in statement.uses:  # PyTorch is not imported for a setting alone
                    found |= {at, *makers}
        return found


def is_main_guard(statement: Statement) -> bool:
    """`if __name__ == "__main__":`, which does not run here."""
    node = statement.nodes[0]
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) and "__main__" in ast.unparse(node.test)


def _future(statement: Statement) -> bool:
    return any(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in statement.nodes)
