"""A gradient that somebody wrote by hand: a method `backward`, a function beside, or returned along with a loss."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np

from barehand.core.spec import Array, Inputs, Spec
from barehand.judge.adapt.names import by_name
from barehand.judge.grading import Inexpressible
from barehand.judge.pieces import Method, Piece

_COTANGENT = re.compile(
    r"d_?(?:out\w*|y\w*|z|a|h|v|values?|probs?|loss|l(?:_?d\w+)?|next)|grads?|gradient|\w*grad_?\w*|g|delta|upstream\w*|dL\w*"
)
_CACHE = re.compile(r"cache\w*|ctx|saved|memory")
_RESULT = re.compile(r"out\w*|y|s|p|probs?|probabilities|soft\w*|a|result|y_?hat")
_GRADIENT = re.compile(
    r"d(?:[a-z]|[A-Z]|x\w*|logits?|scores?|pred\w*|anchor|pos\w*|neg\w*|out)\d?|d_\w+|\w*grad\w*|g[12]"
)


@dataclass(frozen=True)
class ByHand:
    """How the gradient is asked for. Without `function` it is among the results of the call itself, at `items`."""

    function: Mapping[str, str] | None = None
    call: Mapping[str, str | int] = field(default_factory=dict)  # parameter -> "cotangent", "result", an item, a role
    held: Mapping[str, str] = field(default_factory=dict)  # role -> where in the object its gradient lies
    items: tuple[int, ...] = ()

    @property
    def takes_cotangent(self) -> bool:
        """Whether it is told the gradient of the result; that of a loss may be 1."""
        return "cotangent" in self.call.values()

    def steps(self, cotangent: Any, item: int | None) -> list[dict[str, Any]]:
        """What to do after the call whose result is y; the gradients are b, and g_<role> for those that are held."""
        if self.function is None:
            return [{"do": "get", "to": "b", "from": {"var": "y"}, "path": ""}]
        put: list[dict[str, Any]] = []
        given: dict[str, Any] = {}
        for parameter, what in self.call.items():
            if what == "cotangent":
                given[parameter] = cotangent
            elif what == "result" and item is None:
                given[parameter] = {"var": "y"}
            elif what == "result" or isinstance(what, int):
                place = item if what == "result" else what
                put.append({"do": "get", "to": f"y_{parameter}", "from": {"var": "y"}, "path": f"[{place}]"})
                given[parameter] = {"var": f"y_{parameter}"}
            else:
                given[parameter] = {"var": f"in_{what}"}
        held = [{"do": "get", "to": f"g_{r}", "from": {"var": "m"}, "path": p} for r, p in self.held.items()]
        return [*put, {"do": "call", "to": "b", "function": dict(self.function), "kwargs": given}, *held]

    def gradients(self, told: Any, held: Mapping[str, Any], wanted: Sequence[str], inputs: Inputs) -> dict[str, Array]:
        """What was told, at the inputs it belongs to."""
        parts = list(told) if isinstance(told, (tuple, list)) else [told]
        if self.items:
            parts = [parts[i] for i in self.items if i < len(parts)]
        if isinstance(told, dict):
            named = by_name([str(k) for k in told], {r: (f"d{r}", f"d_{r}", f"grad_{r}") for r in wanted})
            held = {**held, **{role: told[k] for k, role in named.items()}}
        rest = [r for r in wanted if r not in held]
        arrays = [np.asarray(p) for p in parts if isinstance(p, (np.ndarray, np.generic, float, int))]
        if len(arrays) < len(rest):
            raise Inexpressible
        placed = _by_shape(rest, arrays, inputs)
        if self.items and any(np.shape(placed[r]) != np.shape(inputs[r]) for r in rest):
            raise Inexpressible  # the gradient of something else
        return {**placed, **{r: np.asarray(held[r]) for r in wanted if r in held}}


def _by_shape(roles: Sequence[str], arrays: Sequence[Array], inputs: Inputs) -> dict[str, Array]:
    """In order; in another one where only that gives each input a gradient of its shape."""

    def fits(order: Sequence[Array]) -> bool:
        return all(np.shape(inputs[r]) == a.shape for r, a in zip(roles, order, strict=False))

    orders = [o for o in permutations(arrays, len(roles)) if fits(o)] if len(arrays) <= 4 else []
    first = tuple(arrays[: len(roles)])
    chosen = orders[0] if len(orders) == 1 and not fits(first) else first
    return dict(zip(roles, chosen, strict=True))


def in_the_result(piece: Piece, spec: Spec) -> ByHand | None:
    """A loss that comes with its gradient: the names of what is returned say so."""
    names = _returned(piece.own, piece.name)
    items = tuple(i for i, n in enumerate(names) if i and _GRADIENT.fullmatch(n))
    return ByHand(items=items) if items and spec.differentiable else None


def beside(piece: Piece, spec: Spec, call: Mapping[str, str]) -> ByHand | None:
    """The function that stands beside another one as its backward pass, such as `softmax_backward`."""
    back = piece.gradient
    if back is None or not spec.differentiable:
        return None
    names = _returned(piece.own, piece.name)
    found: dict[str, str | int] = {}
    for p in (p for p in back.parameters if p.kind in ("positional", "keyword")):
        if p.name in names:
            found[p.name] = names.index(p.name)
        elif p.name in call:
            found[p.name] = call[p.name]
        elif _CACHE.fullmatch(p.name) and len(names) != 1:
            found[p.name] = 1
        elif _COTANGENT.fullmatch(p.name) and "cotangent" not in found.values():
            found[p.name] = "cotangent"
        elif _RESULT.fullmatch(p.name):
            found[p.name] = "result"
        elif p.default is None:
            return None  # what else it wants is not known
    return ByHand({"name": back.name}, found)


def of_object(piece: Piece, spec: Spec, back: Method, attributes: Mapping[str, str]) -> ByHand | None:
    """A method `backward`, with or without the gradient of the result; it returns gradients or leaves them."""
    needed = [p.name for p in back.parameters if p.default is None and p.kind in ("positional", "keyword")]
    if len(needed) > 1 or not spec.differentiable:
        return None
    first = next((p.name for p in back.parameters if p.kind == "positional"), None)
    held = {}
    for path, role in attributes.items():
        for name in (f"d{path}", f"grad_{path}", f"{path}_grad", f"d_{path}"):
            if f"self.{name}" in piece.own:
                held[role] = name
    if not _returned(piece.own, "backward", any_value=True):
        left = (n for n in ("dinputs", "dx", "dX", "grad_input", "grad", "dZ") if f"self.{n} =" in piece.own)
        held[spec.differentiable[0]] = next(left, "")
        if not held[spec.differentiable[0]]:
            return None
    return ByHand({"var": "m", "attr": "backward"}, {first: "cotangent"} if first else {}, held)


def leaves_result(piece: Piece, method: str) -> str:
    """The attribute that holds the result of a method that returns nothing: `self.output`."""
    if not method or _returned(piece.own, method, any_value=True):
        return ""
    return next((n for n in ("output", "out", "outputs", "y", "result") if f"self.{n} =" in piece.own), "")


def _returned(text: str, function: str, *, any_value: bool = False) -> list[str]:
    """The names in the last tuple that the function returns, "" for what has none; or one for any value."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:
        return []
    bodies = [n for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == function]
    values = [n.value for body in bodies[:1] for n in ast.walk(body) if isinstance(n, ast.Return)]
    if any_value:
        return ["" for v in values if v is not None]
    tuples = [v for v in values if isinstance(v, ast.Tuple)]
    return [e.id if isinstance(e, ast.Name) else "" for e in tuples[-1].elts] if tuples else [""] * bool(values)
