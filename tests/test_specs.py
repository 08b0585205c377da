"""The one engine over every spec: kernels, textbooks and peers accepted; every mutant and every cheat rejected."""

from __future__ import annotations

from importlib import import_module

import pytest

from barehand import textbook, vjp
from barehand.blocks import public, specs
from barehand.core.spec import Mutant, Peer, Spec, cheats
from barehand.judge.dress import candidate
from barehand.judge.grading import Candidate, differences, examine

SPECS = specs()
CASES = [pytest.param(s, c.name, id=f"{s.name}-{c.name}") for s in SPECS.values() for c in s.cases]
MUTANTS = [pytest.param(s, m, id=f"{s.name}-{m.name}") for s in SPECS.values() for m in s.mutants]
CHEATS = [pytest.param(s, m, id=f"{s.name}-{m.name}") for s in SPECS.values() for m in cheats(s)]


def peers() -> list[object]:
    return [
        pytest.param(s, peer, id=f"{s.name}-{peer.name}")
        for s in SPECS.values()
        for peer in import_module(f"barehand.blocks.{s.block}.peers").PEERS.get(s.name, ())
        if not peer.only_timed
    ]


def kernel(spec: Spec) -> Candidate:
    return Candidate("kernel", public(spec.name), getattr(vjp, spec.name) if spec.vjp else None, strict=True)


@pytest.mark.parametrize(("spec", "case"), CASES)
def test_kernel_keeps_its_promise(spec: Spec, case: str, seed: int) -> None:
    report = examine(spec, kernel(spec), seed=seed, only=lambda c: c.name == case)
    assert report.passed
    assert not report.findings, "\n".join(differences(report))


@pytest.mark.parametrize(("spec", "case"), CASES)
def test_textbook_is_right_in_its_own_precision(spec: Spec, case: str, seed: int) -> None:
    gradient = getattr(textbook, f"{spec.name}_vjp") if spec.vjp else None
    book = Candidate("textbook", getattr(textbook, spec.name), gradient)
    report = examine(spec, book, seed=seed, only=lambda c: c.name == case)
    assert report.passed
    assert not report.findings, "\n".join(differences(report))


def rejected(spec: Spec, mutant: Mutant, seed: int) -> None:
    wrong = Candidate(mutant.name, mutant.function or spec.reference, mutant.vjp or spec.vjp)
    report = examine(spec, wrong, seed=seed)
    assert not report.accepted
    assert report.convention is None
    # Rejected for what it computes, not because it could not be called.
    assert any(not f.raised for f in report.findings if f.grade != "generality"), "\n".join(differences(report))


@pytest.mark.parametrize(("spec", "mutant"), MUTANTS)
def test_mutant_is_rejected_and_recognised(spec: Spec, mutant: Mutant, seed: int) -> None:
    rejected(spec, mutant, seed)
    wrong = Candidate(mutant.name, mutant.function or spec.reference, mutant.vjp or spec.vjp)
    known = examine(spec, wrong, seed=seed + 1).behaves_like  # on other inputs than those it was rejected on
    assert known is not None
    assert known.name == mutant.name
    assert known.advice["en"]
    assert known.advice["zh"]


@pytest.mark.parametrize(("spec", "mutant"), CHEATS)
def test_cheat_is_rejected(spec: Spec, mutant: Mutant, seed: int) -> None:
    rejected(spec, mutant, seed)


@pytest.mark.parametrize(("spec", "peer"), peers())
def test_peer_is_accepted_but_for_its_known_defects(spec: Spec, peer: Peer, seed: int) -> None:
    if peer.library in ("torch", "sklearn"):
        pytest.importorskip(
            "torch" if peer.library == "torch" else "sklearn", reason=f"{peer.library} is not installed"
        )
    names = {c.name for c in spec.cases}
    assert set(peer.lacks) | set(peer.defects) <= names
    answer = candidate(peer, spec)
    report = examine(spec, answer, seed=seed, only=lambda c: c.name not in peer.lacks and c.name not in peer.defects)
    assert report.accepted, "\n".join(differences(report))
    for defect in peer.defects:
        assert examine(spec, answer, seed=seed, only=lambda c, d=defect: c.name == d).findings, defect


def test_every_convention_is_told_from_a_mistake(spec: Spec, seed: int) -> None:
    for convention in spec.conventions:
        report = examine(spec, Candidate(convention.name, convention.reference, convention.vjp), seed=seed)
        assert report.convention == convention.name, "\n".join(differences(report))
        if spec.vjp is None:
            continue
        no_gradient = Candidate(convention.name, convention.reference, cheats(spec)[-1].vjp)
        assert not examine(spec, no_gradient, seed=seed).accepted


def test_a_spec_is_complete(spec: Spec) -> None:
    assert len(spec.mutants) >= 5
    assert len({m.name for m in spec.mutants}) == len(spec.mutants)
    assert len({c.name for c in spec.cases}) == len(spec.cases)
    assert spec.laws
    assert spec.bad_inputs
    assert spec.workloads
    for words in (spec.titles, spec.summary, *(law.statement for law in spec.laws)):
        assert set(words) == {"en", "zh"}
