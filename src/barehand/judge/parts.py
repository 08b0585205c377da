"""Parts of objects in the child: found by a path, replaced, listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import isclass
from types import ModuleType
from typing import Any

from numpy import ndarray, number, shape

from barehand.judge.values import torch

LEVELS = 4  # of an object's parts that are searched for arrays: heads[0].query.weight
split = re.compile(r"\.?[^.\[\]]+|\[[^\]]*\]").findall  # "layers[0].weight" -> "layers", "[0]", ".weight"


def part_of(variables: dict[str, Any], path: str) -> Any:
    """A variable, or a part of one: `m.q_proj.weight`."""
    if path in variables:
        return variables[path]
    first, *rest = split(path)
    return walk(variables[first], "".join(rest))


def walk(value: Any, path: str) -> Any:
    """A part of an object: `layers[0].weight`, `params[W1]`."""
    for part in split(path):
        value = value[key(part)] if part[0] == "[" else getattr(value, part.lstrip("."))
    return value


def key(part: str) -> int | str:
    """What stands between brackets: a place or a name."""
    inside = part[1:-1].strip("'\"")
    return int(inside) if inside.lstrip("-").isdecimal() else inside


def put(holder: Any, part: str, value: Any) -> None:
    """Replace an attribute or an item; torch parameters are copied into."""
    old = walk(holder, part)
    if value is None:  # a gradient that is taken away
        setattr(holder, part.lstrip("."), None)
        return
    if shape(value) != shape(old) and hasattr(old, "shape"):
        if [n for n in shape(value) if n != 1] != [n for n in old.shape if n != 1]:
            raise ValueError(f"{part} has shape {tuple(old.shape)}, and is given {shape(value)}")
        value = value.reshape(tuple(old.shape))  # (C,) for (1, C)
    t = torch()
    if t is not None and isinstance(old, t.parameter):
        with t.no_grad():
            t.copy_(old, t.as_tensor(value))
        return
    if t is not None and isinstance(old, t.tensor):  # of their own keeping: it may take part in a gradient
        value = t.as_tensor(value)
    if part[0] == "[":
        holder[key(part)] = value
    else:
        setattr(holder, part.lstrip("."), value)


def shapes(value: Any, depth: int = LEVELS, seen: set[int] | None = None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Paths and shapes of the numbers that an object holds; what is held twice is named once."""
    seen = set() if seen is None else seen
    if hasattr(value, "named_parameters"):
        yield from ((name, tuple(parameter.shape)) for name, parameter in value.named_parameters())
        yield from ((name, tuple(buffer.shape)) for name, buffer in value.named_buffers())
        return
    if isinstance(value, dict):
        parts = [(f"[{k}]", v) for k, v in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"[{i}]", v) for i, v in enumerate(value)]
    else:
        parts = list(entries(value))
    for name, part in parts:
        kind = kind_of(part)
        if id(part) in seen or kind not in ("array", "tensor", "object", "dict", "list", "tuple"):
            continue
        seen.add(id(part))
        if is_array(part):
            yield name, tuple(part.shape)
        elif depth > 1:
            yield from ((name + ("" if n[0] == "[" else ".") + n, s) for n, s in shapes(part, depth - 1, seen))


def is_array(value: Any) -> bool:
    """Whether this is an array or a tensor."""
    t = torch()
    return isinstance(value, ndarray) or (t is not None and isinstance(value, t.tensor))


def look(value: Any, name: str) -> Any:
    """An attribute, or this function where there is none after all."""
    try:
        return getattr(value, name)
    except Exception:
        return look


def kind_of(value: Any) -> str:
    """One word for what an object is."""
    if isinstance(value, ModuleType):
        return "module"
    if isclass(value):
        return "class"
    if is_array(value):
        return "array" if isinstance(value, ndarray) else "tensor"
    if isinstance(value, bool | str):
        return type(value).__name__
    if isinstance(value, int | float | complex | number):
        return "number"
    if isinstance(value, list | tuple | dict | set):
        return next(k.__name__ for k in (list, tuple, dict, set) if isinstance(value, k))
    if hasattr(value, "__code__") or type(value).__name__ in ("builtin_function_or_method", "method", "ufunc"):
        return "method" if hasattr(value, "__self__") and not isinstance(value.__self__, ModuleType) else "function"
    return "nothing" if value is None else "object"


def entries(value: Any) -> Iterator[tuple[str, Any]]:
    """The attributes that an object holds itself, by name."""
    held = getattr(value, "__dict__", None)
    if isinstance(held, dict):
        yield from [*dict.items(held)]
    for kind in type(value).__mro__:
        for name in (slots,) if isinstance(slots := kind.__dict__.get("__slots__", ()), str) else slots:
            if hasattr(value, name):
                yield name, getattr(value, name)
