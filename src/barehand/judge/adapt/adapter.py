"""An adapter: one way of calling what somebody wrote, and its dress as a candidate for the engine."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from barehand.core.spec import Array, Case, Inputs, Law, Spec
from barehand.judge.adapt.by_hand import ByHand
from barehand.judge.adapt.forms import CALLS_FOR, CONSTANTS, DERIVED, FILLS, FREE, Form, unchanged
from barehand.judge.child import Session, Stopped, TheirError
from barehand.judge.grading import Inexpressible, Raised
from barehand.judge.wire import Tensor


def defaults(spec: Spec) -> dict[str, Any]:
    """Our default of every option."""
    parameters = inspect.signature(spec.reference).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


@dataclass(frozen=True)
class Adapter:
    """Which parameter takes which role, in which form, and what the code settles by itself."""

    spec: Spec
    name: str  # of the function or class in the program
    form: Form
    call: Mapping[str, str]  # parameter -> role
    construct: Mapping[str, str] | None = None  # of a class; None for a function
    method: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)  # path in the object -> role
    pins: Mapping[str, Any] = field(default_factory=dict)
    arrays: str = "numpy"  # or "torch", or "list"
    module: bool = False  # a torch module: it has train, eval and to
    after: str | None = None  # a method to call once the inputs were told
    never: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # values of an option that the code lacks
    by_hand: ByHand | None = None  # their own gradient
    item: int | None = None  # which of several results is the block's
    leaves: str = ""  # the attribute in which the call leaves its result, where it returns none
    guessed: bool = False  # whether places in the order, not names, say what is what

    @property
    def taken(self) -> set[str]:
        """The roles that a call can fill."""
        found = {*self.call.values(), *(self.construct or {}).values(), *self.attributes.values()}
        if self.module or "bn_param" in found:
            found.add("training")
        if "ln_param" in found:
            found.add("eps")
        if "bn_param" in found:
            found |= {"eps", "momentum", "running_mean", "running_var"}
        if self.form.takes is not None:
            found |= {*self.spec.signature, *self.spec.differentiable}
            for bundle in self.spec.bundles.values():
                found |= set(bundle._fields)
        if self.form.takes == {}:
            found |= {"query", "key", "value"}
        return found

    def says(self) -> str:
        """The adapter in words, for the report."""
        new = "" if self.construct is None else f"{self.name}({', '.join(map(_told, self.construct.items()))})"
        place = self.name if self.construct is None else f"{new}{'.' + self.method if self.method else ''}"
        told = f"{place}({', '.join(map(_told, self.call.items()))})"
        settled = [f"{k}={v!r}" for k, v in self.pins.items()]
        return "; ".join([told, *filter(None, [self.form.says]), *([f"with {', '.join(settled)}"] if settled else [])])

    def remote(self, session: Session) -> Remote:
        """The code, run in the child."""
        return Remote(self, session)

    @property
    def form_says(self) -> str:
        """What is particular about the form."""
        return self.form.says

    @property
    def differentiates(self) -> bool:
        """Whether there is a gradient to examine: torch's, or a backward pass of their own."""
        return (self.arrays == "torch" or self.by_hand is not None) and not self.form.each and self.form.read is None

    def keeps_laws(self, law: Law) -> bool:
        """Whether the law's inputs can be put as the code takes them, as they are."""
        if self.form.restate is not unchanged:
            return False
        inputs = law.make(np.random.default_rng(0))
        found = self.restated(inputs)
        return found is not None and all(
            found[k] is inputs[k] or _same_option(k, found[k], inputs[k], inputs) for k in inputs
        )

    # Inputs

    def restated(self, inputs: Inputs) -> Inputs | None:
        """The inputs as the code and the reference both get them; None where the code has no way to take them."""
        given = {k: v for k, v in inputs.items() if v is not None}
        found = self.form.restate(given)
        if found is None:
            return None
        for name, values in self.never.items():
            if found.get(name) in values:
                found = {**found, name: defaults(self.spec)[name]}
        for name, value in {**self.form.pins, **self.pins}.items():
            if name not in FREE and name in found and not _same_option(name, found[name], value, found):
                return None
            found = {**found, name: value}
        for role, fill in FILLS.get(self.spec.name, {}).items():
            if role in {*self.call.values(), *(self.construct or {}).values()} and found.get(role) is None:
                found[role] = fill(found)
        usual, taken = defaults(self.spec), self.taken
        for name, value in found.items():
            settled = name in taken or name in self.pins or name in self.form.pins
            if not settled and not (name in usual and _same_option(name, value, usual[name], found)):
                return None
        calls_for = CALLS_FOR.get(self.spec.name)
        if calls_for is not None and calls_for(found) - taken:
            return None
        return {k: found[k] for k in sorted(found, key=_order(self.spec).__getitem__)}

    def values(self, inputs: Inputs) -> dict[str, Any]:
        """What each role is given."""
        found: dict[str, Any] = {**defaults(self.spec), **self.form.dress(inputs)}
        for role, (derive, _) in DERIVED.get(self.spec.name, {}).items():
            if role in self.taken:
                found[role] = derive(inputs)
        return {**{role: value for role, (value, _) in CONSTANTS.items()}, **found}

    # Steps for the child

    def _value(self, value: Any, *, grad: bool = False) -> Any:
        if isinstance(value, np.ndarray):
            spread = value.ndim > 0 and not value.flags.c_contiguous
            return {"array": value, "as": self.arrays, "grad": grad, "strided": spread}
        if isinstance(value, (tuple, list)):
            return {type(value).__name__: [self._value(v) for v in value]}
        if isinstance(value, dict):
            return {"dict": {k: self._value(v) for k, v in value.items()}}
        if isinstance(value, SimpleNamespace):
            return {"record": {k: self._value(v) for k, v in vars(value).items()}}
        return value.item() if isinstance(value, np.generic) else value

    def steps(self, inputs: Inputs, grads: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """Everything up to the call; the result is the variable y."""
        values = self.values(inputs)
        used = {*self.call.values(), *self.attributes.values(), *(self.construct or {}).values()}
        put: list[dict[str, Any]] = [
            {"do": "put", "to": f"in_{role}", "value": self._value(value, grad=role in grads)}
            for role, value in values.items()
            if role in used and value is not None
        ]

        def passed(parameters: Mapping[str, str]) -> dict[str, Any]:
            return {p: {"var": f"in_{r}"} for p, r in parameters.items() if values.get(r) is not None}

        function: dict[str, Any] = {"name": self.name}
        if self.construct is not None:
            put.append({"do": "call", "to": "m", "function": function, "kwargs": passed(self.construct)})
            if self.module:
                kinds = [v.dtype for v in inputs.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
                put.append({"do": "dtype", "var": "m", "dtype": str(kinds[0] if kinds else np.dtype(np.float64))})
                mode = "train" if values.get("training", True) else "eval"
                put.append({"do": "call", "to": "_", "function": {"var": "m", "attr": mode}})
            for path, role in self.attributes.items():
                if values.get(role) is not None:
                    put.append({"do": "set", "var": "m", "path": path, "value": {"var": f"in_{role}"}})
            function = {"var": "m", **({"attr": self.method} if self.method else {})}
        if self.leaves:
            put.append({"do": "call", "to": "_", "function": function, "kwargs": passed(self.call)})
            return [*put, {"do": "get", "to": "y", "from": {"var": "m"}, "path": self.leaves}]
        if self.after is not None:
            put.append({"do": "call", "to": "_", "function": function, "kwargs": passed(self.call)})
            return [*put, {"do": "call", "to": "y", "function": {"var": "m", "attr": self.after}}]
        return [*put, {"do": "call", "to": "y", "function": function, "kwargs": passed(self.call)}]

    def chosen(self) -> list[dict[str, Any]]:
        """The step that takes the block's result from among several."""
        if self.item is None:
            return []
        return [{"do": "get", "to": "y", "from": {"var": "y"}, "path": f"[{self.item}]"}]

    def written(self, inputs: Inputs) -> dict[str, dict[str, Any]]:
        """Where to find what the call updates in place: the variable, or the path in the object."""
        places: dict[str, dict[str, Any]] = {}
        for role in self.spec.writes:
            if inputs.get(role) is None:
                continue
            path = next((p for p, r in self.attributes.items() if r == role), None)
            if path is not None:
                places[role] = {"do": "get", "to": f"out_{role}", "from": {"var": "m"}, "path": path}
            elif "bn_param" in self.call.values():
                places[role] = {"do": "get", "to": f"out_{role}", "from": {"var": "in_bn_param"}, "path": f"[{role}]"}
            elif role in self.call.values():
                places[role] = {"do": "get", "to": f"out_{role}", "from": {"var": f"in_{role}"}, "path": ""}
        return places


def _told(pair: tuple[str, str]) -> str:
    parameter, role = pair
    return parameter if parameter == role else f"{parameter}={role}"


def _order(spec: Spec) -> Mapping[str, int]:
    """Where inputs stand, required ones first."""

    class Places(dict[str, int]):
        def __missing__(self, key: str) -> int:
            return len(self)

    return Places({name: place for place, name in enumerate(inspect.signature(spec.reference).parameters)})


def _same_option(name: str, a: Any, b: Any, inputs: Inputs) -> bool:
    if name == "axis" and isinstance(a, int) and isinstance(b, int):
        first = next(v for v in inputs.values() if isinstance(v, np.ndarray))
        return bool(first.ndim) and a % first.ndim == b % first.ndim
    return type(a) is not np.ndarray and type(b) is not np.ndarray and a == b


def asked(remote: Any, steps: list[dict[str, Any]]) -> list[Any]:
    """Run the steps in the child; code that had to be stopped twice is not called again."""
    if len(remote.stops) >= 2:
        raise Raised(f"was not called again, since it {remote.stops[-1]}", stopped=True)
    try:
        found: list[Any] = remote.session.run(steps)
    except Stopped as stop:
        remote.stops.append(stop.reason)
        raise Raised(stop.reason, stopped=True) from None
    except TheirError as error:
        remote.lines.append(error.line)
        raise Raised(f"raises {error}") from None
    return found


_PATIENCE, _LARGE = 4.0, 2000  # seconds for an item, numbers in an input


class Remote:
    """The code as a function of the spec's arguments, run in the child."""

    def __init__(self, adapter: Adapter, session: Session) -> None:
        self.adapter, self.session, self.spec = adapter, session, adapter.spec
        self.notes: set[str] = set()
        self.spent = 0.0  # seconds
        self.too_large = 10**12
        self.stops: list[str] = []
        self.lines: list[int | None] = []  # of the program, where it raised

    def ask(self, steps: list[dict[str, Any]]) -> list[Any]:
        """Run the steps in the child."""
        return asked(self, steps)

    def _inputs(self, args: tuple[Any, ...], kwargs: Inputs) -> Inputs:
        given = {**dict(zip(self.spec.signature, args, strict=False)), **kwargs}
        for name in self.spec.bundles:
            given |= {k: v for k, v in given.pop(name)._asdict().items() if v is not None}
        inputs = self.adapter.restated(given)
        if inputs is None or any(k in FREE and v is not None and inputs[k] != v for k, v in given.items()):
            raise Inexpressible  # a law asks for an option that the code has settled
        return inputs

    def function(self, *args: Any, **kwargs: Any) -> Any:
        """One call, and what it writes in place."""
        inputs = self._inputs(args, kwargs)
        return self._patiently(
            inputs, lambda: self._rows(inputs) if self.adapter.form.each else self._called(inputs, kwargs)
        )

    def _patiently(self, inputs: Inputs, call: Callable[[], Any]) -> Any:
        """Slow code is not asked for large inputs again; its speed is a grade of its own."""
        size = _size(inputs)
        if (self.spent > _PATIENCE and size > _LARGE) or size >= self.too_large:
            raise Inexpressible
        start = time.perf_counter()
        try:
            return call()
        except Raised as raised:
            if not raised.stopped or size <= _LARGE:
                raise
            self.stops.clear()
            self.too_large = size
            self.notes.add(f"{raised} on an input of {size} numbers")
            raise Inexpressible from None
        finally:
            self.spent += time.perf_counter() - start

    def _called(self, inputs: Inputs, kwargs: Inputs) -> Any:
        places = self.adapter.written(inputs)
        changed = [
            r for r in self.adapter.call.values() if _may_write(inputs.get(r)) and self.adapter.form.takes is None
        ]
        steps = [*self.adapter.steps(inputs), *places.values()]
        wanted = [{"var": "y"}, *({"var": f"out_{r}"} for r in places), *({"var": f"in_{r}"} for r in changed)]
        result, *others = self.ask([*steps, {"do": "return", "values": wanted}])
        self._write(kwargs, places, result, others[: len(places)], inputs)
        sent = self.adapter.values(inputs)
        for role, value in zip(changed, others[len(places) :], strict=True):
            got = plain(value)
            if role in self.spec.writes or not isinstance(got, np.ndarray) or got.shape != inputs[role].shape:
                continue
            if not _alike(got, sent[role]):
                inputs[role][...] = got  # where the engine looks whether its inputs stayed as they were
        return self._result(result, inputs)

    def _write(self, given: Inputs, places: Mapping[str, Any], result: Any, found: list[Any], inputs: Inputs) -> None:
        """Put updates where the spec looks for them; code on NumPy may return them instead."""
        returned = list(result[1:]) if isinstance(result, tuple) else []
        for i, (role, value) in enumerate(zip(places, found, strict=True)):
            got = plain(value)
            if not isinstance(got, np.ndarray):
                continue
            if np.array_equal(got, inputs[role], equal_nan=True) and i < len(returned):
                again = plain(returned[i])
                got = again if isinstance(again, np.ndarray) and again.shape == got.shape else got
            if given.get(role) is not None and got.size == given[role].size:
                given[role][...] = got.reshape(given[role].shape)

    def _rows(self, inputs: Inputs) -> Any:
        names = self.spec.signature
        single = inputs[names[0]].ndim == 1
        rows = (
            [inputs]
            if single
            else [{**inputs, **dict(zip(names, r, strict=True))} for r in zip(*(inputs[n] for n in names), strict=True)]
        )
        steps: list[dict[str, Any]] = []
        for i, row in enumerate(rows):
            *before, call = self.adapter.steps(
                {k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in row.items()}
            )
            steps += [*before, {**call, "to": f"y{i}"}]
        found = self.ask([*steps, {"do": "return", "values": [{"var": f"y{i}"} for i in range(len(rows))]}])
        results = [self._result(f, row) for f, row in zip(found, rows, strict=True)]
        if single or not all(isinstance(r, np.ndarray | np.generic) for r in results):
            return results[0] if results else np.empty(0, inputs[names[0]].dtype)
        return np.stack(results) if results else np.empty(0, inputs[names[0]].dtype)

    def _result(self, result: Any, inputs: Inputs) -> Any:
        """The block's result as an array in the type that the spec expects; what was changed is noted."""
        if self.adapter.item is not None and isinstance(result, (tuple, list)) and len(result) > self.adapter.item:
            result = result[self.adapter.item]
        if isinstance(result, tuple):
            return tuple(self._result(r, inputs) for r in result)
        got = plain(result)
        if isinstance(got, (bool, int, float)):
            got = np.asarray(got, np.float64) if isinstance(got, float) else np.asarray(got)
        if not isinstance(got, np.ndarray | np.generic):
            return got
        got = np.asarray(got)
        if self.adapter.form.read is not None:
            got = self.adapter.form.read(got, inputs)
        kind = wanted_dtype(self.spec, inputs)
        if got.dtype.kind in "iub" and kind.kind == "f" and not got.ndim:
            got = got.astype(kind)
        if got.dtype.kind == "f" and got.dtype != kind:
            self.notes.add(f"gives {got.dtype} for {kind}")
            with np.errstate(all="ignore"):
                got = got.astype(kind)
        return got[()] if got.ndim == 0 else got

    def vjp(self, *args: Any, cotangent: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The gradients for the differentiable inputs, as torch's autograd finds them."""
        inputs, adapter = self._inputs(args, kwargs), self.adapter
        if adapter.form.each:
            raise Inexpressible
        wanted = [k for k in self.spec.differentiable if inputs.get(k) is not None]
        dressed = adapter.form.sources
        if dressed is None:
            dressed = tuple(wanted) if adapter.form.takes is None else tuple(adapter.form.takes)
        floating = {k for k, v in adapter.values(inputs).items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
        sources = tuple(k for k in dressed if k in floating)
        if not sources:
            raise Inexpressible  # whole numbers have no gradient
        paths = {r: p for p, r in adapter.attributes.items()}
        got: list[dict[str, Any]] = [
            {"do": "get", "to": f"in_{r}", "from": {"var": "m"}, "path": paths[r]} for r in sources if r in paths
        ]
        *before, call = adapter.steps(inputs, sources)
        if adapter.by_hand is not None:
            hand, put = adapter.by_hand, [*before, call]
            gradients = self._patiently(inputs, lambda: self._of(hand, put, cotangent, sources, inputs))
        else:
            several = isinstance(cotangent, tuple) and adapter.item is None
            cotangents = list(cotangent) if isinstance(cotangent, tuple) else [cotangent]
            steps = [
                *before,
                *got,
                call,
                *adapter.chosen(),
                {
                    "do": "grad",
                    "to": "g",
                    "of": [f"y[{i}]" for i in range(len(cotangents))] if several else ["y"],
                    "cotangent": [adapter._value(np.asarray(c)) for c in cotangents[: None if several else 1]],
                    "wrt": [f"in_{r}" for r in sources],
                },
                {"do": "return", "values": [{"var": "g"}]},
            ]
            found = self._patiently(inputs, lambda: self.ask(steps))[0]
            gradients = {r: np.asarray(plain(g)) for r, g in zip(sources, found, strict=True)}
            for r in paths.keys() & gradients.keys():  # a parameter of (1, C) for (C,)
                gradients[r] = gradients[r].reshape(np.shape(inputs[r])) if r in inputs else gradients[r]
        if adapter.form.pull is not None:
            gradients = adapter.form.pull(gradients, inputs)
        return tuple(gradients[k].astype(inputs[k].dtype, copy=False) for k in wanted)

    def _of(
        self, hand: ByHand, steps: list[dict[str, Any]], cotangent: Any, sources: tuple[str, ...], inputs: Inputs
    ) -> dict[str, Array]:
        """The gradients that they compute themselves; of a loss, times the cotangent where they are not told it."""
        g = np.asarray(cotangent)
        steps = [*steps, *hand.steps(self.adapter._value(g), self.adapter.item)]
        wanted = [{"var": "b"}, *({"var": f"g_{r}"} for r in hand.held)]
        told, *held = map(_apart, self.ask([*steps, {"do": "return", "values": wanted}]))
        given = self.adapter.values(inputs)
        found = hand.gradients(told, dict(zip(hand.held, held, strict=True)), sources, given)
        if hand.takes_cotangent:
            return found
        if g.ndim and any(g.shape != d.shape for d in found.values()):
            raise Inexpressible  # one gradient for many results
        return {r: d * g for r, d in found.items()}


def _apart(value: Any) -> Any:
    """Arrays among several values."""
    if isinstance(value, tuple) or (isinstance(value, list) and any(isinstance(v, Tensor) for v in value)):
        return tuple(map(plain, value))
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return plain(value)


def _size(inputs: Inputs) -> int:
    return sum(v.size for v in inputs.values() if isinstance(v, np.ndarray))


def _alike(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f"))


def _may_write(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.flags.writeable and value.ndim > 0


def wanted_dtype(spec: Spec, inputs: Inputs) -> np.dtype[Any]:
    """The type that a result has by the spec."""
    if spec.result_dtype is not None:
        return spec.result_dtype
    kinds = [v.dtype for v in inputs.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
    return kinds[0] if kinds else np.dtype(np.float64)


def plain(value: Any) -> Any:
    """An array for what came back as one, and anything else as it is."""
    if isinstance(value, Tensor):
        return value.array
    if isinstance(value, list):
        try:
            found = np.array([plain(v) for v in value])
        except (ValueError, TypeError):
            return value
        return found if found.dtype.kind in "fiub" else value
    return value


def expressible(adapter: Adapter, cases: tuple[Case, ...]) -> tuple[Case, ...]:
    """The cases that the code can take, put its way."""

    def put(case: Case) -> Case:
        def make(rng: np.random.Generator) -> Inputs:
            found = adapter.restated(case.make(rng))
            assert found is not None
            return found

        return Case(case.name, case.catches, make, case.grade, case.gradient, case.dtypes)

    return tuple(put(c) for c in cases if adapter.restated(c.make(np.random.default_rng(0))) is not None)
