"""What optimizers and estimators share: code that is run through a whole course of steps in one program."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from barehand.core.spec import Inputs, Law, Outputs, Spec
from barehand.judge.adapt.adapter import asked
from barehand.judge.child import Session
from barehand.judge.grading import Inexpressible

Step = dict[str, Any]


@dataclass(frozen=True)
class PathAdapter:
    """One way of running somebody's optimizer or estimator; `program` makes the steps, `outcome` reads the answers."""

    spec: Spec
    name: str
    told: str  # how it is called, in words
    program: Callable[[Inputs], list[Step]]
    outcome: Callable[[list[Any], Inputs], Outputs]
    roles: frozenset[str]  # the options that can be given
    pins: Mapping[str, Any] = field(default_factory=dict)
    form_says: str = ""
    arrays: str = "numpy"
    restate: Callable[[Inputs], Inputs | None] = lambda inputs: inputs
    item: int | None = None

    @property
    def differentiates(self) -> bool:
        """Steps have no gradient here."""
        return False

    def says(self) -> str:
        """The adapter in words."""
        settled = ", ".join(f"{k}={v!r}" for k, v in self.pins.items())
        return "; ".join(filter(None, [self.told, self.form_says, settled and f"with {settled}"]))

    def keeps_laws(self, law: Law) -> bool:
        """Laws change the course of steps in ways that only a class with our options can follow."""
        return False

    def restated(self, inputs: Inputs) -> Inputs | None:
        """The inputs with what the code settles; None where it has no way to take them."""
        usual = {p.name: p.default for p in inspect.signature(self.spec.reference).parameters.values()}
        put = self.restate(inputs)
        if put is None:
            return None
        ours = {k: v for k, v in usual.items() if k in self.roles and v is not inspect.Parameter.empty}
        found = {**ours, **put, **self.pins}
        for name, value in found.items():
            if name in usual and name not in self.roles and name not in self.pins and value != usual[name]:
                return None
        if "sample_weight" in inputs and "sample_weight" not in self.roles:
            return None
        return found

    def remote(self, session: Session) -> RemotePath:
        """The code, run in the child."""
        return RemotePath(self, session)


class RemotePath:
    """The code in the place of a class: the spec's drive hands the inputs over to `course`."""

    def __init__(self, adapter: PathAdapter, session: Session) -> None:
        self.adapter, self.session = adapter, session
        self.notes: set[str] = set()
        self.stops: list[str] = []
        self.lines: list[int | None] = []
        self.vjp: Any = None

    def function(self) -> None:
        """The engine passes this on to `drive`, which calls `course`."""

    def ask(self, steps: list[Step]) -> list[Any]:
        """Run the steps in the child."""
        return asked(self, steps)

    def course(self, inputs: Inputs) -> Outputs:
        """The outputs of the whole course."""
        found = self.adapter.restated(inputs)
        if found is None:
            raise Inexpressible
        outputs = self.adapter.outcome(self.ask(self.adapter.program(found)), found)
        kinds = [v.dtype for v in inputs.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
        kind = kinds[0] if kinds else np.dtype(np.float64)
        return tuple(self._as(kind, np.asarray(o)) for o in outputs)

    def _as(self, kind: np.dtype[Any], output: Any) -> Any:
        if output.dtype.kind == "f" and output.dtype != kind:
            self.notes.add(f"gives {output.dtype} for {kind}")
            with np.errstate(all="ignore"):
                return output.astype(kind)
        return output


def driven(spec: Spec, drive: Callable[[Any, Inputs], Outputs], **changes: Any) -> Spec:
    """The spec whose candidates are classes here, run by `drive`, or code in the child."""

    def run(_: Spec, candidate: Any, inputs: Inputs) -> Outputs:
        owner = getattr(candidate, "__self__", None)
        if isinstance(owner, RemotePath):
            return owner.course(inputs)
        return drive(candidate, inputs)

    return replace(spec, drive=run, laws=(), session=None, **changes)


def value(x: Any, arrays: str = "numpy", *, grad: bool = False) -> Any:
    """A value of a step."""
    if isinstance(x, np.ndarray | np.generic):
        return {"array": np.asarray(x), "as": arrays, "grad": grad}
    if isinstance(x, (tuple, list)):
        return {type(x).__name__: [value(v, arrays) for v in x]}
    return x
