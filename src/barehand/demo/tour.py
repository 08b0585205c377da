"""Visit the stops one after the other, ask the judge, print the tables, write the report."""

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
from barehand.demo.judging import Judged, find_notebook, judge_notebook, print_judged
from barehand.demo.measure import one_thread
from barehand.demo.outcome import Outcome, Tour
from barehand.demo.stop import Context, MissingData, Stop, find_data, installed, require

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


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
    judge: bool = True,
) -> Tour:
    """Take the tour and return what each stop found, and what the judge said.

    Args:
        report: where to write the page; needs the extra `lab`, and is left out with a word without it.
        data: the folder of the data sets; by default the checkout's examples/data.
        console: where the progress bar and the tables go.
        seed: of every split, start and batch, and of the judge's inputs.
        stops: only these; by default all.
        judge: whether to end with the judge on the checkout's examples/handwritten.ipynb.

    Returns:
        One outcome a stop, skipped ones included, and the judge's.
    """
    from barehand.demo.table import print_table

    context = Context(seed, data if data is not None else find_data())
    chosen = all_stops() if stops is None else list(stops)
    start = time.perf_counter()
    outcomes = []
    with _progress(console) as progress:
        task = progress.add_task("", total=len(chosen))
        for stop in chosen:
            progress.update(task, description=f"{stop.functions[0]}: {stop.title}")
            outcomes.append(visit(stop, context))
            progress.advance(task)
    print_table(outcomes, console, time.perf_counter() - start)
    tour = Tour(outcomes, _judged(seed, console) if judge else None)
    _write(report, tour, console)
    return tour


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    described = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), described)
    return Progress(*columns, console=console, transient=True)


def _judged(seed: int, console: Console) -> Judged:
    with _progress(console) as bar:
        task = bar.add_task("the judge", total=None)
        judged = judge_notebook(
            find_notebook(),
            seed,
            lambda name, done, total: bar.update(task, description=f"judging {name}", completed=done, total=total),
        )
    print_judged(judged, console)
    return judged


def _write(path: Path, tour: Tour, console: Console) -> None:
    missing = [library for library in ("matplotlib", "jinja2") if not installed(library)]
    if missing:
        names = " and ".join(missing)
        console.print(f"No report: it needs {names}: pip install 'barehand[lab]'", markup=False, highlight=False)
        return
    from barehand.demo.report import write_report

    write_report(path, tour)
    console.print(f"Report: {path}", markup=False, highlight=False, soft_wrap=True)
