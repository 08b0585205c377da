"""What a block declares about itself, once: it drives the tests, the judge, the benchmarks and the lab.

A spec does not assume a function from array to array. `drive` turns a candidate and named inputs into a tuple of result
arrays: for a function that is one call; for an optimizer it is a run of steps and the parameters along it; for an
estimator a fit and what it predicts. The reference is the textbook, driven the same way in a wider type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Inputs = dict[str, Any]  # argument name -> value, required ones first
Outputs = tuple[Any, ...]
Grade = Literal["correctness", "stability", "generality"]
Text = Mapping[str, str]  # language ("en", "zh") -> words

HALF, SINGLE, DOUBLE = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
EVERY = (HALF, SINGLE, DOUBLE)
FULL = (SINGLE, DOUBLE)


@dataclass(frozen=True)
class Case:
    """An input named for the mistake that it catches.

    `make` draws the inputs in float64; floating arrays are then rounded to each of `dtypes`. Integer and boolean arrays
    stay as they are. `gradient` is False where the function has a kink or the gradient no value.
    """

    name: str
    catches: str
    make: Callable[[np.random.Generator], Inputs]
    grade: Grade = "correctness"
    gradient: bool = True
    dtypes: tuple[np.dtype[Any], ...] = EVERY


@dataclass(frozen=True)
class Law:
    """Something true of every right answer, whatever the input: `sides` gives two arrays that must agree.

    `sides(call, inputs)` calls the candidate as often as it needs and returns (left, right, scale). `make` draws inputs
    of a given shape seed, so that property-based tests can feed it.
    """

    name: str
    statement: Text
    make: Callable[[np.random.Generator], Inputs]
    sides: Callable[[Callable[[Inputs], Outputs], Inputs], tuple[Any, Any, Any]]


@dataclass(frozen=True)
class Forged:
    """An answer that never saw the question: what it makes of the right outputs, or of the inputs."""

    make: Callable[[Outputs, Inputs], Outputs]


@dataclass(frozen=True)
class Mutant:
    """A wrong version that people really write, with the advice it earns; wrong in its values or its gradient only."""

    name: str
    advice: Text
    function: Callable[..., Any] | Forged | None = None
    vjp: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Convention:
    """A legitimate variant found in published work: other values, and with them another gradient, still right."""

    name: str
    statement: Text
    reference: Callable[..., Any]
    vjp: Callable[..., Any] | None = None


@dataclass(frozen=True)
class BadInput:
    """Arguments that must be refused, with the kind of error and a part of what it says."""

    name: str
    make: Callable[[], Inputs]
    error: type[Exception]
    says: str
    by_vjp: bool = True  # whether the gradients refuse it too


@dataclass(frozen=True)
class Peer:
    """A function that people use today, called as if it were somebody's answer.

    `load` imports its library and returns the function under our argument names, on that library's own arrays; for a
    spec that drives classes, a class that takes NumPy arrays. `lacks` names cases that it has no option for; `defects`
    names cases that it gets wrong, with a source: the tests see it fail.
    """

    name: str
    library: Literal["numpy", "scipy", "torch", "sklearn"]
    load: Callable[[], Callable[..., Any]]
    lacks: Mapping[str, str] = field(default_factory=dict)
    defects: Mapping[str, str] = field(default_factory=dict)
    dtypes: tuple[np.dtype[Any], ...] = FULL
    only_timed: tuple[str, ...] = ()  # workloads; such a peer goes another way to the same end and is not examined


@dataclass(frozen=True)
class Workload:
    """A size to benchmark, in float32 unless said; `gradient` times the value and its gradient together."""

    name: str
    make: Callable[[np.random.Generator], Inputs]
    gradient: bool = False
    out: bool = False


@dataclass(frozen=True)
class Spec:
    """Everything there is to know about one public function, optimizer or estimator."""

    name: str
    block: str
    titles: Text
    summary: Text
    formula: str
    signature: tuple[str, ...]  # the arguments passed by position; all others go by name
    differentiable: tuple[str, ...]
    reference: Callable[..., Any]
    vjp: Callable[..., Any] | None
    scale: Callable[[Inputs, Outputs], tuple[Any, ...]]
    gradient_scale: Callable[[Inputs, Any, Outputs], tuple[Any, ...]] | None
    cases: tuple[Case, ...]
    bad_inputs: tuple[BadInput, ...]
    mutants: tuple[Mutant, ...]
    accuracy: float  # eps that our kernels promise
    gradient_accuracy: float
    tolerance: float = 64.0  # eps that a right program in the same precision may lose
    laws: tuple[Law, ...] = ()
    conventions: tuple[Convention, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # other spellings of names and arguments
    workloads: tuple[Workload, ...] = ()
    writes: tuple[str, ...] = ()  # arguments updated in place, and results like the returned ones
    has_out: bool = False
    output_names: tuple[str, ...] = ("result",)
    result_dtype: np.dtype[Any] | None = None  # of floating results, where it is not the inputs'
    bundles: Mapping[str, type[Any]] = field(default_factory=dict)  # argument -> NamedTuple of inputs that make it up
    drive: Callable[[Spec, Callable[..., Any], Inputs], Outputs] | None = None
    session: Callable[[Callable[..., Any], Inputs], Callable[[], Any]] | None = None  # a driven kind's timed call

    def run(self, function: Callable[..., Any] | Forged, inputs: Inputs) -> Outputs:
        """What `function` makes of the inputs: its results, then what it wrote in place."""
        if isinstance(function, Forged):
            return function.make(self.run(self.reference, inputs), inputs)
        if self.drive is not None:
            return self.drive(self, function, inputs)
        inputs = self._writable(inputs)
        result = function(*self.positional(inputs), **self.named(inputs))
        results = tuple(result) if isinstance(result, tuple) else (result,)
        return (*results, *(inputs[k] for k in self.writes if inputs.get(k) is not None))

    def positional(self, inputs: Inputs) -> list[Any]:
        """The arguments passed by position, in the order of the signature."""
        return [self._argument(k, inputs) for k in self.signature if k in inputs or k in self.bundles]

    def results(self, outputs: Outputs, inputs: Inputs) -> Outputs:
        """The outputs without what was written in place."""
        written = sum(inputs.get(k) is not None for k in self.writes)
        return outputs[: len(outputs) - written]

    def named(self, inputs: Inputs) -> Inputs:
        """The inputs passed by name."""
        taken = {*self.signature, *(f for bundle in self.bundles.values() for f in bundle._fields)}
        return {k: v for k, v in inputs.items() if k not in taken}

    def pull_back(self, vjp: Callable[..., Any], inputs: Inputs, cotangent: Any) -> Outputs:
        """The gradients that `vjp` gives for the differentiable inputs present."""
        inputs = self._writable(inputs)
        gradients = vjp(*self.positional(inputs), **self.named(inputs), cotangent=cotangent)
        apart = (g if isinstance(g, tuple) else (g,) for g in gradients)
        return tuple(g for bundle in apart for g in bundle if g is not None)

    def _argument(self, name: str, inputs: Inputs) -> Any:
        bundle = self.bundles.get(name)
        if bundle is None:
            return inputs.get(name)
        return bundle(**{f: inputs[f] for f in bundle._fields if f in inputs})

    def _writable(self, inputs: Inputs) -> Inputs:
        return {k: v.copy() if k in self.writes and v is not None else v for k, v in inputs.items()}


def cast(inputs: Inputs, dtype: np.dtype[Any]) -> Inputs:
    """The inputs with every floating array in `dtype`; options that are plain numbers stay as they are."""
    return {k: v.astype(dtype) if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v for k, v in inputs.items()}


def wider(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The precision a reference is computed in: float64, and long double for float64."""
    return np.dtype(np.longdouble) if dtype == DOUBLE else DOUBLE


def cheats(spec: Spec) -> tuple[Mutant, ...]:
    """Answers that must pass nowhere: all zeros, a constant, the echoed input, noise, and a gradient of zeros."""

    def like(fill: Callable[[Array], Any]) -> Any:
        return Forged(lambda outputs, inputs: tuple(np.asarray(fill(np.asarray(a)))[()] for a in outputs))

    def echo(outputs: Outputs, inputs: Inputs) -> Outputs:
        first = next(v for v in inputs.values() if isinstance(v, np.ndarray))
        return (first,) * len(outputs)

    def no_gradient(*args: Any, **kwargs: Any) -> Any:
        assert spec.vjp is not None
        return tuple(
            tuple(np.zeros_like(a) for a in g if a is not None) if isinstance(g, tuple) else np.zeros_like(g)
            for g in spec.vjp(*args, **kwargs)
        )

    advice = {"en": "The answer does not depend on the input as it should.", "zh": "答案没有按要求随输入变化。"}
    noise = np.random.default_rng(0)
    return (
        Mutant("all zeros", advice, like(np.zeros_like)),
        Mutant("a constant", advice, like(lambda a: np.full_like(a, 0.5 if a.dtype.kind == "f" else 1))),
        Mutant("the echoed input", advice, Forged(echo)),
        Mutant("noise", advice, like(lambda a: noise.random(a.shape).astype(a.dtype))),
        *([Mutant("a gradient of zeros", advice, vjp=no_gradient)] if spec.vjp else []),
    )
