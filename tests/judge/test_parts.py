"""Who may know what inside the judge: the table in docs/design.md."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest

from barehand import judge

ROOT = Path(judge.__file__).parent
CHILD = ("worker", "steps", "values", "parts", "wire", "sandbox", "linux")
READING = ("sources", "reading", "intake", "pieces", "aliases")
HOST = ("child", "session", "workshop", "channel", "ends", "wire", "sandbox", "worker")  # whose start it asks for
KNOWING = ("barehand.core", "barehand.blocks", "barehand.judge.grading", "barehand.judge.adapt", "barehand.textbook")


def files(parts: Sequence[str]) -> list[Path]:
    found = [ROOT / f"{part}.py" if (ROOT / f"{part}.py").exists() else ROOT / part for part in parts]
    return [file for path in found for file in ([path] if path.is_file() else sorted(path.glob("**/*.py")))]


def ours(path: Path) -> set[str]:
    """The modules of barehand that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "barehand"}


def beyond(path: Path, allowed: Sequence[str]) -> set[str]:
    modules = [f"barehand.judge.{part}" for part in allowed]
    return {name for name in ours(path) if not any(name == m or name.startswith(f"{m}.") for m in modules)}


@pytest.mark.parametrize("path", files(CHILD), ids=lambda p: p.stem)
def test_the_child_knows_nothing_of_what_is_right(path: Path) -> None:
    assert not beyond(path, CHILD)


@pytest.mark.parametrize("path", files(("child", "session", "workshop", "channel", "ends")), ids=lambda p: p.stem)
def test_the_host_of_the_child_knows_no_spec(path: Path) -> None:
    assert not beyond(path, HOST)


@pytest.mark.parametrize("path", files(READING), ids=lambda p: p.stem)
def test_a_target_is_read_without_judging_it(path: Path) -> None:
    names = ("barehand.blocks.specs", "barehand.core.arrays.MissingBackend")  # of specs the aliases alone
    assert not {name for name in ours(path) if name.startswith(KNOWING) and name not in names}
