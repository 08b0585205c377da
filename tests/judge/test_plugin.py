"""The pytest plugin: it explains a failing assertion, says nothing else, and costs nothing at the start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
from barehand.judge.verdicts import Failure, Graded, Item, Judgement, Mistake


def check(f):
    grades = {"stability": Graded("fail", 0, 1, "overflows")}
    failure = Failure("case: large scores", "stability", "float32", "the result is nan", {"x": 1000.0}, 1.0, 2.0)
    mistake = Mistake("no maximum subtracted", "Subtract the largest score first.")
    verdict = "pass" if f is None else "fail"
    item = Item("softmax", "f", None, 1, "f(x)", verdict, grades, mistakes=(mistake,), failures=(failure,))
    return Judgement("f", 0, (), (item,))


def test_at_once():
    assert check(1).passed


def test_by_name():
    found = check(1)
    assert found.passed


def test_that_passes():
    assert check(None).passed


def test_of_something_else():
    found = check(None)
    assert found.passed
    assert 1 == 2


def test_that_raises():
    found = check(1)
    raise RuntimeError("no assertion")
"""


def run(*arguments: str, folder: Path) -> str:
    """pytest with this plugin alone."""
    command = [sys.executable, "-m", "pytest", "-p", "barehand.judge.plugin", "-p", "no:cacheprovider", *arguments]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, env=environment)
    return done.stdout + done.stderr


def test_a_failing_assertion_is_explained(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    said = run("test_it.py", folder=tmp_path)
    assert "4 failed, 1 passed" in said
    failures = said.partition("short test summary")[0]
    assert failures.count("-- barehand --") == failures.count("Subtract the largest score first.") == 2
    assert "<Judgement f: fail, no maximum subtracted>.passed" in said
    for test in ("test_at_once", "test_by_name"):
        assert "large scores [float32]: the result is nan" in failures.partition(f"_ {test} _")[2].partition("\n___")[0]


def test_the_plugin_loads_no_library() -> None:
    heavy = "numpy numba torch scipy rich typer barehand.blocks.softmax barehand.judge.verdicts"
    script = f"import barehand.judge.plugin, sys\nprint([m for m in {heavy!r}.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
