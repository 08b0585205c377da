"""From a file to cells of Python: scripts, Jupyter notebooks, what Jupytext reads, and marimo notebooks."""

from __future__ import annotations

import io
import re
import tokenize
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from barehand.judge.reading import marimo
from barehand.judge.reading.magics import blank

LARGEST = 1 << 20  # characters of one cell or file; more is data, not code
SUFFIXES = (".py", ".ipynb", ".md", ".rmd", ".qmd")


class TargetError(ValueError):
    """The target cannot be read: it is missing, empty, too large, or nothing that holds Python."""


@dataclass(frozen=True)
class Cell:
    """Code that stands together; magics are blanked, lines kept."""

    text: str
    number: int | None = None  # among the code cells, from 1; None in a file
    headings: tuple[str, ...] = ()  # above it, from the widest to the most specific
    runs: str = ""  # a file that `%run` would have run first


@dataclass(frozen=True)
class Source:
    """A file's cells, in order."""

    path: Path
    cells: tuple[Cell, ...]

    @property
    def notebook(self) -> bool:
        """Whether its cells are run by hand, so that a name means what it meant when its cell was run."""
        return any(cell.number is not None for cell in self.cells)


def load(path: Path) -> Source:
    """The cells of one file."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise TargetError(
            f"{path}: {suffix or 'a file without a suffix'} is not read; give a .py, .ipynb or .md file, or a folder"
        )
    text = _text(path)
    if not text.strip():
        raise TargetError(f"{path}: the file is empty")
    if suffix == ".ipynb":
        cells = _jupyter(path, text)
    elif suffix == ".py":
        _check_size(path, text)
        cells = [_cell(marimo.unwrap(text) if marimo.is_notebook(text) else text)]
    else:
        cells = _jupytext(path, text, suffix)
    if not any(cell.text.strip() for cell in cells):
        raise TargetError(f"{path}: there is no Python code in it")
    return Source(path, tuple(cells))


def _text(path: Path) -> str:
    """The file as text with plain line ends, in the encoding that Python would read it in."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise TargetError(f"{path}: cannot be read; {problem.strerror or problem}") from None
    if b"\0" in data:
        raise TargetError(f"{path}: is binary, not Python")
    try:
        encoding = (
            tokenize.detect_encoding(io.BytesIO(data).readline)[0] if path.suffix.lower() == ".py" else "utf-8-sig"
        )
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as problem:
        raise TargetError(f"{path}: is not text in UTF-8 ({problem}); save it as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def _check_size(path: Path, text: str, number: int | None = None) -> None:
    if len(text) > LARGEST:
        what = "the file" if number is None else f"code cell {number}"
        raise TargetError(f"{path}: {what} has {len(text):,} characters, more than 1 MB; move data out of the code")


def _cell(text: str, number: int | None = None, headings: tuple[str, ...] = ()) -> Cell:
    code, runs = blank(text)
    return Cell(code, number, headings, runs)


def _needed(name: str, path: Path) -> ModuleType:
    """A library for one kind of file, imported when such a file comes."""
    try:
        return import_module(name)
    except ImportError:
        message = f"{path}: reading {path.suffix} needs {name}; pip install 'barehand[lab]' (or {name} itself)"
        raise TargetError(message) from None


def _jupyter(path: Path, text: str) -> list[Cell]:
    nbformat = _needed("nbformat", path)
    invalid = nbformat.validator.ValidationError
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Captured: what is wrong but readable would otherwise be printed.
            notebook = nbformat.reads(text, as_version=4, capture_validation_error={})
        return _cells(path, [(c.cell_type, c.source) for c in notebook.cells])
    except TargetError:
        raise
    except (invalid, ValueError, TypeError, AttributeError, KeyError, RecursionError) as problem:
        first = str(problem).strip().partition("\n")[0][:200]
        raise TargetError(f"{path}: is not a notebook that Jupyter opens; {first}") from None


def _jupytext(path: Path, text: str, suffix: str) -> list[Cell]:
    jupytext = _needed("jupytext", path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = jupytext.reads(text, fmt={".md": "md", ".rmd": "Rmd", ".qmd": "md"}[suffix])
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as problem:
        raise TargetError(f"{path}: is not a notebook that Jupytext reads; {problem}") from None
    return _cells(path, [(c.cell_type, c.source) for c in notebook.cells])


def _cells(path: Path, found: list[tuple[Any, Any]]) -> list[Cell]:
    """The code cells, each with the headings above it."""
    cells, above, number = [], Headings(), 0
    for kind, text in found:
        text = "".join(text) if isinstance(text, list) else str(text)
        if kind == "markdown":
            above.read(text)
        elif kind == "code":
            number += 1
            _check_size(path, text, number)
            if "\0" in text:
                raise TargetError(f"{path}: code cell {number} is binary, not Python")
            cells.append(_cell(text.replace("\r\n", "\n").replace("\r", "\n"), number, above.lines))
    return cells


class Headings:
    """The headings in force while a notebook is read from top to bottom."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    @property
    def lines(self) -> tuple[str, ...]:
        """From the widest to the most specific."""
        return tuple(text for _, text in self._open)

    def read(self, markdown: str) -> None:
        """Take a markdown cell's headings; without any, its first line stands for one."""
        code = re.sub(r"^(```|~~~).*?^\1", "", markdown, flags=re.DOTALL | re.MULTILINE)
        headings = re.findall(r"^ {0,3}(#{1,6})\s*(.+?)[\s#]*$", code, flags=re.MULTILINE)
        headings += [("#" * int(level), text) for level, text in re.findall(r"<h([1-6])[^>]*>(.*?)</h\1>", code)]
        first = next((line.strip() for line in code.splitlines() if line.strip()), "")
        if not headings and first and len(first) <= 120:
            headings = [("#" * 7, first)]
        for marks, text in headings:
            self._open = [(level, line) for level, line in self._open if level < len(marks)]
            self._open.append((len(marks), text))
