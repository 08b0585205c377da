"""A spec's textbook or one of its mistakes as somebody's program: other names, another order of arguments."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from barehand.core.spec import Spec
from barehand.judge.intake import Reading
from barehand.judge.pieces import Intake
from barehand.judge.sources import Cell, Source

_FUNCTION = '''"""Same contract as barehand.{name}."""
from barehand.blocks import specs

_theirs = specs()["{name}"].{path}


def {name}({parameters}):
    """Same contract as barehand.{name}."""
    return _theirs({arguments})
'''

_CLASS = '''"""Same contract as barehand.{name}."""
from barehand.blocks import specs

_theirs = specs()["{name}"].{path}


class {name}:
    """Same contract as barehand.{name}."""

    def __init__(self, {parameters}):
        self.theirs = _theirs({arguments})
{methods}
'''
_STEP = """
    def step(self, grads):
        self.theirs.step(grads)
"""
_FIT = """
    def fit(self, X, y, sample_weight=None):
        self.theirs.fit(X, y, **({} if sample_weight is None else {"sample_weight": sample_weight}))
        self.coef_, self.intercept_ = self.theirs.coef_, self.theirs.intercept_
        return self

    def predict(self, X):
        return self.theirs.predict(X)
"""


def disguised(spec: Spec, path: str) -> Intake:
    """The program that defines it; `path` leads to it from the spec, as in "mutants[2].function"."""
    found = Reading(Source(Path("disguised.py"), (Cell(_source(spec, path)),))).pieces()
    wanted = tuple(p for p in found if p.name == spec.name)
    return Intake(spec.name, wanted, (), "")


def _source(spec: Spec, path: str) -> str:
    parameters = list(inspect.signature(spec.reference).parameters.values())
    if spec.drive is not None:
        taken = [_parameter(p.name, p) for p in sorted(parameters, key=lambda p: p.default is not p.empty)]
        methods = _STEP if spec.name == "Adam" else _FIT
        arguments = ", ".join(f"{p.name}={p.name}" for p in parameters)
        return _CLASS.format(
            name=spec.name, path=path, parameters=", ".join(taken), arguments=arguments, methods=methods
        )
    if spec.bundles:
        return _bundled(spec, path, parameters)
    names = {p.name: _other_name(spec, p.name) for p in parameters}
    # Another order: what may be left out comes last, the rest backwards.
    backwards = parameters[::-1]
    ordered = sorted(backwards, key=lambda p: p.default is not p.empty)
    taken = [_parameter(names[p.name], p) for p in ordered]
    positional = [names[k] for k in spec.signature]
    named = [f"{p.name}={names[p.name]}" for p in parameters if p.name not in spec.signature]
    arguments = ", ".join([*positional, *named])
    return _FUNCTION.format(name=spec.name, path=path, parameters=", ".join(taken), arguments=arguments)


def _bundled(spec: Spec, path: str, parameters: list[inspect.Parameter]) -> str:
    """Attention, with each matrix an argument of its own."""
    ((bundle, kind),) = spec.bundles.items()
    fields = kind._fields
    data = [k for k in spec.signature if k != bundle]
    must = [*data, "w_q", "w_k", "w_v"]
    may = [f"{f}=None" for f in fields if f not in must]
    options = [p for p in parameters if p.name not in spec.signature]
    heads = [p.name for p in options if p.default is p.empty]
    taken = [*must, *heads, *may, *(_parameter(p.name, p) for p in options if p.default is not p.empty)]
    weights = f"AttentionWeights({', '.join(f'{f}={f}' for f in fields)})"
    arguments = ", ".join([*data, weights, *(f"{p.name}={p.name}" for p in options)])
    text = _FUNCTION.format(name=spec.name, path=path, parameters=", ".join(taken), arguments=arguments)
    return text.replace(
        "from barehand.blocks import specs",
        "from barehand import AttentionWeights\nfrom barehand.blocks import specs",
        1,
    )


def _parameter(name: str, p: inspect.Parameter) -> str:
    default: Any = p.default
    return name if default is p.empty else f"{name}={default!r}"


def _other_name(spec: Spec, role: str) -> str:
    """Another usual spelling of an argument's name, of more than a letter, that means the same."""
    if role == "same":  # "label" would leave open what 1 stands for
        return "is_same"
    spellings = [s for s in spec.aliases.get(role, ()) if s != role and len(s) > 2]
    taken = set(inspect.signature(spec.reference).parameters)
    return next((s for s in spellings if s not in taken and s.isidentifier() and s not in ("input", "type")), role)
