"""The tour as a table on the terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from barehand.demo import words
from barehand.demo.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console


def _two_lines(top: str, below: str) -> str:
    return f"{top}\n[dim]{escape(below)}[/dim]"


def _cells(outcome: Outcome) -> tuple[str, ...]:
    stop, found = outcome.stop, outcome.found
    assert found is not None
    cells = (
        _two_lines(f"[bold]{escape(stop.functions[0])}[/bold]", stop.input),
        _two_lines(words.figure(found.result), found.measure.partition(",")[0]),
    )
    peer = found.comparison
    if peer is None or outcome.ratio is None:
        return (*cells, f"[dim]{words.NO_PEER}[/dim]", "", words.duration(found.seconds))
    checks = (
        f"[{'green' if c.holds else 'bold red'}]{words.difference(c.difference)}[/] [dim]{escape(c.what)}[/dim]"
        for c in peer.checks
    )
    times = words.durations(found.seconds, peer.seconds)
    return (
        *cells,
        _two_lines(words.figure(peer.result), re.split("[.,]", peer.peer)[0]),
        "\n".join(checks),
        _two_lines(words.ratio(outcome.ratio), times),
    )


def print_table(outcomes: Sequence[Outcome], console: Console, seconds: float) -> None:
    """One row a stop, then what was skipped and what disagrees."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0)  # whole at 80 columns
    table.add_column("block\n[dim]input[/dim]", no_wrap=True)
    table.add_column("result", min_width=10)
    table.add_column("peer's result", min_width=12)
    table.add_column("difference", no_wrap=True)
    table.add_column("ours/peer", justify="right", no_wrap=True)
    for outcome in outcomes:
        if outcome.found is not None:
            table.add_row(*_cells(outcome))
    if table.row_count:
        console.print(table)
    console.print(
        f"{words.summary(outcomes)}; {words.duration(seconds)} in all, times on one thread each.", highlight=False
    )
    for outcome in outcomes:
        name = f"{outcome.stop.functions[0]}, {outcome.stop.title}"
        if outcome.skipped:
            console.print(f"Skipped {name}: {outcome.skipped}", style="yellow", markup=False, highlight=False)
        if not outcome.agrees:
            console.print(
                f"DISAGREES {name}: {words.verdict(outcome)}", style="bold red", markup=False, highlight=False
            )
