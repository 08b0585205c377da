"""The interpreter of steps in the child: it does as it is told and knows nothing of what is right."""

from __future__ import annotations

import linecache
import random
import sys
from collections.abc import Callable
from contextlib import nullcontext
from inspect import signature
from types import ModuleType
from typing import Any

import numpy
from numpy import ndarray

from barehand.judge.parts import kind_of, look, part_of, put, shapes, split, walk
from barehand.judge.values import Telling, build, needed_torch, text_of, torch

# Names are imported one by one throughout the child: the program may replace those of the modules.
seed_numpy, seed_random = numpy.random.seed, random.seed


class Interpreter:
    """One program and the variables that steps have named."""

    def __init__(self, name: str) -> None:
        self.program = ModuleType(name)
        sys.modules[name] = self.program  # dataclasses look there
        self.space = self.program.__dict__
        self.filename = name
        self.lines: list[str] = []
        self.variables: dict[str, Any] = {}
        self.arrays: list[Any] = []
        self.telling = Telling()
        self.told: list[Any] = []
        self.step = 0
        self._do: dict[str, Callable[[dict[str, Any]], Any]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(type(self)) if name.startswith("do_")
        }

    def run(self, steps: list[dict[str, Any]], arrays: list[Any]) -> None:
        """Do the steps in order; what they return is in `told`, its arrays in `telling`."""
        self.arrays, self.telling, self.told = arrays, Telling(), []
        for self.step, step in enumerate(steps):
            with self._grad_mode(step):
                result = self._do[step["do"]](step)
            if isinstance(step.get("to"), str):
                self.variables[step["to"]] = result
        self.arrays = []

    # Values

    def value(self, node: Any) -> Any:
        """The object that a value of a step describes."""
        return build(node, self.arrays, self.look_up)

    def look_up(self, node: dict[str, Any]) -> Any:
        """A variable, or a global of the program; then an attribute of it."""
        if "var" in node:
            found = self.variables[node["var"]]
        else:
            first, *rest = node["name"].split(".")
            if first not in self.space:
                raise NameError(f"name '{first}' is not defined")
            found = self.space[first]
            for name in rest:
                found = getattr(found, name)
        return walk(found, node["attr"]) if node.get("attr") else found

    def _grad_mode(self, step: dict[str, Any]) -> Any:
        return needed_torch().no_grad() if step.get("no_grad") else nullcontext()

    # Steps

    def do_load(self, step: dict[str, Any]) -> None:
        """Run the program itself."""
        self.filename = self.program.__file__ = step["filename"]
        self._execute(step)

    def _execute(self, step: dict[str, Any]) -> None:
        source = "\n" * (step.get("line", 1) - 1) + step["source"]
        self.lines = source.splitlines()
        linecache.cache[self.filename] = (len(source), None, source.splitlines(keepends=True), self.filename)
        exec(compile(source, self.filename, "exec", dont_inherit=True), self.space)

    def do_put(self, step: dict[str, Any]) -> Any:
        """Name a value."""
        return self.value(step["value"])

    def do_call(self, step: dict[str, Any]) -> Any:
        """Call something of theirs."""
        function = self.value(step["function"])
        args = [self.value(a) for a in step.get("args", ())]
        return function(*args, **{k: self.value(v) for k, v in step.get("kwargs", {}).items()})

    def do_get(self, step: dict[str, Any]) -> Any:
        """Name a part of something."""
        return walk(self.value(step["from"]), step.get("path", ""))

    def do_keep(self, step: dict[str, Any]) -> Any:
        """A variable's new value; None, from code that works in place, leaves the old one."""
        value = self.value(step["from"])
        return self.variables[step["to"]] if value is None else value

    def do_spread(self, step: dict[str, Any]) -> None:
        """New values for several variables from one result; what is missing or None stays."""
        value = self.value(step["from"])
        for name, part in zip(step["to"], value if isinstance(value, (tuple, list)) else [value], strict=False):
            if part is not None:
                self.variables[name] = part

    def do_set(self, step: dict[str, Any]) -> None:
        """Replace a part of something; a parameter keeps its place and its type."""
        *before, last = split(step["path"])
        holder = walk(self.variables[step["var"]], "".join(before))
        put(holder, last, self.value(step["value"]))

    def do_params(self, step: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """The parameters of a module, or the arrays that an object holds: path and shape."""
        return dict(shapes(self.value(step["of"])))

    def do_exec(self, step: dict[str, Any]) -> None:
        """Run a script among the program's globals."""
        self.space.update({k: self.value(v) for k, v in step.get("with", {}).items()})
        self._execute(step)

    def do_grad(self, step: dict[str, Any]) -> list[Any]:
        """Gradients by autograd, zeros for what does not take part; which those are stands in `<to>.unused`."""
        t = needed_torch()
        of = [self._named(v) for v in step["of"]]
        wrt = [self._named(v) for v in step["wrt"]]
        cotangents = [self.value(c) for c in step["cotangent"]]
        pairs = [(y, c) for y, c in zip(of, cotangents, strict=True) if y.requires_grad] or list(zip(of, cotangents))  # noqa: B905 - equal lengths, as above
        found = t.grad(
            [y for y, _ in pairs], wrt, [t.to(c, y.dtype) for y, c in pairs], allow_unused=True, retain_graph=True
        )
        self.variables[f"{step['to']}.unused"] = [g is None for g in found]
        return [t.zeros_like(x) if g is None else g for x, g in zip(wrt, found, strict=True)]

    def do_seed(self, step: dict[str, Any]) -> None:
        """Set every generator that a program may draw from."""
        seed_random(step["value"])
        seed_numpy(step["value"])
        if (t := torch()) is not None:
            t.seed(step["value"])

    def do_attributes(self, step: dict[str, Any]) -> dict[str, str]:
        """Names of attributes and methods, each with its kind."""
        value = self.value(step["of"])
        return {
            name: kind_of(part) for name in dir(value) if name[:2] != "__" and (part := look(value, name)) is not look
        }

    def do_names(self, step: dict[str, Any]) -> dict[str, str]:
        """The program's globals, each with its kind."""
        return {name: kind_of(v) for name, v in list(self.space.items()) if name[:2] != "__"}

    def do_signature(self, step: dict[str, Any]) -> list[Any]:
        """Parameters of something callable: name, kind and default."""
        parameters = signature(self.value(step["of"])).parameters.values()
        return [(p.name, p.kind.name.lower(), None if p.default is p.empty else text_of(p.default)) for p in parameters]

    def do_dtype(self, step: dict[str, Any]) -> None:
        """Convert a module or an array to another type of number."""
        value = self.variables[step["var"]]
        if isinstance(value, ndarray):
            self.variables[step["var"]] = value.astype(step["dtype"])
        elif callable(getattr(value, "to", None)):
            self.variables[step["var"]] = value.to(needed_torch().dtypes[step["dtype"]])
        elif step["dtype"] == "float64" and callable(getattr(value, "double", None)):
            self.variables[step["var"]] = value.double()

    def do_forget(self, step: dict[str, Any]) -> None:
        """Drop the variables."""
        self.variables.clear()

    def do_return(self, step: dict[str, Any]) -> None:
        """Tell the judge."""
        self.told.append([self.telling.tell(self.value(v)) for v in step["values"]])

    def _named(self, value: Any) -> Any:
        return part_of(self.variables, value) if isinstance(value, str) else self.value(value)
