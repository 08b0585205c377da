"""Our function and its peers as calls without arguments, on the inputs of one workload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from barehand import vjp
from barehand.blocks import public
from barehand.core.spec import Inputs, Peer, Spec, Workload

Call = Callable[[], Any]


def peers_of(spec: Spec, workload: Workload) -> list[Peer]:
    """The peers declared beside the spec for this workload: those made for it, or else those made for none."""
    peers: tuple[Peer, ...] = import_module(f"barehand.blocks.{spec.block}.peers").PEERS.get(spec.name, ())
    made_for_it = [peer for peer in peers if workload.name in peer.only_timed]
    return made_for_it or [peer for peer in peers if not peer.only_timed]


def _cotangent(spec: Spec, inputs: Inputs) -> Any:
    """A gradient for the result; losses are numbers and have their own."""
    first = inputs[spec.signature[0]]
    value = spec.run(public(spec.name), inputs)[0]
    if np.ndim(value) == 0:
        return None
    return np.random.default_rng(1).standard_normal(np.shape(value)).astype(first.dtype)


def ours(spec: Spec, workload: Workload, inputs: Inputs) -> Call:
    """The public call a user would write."""
    if spec.session is not None:
        return spec.session(public(spec.name), inputs)
    positional, named = spec.positional(inputs), spec.named(inputs)
    if workload.gradient:
        pull_back, cotangent = getattr(vjp, spec.name), _cotangent(spec, inputs)
        return lambda: pull_back(*positional, **named, cotangent=cotangent, with_value=True)
    function = public(spec.name)
    if workload.out:
        named = {**named, "out": np.empty_like(positional[0])}
    return lambda: function(*positional, **named)


def bare_kernel(spec: Spec, call: Call) -> Call:
    """The kernel that `call` launches, with the very arrays it gets: what is left is the cost of the door."""
    launch: Any = import_module(f"barehand.blocks.{spec.block}.launch")
    keeper: Any = launch if hasattr(launch, "threads") else import_module("barehand.core.pairs")
    seen: list[tuple[Any, tuple[Any, ...]]] = []

    class Recorder:
        @staticmethod
        def over_rows(kernel: Any, rows: int, row_cost: int, *arguments: Any) -> None:
            seen.append((kernel, (0, rows, *arguments)))
            kernel(0, rows, *arguments)

        @staticmethod
        def partial_results(kernel: Any, rows: int, row_cost: int, *arguments: Any) -> list[Any]:
            seen.append((kernel, (0, rows, *arguments)))
            return [kernel(0, rows, *arguments)]

    pool = keeper.threads
    keeper.threads = Recorder
    try:
        call()
    finally:
        keeper.threads = pool

    def run() -> None:
        for kernel, arguments in seen:
            kernel(*arguments)

    return run


def theirs(spec: Spec, workload: Workload, peer: Peer, inputs: Inputs, *, compiled: bool = False) -> Call | None:
    """The peer's call; None where the peer has no such thing, or is not installed."""
    try:
        function = peer.load()
    except ImportError:
        return None
    if spec.session is not None:
        return None if compiled else spec.session(function, inputs)
    if peer.library != "torch":
        if workload.gradient or workload.out or compiled:
            return None
        positional, named = spec.positional(inputs), spec.named(inputs)
        return lambda: function(*positional, **named)
    return _torch_call(spec, workload, function, inputs, compiled)


def _torch_call(
    spec: Spec, workload: Workload, function: Callable[..., Any], inputs: Inputs, compiled: bool
) -> Call | None:
    import torch

    if workload.out and compiled:
        return None
    tensors = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in inputs.items()}
    run = torch.compile(function, fullgraph=True, dynamic=False) if compiled else function
    if not workload.gradient:
        named = spec.named(tensors)
        positional = spec.positional(tensors)
        if workload.out:
            named["out"] = torch.empty_like(positional[0])

        def forward() -> Any:
            with torch.no_grad():
                return run(*positional, **named)

        return forward
    wanted = [tensors[k].requires_grad_() for k in spec.differentiable if isinstance(tensors.get(k), torch.Tensor)]
    g = _cotangent(spec, inputs)
    cotangent = None if g is None else torch.from_numpy(g)
    positional, named = spec.positional(tensors), spec.named(tensors)

    def value_and_gradient() -> Any:
        value = run(*positional, **named)
        return value, torch.autograd.grad(value, wanted, cotangent)

    return value_and_gradient


def contenders(
    spec: Spec, workload: Workload, threads: int, *, compile_peers: bool
) -> Iterator[tuple[str, Call, Call]]:
    """(peer, our call, the peer's call) for every comparison to make with so many threads."""
    inputs = workload.make(np.random.default_rng(0))
    call = ours(spec, workload, inputs)
    if workload.name.startswith("32x128") and threads == 1:
        yield "the kernel alone", call, bare_kernel(spec, call)
    for peer in peers_of(spec, workload):
        if peer.library in ("numpy", "scipy") and threads > 1 and spec.session is None:
            continue  # these run on one thread, but for the products in a loop that fits something
        for compiled in (False, True) if compile_peers and peer.library == "torch" else (False,):
            other = theirs(spec, workload, peer, inputs, compiled=compiled)
            if other is not None:
                yield f"{peer.name}, compiled" if compiled else peer.name, call, other
