"""Numbers as people read them, the same on the terminal and in the report."""

from __future__ import annotations

from collections.abc import Sequence

from barehand.demo.outcome import Outcome

NO_PEER = "torch is not installed: no comparison"  # every stop has a comparison where it is


def figure(value: float) -> str:
    """A result to four digits."""
    return f"{value:.4g}" if abs(value) < 1e-3 or abs(value) >= 100 else f"{value:.4f}"


def difference(value: float) -> str:
    """0, or one digit and a power of ten."""
    return "0" if value == 0 else f"{value:.0e}"


def duration(seconds: float) -> str:
    """In the unit that leaves one to three digits before the point."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def durations(ours: float, theirs: float) -> str:
    """Both in the unit that suits the larger."""
    larger = max(ours, theirs)
    unit, size = ("s", 1.0) if larger >= 1 else ("ms", 1e-3) if larger >= 1e-3 else ("us", 1e-6)
    return f"{ours / size:.3g} / {theirs / size:.3g} {unit}"


def ratio(value: float) -> str:
    """To two digits after the point, or to the first that is not 0."""
    return f"{value:.2f}" if value >= 0.01 else f"{value:.1g}"


def verdict(outcome: Outcome) -> str:
    """What failed, or nothing."""
    failed = [c for c in outcome.checks if not c.holds]
    return "; ".join(f"{c.what} differ by {c.difference:.1e}, more than {c.bound:.1e} ({c.because})" for c in failed)


def summary(outcomes: Sequence[Outcome]) -> str:
    """One line on the whole tour."""
    visited = [o for o in outcomes if o.found]
    compared = [o for o in visited if o.checks]
    parts = [f"{len(visited)} stops", f"{sum(o.agrees for o in compared)} of {len(compared)} agree with their peer"]
    if skipped := len(outcomes) - len(visited):
        parts.append(f"{skipped} skipped")
    return ", ".join(parts)
