"""The cell magic `%%barehand [block]`: run the cell, judge what it defines, show the verdict below it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from barehand.judge.verdicts import Judgement


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext barehand` calls."""

    def barehand(line: str, cell: str) -> Judgement | None:
        """Run the cell and judge what it defines.

        %%barehand            the judge finds out what each definition is
        %%barehand softmax    the definition is a softmax, whatever it is called
        """
        return run_and_judge(shell, line.strip() or None, cell)

    shell.register_magic_function(barehand, magic_kind="cell")
    # A notebook shows a judgement as a page, a terminal as text.
    shell.display_formatter.formatters["text/plain"].for_type(Judgement, _print)


def run_and_judge(shell: Any, block: str | None, cell: str) -> Judgement | None:
    """The judgement, which IPython shows as the cell's result; None where the cell does not run."""
    from IPython.core.error import UsageError

    from barehand.judge import history
    from barehand.judge.check import judge
    from barehand.judge.sources import Source

    if not shell.run_cell(cell).success:  # IPython has shown what it raised
        return None
    cells = history.cells(shell.user_ns)
    try:
        return judge(history.last_cell(Source(Path("notebook"), cells)), as_=block)
    except ValueError as problem:
        raise UsageError(str(problem)) from None  # which IPython shows as a line, without a traceback


def _print(judgement: Judgement, printer: Any, cycle: bool) -> None:
    from rich.console import Console

    from barehand.judge.report.terminal import show

    shown = io.StringIO()
    show(judgement, Console(file=shown, width=100))
    printer.text(shown.getvalue().rstrip())
