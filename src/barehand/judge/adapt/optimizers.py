"""Adam as people write it: a class over parameters, or handed them, a function of its own state, a training loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from barehand.core.spec import FULL, Case, Inputs, Outputs, Spec
from barehand.judge.adapt import adam, courses
from barehand.judge.adapt.adapter import plain
from barehand.judge.adapt.names import by_name
from barehand.judge.adapt.paths import PathAdapter, Step, driven, value
from barehand.judge.adapt.search import Fit, Tried, best_of, names_of
from barehand.judge.child import Session
from barehand.judge.pieces import Piece

_METHODS = ("step", "update", "apply_gradients", "apply", "optimize", "__call__")


def search_adam(piece: Piece, spec: Spec, session: Session) -> Fit | None:
    """The best way to run the piece along a trajectory."""
    best: Fit | None = None
    ways = (
        (_of_steps(spec), _adapters),
        (_of_loops(spec), _loops),
        (courses.of_descents(spec), courses.descents),
    )
    for judged, adapters in ways:
        best = best_of(adapters(piece, judged), Tried(judged, session), best)
        if best is not None and best.score >= 1:
            break
    return best


def _of_steps(spec: Spec) -> Spec:
    assert spec.drive is not None
    original = spec.drive
    return driven(spec, lambda candidate, inputs: original(spec, candidate, inputs))


_DECOUPLED = re.compile(r"adam_?w\b|(?<!not )decoupled|解耦", re.IGNORECASE)


def _adapters(piece: Piece, spec: Spec) -> Iterator[PathAdapter]:
    libraries = ("torch", "numpy") if piece.library == "torch" else ("numpy", "torch")
    decoupled = bool(_DECOUPLED.search(f"{piece.name} {piece.docs}"))
    ways = _class if piece.kind == "class" else _function
    for adapter in chain(*(ways(piece, spec, arrays) for arrays in libraries), courses.adapters(piece, spec)):
        says_so = decoupled and "weight_decay" in adapter.roles and "decoupled" not in adapter.roles
        adapter = replace(adapter, pins={**adapter.pins, "decoupled": True}) if says_so else adapter
        yield adapter
        if "eps" not in adapter.roles:
            yield from (replace(adapter, pins={**adapter.pins, "eps": e}) for e in _their_eps(piece))


def _their_eps(piece: Piece) -> list[float]:
    """Tiny numbers in the code, beside the usual one."""
    tiny = {float(n) for n in re.findall(r"\b(?:\d+(?:\.\d*)?e-\d+|0\.000\d+)\b", piece.own)}
    return sorted(n for n in tiny - {1e-8} if 0 < n < 1e-3)


# A class


def _class(piece: Piece, spec: Spec, arrays: str) -> Iterator[PathAdapter]:
    methods = {m.name: m for m in piece.methods}
    method = next((m for m in _METHODS if m in methods), None)
    if method is None:
        return
    required, optional = names_of(piece.parameters)
    new = by_name([*required, *optional], {**adam.OPTIONS, "params": adam.PARTS["params"]})
    if any(p not in new for p in required):
        unknown = [p for p in required if p not in new]
        if len(unknown) > 1 or "params" in new.values():
            return
        new[unknown[0]] = "params"
    needed, other = names_of(methods[method].parameters)
    call = by_name([*needed, *other], {k: adam.PARTS[k] for k in ("params", "grads", "t")})
    left = [p for p in needed if p not in call]
    wanted = [r for r in (["grads"] if "params" in new.values() else ["params", "grads"]) if r not in call.values()]
    if len(left) > len(wanted):
        return
    call |= dict(zip(left, wanted, strict=False))
    at = f"{piece.name}({', '.join(new)}).{method}({', '.join(call)})"
    holds = "params" in new.values()
    containers = ("list", "dict") if holds else ("list", "dict", "array")
    for container in containers:
        if holds and "grads" not in call.values():
            if container != "list":
                continue
            program = _by_grad(piece.name, method, new, arrays)
            yield PathAdapter(
                spec, piece.name, f"{at}, gradients in .grad", program, adam.stacked, adam.roles(new), arrays=arrays
            )
            continue
        program = _handed(piece.name, method, new, call, container, holds, arrays)
        says = (
            "" if container == "list" else f"a {container} of parameters" if container == "dict" else "one array a time"
        )
        yield PathAdapter(spec, piece.name, at, program, adam.stacked, adam.roles(new), form_says=says, arrays=arrays)


def _by_grad(name: str, method: str, new: Mapping[str, str], arrays: str) -> Callable[[Inputs], list[Step]]:
    """A class over tensors that reads their .grad."""

    def program(inputs: Inputs) -> list[Step]:
        params, gs, options = adam.split(inputs)
        steps: list[Step] = [
            {"do": "put", "to": f"p{i}", "value": value(p, "torch", grad=True)} for i, p in enumerate(params)
        ]
        holder = {p: {"list": [{"var": f"p{i}"} for i in range(len(params))]} for p, r in new.items() if r == "params"}
        steps.append(
            {"do": "call", "to": "o", "function": {"name": name}, "kwargs": {**holder, **adam.given(options, new)}}
        )
        for t in range(len(gs[0])):
            for i, g in enumerate(gs):
                absent = (t, i) in inputs.get("absent", ())
                grad = None if absent else value(np.asarray(g[t]), "torch")
                steps.append({"do": "set", "var": f"p{i}", "path": "grad", "value": grad})
            steps.append({"do": "call", "to": "_", "function": {"var": "o", "attr": method}})
            if t in adam.marks(inputs):
                steps.append({"do": "return", "values": [{"var": f"p{i}"} for i in range(len(params))]})
        return steps

    return program


def _handed(
    name: str, method: str, new: Mapping[str, str], call: Mapping[str, str], container: str, holds: bool, arrays: str
) -> Callable[[Inputs], list[Step]]:
    """A class whose step is handed gradients, and parameters where it does not hold them."""

    def program(inputs: Inputs) -> list[Step]:
        params, gs, options = adam.split(inputs)
        n = len(params)
        steps: list[Step] = [{"do": "put", "to": f"p{i}", "value": value(p, arrays)} for i, p in enumerate(params)]

        def held(kind: str, values: list[Any]) -> Any:
            if kind == "dict":
                return {"dict": {f"p{i}": v for i, v in enumerate(values)}}
            return {"list": values} if kind == "list" else values[0]

        given = adam.given(options, new)
        if container != "array":
            steps.append({"do": "put", "to": "all", "value": held(container, [{"var": f"p{i}"} for i in range(n)])})
        makers = range(n) if container == "array" else range(1)
        for i in makers:
            holder = {p: {"var": "all"} for p, r in new.items() if r == "params"}
            steps.append({"do": "call", "to": f"o{i}", "function": {"name": name}, "kwargs": {**holder, **given}})
        for t in range(len(gs[0])):
            grads = [
                None if (t, i) in inputs.get("absent", ()) else value(np.asarray(g[t]), arrays)
                for i, g in enumerate(gs)
            ]
            for i in makers:
                if container == "array" and grads[i] is None:
                    continue
                kwargs: dict[str, Any] = {}
                for p, r in call.items():
                    if r == "params":
                        kwargs[p] = {"var": f"p{i}"} if container == "array" else {"var": "all"}
                    elif r == "grads":
                        kwargs[p] = grads[i] if container == "array" else held(container, grads)
                    elif r == "t":
                        kwargs[p] = t + 1
                steps.append({"do": "call", "to": "r", "function": {"var": f"o{i}", "attr": method}, "kwargs": kwargs})
                if container == "array":
                    steps.append({"do": "keep", "to": f"p{i}", "from": {"var": "r"}})
                elif not holds:
                    steps.append({"do": "keep", "to": "all", "from": {"var": "r"}})
            if t in adam.marks(inputs):
                steps += _read(container, n)
        return steps

    return program


def _read(container: str, n: int) -> list[Step]:
    if container == "array":
        return [{"do": "return", "values": [{"var": f"p{i}"} for i in range(n)]}]
    paths = [f"[{i}]" if container == "list" else f"[p{i}]" for i in range(n)]
    steps: list[Step] = [{"do": "get", "to": f"q{i}", "from": {"var": "all"}, "path": p} for i, p in enumerate(paths)]
    return [*steps, {"do": "return", "values": [{"var": f"q{i}"} for i in range(n)]}]


# A function that is handed its state


def _function(piece: Piece, spec: Spec, arrays: str) -> Iterator[PathAdapter]:
    required, optional = names_of(piece.parameters)
    found = by_name([*required, *optional], {**adam.PARTS, **adam.OPTIONS})
    roles = set(found.values())
    left = [p for p in required if p not in found]
    wanted = [r for r in ("params", "grads") if r not in roles]
    if len(left) > len(wanted):
        return
    found |= dict(zip(left, wanted, strict=False))
    if not {"params", "grads"} <= set(found.values()):
        return
    at = f"{piece.name}({', '.join(found)})"
    for container in ("array", "list", "dict"):
        for first in (1, 0) if "t" in found.values() else (1,):
            program = _stateless(piece.name, found, container, first, arrays)
            says = "" if container == "array" else f"{container}s of parameters"
            yield PathAdapter(
                spec, piece.name, at, program, adam.stacked, adam.roles(found) if "config" not in found.values() else
                frozenset({"lr", "betas", "eps"}), form_says=says, arrays=arrays,
            )  # fmt: skip


def _stateless(
    name: str, found: Mapping[str, str], container: str, first: int, arrays: str
) -> Callable[[Inputs], list[Step]]:
    def program(inputs: Inputs) -> list[Step]:
        params, gs, options = adam.split(inputs)
        n = len(params)
        groups = [[i] for i in range(n)] if container == "array" else [list(range(n))]
        steps: list[Step] = []
        settings = {"dict": adam.given(options, {k: r for r, ks in adam.KEYS.items() for k in ks})}

        def held(values: list[Any]) -> Any:
            if container == "array":
                return values[0]
            return {"list": values} if container == "list" else {"dict": {f"p{i}": v for i, v in enumerate(values)}}

        for j, group in enumerate(groups):
            zeros = [np.zeros_like(params[i]) for i in group]
            steps += [
                {"do": "put", "to": f"w{j}", "value": held([value(params[i], arrays) for i in group])},
                {"do": "put", "to": f"m{j}", "value": held([value(z, arrays) for z in zeros])},
                {"do": "put", "to": f"v{j}", "value": held([value(z, arrays) for z in zeros])},
                {"do": "put", "to": f"c{j}", "value": settings},
            ]
        for t in range(len(gs[0])):
            for j, group in enumerate(groups):
                kwargs: dict[str, Any] = adam.given(options, {p: r for p, r in found.items() if r in adam.OPTIONS})
                for p, r in found.items():
                    if r == "grads":
                        kwargs[p] = held([value(np.asarray(gs[i][t]), arrays) for i in group])
                    elif r == "t":
                        kwargs[p] = t + first
                    elif r in ("params", "m", "v", "config"):
                        kwargs[p] = {"var": f"{r[0] if r != 'params' else 'w'}{j}"}
                steps.append({"do": "call", "to": "r", "function": {"name": name}, "kwargs": kwargs})
                order = [f"w{j}", *([f"c{j}"] if "config" in found.values() else [f"m{j}", f"v{j}"])]
                steps.append({"do": "spread", "to": order, "from": {"var": "r"}})
            if t in adam.marks(inputs):
                if container == "array":
                    steps.append({"do": "return", "values": [{"var": f"w{i}"} for i in range(n)]})
                else:
                    steps += [
                        {**s, **({"from": {"var": "w0"}} if s["do"] == "get" else {})} for s in _read(container, n)
                    ]
        return steps

    return program


# A whole training loop on a linear model

_LOOP: Mapping[str, tuple[str, ...]] = {
    "w": ("w", "weights", "theta", "w0", "w_init", "init_w", "params"),
    "x": ("x", "X", "data", "features", "inputs"),
    "y": ("y", "Y", "targets", "target", "labels", "t"),
    "epochs": ("epochs", "epoch", "n_epochs", "num_epochs", "n_iter", "n_iters", "iterations", "steps",
               "num_iters", "max_iter"),
    "batch_size": ("batch_size", "batch", "bs", "n_batch", "k"),
    "seed": ("seed", "random_state"),
}  # fmt: skip
_STEPS = 12


def _of_loops(spec: Spec) -> Spec:
    """Least squares on rows that are all alike, so that every random draw of rows has the same gradient."""

    def make(rng: np.random.Generator) -> Inputs:
        row = rng.standard_normal(4)
        return {
            "w": rng.standard_normal(4),
            "X": np.tile(row, (32, 1)),
            "y": np.full(32, 3.0 + rng.random()),
            "lr": 0.05,
        }

    def drive(optimizer: Any, inputs: Inputs) -> Outputs:
        options = {k: v for k, v in inputs.items() if k not in ("w", "X", "y", "factor", "steps")}
        w, x, y = inputs["w"].copy(), inputs["X"][0], inputs["y"][0]
        o = optimizer([w], **options)
        for _ in range(inputs.get("steps", _STEPS)):
            o.step([inputs.get("factor", 2.0) * x * (x @ w - y)])
        return (w,)

    cases = tuple(
        Case(name, "a formula that is plainly wrong", make, gradient=False, dtypes=(FULL[1],))
        for name in ("a training loop", "a training loop, other data", "a training loop, again")
    )
    return driven(
        spec,
        drive,
        cases=cases,
        scale=lambda inputs, outputs: (np.abs(outputs[0]) + _STEPS * 0.05 * 10,),
        bad_inputs=(),
    )


def _loops(piece: Piece, spec: Spec) -> Iterator[PathAdapter]:
    if piece.kind != "function":
        return
    required, optional = names_of(piece.parameters)
    found = by_name([*required, *optional], {**_LOOP, **adam.OPTIONS})
    if not {"w", "x", "y"} <= set(found.values()) or any(p not in found for p in required):
        return
    for factor in (2.0, 1.0):
        for per_epoch in (1, 4, 32):
            if _STEPS % per_epoch and per_epoch < _STEPS:
                continue
            epochs = max(_STEPS // per_epoch, 1)

            def program(inputs: Inputs, epochs: int = epochs) -> list[Step]:
                options = {k: v for k, v in inputs.items() if k not in ("w", "X", "y", "factor", "steps")}
                parts: dict[str, Any] = {"w": inputs["w"], "x": inputs["X"], "y": inputs["y"], "epochs": epochs,
                                         "batch_size": 8, "seed": 0}  # fmt: skip
                kwargs = {p: value(parts[r]) for p, r in found.items() if r in parts}
                call = {"do": "call", "to": "y", "function": {"name": piece.name},
                        "kwargs": {**kwargs, **adam.given(options, found)}}  # fmt: skip
                return [{"do": "seed", "value": 0}, call, {"do": "return", "values": [{"var": "y"}]}]

            def outcome(told: list[Any], inputs: Inputs) -> Outputs:
                result = told[0][0] if isinstance(told[0], (tuple, list)) else told[0]
                return (np.asarray(plain(result)),)

            pins = {"factor": factor, "steps": epochs * per_epoch}
            at = f"{piece.name}({', '.join(found)}), a whole training loop"
            yield PathAdapter(spec, piece.name, at, program, outcome, adam.roles(found), pins)
