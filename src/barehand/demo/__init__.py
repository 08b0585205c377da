"""The tour: every block on real input, beside its peer, the judge on a notebook, and a report to look at."""

from __future__ import annotations

from barehand.demo.outcome import Outcome, Tour, to_json
from barehand.demo.tour import run

__all__ = ["Outcome", "Tour", "run", "to_json"]
