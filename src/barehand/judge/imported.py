"""Functions and classes of installed libraries as something to judge: a program that imports them."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import sysconfig
from pathlib import Path
from typing import Any

from barehand.judge.pieces import Kind, Library, Method, Parameter, Piece, Stretch
from barehand.judge.reading.describe import describe

_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "var_positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "var_keyword",
}

_DEPRECATED = {"size_average", "reduce"}  # torch's losses have them since before `reduction`


def home(obj: Any) -> str:
    """The installed module that has the object under its own name, a public one if it can be; "" if none has."""
    name = getattr(obj, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier():
        return ""
    stated = str(getattr(obj, "__module__", None))
    # Compiled functions do not say where they live, or in a private module: torch.softmax, scipy.special.softmax.
    loaded = sorted(sys.modules.copy(), key=lambda m: (m != stated, m.count("."), len(m)))
    found = [m for m in loaded if getattr(sys.modules[m], "__dict__", {}).get(name) is obj and _installed(m)]
    public = [m for m in found if not any(part.startswith("_") for part in m.split("."))]
    return next(iter(public + found), "")


def _installed(module: str) -> bool:
    """Whether it comes with Python, with an installed package, or with barehand."""
    if (
        module.split(".")[0] in ("barehand", *sys.builtin_module_names)
        or module.split(".")[0] in sys.stdlib_module_names
    ):
        return module != "__main__"
    file = getattr(sys.modules[module], "__file__", None)
    folders = (sysconfig.get_path(name) for name in ("purelib", "platlib"))
    return file is not None and any(Path(file).is_relative_to(folder) for folder in folders)


def piece(obj: Any) -> Piece:
    """A program of one import, described by what the object says of itself; it must have a `home`."""
    module = home(obj)
    name: str = obj.__name__
    kind: Kind = "class" if isinstance(obj, type) else "function"
    source = f"from {module} import {name}\n"
    return Piece(
        name=name,
        kind=kind,
        source=source,
        lines=(Stretch(1, None, 1),),
        own=source,
        cell=None,
        line=1,
        heading="",
        parameters=_parameters(obj),
        methods=tuple(_methods(obj)) if isinstance(obj, type) else (),
        bases=tuple(f"{b.__module__}.{b.__qualname__}" for b in obj.__bases__) if isinstance(obj, type) else (),
        library=_library(obj, module),
        docs="",  # a library's documentation describes options that are not ours to hold it to
        path=f"{module}.{name}",
        folder="",
    )


def _parameters(obj: Any) -> tuple[Parameter, ...]:
    """What it says that it takes, but for what is private or long deprecated."""
    try:
        signature = inspect.signature(obj)
    except (ValueError, TypeError):
        return _documented(obj)
    return tuple(
        Parameter(p.name, None if p.default is p.empty else repr(p.default), _KINDS[p.kind], None)  # type: ignore[arg-type]
        for p in signature.parameters.values()
        if p.name not in _DEPRECATED and not (p.name.startswith("_") and p.default is not p.empty)
    )


def _documented(obj: Any) -> tuple[Parameter, ...]:
    """A compiled function's arguments as the head of its documentation has them."""
    head = re.search(rf"{obj.__name__}(\(.*?\))\s*(->|:|$)", inspect.getdoc(obj) or "", re.MULTILINE | re.DOTALL)
    try:
        node = ast.parse(f"def f{head[1]}: ..." if head else "").body[:1]
    except SyntaxError:
        return ()
    return describe(node[0], [""], 0, "", ()).parameters if node and isinstance(node[0], ast.FunctionDef) else ()


def _methods(obj: type) -> list[Method]:
    """Its methods, inherited ones too, without `self`."""
    found = inspect.getmembers(obj, lambda m: inspect.isfunction(m) or inspect.ismethoddescriptor(m))
    return [
        Method(name, _parameters(method)[1:], 1)
        for name, method in found
        if name in ("__init__", "__call__") or name[0] != "_"
    ]


def _library(obj: Any, module: str) -> Library:
    roots = {module.split(".")[0]}
    if isinstance(obj, type):
        roots |= {base.__module__.split(".")[0] for base in obj.__mro__}
    return "torch" if "torch" in roots or "torchvision" in roots else "numpy"
