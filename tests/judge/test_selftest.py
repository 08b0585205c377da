"""The judge against known programs: every right one accepted, every wrong one refused."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from barehand.judge.blocks import SPECS_OF
from barehand.judge.child import Workshop
from barehand.judge.selftest import Outcome, Trial, judged, run, trials

pytest.importorskip("torch", reason="half of the programs are written in torch")

# All of it is `barehand check --self-test`; here every program of the variants, and a share of the known mistakes.
EVERY = [
    trial
    for place, trial in enumerate(trials())
    if isinstance(trial.source, str) or trial.kind == "right" or place % 4 == 0 or os.environ.get("BAREHAND_SELF_TEST")
]


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop(torch=True) as shop:
        yield shop


@pytest.mark.parametrize("trial", EVERY, ids=lambda t: f"{t.block}-{t.kind}-{t.name}")
def test_the_judge_is_right(trial: Trial, workshop: Workshop) -> None:
    outcome = judged(trial, workshop, seed=1)
    assert outcome.well, outcome.words


@pytest.mark.parametrize("block", SPECS_OF)
def test_each_block_has_its_programs(block: str) -> None:
    found = list(trials([block]))
    right, wrong = ([t for t in found if t.kind == kind] for kind in ("right", "wrong"))
    assert len(right) >= 6
    assert len(wrong) >= 12


def test_a_judge_that_errs_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    trial = next(trials(["softmax"]))
    monkeypatch.setattr("barehand.judge.selftest.trials", lambda blocks: iter([trial]))
    monkeypatch.setattr("barehand.judge.selftest.judged", lambda t, w: Outcome(t, False, "fail: made up"))
    console = Console(record=True, width=100)
    assert not run(console, ["softmax"])
    assert "fail: made up" in console.export_text()
