"""The bench: who is timed on what, and that nobody is timed on a call that fails. How long it takes is no test."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

import barehand
from barehand.bench.contenders import contenders, peers_of
from barehand.bench.run import machine
from barehand.bench.timing import interleaved
from barehand.blocks import specs
from barehand.core.spec import Spec, Workload

SPECS = specs()
WORKLOADS = [pytest.param(s, w, id=f"{s.name}-{w.name}") for s in SPECS.values() for w in s.workloads]


@pytest.mark.parametrize(("spec", "workload"), WORKLOADS)
def test_every_workload_has_a_peer(spec: Spec, workload: Workload) -> None:
    chosen = peers_of(spec, workload)
    assert chosen
    assert all(workload.name in peer.only_timed for peer in chosen) or not any(peer.only_timed for peer in chosen)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_peers_are_made_for_workloads_that_there_are(spec: Spec) -> None:
    peers = import_module(f"barehand.blocks.{spec.block}.peers").PEERS.get(spec.name, ())
    assert {name for peer in peers for name in peer.only_timed} <= {w.name for w in spec.workloads}


def test_scikit_learn_has_least_squares_and_no_steps() -> None:
    spec = SPECS["LinearRegression"]
    by_name = {w.name: [p.name for p in peers_of(spec, w)] for w in spec.workloads}
    assert by_name["1e6x50, least squares, float64"] == ["scikit-learn"]
    assert by_name["1e6x50, 100 steps, float64"] == ["a NumPy loop", "torch autograd with torch.optim.SGD"]


def _small(inputs: dict[str, object]) -> dict[str, object]:
    """The first rows of whatever has many."""
    return {
        k: v[:200].copy() if isinstance(v, np.ndarray) and v.ndim and len(v) > 200 else v for k, v in inputs.items()
    }


@pytest.mark.parametrize("name", ["LinearRegression", "LogisticRegression"])
def test_contenders_run(name: str) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    spec = SPECS[name]
    for workload in spec.workloads:
        small = replace(workload, make=lambda rng, make=workload.make: _small(make(rng)))
        names = [peer.name for peer in peers_of(spec, workload)]
        for peer, ours, theirs in contenders(spec, small, 1, compile_peers=False):
            ours()
            theirs()
            names.remove(peer)
        assert not names  # none was left out


def test_turns_are_taken_by_all() -> None:
    calls: list[str] = []
    times = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, seconds=0.01, most=2)
    assert set(times) == set(calls) == {"a", "b"}
    assert all(t > 0 for t in times.values())


def test_the_file_of_a_machine_does_not_depend_on_the_threads_in_use() -> None:
    before = barehand.get_num_threads()
    try:
        barehand.set_num_threads(before)
        name = machine()
        barehand.set_num_threads(before + 1)
        assert machine() == name
    finally:
        barehand.set_num_threads(before)
