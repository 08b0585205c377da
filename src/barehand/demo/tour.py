"""Visit the stops one after the other, print the table, write the report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from barehand.blocks import BLOCKS
from barehand.core.arrays import MissingBackend
from barehand.demo import stops as _stops
from barehand.demo.measure import one_thread
from barehand.demo.outcome import Outcome
from barehand.demo.stop import Context, MissingData, Stop, find_data, installed, require

if TYPE_CHECKING:
    from rich.console import Console


def all_stops() -> list[Stop]:
    """Every `STOP` under `stops`, in the order of the blocks and of their functions."""
    modules = sorted(m.name for m in iter_modules(_stops.__path__))
    found: list[Stop] = [import_module(f"{_stops.__name__}.{name}").STOP for name in modules]
    order = [name for names in BLOCKS.values() for name in names]
    return sorted(found, key=lambda stop: order.index(stop.functions[0]))


def visit(stop: Stop, context: Context) -> Outcome:
    """What the stop finds, or why it is skipped."""
    try:
        for library in stop.needs:
            require(library)
        with one_thread():
            return Outcome(stop, stop.visit(context))
    except (MissingBackend, MissingData) as reason:
        return Outcome(stop, skipped=str(reason))


def run(
    report: Path,
    *,
    data: Path | None = None,
    console: Console,
    seed: int = 0,
    stops: Sequence[Stop] | None = None,
) -> list[Outcome]:
    """Take the tour and return what each stop found.

    Args:
        report: where to write the page; needs the extra `lab`, and is left out with a word without it.
        data: the folder of the data sets; by default the checkout's examples/data.
        console: where the progress bar and the table go.
        seed: of every split, start and batch.
        stops: only these; by default all.

    Returns:
        One outcome a stop, skipped ones included. The tour went well when all of them agree.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from barehand.demo.table import print_table

    context = Context(seed, data if data is not None else find_data())
    chosen = all_stops() if stops is None else list(stops)
    start = time.perf_counter()
    outcomes = []
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(chosen))
        for stop in chosen:
            progress.update(task, description=f"{stop.functions[0]}: {stop.title}")
            outcomes.append(visit(stop, context))
            progress.advance(task)
    print_table(outcomes, console, time.perf_counter() - start)
    _write(report, outcomes, console)
    return outcomes


def _write(path: Path, outcomes: Sequence[Outcome], console: Console) -> None:
    missing = [library for library in ("matplotlib", "jinja2") if not installed(library)]
    if missing:
        names = " and ".join(missing)
        console.print(f"No report: it needs {names}: pip install 'barehand[lab]'", markup=False, highlight=False)
        return
    from barehand.demo.report import write_report

    write_report(path, outcomes)
    console.print(f"Report: {path}", markup=False, highlight=False, soft_wrap=True)
