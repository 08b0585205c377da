"""The machine code that is kept on disk: never a reason for a wrong number or an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CALL = "import barehand as bh; print(bh.softmax([0.0, 0.0]))"


def run(folder: Path | str, script: str = CALL, **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh process that keeps its kernels there."""
    given = os.environ | {"NUMBA_CACHE_DIR": str(folder)} | environment
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, env=given)


def test_where_nothing_can_be_written_a_warning_says_so(tmp_path: Path) -> None:
    """And no other folder is taken, whose path would not change with the helpers."""
    file = tmp_path / "file"
    file.write_text("")
    script = f"{CALL}\nfrom barehand.blocks.softmax import cpu\nprint(type(cpu.softmax._cache).__name__)"
    done = run(file / "below", script)
    assert done.stdout.splitlines() == ["[0.5 0.5]", "NullCache"]
    assert done.stderr.count("kernels are not kept on disk") == 1
    assert "NUMBA_CACHE_DIR" in done.stderr


@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_damaged_files_are_written_anew(tmp_path: Path, damage: bytes) -> None:
    assert run(tmp_path).stdout == "[0.5 0.5]\n"
    files = sorted(tmp_path.rglob("*.nb?"))
    assert files
    for file in files:
        file.write_bytes(damage)
    again = run(tmp_path)
    assert (again.stdout, again.stderr) == ("[0.5 0.5]\n", "")
    assert {f.name for f in files} <= {f.name for f in tmp_path.rglob("*.nb?") if f.stat().st_size > len(damage)}


def test_a_full_disk_costs_a_warning(tmp_path: Path) -> None:
    script = f"""
import errno, warnings
from numba.core.caching import FunctionCache
def full(self, *arguments):
    raise OSError(errno.ENOSPC, "No space left on device")
FunctionCache.save_overload = full
{CALL}
bh.softmax([[0.0]])
"""
    done = run(tmp_path, script)
    assert done.stdout == "[0.5 0.5]\n"
    assert done.stderr.count("kernels are not kept on disk") == 1
    assert "No space left" in done.stderr


def test_a_source_tree_without_metadata_will_do() -> None:
    script = f"""
import importlib.metadata
def version(name):
    raise importlib.metadata.PackageNotFoundError(name)
importlib.metadata.version = version
{CALL}
"""
    assert run("", script).stdout == "[0.5 0.5]\n"


def test_the_folder_knows_the_helpers() -> None:
    from barehand.core import jit

    assert Path(jit._cache_folder()).parent.name == "barehand"
    assert len(Path(jit._cache_folder()).name) == 16
