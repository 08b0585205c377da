"""Adam as well-known courses and books write it: weights and biases by name, layers in dicts or as objects, states that
are handed in, and a whole descent along a gradient that is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from barehand.core.spec import FULL, Case, Inputs, Outputs, Spec
from barehand.judge.adapt import adam
from barehand.judge.adapt.adapter import plain
from barehand.judge.adapt.names import by_name
from barehand.judge.adapt.paths import PathAdapter, Step, driven, value
from barehand.judge.adapt.search import names_of
from barehand.judge.grading import Inexpressible
from barehand.judge.pieces import Piece

_GRADIENTS = ("d{}", "d_{}", "grad_{}", "{}_grad", "g{}", "g_{}")  # how the gradient of a name is called
_LAYER_KEYS = re.compile(r"""\+ *str\(|f["']d?[Wb]\{|["']d?[Wb]["'] *\+""")  # "W" + str(layer)
_DESCENT: Mapping[str, tuple[str, ...]] = {
    "slope": ("grad", "gradient", "grad_fn", "grad_f", "grad_func", "gradient_fn", "df", "fprime", "dfdx", "jac"),
    "start": ("x0", "x_init", "init", "theta0", "w0", "start", "x", "theta", "w", "params"),
    "steps": ("n_steps", "num_steps", "n_iter", "n_iters", "num_iters", "max_iter", "max_iters", "maxiter", "steps",
              "iterations", "n_iterations", "num_iterations", "epochs", "T"),
    "value": ("f", "func", "objective", "loss", "cost"),
}  # fmt: skip
_HANDED: Mapping[str, tuple[str, ...]] = {
    "params": ("params", "parameters"),
    "states": ("states", "state"),
    "settings": ("hyperparams", "hyper", "config", "hp", "options"),
}


def adapters(piece: Piece, spec: Spec) -> Iterator[PathAdapter]:
    """Every one of these ways that the code's names suit."""
    if piece.kind == "class":
        for method in piece.methods:
            yield from _class(piece, spec, method.name, names_of(method.parameters))
        return
    required, optional = names_of(piece.parameters)
    if pairs := _pairs([*required, *optional]):
        found = by_name([*required, *optional], {**adam.OPTIONS, "t": adam.PARTS["t"]})
        counts = [p for p, r in found.items() if r == "t"]
        program = _by_pairs(piece.name, "", found, pairs, counts)
        yield _adapter(piece, spec, found, program, "weights and biases by name")
    if _LAYER_KEYS.search(piece.own):
        yield from _layers(piece, spec, [*required, *optional])
    yield from _with_states(piece, spec, required)


def _class(piece: Piece, spec: Spec, method: str, names: tuple[list[str], list[str]]) -> Iterator[PathAdapter]:
    needed, other = names_of(piece.parameters)
    new = by_name([*needed, *other], adam.OPTIONS)
    if any(p not in new for p in needed):
        return
    required, optional = names
    if pairs := _pairs([*required, *optional]):
        counts = list(by_name([*required, *optional], {"t": adam.PARTS["t"]}))
        program = _by_pairs(piece.name, method, new, pairs, counts)
        yield _adapter(piece, spec, new, program, f"{method}: weights and biases by name")
    if len(required) == 1:
        held = dict.fromkeys(re.findall(rf"\b{required[0]}\.(\w+)", piece.own))
        if pairs := _pairs(list(held)):
            program = _on_layers(piece, method, required[0], new, pairs)
            yield _adapter(piece, spec, new, program, f"{method}: one layer at a time")


def _adapter(
    piece: Piece,
    spec: Spec,
    found: Mapping[str, str],
    program: Callable[[Inputs], list[Step]],
    says: str,
    arrays: str = "numpy",
) -> PathAdapter:
    at = f"{piece.name}({', '.join(found)})"
    return PathAdapter(spec, piece.name, at, program, adam.stacked, adam.roles(found), form_says=says, arrays=arrays)


def _pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """What has a gradient beside it, with that."""
    return [(n, g) for n in names for form in _GRADIENTS if (g := form.format(n)) in names]


def _present(inputs: Inputs) -> tuple[list[Any], list[Any], Inputs]:
    if inputs.get("absent"):
        raise Inexpressible  # every call has all gradients
    return adam.split(inputs)


def _beside_strangers(
    new: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
    begin: Callable[[str, list[Any], dict[str, Any]], list[Step]],
    step: Callable[[str, list[Any], dict[str, Any], int], list[Step]],
    read: Callable[[str, int], Step],
) -> Callable[[Inputs], list[Step]]:
    """Each of our parameters in every pair's place, in a course of its own.

    Other places hold other numbers, so that who takes one for the other is found out; the place that is read changes
    from mark to mark.
    """
    places = range(len(pairs))

    def put(x: Any, own: int) -> list[Any]:
        return [value(np.asarray(x) * (1.0 if j == own else -3.0 - j)) for j in places]

    def program(inputs: Inputs) -> list[Step]:
        params, gs, options = _present(inputs)
        settings = adam.given(options, new)
        steps: list[Step] = []
        for i, p in enumerate(params):
            for k in places:
                steps += begin(f"{i}_{k}", put(p, k), settings)
        for t in range(len(gs[0])):
            for i, g in enumerate(gs):
                for k in places:
                    steps += step(f"{i}_{k}", put(g[t], k), settings, t)
            if t in adam.marks(inputs):
                for i in range(len(params)):
                    k = (t + i) % len(pairs)
                    steps.append({**read(f"{i}_{k}", k), "do": "get", "to": f"q{i}"})
                steps.append({"do": "return", "values": [{"var": f"q{i}"} for i in range(len(params))]})
        return steps

    return program


def _by_pairs(
    name: str, method: str, new: Mapping[str, str], pairs: Sequence[tuple[str, str]], counts: Sequence[str]
) -> Callable[[Inputs], list[Step]]:
    """What takes each weight and its gradient by name, and the number of the step in `counts`; a function if there is
    no method."""

    def held(course: str) -> list[str]:
        return [f"w{course}_{j}" for j in range(len(pairs))]

    def begin(course: str, weights: list[Any], settings: dict[str, Any]) -> list[Step]:
        steps: list[Step] = [{"do": "put", "to": w, "value": x} for w, x in zip(held(course), weights, strict=True)]
        made = {"do": "call", "to": f"o{course}", "function": {"name": name}, "kwargs": settings}
        return [*steps, made] if method else steps

    def step(course: str, gradients: list[Any], settings: dict[str, Any], t: int) -> list[Step]:
        kwargs = {**({} if method else settings), **dict.fromkeys(counts, t + 1)}
        for (n, d), w, g in zip(pairs, held(course), gradients, strict=True):
            kwargs |= {n: {"var": w}, d: g}
        function = {"var": f"o{course}", "attr": method} if method else {"name": name}
        return [
            {"do": "call", "to": "r", "function": function, "kwargs": kwargs},
            {"do": "spread", "to": held(course), "from": {"var": "r"}},
        ]

    return _beside_strangers(new, pairs, begin, step, lambda course, k: {"from": {"var": f"w{course}_{k}"}})


def _on_layers(
    piece: Piece, method: str, layer: str, new: Mapping[str, str], pairs: Sequence[tuple[str, str]]
) -> Callable[[Inputs], list[Step]]:
    """An object with weights and their gradients as attributes; methods to call before and after go by their names."""
    names = [m.name for m in piece.methods]
    before, after = ([n for n in names if n.startswith(kind)][:1] for kind in ("pre_", "post_"))

    def begin(course: str, weights: list[Any], settings: dict[str, Any]) -> list[Step]:
        record = {name: x for pair, x in zip(pairs, weights, strict=True) for name in pair}
        return [
            {"do": "put", "to": f"l{course}", "value": {"record": record}},
            {"do": "call", "to": f"o{course}", "function": {"name": piece.name}, "kwargs": settings},
        ]

    def step(course: str, gradients: list[Any], settings: dict[str, Any], t: int) -> list[Step]:
        sets: list[Step] = [
            {"do": "set", "var": f"l{course}", "path": d, "value": g}
            for (_, d), g in zip(pairs, gradients, strict=True)
        ]
        own = {layer: {"var": f"l{course}"}}
        calls = [
            {
                "do": "call",
                "to": "_",
                "function": {"var": f"o{course}", "attr": m},
                "kwargs": own if m == method else {},
            }
            for m in (*before, method, *after)
        ]
        return [*sets, *calls]

    def read(course: str, k: int) -> Step:
        return {"from": {"var": f"l{course}"}, "path": pairs[k][0]}

    return _beside_strangers(new, pairs, begin, step, read)


def _layers(piece: Piece, spec: Spec, names: Sequence[str]) -> Iterator[PathAdapter]:
    """Dicts with keys W1, b1, W2, ..., the gradients' and the moments' with a d before."""
    parts = {k: adam.PARTS[k] for k in ("params", "grads", "t")}
    found = by_name(names, {**parts, **adam.OPTIONS})
    left = [n for n in names if n not in found][:2]  # the moments, the first first
    if len(left) < 2 or not {"params", "grads"} <= set(found.values()):
        return

    def program(inputs: Inputs) -> list[Step]:
        params, gs, options = _present(inputs)
        keys = [f"{'Wb'[i % 2]}{i // 2 + 1}" for i in range(len(params) + len(params) % 2)]
        filled = [*params, *[np.zeros(1)] * (len(keys) - len(params))]
        zeros = {"dict": {f"d{k}": value(p * 0) for k, p in zip(keys, filled, strict=True)}}
        steps: list[Step] = [
            {"do": "put", "to": "w", "value": {"dict": {k: value(p) for k, p in zip(keys, filled, strict=True)}}},
            {"do": "put", "to": "m", "value": zeros},
            {"do": "put", "to": "v", "value": zeros},
        ]
        for t in range(len(gs[0])):
            grads = [*(np.asarray(g[t]) for g in gs), *[np.zeros(1)] * (len(keys) - len(params))]
            own = {"params": {"var": "w"}, "t": t + 1}
            own["grads"] = {"dict": {f"d{k}": value(g) for k, g in zip(keys, grads, strict=True)}}
            kwargs = {**adam.given(options, found), **{p: own[r] for p, r in found.items() if r in own}}
            kwargs |= dict(zip(left, ({"var": "m"}, {"var": "v"}), strict=True))
            steps.append({"do": "call", "to": "r", "function": {"name": piece.name}, "kwargs": kwargs})
            steps.append({"do": "spread", "to": ["w", "m", "v"], "from": {"var": "r"}})
            if t in adam.marks(inputs):
                for i, k in enumerate(keys[: len(params)]):
                    steps.append({"do": "get", "to": f"q{i}", "from": {"var": "w"}, "path": f"[{k}]"})
                steps.append({"do": "return", "values": [{"var": f"q{i}"} for i in range(len(params))]})
        return steps

    yield _adapter(piece, spec, found, program, "layers in dicts")


def of_descents(spec: Spec) -> Spec:
    """Adam down a bowl, whose slope at x is a (x - c)."""

    def bowl(steps: int, shape: tuple[int, ...], **options: Any) -> Callable[[np.random.Generator], Inputs]:
        def make(rng: np.random.Generator) -> Inputs:
            w, c = rng.standard_normal((2, *shape))
            return {"w": w, "a": 0.5 + rng.random(shape), "c": c, "steps": steps, "lr": 0.05, **options}

        return make

    def drive(optimizer: Any, inputs: Inputs) -> Outputs:
        options = {k: v for k, v in inputs.items() if k not in ("w", "a", "c", "steps")}
        w = inputs["w"].copy()
        o = optimizer([w], **options)
        for _ in range(inputs["steps"]):
            o.step([inputs["a"] * (w - inputs["c"])])
        return (w,)

    makes = {
        "one step down": bowl(1, (4,)),
        "ten steps down": bowl(10, (4,)),
        "forty steps down": bowl(40, (3,)),
        "other means": bowl(10, (4,), betas=(0.8, 0.95)),
        "a large epsilon": bowl(10, (4,), eps=1e-2),
    }
    cases = tuple(
        Case(name, "a formula that is plainly wrong", make, gradient=False, dtypes=(FULL[1],))
        for name, make in makes.items()
    )
    return driven(
        spec, drive, cases=cases, scale=lambda inputs, outputs: (np.abs(outputs[0]) + inputs["steps"],), bad_inputs=()
    )


def descents(piece: Piece, spec: Spec) -> Iterator[PathAdapter]:
    """A function that takes the slope as a function, and goes down by itself."""
    required, optional = names_of(piece.parameters)
    found = by_name([*required, *optional], {**_DESCENT, **adam.OPTIONS})
    roles = {r: p for p, r in found.items()}
    known = {"slope", "start", "steps"} <= set(roles) and all(p in found for p in required)
    if piece.kind != "function" or not known or not re.search(rf"\b{roles['slope']}\(", piece.own):
        return

    def program(inputs: Inputs) -> list[Step]:
        options = {k: v for k, v in inputs.items() if k not in ("w", "a", "c", "steps")}
        slope = {"slope": [value(inputs["a"]), value(inputs["c"])]}
        parts = {"start": value(inputs["w"]), "steps": inputs["steps"], "slope": slope, "value": slope}
        kwargs = {**adam.given(options, found), **{p: parts[r] for p, r in found.items() if r in parts}}
        call: Step = {"do": "call", "to": "y", "function": {"name": piece.name}, "kwargs": kwargs}
        return [call, {"do": "return", "values": [{"var": "y"}]}]

    def outcome(told: list[Any], inputs: Inputs) -> Outputs:
        result = told[0][0] if isinstance(told[0], tuple) else told[0]
        return (np.asarray(plain(result)),)

    at = f"{piece.name}({', '.join(found)}), a whole descent"
    yield PathAdapter(spec, piece.name, at, program, outcome, adam.roles(found))


def _with_states(piece: Piece, spec: Spec, required: Sequence[str]) -> Iterator[PathAdapter]:
    """Tensors with gradients in .grad, a pair of moments for each, and a dict of settings that counts the steps."""
    found = by_name(required, _HANDED)
    if set(found.values()) != set(_HANDED) or len(found) != len(required) or ".grad" not in piece.own:
        return

    def program(inputs: Inputs) -> list[Step]:
        params, gs, options = _present(inputs)
        settings = adam.given(options, {key: role for role, keys in adam.KEYS.items() for key in keys})
        zeros = [{"tuple": [value(p * 0, "torch"), value(p * 0, "torch")]} for p in params]
        steps: list[Step] = [
            *({"do": "put", "to": f"p{i}", "value": value(p, "torch", grad=True)} for i, p in enumerate(params)),
            {"do": "put", "to": "states", "value": {"list": zeros}},
            {"do": "put", "to": "settings", "value": {"dict": {**settings, "t": 1}}},
        ]
        parts = {
            "params": {"list": [{"var": f"p{i}"} for i in range(len(params))]},
            "states": {"var": "states"},
            "settings": {"var": "settings"},
        }
        kwargs = {p: parts[r] for p, r in found.items()}
        for t in range(len(gs[0])):
            for i, g in enumerate(gs):
                steps.append({"do": "set", "var": f"p{i}", "path": "grad", "value": value(np.asarray(g[t]), "torch")})
            steps.append({"do": "call", "to": "_", "function": {"name": piece.name}, "kwargs": kwargs})
            if t in adam.marks(inputs):
                steps.append({"do": "return", "values": [{"var": f"p{i}"} for i in range(len(params))]})
        return steps

    read = set(re.findall(r"""["'](\w+)["']""", piece.own))
    held = {key: role for role, keys in adam.KEYS.items() for key in keys if key in read}
    yield _adapter(piece, spec, held, program, "states and settings handed in", "torch")
