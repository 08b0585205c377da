"""From a living object to something to judge: its source with what it needs, or an import where a library has it.

`barehand.check(f)` reads the file, or the notebook's history, in which `f` was written. What a function takes from the
function around it comes along where a line of source can say it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from barehand.judge import history, imported
from barehand.judge.pieces import Intake, Piece, Stretch
from barehand.judge.sources import Cell, Source, TargetError, load

_CALLED = ("__call__", "forward", "step", "fit")


def intake_of(obj: Any) -> Intake:
    """What `judge` takes, for a function, a class or an instance of one; TargetError where it has no source."""
    piece = piece_of(obj)
    return Intake(piece.name, (piece,), (), piece.folder)


def piece_of(obj: Any) -> Piece:
    """The one thing to judge."""
    obj = _definition(obj)
    if imported.home(obj):
        return imported.piece(obj)
    if isinstance(obj, FunctionType) and obj.__name__ == "<lambda>":
        return _nested(obj, *_lambda(obj))
    if "." not in obj.__qualname__:
        return _top_level(obj)
    return _nested(obj, obj.__name__, *_source(obj))


def _definition(obj: Any) -> Any:
    """The function or class that an object is, or is an instance of."""
    if imported.home(obj) and not isinstance(obj, ModuleType):
        return obj
    if isinstance(obj, MethodType):
        raise TargetError(f"check: {obj.__qualname__} is the method of one object; give its class")
    if isinstance(obj, functools.partial):
        raise TargetError("check: a partial has no source of its own; write a def that calls the function")
    if callable(obj) and hasattr(obj, "__wrapped__"):
        obj = inspect.unwrap(obj)
    if isinstance(obj, FunctionType | type):
        return obj
    if isinstance(obj, ModuleType) or not any(hasattr(obj, name) for name in _CALLED):
        raise TargetError(f"check: {obj!r:.60} is no function and no class; give one, or a path")
    return type(obj)


def _source(obj: Any) -> tuple[str, int]:
    """Its own text, dedented, and the line at which it begins."""
    try:
        lines, first = inspect.getsourcelines(obj)
    except (OSError, TypeError):
        raise TargetError(f"check: the source of {obj.__name__} is not to be found; write it in a file") from None
    return textwrap.dedent("".join(lines)), max(first, 1)


def _surroundings(obj: Any) -> Source:
    """The file or the notebook in which it was written."""
    path = Path(inspect.getsourcefile(obj) or "")
    if path.suffix == ".py" and path.is_file():
        return load(path)
    cells = history.cells(_namespace(obj))
    if cells:
        return Source(Path("notebook"), cells)
    raise TargetError(f"check: the source of {obj.__name__} is not to be found; write it in a file")


def _namespace(obj: Any) -> dict[str, Any]:
    if isinstance(obj, type):
        return vars(inspect.getmodule(obj)) if inspect.getmodule(obj) else {}
    found: dict[str, Any] = inspect.unwrap(obj).__globals__
    return found


def _top_level(obj: Any) -> Piece:
    """A definition that its file or notebook holds by its name."""
    _source(obj)  # so that what has none says so by its own name
    found = history.named(_surroundings(obj), obj.__name__)
    return found if found is not None else _nested(obj, obj.__name__, *_source(obj))


def _nested(obj: Any, name: str, own: str, first: int) -> Piece:
    """A definition inside another: put behind its file, with what it takes from around it."""
    around = _surroundings(obj)
    enclosed = [line for function in _functions(obj) for line in _enclosed(function)]
    above = "".join(f"{line}\n" for line in dict.fromkeys(enclosed))
    found = history.named(replace(around, cells=(*around.cells, Cell(above + own, around.cells[-1].number))), name)
    if found is None:
        raise TargetError(f"check: {name} is not to be read where it stands; write it at the top of a file")
    last = found.lines[-1]
    start = Stretch(last.start + above.count("\n"), None, first)
    return replace(found, cell=None, line=first + found.line - 1 - above.count("\n"), lines=(*found.lines[:-1], start))


def _functions(obj: Any) -> Iterator[FunctionType]:
    """The function, or a class's methods."""
    if isinstance(obj, FunctionType):
        yield inspect.unwrap(obj)
    else:
        yield from (f for f in vars(obj).values() if isinstance(f, FunctionType))


def _enclosed(function: FunctionType) -> Iterator[str]:
    """A line for each name that a function takes from the function around it."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name == "__class__":
            continue
        try:
            value = cell.cell_contents
        except ValueError:
            raise TargetError(f"check: {function.__name__} uses {name}, which has no value yet") from None
        if value is not function and not (isinstance(value, type) and function in vars(value).values()):
            yield from _said(name, value, function)


def _said(name: str, value: Any, user: FunctionType) -> Iterator[str]:
    if isinstance(value, ModuleType):
        yield f"import {value.__name__} as {name}"
    elif _literal(value):
        yield f"{name} = {value!r}"
    elif imported.home(value):
        yield f"from {imported.home(value)} import {value.__name__} as {name}"
    elif isinstance(value, FunctionType | type) and value.__name__ == name:
        for function in _functions(value):
            yield from _enclosed(function)
        yield _source(value)[0].rstrip("\n")
    else:
        kind = type(value).__name__
        raise TargetError(
            f"check: {user.__name__} uses {name} of the function around it, a {kind}; pass it as an argument"
        )


def _literal(value: Any) -> bool:
    """Whether its `repr` is source that gives it again."""
    if isinstance(value, tuple | list):
        return type(value) in (tuple, list) and all(map(_literal, value))
    return value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value))


def _lambda(function: FunctionType) -> tuple[str, str, int]:
    """A lambda as a def: the name that it is assigned to, if any, the text and its line."""
    text, first = _source(function)
    found = [n for n in ast.walk(_parsed(text)) if isinstance(n, ast.Lambda) and _is(n, function)]
    if len({ast.dump(n) for n in found}) != 1:
        raise TargetError("check: which lambda this is cannot be told from its line; write a def")
    node = found[0]
    tree = _parsed(text)
    name = next((t.id for n in ast.walk(tree) if isinstance(n, ast.Assign) and ast.dump(n.value) == ast.dump(node)
                 for t in n.targets if isinstance(t, ast.Name)), "function")  # fmt: skip
    return name, f"def {name}({ast.unparse(node.args)}):\n    return {ast.unparse(node.body)}\n", first


def _parsed(text: str) -> ast.AST:
    """The statement that holds a lambda; the line alone may be the middle of one."""
    for attempt in (text, text.strip().rstrip(","), f"({text.strip().rstrip(',')}", f"{text.rstrip()}\n)"):
        try:
            return ast.parse(attempt)
        except SyntaxError:
            continue
    raise TargetError("check: the statement around this lambda is not to be read; write a def")


def _is(node: ast.Lambda, function: FunctionType) -> bool:
    """Whether this text compiles to that code."""
    return _content(compile(ast.Expression(node), "", "eval").co_consts[0]) == _content(function.__code__)


def _content(code: CodeType) -> tuple[Any, ...]:
    """What code is made of, whether or not it stands in another function; that only moves names."""
    constants = sorted(repr(c) for c in code.co_consts if not isinstance(c, CodeType))
    return code.co_varnames, sorted(code.co_names + code.co_freevars), constants
