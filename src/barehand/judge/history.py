"""The cells that a running notebook has run so far, read like those of a notebook's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from barehand.judge import intake
from barehand.judge.pieces import Intake, Piece
from barehand.judge.reading.magics import blank
from barehand.judge.sources import Cell, Source


def cells(namespace: Mapping[str, Any]) -> tuple[Cell, ...]:
    """The inputs so far as they were typed, each with its number; none outside IPython."""
    shell = namespace["get_ipython"]() if "get_ipython" in namespace else None
    if shell is None:
        return ()
    typed = shell.history_manager.input_hist_raw
    found = (Cell(blank(text)[0], number) for number, text in enumerate(typed) if number)
    return tuple(cell for cell in found if cell.text.strip())


def named(source: Source, name: str) -> Piece | None:
    """The last definition of that name, with what it needs."""
    pieces = [p for p in intake.Reading(source).pieces() if p.name == name and p.kind != "script"]
    return pieces[-1] if pieces else None


def last_cell(source: Source) -> Intake:
    """What the last cell defines, with what it needs of those above."""
    reading = intake.Reading(source)
    number = source.cells[-1].number
    pieces = tuple(p for p in reading.pieces() if p.cell == number)
    broken = tuple(b for b in reading.broken if b.cell == number)
    return Intake(f"cell {number}", pieces, broken, str(Path.cwd()))
