"""Modules that load when they are first used, so that importing a function does not import a compiler."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


class LazyModule:
    """Stands for a module; the first use of a name imports it and keeps the name here, so later uses cost nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


def face(module: str, homes: dict[str, str], submodules: tuple[str, ...] = ()) -> tuple[Any, Any]:
    """`__getattr__` and `__dir__` for a module that only re-exports: public name -> the module it lives in."""

    def get(name: str) -> Any:
        if name in submodules:
            return import_module(f"{module}.{name}")
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[module], name, value)  # from now on an ordinary name of the module
        return value

    return get, lambda: sorted((*homes, *submodules))
