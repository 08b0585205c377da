"""The end of the tour: the judge reads a notebook that was written by hand, about half of it wrong on purpose."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from barehand.core.arrays import MissingBackend
from barehand.demo.stop import require

if TYPE_CHECKING:
    from rich.console import Console

    from barehand.judge.check import Progress
    from barehand.judge.verdicts import Judgement

NOTEBOOK = Path("examples") / "handwritten.ipynb"


@dataclass(frozen=True)
class Judged:
    """What the judge said, or why it was not asked, or what kept it from answering."""

    judgement: Judgement | None = None
    skipped: str = ""
    trouble: str = ""

    @property
    def works(self) -> bool:
        """Whether each definition has a verdict, be it a good one or a bad one; skipped, nothing went wrong."""
        return not self.trouble

    def to_json(self) -> dict[str, Any]:
        """The reasons, and the judgement in the layout of `barehand check --json`."""
        from barehand.judge.report.json import to_json

        return {
            "works": self.works,
            "skipped": self.skipped or None,
            "trouble": self.trouble or None,
            "judgement": self.judgement and to_json(self.judgement),
        }


def find_notebook() -> Path | None:
    """The checkout's notebook: above this package when it is installed editable, else in the current folder."""
    places = (parent / NOTEBOOK for parent in (*Path(__file__).resolve().parents, Path.cwd()))
    return next((place for place in places if place.is_file()), None)


def judge_notebook(notebook: Path | None, seed: int, progress: Progress | None = None) -> Judged:
    """The judge's word on the notebook. Skipped where notebook, torch or a sandbox are missing."""
    if notebook is None:
        return Judged(skipped=f"{NOTEBOOK} is not here; it comes with the project's sources")
    if sys.platform == "win32":
        return Judged(skipped="the judge needs Linux or macOS, or WSL on Windows")
    try:
        require("torch")  # half of the notebook is modules
    except MissingBackend as reason:
        return Judged(skipped=str(reason))
    from barehand.judge.check import judge

    try:
        judgement = judge(str(notebook), seed=seed, progress=progress)
    except (ValueError, OSError) as error:  # nothing to read; a child process that does not start
        return Judged(trouble=str(error))
    open_ends = [f"{item.object}: {item.error}" for item in judgement.items if item.verdict == "error"]
    return Judged(judgement, trouble="; ".join(open_ends) if judgement.items else "nothing in it was recognised")


def print_judged(judged: Judged, console: Console) -> None:
    """A line a definition, the sum, and the command that says more."""
    if judged.judgement is not None:
        from barehand.judge.report.terminal import table
        from barehand.judge.report.words import summary

        found = judged.judgement
        console.print(f"\nThe judge on {shown(found.target)}, written by hand:\n", markup=False, highlight=False)
        console.print(table(found, "en"))
        console.print(
            f"\n{summary(found, 'en')}. What is wrong, with the smallest input that proves it:", highlight=False
        )
        console.print(f"  {command(found)}\n", markup=False, highlight=False, soft_wrap=True)
    if judged.skipped:
        console.print(f"Skipped the judge: {judged.skipped}", style="yellow", markup=False, highlight=False)
    if judged.trouble:
        console.print(f"THE JUDGE FAILED: {judged.trouble}", style="bold red", markup=False, highlight=False)


def command(judgement: Judgement) -> str:
    """What to type for the whole report."""
    return f"barehand check {shown(judgement.target)}"


def shown(target: str) -> str:
    """As seen from here, where that is shorter."""
    try:
        return min(target, os.path.relpath(target), key=len)
    except ValueError:  # on another drive
        return target
