"""What the suites would say of a block: `python tools/examine.py BLOCK...`; works before the block is registered.

For each public function: our kernel, held to what it promises; the textbook in its own precision; every mutant and
cheat; every peer. A line that begins with BAD is a test that would fail.
"""

from __future__ import annotations

import sys
import time
import warnings
from importlib import import_module

from barehand.core.spec import Case, Spec, cheats
from barehand.judge.dress import candidate
from barehand.judge.grading import Candidate, Report, differences, examine


def found(block: str, role: str, name: str) -> object:
    """A public name in one of the block's roles; None where it has none."""
    try:
        return getattr(import_module(f"barehand.blocks.{block}{role}"), name, None)
    except ModuleNotFoundError:
        return None


def line(good: bool, what: str, report: Report, started: float) -> None:
    print(f"{'ok ' if good else 'BAD'} {what}: {len(report.passed)} passed, {time.perf_counter() - started:.1f} s")
    if not good:
        print("\n".join(f"      {d}" for d in differences(report)))


def show(spec: Spec) -> None:
    print(f"== {spec.name}")
    ours = found(spec.block, "", spec.name) or found(spec.block, ".estimator", spec.name)
    started = time.perf_counter()
    report = examine(spec, Candidate("kernel", ours, found(spec.block, ".vjp", spec.name), strict=True))  # type: ignore[arg-type]
    line(not report.findings, "kernel", report, started)
    worst = sorted(((round(v, 2), k) for k, v in report.worst.items() if v > 0), reverse=True)[:6]
    print("    worst errors in eps:", worst)
    started = time.perf_counter()
    report = examine(spec, Candidate("textbook", spec.reference, spec.vjp))
    line(not report.findings, "textbook", report, started)
    for mutant in (*spec.mutants, *cheats(spec)):
        started = time.perf_counter()
        wrong = Candidate(mutant.name, mutant.function or spec.reference, mutant.vjp or spec.vjp)
        report = examine(spec, wrong)
        computed = any(not f.raised for f in report.findings if f.grade != "generality")
        rejected = not report.accepted and report.convention is None and computed
        again = examine(spec, wrong, seed=1).behaves_like if mutant in spec.mutants else mutant
        looks = f"mutant {mutant.name!r} looks like {again and again.name!r}"
        line(rejected and again is mutant, looks, report, started)
    for convention in spec.conventions:
        started = time.perf_counter()
        report = examine(spec, Candidate(convention.name, convention.reference, convention.vjp))
        line(report.convention == convention.name, f"convention {convention.name!r}", report, started)
    for peer in import_module(f"barehand.blocks.{spec.block}.peers").PEERS.get(spec.name, ()):
        if peer.only_timed:
            continue
        started = time.perf_counter()

        def fair(case: Case) -> bool:
            return case.name not in peer.lacks and case.name not in peer.defects  # noqa: B023 - used at once

        answer = candidate(peer, spec)
        report = examine(spec, answer, only=fair)
        line(report.accepted, f"peer {peer.name!r}", report, started)
        for defect in peer.defects:
            seen = examine(spec, answer, only=lambda c, d=defect: c.name == d).findings  # type: ignore[misc]
            print(f"{'ok ' if seen else 'BAD'} peer {peer.name!r} fails {defect!r}")


if __name__ == "__main__":
    warnings.simplefilter("error")
    for name in sys.argv[1:]:
        for declared in import_module(f"barehand.blocks.{name}.spec").SPECS:
            show(declared)
