"""What the judge says of a target: an item for each definition, five grades each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["pass", "fail", "unverified"]
GRADES = ("correctness", "stability", "gradient", "generality", "speed")
DECISIVE = GRADES[:3]  # a failure in one of these fails the item; the others lower the mark


@dataclass(frozen=True)
class Graded:
    """One grade: how many of its checks passed, and why it is not a pass."""

    verdict: Verdict
    passed: int = 0
    total: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Mistake:
    """A known mistake that the code behaves like, with advice; `where` is the line that probably holds it."""

    id: str
    message: str
    where: str = ""


@dataclass(frozen=True)
class Failure:
    """A check that failed, with the smallest input found that shows it."""

    check: str
    grade: str
    dtype: str
    message: str
    inputs: dict[str, Any] = field(default_factory=dict)
    expected: Any = None
    got: Any = None


@dataclass(frozen=True)
class Curve:
    """Seconds a call at each size, for a contender: "yours", "textbook" or "barehand"."""

    contender: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class Item:
    """The verdict on one definition."""

    block: str
    object: str
    cell: int | None
    line: int
    adapter: str
    verdict: Literal["pass", "fail", "error", "unverified"]
    grades: dict[str, Graded] = field(default_factory=dict)
    convention: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    failures: tuple[Failure, ...] = ()  # the first of them is the failing case of the JSON
    error: str = ""  # why the code could not be judged, with its line and the likely cause
    path: str = ""
    source: str = ""
    curves: tuple[Curve, ...] = ()
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing that decides failed."""
        return self.verdict == "pass"


@dataclass(frozen=True)
class Judgement:
    """What came of a target."""

    target: str
    seed: int
    sandbox: tuple[str, ...]
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()  # what was seen and not judged, and why

    @property
    def passed(self) -> bool:
        """Whether there was something to judge, and all of it passed."""
        return bool(self.items) and all(item.passed for item in self.items)

    @property
    def exit_status(self) -> int:
        """0: all pass. 1: some fail. 2: nothing could be judged."""
        if not self.items or all(item.verdict == "error" for item in self.items):
            return 2
        return 0 if self.passed else 1

    def __repr__(self) -> str:
        """One line, as a failing assertion shows it."""
        from barehand.judge.report.words import brief

        return f"<Judgement {brief(self)}>"

    def _repr_html_(self) -> str:
        from barehand.judge.report.page import fragment

        return fragment(self)
