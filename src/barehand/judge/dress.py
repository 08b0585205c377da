"""Other libraries' functions in NumPy dress, so that the engine can examine them as if they were somebody's answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.core.spec import Inputs, Peer, Spec
from barehand.judge.grading import Candidate


def candidate(peer: Peer, spec: Spec) -> Candidate:
    """The peer as a candidate; torch functions get the gradient that autograd finds."""
    function = peer.load()
    if peer.library != "torch" or spec.drive is not None:  # classes come dressed
        return Candidate(peer.name, function, dtypes=peer.dtypes)
    vjp = _vjp(function, spec) if spec.vjp is not None else None
    return Candidate(peer.name, _forward(function, spec), vjp, dtypes=peer.dtypes)


def _tensors(values: Inputs) -> Inputs:
    """Arrays of numbers as tensors; torch has none for words and objects."""
    import torch

    def numbers(value: Any) -> bool:
        return isinstance(value, np.ndarray) and value.dtype.kind in "biufc"

    return {k: torch.tensor(v.copy()) if numbers(v) else v for k, v in values.items()}


def _floating(spec: Spec, tensors: Inputs) -> Inputs:
    """Integer data as float64: torch differentiates nothing else."""
    import torch

    def whole(value: Any) -> bool:
        return isinstance(value, torch.Tensor) and not value.is_floating_point()

    return {k: v.double() if k in spec.differentiable and whole(v) else v for k, v in tensors.items()}


def _named(spec: Spec, args: tuple[Any, ...], kwargs: Inputs) -> Inputs:
    """The arguments by name, bundles taken apart."""
    given = {**dict(zip(spec.signature, args, strict=False)), **kwargs}
    for name in spec.bundles:
        fields = given.pop(name)._asdict()
        given |= {k: v for k, v in fields.items() if v is not None}
    return given


def _call(function: Callable[..., Any], spec: Spec, tensors: Inputs) -> Any:
    return function(*spec.positional(tensors), **spec.named(tensors))


def _undressed(result: Any) -> Any:
    """Tensors as arrays; a tuple of results stays one."""
    if isinstance(result, tuple):
        return tuple(_undressed(r) for r in result)
    return result.detach().numpy() if hasattr(result, "detach") else result


def _forward(function: Callable[..., Any], spec: Spec) -> Callable[..., Any]:
    def forward(*args: Any, **kwargs: Any) -> Any:
        given = _named(spec, args, kwargs)
        tensors = _floating(spec, _tensors(given))
        result = _undressed(_call(function, spec, tensors))
        for name in spec.writes:
            if given.get(name) is not None:
                given[name][...] = tensors[name].numpy()
        return result

    return forward


def _vjp(function: Callable[..., Any], spec: Spec) -> Callable[..., Any]:
    import torch

    def vjp(*args: Any, cotangent: Any, **kwargs: Any) -> tuple[Any, ...]:
        tensors = _floating(spec, _tensors(_named(spec, args, kwargs)))
        inputs = [tensors[k] for k in spec.differentiable if isinstance(tensors.get(k), torch.Tensor)]
        for x in inputs:
            x.requires_grad_()
        result = _call(function, spec, tensors)
        pairs = zip(result, cotangent, strict=True) if isinstance(result, tuple) else [(result, cotangent)]
        results, cotangents = zip(*((r, torch.tensor(g)) for r, g in pairs), strict=True)
        found = torch.autograd.grad(results, inputs, cotangents, allow_unused=True, materialize_grads=True)
        return tuple(g.numpy() for g in found)

    return vjp
