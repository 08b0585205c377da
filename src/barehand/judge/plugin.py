"""The pytest plugin: after a failing `assert barehand.check(f).passed`, the test's report says what is wrong with f.

Nothing is imported until a test has failed and something has been judged.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from barehand.judge.verdicts import Judgement


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add a section for each judgement that the failing assertion could see."""
    report = yield
    if report.failed and call.excinfo is not None and call.excinfo.errisinstance(AssertionError):
        for judgement in _judgements(call.excinfo.traceback[-1].frame.f_locals):
            report.sections.append(("barehand", _text(judgement)))
    return report


def _judgements(variables: dict[str, Any]) -> list[Judgement]:
    """Those that did not pass: named ones, and what pytest keeps of the parts of an assertion."""
    verdicts = sys.modules.get("barehand.judge.verdicts")
    if verdicts is None:
        return []
    found = {id(v): v for v in variables.values() if isinstance(v, verdicts.Judgement) and not v.passed}
    return list(found.values())


def _text(judgement: Judgement) -> str:
    from rich.console import Console

    from barehand.judge.report.terminal import failures_only

    shown = io.StringIO()
    Console(file=shown, width=100).print(failures_only(judgement, "en"))
    return shown.getvalue().rstrip()
