"""The examples run, and find what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

for _library in ("torch", "pyarrow", "matplotlib"):
    pytest.importorskip(_library, reason=f"{_library} is not installed")


def test_two_tower(tmp_path: Path) -> None:
    """Every model beats the popular films and comes out as its twin does: otherwise it exits with 1."""
    script, picture = EXAMPLES / "two_tower.py", tmp_path / "plot.png"
    done = subprocess.run(
        [sys.executable, script, "--quick", "--plot", picture], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("popular films", "BPR", "pairwise margin", "contrastive", "softmax", "next film"):
        assert re.search(rf"^ *{name} +0\.\d{{4}} +0\.\d{{4}} +0\.\d{{4}}", done.stdout, re.MULTILINE), done.stdout
    assert done.stdout.count(" yes ") == 5
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_two_tower_refuses() -> None:
    script = EXAMPLES / "two_tower.py"
    done = subprocess.run([sys.executable, script, "--epochs", "0"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "--epochs is 0; give 1 or more" in done.stderr
