"""Imports as a program outside its package has to write them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec

from barehand.judge.reading.targets import absolute

# Imported to draw, to look or to tell the time; without them a definition still computes.
_FOR_SHOW = {"matplotlib", "seaborn", "plotly", "IPython", "ipywidgets", "google", "graphviz", "torchviz", "pandas"}


def absolute_imports(body: Iterable[ast.stmt], lines: list[str], package: str) -> list[str]:
    """The lines with `from .other import f` written in full; without a package, as if its folder were imported from."""
    lines = list(lines)
    for node in (n for statement in body for n in ast.walk(statement)):
        if isinstance(node, ast.ImportFrom) and node.level:
            module = absolute(node, package)
            at = node.lineno - 1
            if module:
                lines[at] = re.sub(
                    r"\bfrom\s+[.\s]+\w*(?:\.\w+)*\s+import\b", f"from {module} import", lines[at], count=1
                )
            else:  # from . import other
                lines[at] = re.sub(r"\bfrom\s+\.+\s*import\b", "import", lines[at], count=1)
    return lines


@cache
def _installed(name: str) -> bool:
    return find_spec(name) is not None


def absent(nodes: Iterable[ast.stmt]) -> str:
    """The library, only for show, that an import statement asks for and that is not installed; or ""."""
    for node in nodes:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in (n.split(".")[0] for n in names):
            if name in _FOR_SHOW and not _installed(name):
                return name
    return ""
