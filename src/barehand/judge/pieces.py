"""What is read from a target: the pieces to judge, and what cannot be read at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["function", "class", "script"]
Library = Literal["numpy", "torch", "python"]
How = Literal["positional", "keyword", "var_positional", "var_keyword"]


@dataclass(frozen=True)
class Parameter:
    """An argument as it is written; `default` and `annotation` are source text."""

    name: str
    default: str | None
    kind: How
    annotation: str | None


@dataclass(frozen=True)
class Method:
    """A method, its parameters without `self`."""

    name: str
    parameters: tuple[Parameter, ...]
    line: int


@dataclass(frozen=True)
class Stretch:
    """Lines of a program that stand together in a cell or file: the first, and where that is."""

    start: int
    cell: int | None
    line: int


@dataclass(frozen=True)
class Piece:
    """One thing to judge, with a program that defines it.

    The program has its lines where the file has them; a notebook's cells are joined, and `place` says which line of
    which cell that is. A script's program computes with `reads`, which must be set first, and leaves `assigns` behind.
    """

    name: str
    kind: Kind
    source: str
    lines: tuple[Stretch, ...]
    own: str  # its own text, with docstring and comments
    cell: int | None  # among the code cells, from 1
    line: int  # within the cell, or in the file
    heading: str  # headings above it, the most specific last, then the comment just above
    parameters: tuple[Parameter, ...]  # of the function, or of `__init__`
    methods: tuple[Method, ...]
    bases: tuple[str, ...]
    library: Library
    docs: str  # docstrings and comments
    path: str
    folder: str  # to import its neighbours from
    calls: frozenset[str] = frozenset()  # global names that it uses
    assigns: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    data: str = ""  # a script: a program that sets `reads` as its author did, to learn their shapes from
    gradient: Method | None = None  # the function beside it that is its backward pass
    takes_self: bool = False  # a method that stands outside any class
    hints: tuple[str, ...] = ()  # what looks odd about it, with the line

    def place(self, line: int) -> tuple[int | None, int]:
        """The cell and the line in it, or in the file, of a line of the program."""
        return place(self.lines, line)


@dataclass(frozen=True)
class Broken:
    """Code that cannot be run at all, and the likely cause."""

    name: str
    path: str
    cell: int | None
    line: int
    message: str
    hint: str
    heading: str = ""


@dataclass(frozen=True)
class Intake:
    """All that a target holds; `folder` is where its imports are looked for."""

    target: str
    pieces: tuple[Piece, ...]
    broken: tuple[Broken, ...]
    folder: str


def joined(piece: Piece, back: Piece) -> Piece:
    """The piece with a function beside it that is its backward pass."""
    source = piece.source.rstrip("\n") + "\n"
    length = source.count("\n")
    lines = (*piece.lines, *(replace(s, start=s.start + length) for s in back.lines))
    gradient = Method(back.name, back.parameters, back.line)
    return replace(piece, source=source + back.source, lines=lines, gradient=gradient)


def place(lines: tuple[Stretch, ...], line: int) -> tuple[int | None, int]:
    """The cell and the line in it, or in the file, of a line of a program."""
    stretch = max((s for s in lines if s.start <= line), key=lambda s: s.start, default=Stretch(1, None, 1))
    return stretch.cell, stretch.line + line - stretch.start
