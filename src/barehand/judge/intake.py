"""From a target to pieces: each definition with a program of what it needs, whatever kind of file it stands in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from barehand.judge.aliases import claims
from barehand.judge.pieces import Broken, Intake, Method, Parameter, Piece, Stretch, place
from barehand.judge.reading import oddities, targets
from barehand.judge.reading.describe import describe, heading_above
from barehand.judge.reading.packages import absent, absolute_imports
from barehand.judge.reading.recover import parse_what_parses
from barehand.judge.reading.scripts import Script, scripts
from barehand.judge.reading.statements import Module, Statement, statements
from barehand.judge.sources import Source, TargetError, load

__all__ = ["Broken", "Intake", "Method", "Parameter", "Piece", "TargetError", "read"]

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def read(target: str) -> Intake:
    """The pieces of a notebook, a file, a folder, `file.py:name` or `package.module:name`.

    Nothing of it is run. Raises TargetError where there is nothing to read.
    """
    found = targets.find(target)
    pieces: list[Piece] = []
    broken: list[Broken] = []
    for path in found.files:
        try:
            reading = Reading(load(path))
            pieces += reading.pieces()
            broken += reading.broken
        except TargetError as problem:
            if not found.folder_wanted:
                raise
            words = str(problem).removeprefix(f"{path}: ")
            broken.append(Broken(path.name, str(path), None, 1, words, "leave it out, or mend it"))
        except RecursionError:
            if not found.folder_wanted:
                raise TargetError(f"{path}: is nested too deeply to be read") from None
            broken.append(Broken(path.name, str(path), None, 1, "is nested too deeply to be read", "write it flatter"))
    if found.name:
        pieces, broken = _named(found.name, target, pieces, broken)
    elif not pieces and not broken:
        raise TargetError(f"{target}: there is no function, no class and no computation in it")
    return Intake(target, tuple(pieces), tuple(broken), str(found.folder))


def _named(name: str, target: str, pieces: list[Piece], broken: list[Broken]) -> tuple[list[Piece], list[Broken]]:
    wanted = [p for p in pieces if p.name == name and p.kind != "script"]
    unreadable = [b for b in broken if b.name == name]
    if not wanted and not unreadable:
        names = [p.name for p in pieces if p.kind != "script"]
        near = get_close_matches(name, names, n=1) or names[:5]
        hint = f"did you mean {near[0]}?" if len(near) == 1 else f"it has {', '.join(near) or 'no definition'}"
        raise TargetError(f"{target}: there is no function or class {name!r}; {hint}")
    return wanted, unreadable


class Reading:
    """One file: its cells joined to one text, parsed, and taken apart."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.path = str(source.path)
        self.folder, package = targets.package_of(source.path)
        self.broken: list[Broken] = []
        self.text: list[str] = []
        found: list[Statement] = []
        stretches = []
        for index, cell in enumerate(source.cells):
            offset = len(self.text)
            stretches.append(Stretch(offset + 1, cell.number, 1))
            body, errors = parse_what_parses(cell.text)
            lines = absolute_imports(body, cell.text.split("\n"), package)
            found += statements(body, lines, offset, index)
            self.text += lines
            for error in errors:
                name = error.name or (f"cell {cell.number}" if cell.number else source.path.name)
                heading = "\n".join(cell.headings)
                self.broken.append(Broken(name, self.path, cell.number, error.line, error.message, error.hint, heading))
        self.stretches = tuple(stretches)
        self.module = Module(found, source.notebook)

    def pieces(self) -> list[Piece]:
        """The definitions in order, then the scripts."""
        found = []
        for at, node in self._last_of_each_name():
            piece = self._definition(at, node)
            if piece:
                found.append(piece)
        taken = [p for p in (self._script(s) for s in scripts(self.module)) if p]
        return sorted([*found, *taken], key=lambda p: (p.cell or 0, p.line))

    def _definitions(self) -> Iterator[tuple[int, Definition]]:
        """Those at the top level, also under `if` and `try`."""
        for at, statement in enumerate(self.module.statements):
            stack = list(statement.nodes) if at not in self.module.guards else []
            while stack:
                node = stack.pop(0)
                if isinstance(node, Definition):
                    yield at, node
                elif isinstance(node, (ast.If, ast.Try)):
                    handlers = node.handlers if isinstance(node, ast.Try) else []
                    stack += [*node.body, *(n for h in handlers for n in h.body), *node.orelse]

    def _last_of_each_name(self) -> list[tuple[int, Definition]]:
        """A later definition replaces an earlier one, unless a notebook uses a name like `f` from task to task."""
        kept: dict[tuple[str, str], tuple[int, Definition]] = {}
        self.replaced: dict[ast.AST, int] = {}
        for at, node in self._definitions():
            section = ""
            if self.source.notebook and not claims(node.name):
                section = "\n".join(self.source.cells[self.module.statements[at].cell].headings)
            earlier = kept.pop((node.name, section), None)
            if earlier and earlier[0] != at:
                self.replaced[node] = self._line(earlier[1], earlier[0])
            kept[node.name, section] = (at, node)
        return list(kept.values())

    def _line(self, node: ast.AST, at: int) -> int:
        """A node's line in the joined text."""
        start = self.stretches[self.module.statements[at].cell].start
        return start - 1 + int(getattr(node, "lineno", 1))

    def _where(self, line: int) -> str:
        cell, within = place(self.stretches, line)
        return f"cell {cell}, line {within}" if cell else f"line {within}"

    def _program(self, needed: Sequence[int]) -> tuple[str, list[str]]:
        """The needed statements, each at its line; and what is left out since it is not installed."""
        lines, notes = [""] * len(self.text), []
        for at in needed:
            statement = self.module.statements[at]
            missing = absent(statement.nodes)
            if missing:
                notes.append(f"{self._where(statement.first)}: {missing} is not installed here; its import is left out")
            else:
                lines[statement.first - 1 : statement.last] = self.text[statement.first - 1 : statement.last]
        return "\n".join(lines).rstrip() + "\n", notes

    def _definition(self, at: int, node: Definition) -> Piece | None:
        """The piece, or nothing where it cannot even be defined; that is then among the broken."""
        statement = self.module.statements[at]
        wanted = [at, *self.module.extensions(node.name, at)]
        needed, at_once, when_called = self.module.needs(wanted)
        line = self._line(node, at)
        cell, within = place(self.stretches, line)
        heading = heading_above(self.source, self.text, statement, self.stretches, self.module)
        known = {n for s in self.module.statements for n in s.sets | s.adds}
        if at_once:
            self.broken.append(self._undefined(node.name, sorted(at_once), needed, (cell, within), heading, known))
            return None
        source, notes = self._program(needed)
        slips = oddities.of_class(node) if isinstance(node, ast.ClassDef) else oddities.of_function(node)
        start = self.stretches[statement.cell].start - 1
        notes += [f"{self._where(start + at_line)}: {words}" for at_line, words in slips]
        notes += [
            f"{self._where(line)}: {name} is not set anywhere; {oddities.cause(name, known)}"
            for name in sorted(when_called)
        ]
        if node in self.replaced:
            notes.append(
                f"{self._where(line)}: replaces an earlier {node.name} ({self._where(self.replaced[node])}); "
                "the last is judged"
            )
        piece = describe(node, self.text, start, source, self._needed_nodes(needed))
        return replace(
            piece,
            lines=self.stretches,
            cell=cell,
            line=within,
            heading=heading,
            path=self.path,
            folder=str(self.folder),
            calls=statement.uses | statement.later,
            hints=tuple(notes),
        )

    def _needed_nodes(self, needed: Sequence[int]) -> list[ast.stmt]:
        return [node for at in needed for node in self.module.statements[at].nodes]

    def _undefined(
        self,
        name: str,
        missing: list[str],
        needed: list[int],
        where: tuple[int | None, int],
        heading: str,
        known: set[str],
    ) -> Broken:
        first = missing[0]
        later = "set only further down" if self.module.sets(first) else "not set anywhere"
        if not self.module.sets(first) and first in known:
            later = "set only under `if __name__ == '__main__'`"
        run = next((c.runs for c in self.source.cells if c.runs), "")
        hint = f"%run {run} is not run here: import what it defines" if run else oddities.cause(first, known)
        return Broken(
            name, self.path, *where, f"NameError: {first} is {later}, and {name} needs it at once", hint, heading
        )

    def _script(self, script: Script) -> Piece | None:
        first = self.module.statements[script.own[0]]
        loop = self.module.statements[script.own[-1]]
        cell, within = place(self.stretches, first.first)
        heading = heading_above(self.source, self.text, loop, self.stretches, self.module)
        source, notes = self._program(script.statements)
        own = [self.module.statements[at] for at in script.own]
        known = {n for s in self.module.statements for n in s.sets | s.adds}
        notes += [f"{name} is not set anywhere; {oddities.cause(name, known)}" for name in script.missing]
        piece = describe(None, self.text, 0, source, self._needed_nodes(script.statements))
        return replace(
            piece,
            name=f"cell {cell}" if cell else self.source.path.stem,
            lines=self.stretches,
            own="\n".join("\n".join(self.text[s.first - 1 : s.last]) for s in own),
            cell=cell,
            line=within,
            heading=heading,
            path=self.path,
            folder=str(self.folder),
            calls=frozenset(n for s in own for n in s.uses | s.later),
            assigns=script.assigns,
            reads=script.reads,
            data=self._program(script.data)[0],
            hints=tuple(notes),
        )
