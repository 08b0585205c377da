"""The state of one parameter, and its step through a kernel on flat vectors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from barehand.core import arrays
from barehand.core.arrays import Array
from barehand.core.lazy import LazyModule

cpu = LazyModule("barehand.blocks.adam.cpu")
threads = LazyModule("barehand.core.threads")

COST = 1  # of an element; more would make ranges so short that threads wait for each other's calls
OPTIONS = ("lr", "betas", "eps", "weight_decay", "decoupled", "amsgrad", "maximize")
_AS_RETURNED = "pass what state_dict() returned"
_TORCH = {"decoupled": "decoupled_weight_decay"}  # its name for an option


@dataclass
class State:
    """What Adam remembers of a parameter: flat, in the type the arithmetic runs in."""

    step: int
    m: Array
    v: Array
    largest: Array | None = None  # with amsgrad


def _computing(p: Array) -> np.dtype[Any]:
    """The type the arithmetic runs in."""
    return np.dtype(np.float32) if p.dtype == np.float16 else p.dtype


def fresh(p: Array) -> State:
    """The state before the first step."""
    return State(0, np.zeros(p.size, _computing(p)), np.zeros(p.size, _computing(p)))


def check_options(options: dict[str, Any]) -> dict[str, Any]:
    """Every option in its range; numbers as floats."""
    betas = options["betas"]
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise ValueError(f"Adam: betas is {betas!r}; give two numbers, as in (0.9, 0.999)")
    pair = tuple(arrays.check_number("Adam", f"betas[{i}]", b, low=0, high=1) for i, b in enumerate(betas))
    if 1 in pair:
        raise ValueError(f"Adam: betas is {betas!r}; a mean that keeps all of the old never learns: use less than 1")
    numbers = {k: arrays.check_number("Adam", k, options[k], low=0) for k in ("lr", "eps", "weight_decay")}
    return {**options, **numbers, "betas": pair}


def check_params(params: Iterable[Any]) -> list[Array]:
    """The parameters: distinct writable floating arrays, kept as they are."""
    if isinstance(params, np.ndarray):
        raise TypeError(f"Adam: params is one array of shape {params.shape}, not a list; pass [params]")
    params = list(params)
    if not params:
        raise ValueError("Adam: params is empty; give at least one array")
    for i, p in enumerate(params):
        if type(p) not in (np.ndarray, np.memmap):
            arrays.refuse_tensor("Adam", f"params[{i}]", p)
            raise TypeError(f"Adam: params[{i}] is a {type(p).__name__}, not an array to update in place; make it one")
        if p.dtype.char not in "efd" or not p.dtype.isnative:
            raise TypeError(f"Adam: params[{i}] has dtype {p.dtype}; use native float16, float32 or float64")
        if not p.flags.writeable:
            raise ValueError(f"Adam: params[{i}] is read-only; pass a writable array")
        for k, other in enumerate(params[:i]):
            if p is other or (p.size and np.may_share_memory(p, other) and np.shares_memory(p, other)):
                raise ValueError(f"Adam: params[{k}] and params[{i}] share memory; give each number once")
    return params


def check_grads(grads: Any, params: Sequence[Array]) -> list[Array | None]:
    """One gradient or None a parameter, in its shape and computing type."""
    if isinstance(grads, np.ndarray):
        raise TypeError(f"Adam: grads is one array of shape {grads.shape}, not a list; pass [grads]")
    grads = list(grads)
    if len(grads) != len(params):
        raise ValueError(f"Adam: {len(grads)} gradients for {len(params)} parameters; give one, or None, for each")
    owners = [_owner(p) for p in params]
    anywhere, near = None in owners, {None, *owners}
    checked: list[Array | None] = []
    for i, (grad, p) in enumerate(zip(grads, params, strict=True)):
        g = None if grad is None else _check_grad(i, grad, p)
        # A gradient that looks at a parameter, its own or another's, would move with it.
        if g is not None and (anywhere or _owner(g) in near) and any(np.may_share_memory(g, q) for q in params):
            g = g.copy()
        checked.append(g)
    return checked


def _owner(array: Array) -> int | None:
    """The array that holds the memory, by its id; None where none does, as over a buffer or a file."""
    base: Any = array.base
    while base is not None:
        array, base = base, getattr(base, "base", None)
    return id(array) if isinstance(array, np.ndarray) else None


def _check_grad(i: int, grad: Any, p: Array) -> Array:
    g = arrays.as_floating("Adam", f"grads[{i}]", grad)
    if g.shape != p.shape:
        raise ValueError(f"Adam: grads[{i}] has shape {g.shape}, its parameter {p.shape}; give them one shape")
    return arrays.for_kernel(arrays.narrow(g, _computing(p))).reshape(-1)


def factors(options: dict[str, Any], t: int) -> tuple[float | None, ...]:
    """What the kernels compute with at step t: keep1, stay1, keep2, stay2, root, eps, rate, sign, l2, decay."""
    beta1, beta2 = options["betas"]
    lr, decay = options["lr"], options["weight_decay"]
    return (
        *(1 - beta1, beta1 if beta1 < 0.5 else None),
        *(1 - beta2, beta2 if beta2 < 0.5 else None),
        _correction(beta2, t) ** -0.5,
        options["eps"],
        lr / _correction(beta1, t),
        -1.0 if options["maximize"] else 1.0,
        0.0 if options["decoupled"] else decay,
        lr * decay if options["decoupled"] else 0.0,
    )


def numbers(options: dict[str, Any], t: int, kind: type) -> tuple[Any, ...]:
    """The factors in the type the arithmetic runs in."""
    return tuple(None if n is None else kind(n) for n in factors(options, t))


def step(p: Array, g: Array, state: State, options: dict[str, Any]) -> None:
    """Update p and its state in place: one pass over memory."""
    state.step += 1
    kind = state.m.dtype.type
    direct = p.flags.carray and p.dtype == kind
    flat = p.reshape(-1) if direct else p.astype(kind).reshape(-1)
    kernel, moments = cpu.adam, [state.m, state.v]
    if options["amsgrad"]:
        if state.largest is None:
            state.largest = np.zeros_like(state.v)
        kernel, moments = cpu.amsgrad, [*moments, state.largest]
    threads.over_rows(kernel, flat.size, COST, flat, g, *moments, *numbers(options, state.step, kind))
    if not direct:
        p[...] = arrays.narrow(flat.reshape(p.shape), p.dtype)


def _correction(beta: float, t: int) -> float:
    """1 - beta^t to full relative accuracy."""
    return -math.expm1(t * math.log1p(beta - 1)) if beta else 1.0


def snapshot(state: State, p: Array) -> dict[str, Any]:
    """One parameter's state under torch's names, copied."""
    moments = {"exp_avg": state.m, "exp_avg_sq": state.v, "max_exp_avg_sq": state.largest}
    return {"step": state.step, **{k: a.reshape(p.shape).copy() for k, a in moments.items() if a is not None}}


def restored(
    state_dict: dict[str, Any], params: Sequence[Array], options: dict[str, Any]
) -> tuple[dict[str, Any], list[State]]:
    """The options and states that a snapshot holds; torch's own may be given."""
    if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= set(state_dict):
        raise ValueError(f"Adam: state_dict lacks 'state' or 'param_groups'; {_AS_RETURNED}")
    saved, groups = state_dict["state"], state_dict["param_groups"]
    if not isinstance(saved, dict) or not isinstance(groups, (list, tuple)):
        kinds = f"'state' is a {type(saved).__name__}, its 'param_groups' a {type(groups).__name__}"
        raise ValueError(f"Adam: state_dict's {kinds}, not a dict and a list; {_AS_RETURNED}")
    if not all(isinstance(g, dict) and isinstance(g.get("params"), (list, tuple)) for g in groups):
        raise ValueError(f"Adam: state_dict has a group without 'params'; {_AS_RETURNED}")
    if len(groups) != 1 or len(groups[0]["params"]) != len(params):
        counts = [len(g["params"]) for g in groups]
        raise ValueError(
            f"Adam: state_dict is of groups of {counts} parameters, this optimizer of one group of {len(params)}; "
            "make it from as many"
        )
    keys = groups[0]["params"]
    if not set(saved) <= set(keys):
        raise ValueError(f"Adam: state_dict holds states of {[*saved]} and the parameters {keys}; {_AS_RETURNED}")
    found = {k: groups[0].get(k, groups[0].get(_TORCH.get(k, k), options[k])) for k in OPTIONS}
    states = [
        _restored_state(i, saved[key], p) if key in saved else fresh(p)
        for i, (key, p) in enumerate(zip(keys, params, strict=True))
    ]
    return check_options(found), states


def _restored_state(i: int, saved: dict[str, Any], p: Array) -> State:
    whose = f"state_dict's state of params[{i}]"
    missing = [k for k in ("step", "exp_avg", "exp_avg_sq") if not isinstance(saved, dict) or k not in saved]
    if missing:
        raise ValueError(f"Adam: {whose} lacks {missing}; {_AS_RETURNED}")
    step = arrays.check_number("Adam", f"{whose}, step,", saved["step"], low=0)
    moments = {
        k: arrays.as_floating("Adam", f"{whose}, {k},", np.asarray(saved[k]))
        for k in ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
        if k in saved
    }
    for name, array in moments.items():
        if array.shape != p.shape:
            raise ValueError(
                f"Adam: state_dict's {name} of params[{i}] has shape {array.shape}, the parameter {p.shape}; "
                "load it into parameters of its own shapes"
            )
    return State(int(step), *(a.astype(_computing(p)).reshape(-1) for a in moments.values()))
