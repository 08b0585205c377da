"""The command line, as a person or a script calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from barehand.bench.run import Row, load, save
from barehand.blocks import specs
from barehand.cli import app
from barehand.show import find

RUN = CliRunner()
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_list_names_every_function(language: str) -> None:
    done = RUN.invoke(app, ["list", "--lang", language], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    for name, spec in specs().items():
        assert name in done.stdout
        assert spec.summary[language] in done.stdout


@pytest.mark.parametrize("language", ["en", "zh"])
def test_show_gives_formula_source_and_mistakes(spec: object, language: str) -> None:
    name = spec.name  # type: ignore[attr-defined]
    done = RUN.invoke(app, ["show", name, "--lang", language], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    assert f"{'class' if spec.drive else 'def'} {name}" in done.stdout  # type: ignore[attr-defined]
    assert (f"def {name}_vjp(" in done.stdout) == (spec.vjp is not None)  # type: ignore[attr-defined]
    text = "".join(done.stdout.split())
    for mutant in spec.mutants:  # type: ignore[attr-defined]
        assert "".join(mutant.advice[language].split())[:10] in text


def test_show_takes_titles_aliases_and_lessons() -> None:
    assert find("Softmax").name == "softmax"
    assert find("层归一化").name == "layer_norm"
    assert find("triplet loss").name == "pairwise_margin_loss"
    done = RUN.invoke(app, ["show", "layer norm", "--lesson", "--lang", "zh"], env={"COLUMNS": "200"})
    assert "梯度推导" in done.stdout


def test_show_of_an_unknown_name_says_what_there_is() -> None:
    done = RUN.invoke(app, ["show", "sofmax"])
    assert done.exit_code == 2
    assert "did you mean softmax?" in done.stderr
    done = RUN.invoke(app, ["show", "quicksort"])
    assert "use one of softmax," in done.stderr.replace("\n", " ")


def test_bench_writes_json_alone_to_standard_output() -> None:
    command = [sys.executable, "-m", "barehand", "bench", "softmax", "--only", "32x128", "--seconds", "0.1", "-t", "1"]
    done = subprocess.run([*command, "--json", "-"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {r["function"] for r in rows} == {"softmax"}
    assert all(r["ours_ms"] > 0 and r["peer_ms"] > 0 for r in rows)
    assert any(r["peer"] == "the kernel alone" for r in rows)
    assert "ratio" in done.stderr


def test_bench_of_an_unknown_name_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "barehand", "bench", "sofmax"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "'sofmax' is no block" in done.stderr
    assert "Traceback" not in done.stderr


def test_results_are_kept_and_replaced(tmp_path: Path) -> None:
    row = Row("softmax", "2x2", 1, "peer", 1.0, 2.0, 2.0, "2026-01-01", "barehand 0")
    other = Row("softmax", "4x4", 1, "peer", 1.0, 3.0, 3.0, "2026-01-01", "barehand 0")
    save([row, other], tmp_path)
    path = save([Row("softmax", "2x2", 1, "peer", 1.0, 4.0, 4.0, "2026-01-02", "barehand 0")], tmp_path)
    assert [r.ratio for r in load(path)] == [4.0, 3.0]


def test_the_readmes_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "readme.py"), "--check"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_arguments_gives_help() -> None:
    assert "demo" in RUN.invoke(app, []).output
