"""What `verbose` shows: a bar on standard error with the step and the value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown(label: str, steps: int, verbose: bool) -> Iterator[Callable[[int, float], None]]:
    """watch(step, value), to be called after each step."""
    if not verbose:
        yield lambda step, value: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[value]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=steps, value="")

        def watch(step: int, value: float) -> None:
            bar.update(task, completed=step, value=f"objective {value:.6g}")

        yield watch
