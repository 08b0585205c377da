"""The tour: every block on real input, beside its peer, and a report to look at."""

from __future__ import annotations

from barehand.demo.outcome import Outcome, to_json
from barehand.demo.tour import run

__all__ = ["Outcome", "run", "to_json"]
