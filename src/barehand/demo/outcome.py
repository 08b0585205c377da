"""What a stop finds, how it is compared with its peer, and how that reads as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from barehand.demo.judging import Judged
    from barehand.demo.stop import Stop


@dataclass(frozen=True)
class Check:
    """A difference between ours and the peer's, the most it may be, and why that much."""

    what: str
    difference: float
    bound: float
    because: str

    @property
    def holds(self) -> bool:
        """False for nan, too."""
        return self.difference <= self.bound


@dataclass(frozen=True)
class Comparison:
    """The same computation by the library that people use today."""

    peer: str
    result: float
    seconds: float
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Found:
    """What one visit found. `seen` says in a sentence or two what the picture and the figures show."""

    measure: str  # of what `result` is the value: "held-out accuracy"
    result: float
    seconds: float
    timed: str  # what took that long: "300 steps"
    comparison: Comparison | None
    seen: str
    baseline: tuple[str, float] | None = None  # what a simpler method reaches by the same measure
    picture: Callable[[Figure], None] | None = None


@dataclass(frozen=True)
class Outcome:
    """A stop with what was found there, or with the reason why it was skipped."""

    stop: Stop
    found: Found | None = None
    skipped: str = ""

    @property
    def checks(self) -> tuple[Check, ...]:
        """Everything that was compared with the peer."""
        return self.found.comparison.checks if self.found and self.found.comparison else ()

    @property
    def agrees(self) -> bool:
        """No check failed; a stop without a peer, or skipped, disagrees with nothing."""
        return all(check.holds for check in self.checks)

    @property
    def ratio(self) -> float | None:
        """Our seconds over the peer's: under 1 we are faster."""
        compared = self.found and self.found.comparison
        return self.found.seconds / compared.seconds if self.found and compared else None


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _row(outcome: Outcome) -> dict[str, Any]:
    stop, found = outcome.stop, outcome.found
    row: dict[str, Any] = {
        "block": stop.block,
        "functions": list(stop.functions),
        "input": stop.input,
        "agrees": outcome.agrees,
        "skipped": outcome.skipped or None,
    }
    if found is None:
        return row
    compared = found.comparison
    return row | {
        "measure": found.measure,
        "result": _finite(found.result),
        "baseline": found.baseline and {"name": found.baseline[0], "result": _finite(found.baseline[1])},
        "seconds": found.seconds,
        "timed": found.timed,
        "peer": compared and compared.peer,
        "peer_result": compared and _finite(compared.result),
        "peer_seconds": compared and compared.seconds,
        "ours_over_peer": outcome.ratio,
        "checks": [
            {
                "what": c.what,
                "difference": _finite(c.difference),
                "bound": c.bound,
                "because": c.because,
                "holds": c.holds,
            }
            for c in outcome.checks
        ],
    }


@dataclass(frozen=True)
class Tour:
    """What was found at each stop, and what the judge said where it was asked."""

    outcomes: Sequence[Outcome]
    judged: Judged | None = None

    @property
    def agrees(self) -> bool:
        """Whether no stop disagrees with its peer."""
        return all(outcome.agrees for outcome in self.outcomes)

    @property
    def went_well(self) -> bool:
        """All stops agree, and the judge came to its verdicts; what they say is not our fault."""
        return self.agrees and (self.judged is None or self.judged.works)


def to_json(tour: Tour) -> dict[str, Any]:
    """The tour as JSON: one entry a stop, whether all of them agree, and the judge; what is not finite becomes null."""
    from barehand import __version__

    return {
        "barehand": __version__,
        "agrees": tour.agrees,
        "outcomes": [_row(outcome) for outcome in tour.outcomes],
        "judge": tour.judged and tour.judged.to_json(),
    }
