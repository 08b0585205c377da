"""What looks like a slip in a definition that Python accepts: a misspelt `__init__`, a name nobody sets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import chain

Definition = ast.FunctionDef | ast.AsyncFunctionDef
_IMPORTS = {
    "np": "import numpy as np",
    "numpy": "import numpy",
    "torch": "import torch",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "plt": "import matplotlib.pyplot as plt",
    "pd": "import pandas as pd",
    "optim": "from torch import optim",
    "Tensor": "from torch import Tensor",
    **{n: f"from typing import {n}" for n in ("List", "Tuple", "Dict", "Optional", "Union", "Any", "Callable")},
    **{n: f"import {n}" for n in ("math", "random", "copy", "typing", "itertools", "scipy")},
    **{n: f"from math import {n}, or np.{n}" for n in ("exp", "log", "sqrt", "pi", "inf")},
}
_INIT = re.compile(r"_{0,3}(init|int|inti|intit|ini|iint|initi|initialize|init_)_{0,3}$")
_DUNDERS = ("__init__", "__call__", "__len__", "__repr__")
_TORCH = ("forward", "backward")


def cause(name: str, known: Iterable[str]) -> str:
    """Why a name may be missing, and what to do."""
    if name in _IMPORTS:
        return f"add {_IMPORTS[name]}"
    near = get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"did you mean {near[0]}?" if near else "set it above, or pass it as an argument"


def of_class(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    """Line and words for each slip in a class."""
    methods = [n for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    names = {m.name for m in methods}
    module = any(ast.unparse(base).split(".")[-1] == "Module" for base in node.bases)
    for method in methods:
        meant = _meant(method, names, module)
        if meant:
            yield method.lineno, f"{method.name} is never called by Python; did you mean {meant}?"
        elif method.name == "__init__" and module and not any(_is_super(n) for n in ast.walk(method)):
            yield method.lineno, "super().__init__() is not called; a torch module needs it first"
        free = not any(ast.unparse(d).split(".")[-1] in ("staticmethod", "classmethod") for d in method.decorator_list)
        if free and not method.args.posonlyargs and not method.args.args and not method.args.vararg:
            yield method.lineno, f"{method.name} has no self among its parameters"
    for method in methods:
        yield from of_function(method)


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "__init__"


def _meant(method: Definition, names: set[str], module: bool) -> str:
    """The special name that this one misspells, unless the class has that too."""
    name = method.name
    if name == "__int__" and len(method.args.args) == 1 and not method.args.kwonlyargs:
        return ""  # int(object)
    if name != "__init__" and "__init__" not in names and _INIT.match(name) and name != "initialize":
        return "__init__"
    if name in (*_DUNDERS, *_TORCH) or (name.startswith("__") and name.endswith("__")):
        return ""
    wanted = [n for n in (*(_DUNDERS if name.startswith("_") else ()), *(_TORCH if module else ())) if n not in names]
    near = get_close_matches(name, wanted, n=1, cutoff=0.84)
    return near[0] if near else ""


def of_function(node: Definition) -> Iterator[tuple[int, str]]:
    """Local names that are read where nothing has set them yet."""
    arguments = node.args
    given = {a.arg for a in chain(arguments.posonlyargs, arguments.args, arguments.kwonlyargs)}
    given |= {a.arg for a in (arguments.vararg, arguments.kwarg) if a}
    reads: dict[str, int] = {}
    writes: dict[str, int] = {}
    changed: dict[str, int] = {}
    for inner, looped in _own_nodes(node):
        if isinstance(inner, (ast.Global, ast.Nonlocal)):
            given |= set(inner.names)
        elif isinstance(inner, ast.AugAssign) and isinstance(inner.target, ast.Name):
            changed.setdefault(inner.target.id, inner.lineno)
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) and not looped:
            reads[inner.id] = min(inner.lineno, reads.get(inner.id, inner.lineno))
        for name, line in _written(inner):
            writes[name] = min(line, writes.get(name, line))
    for name, line in sorted((reads | {n: at for n, at in changed.items() if n not in writes}).items()):
        local = name in writes or name in changed
        if name not in given and local and line < writes.get(name, line + 1):
            yield line, f"{name} is used before it is set"


def _written(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Names that a node binds, but for `+=`, which needs them bound."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name, 0  # local functions may come in any order that works
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (((a.asname or a.name).split(".")[0], node.lineno) for a in node.names)
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name, node.lineno
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest, node.lineno
    elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield node.id, node.lineno


def _own_nodes(function: Definition) -> Iterator[tuple[ast.AST, bool]]:
    """The nodes of a function's own scope, each with whether a loop surrounds it."""
    stack: list[tuple[ast.AST, bool]] = [(n, False) for n in function.body]
    comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, *comprehensions)
    while stack:
        node, looped = stack.pop()
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node, looped
            stack.append((node.value, looped))
            continue
        yield node, looped
        if isinstance(node, scopes):
            continue
        looped = looped or isinstance(node, (ast.For, ast.AsyncFor, ast.While))
        stack += [(child, looped) for child in ast.iter_child_nodes(node)]
