"""What a target names: files, a folder of them, or one definition in a file or a module."""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from barehand.judge.reading.syntax import is_python, parse
from barehand.judge.sources import SUFFIXES, TargetError

_MOST_FILES = 2000
_SKIPPED = {"site-packages", "dist-packages", "node_modules", "__pycache__", "venv", "env", "build", "dist"}


@dataclass(frozen=True)
class Target:
    """The files to read, the definition wanted of them or "", and the folder that imports start from."""

    files: tuple[Path, ...]
    name: str
    folder: Path
    folder_wanted: bool = False


def find(target: str) -> Target:
    """The files behind a target; nothing is imported."""
    if not target.strip() or "\0" in target:
        raise TargetError(f"check: {target!r} names nothing; give a file, a folder or module:function")
    try:
        return _find(target)
    except OSError as problem:
        raise TargetError(f"{target}: cannot be read; {problem.strerror or problem}") from None


def _find(target: str) -> Target:
    path = Path(target).expanduser()
    if path.is_dir():
        return Target(_files_in(path), "", path.resolve(), folder_wanted=True)
    if path.exists():
        return Target((path,), "", package_of(path)[0])
    where, colon, name = target.rpartition(":")
    if colon and name.isidentifier():
        file = Path(where).expanduser()
        if file.is_file():
            return Target((file,), name, package_of(file)[0])
        if all(part.isidentifier() for part in where.split(".")):
            file, name = _in_module(where, name)
            return Target((file,), name, package_of(file)[0])
        raise TargetError(f"{target}: there is no file {where}")
    hint = f"; for a definition write {target.rpartition('.')[0]}:{target.rpartition('.')[2]}" if "." in target else ""
    module = hint if path.suffix not in SUFFIXES and "/" not in target else ""
    raise TargetError(f"{target}: there is no such file or folder{module}")


def _files_in(folder: Path) -> tuple[Path, ...]:
    """All notebooks and Python files, sorted; of Markdown only what Jupytext wrote."""
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        kept = [f for f in folders if f not in _SKIPPED and not f.startswith(".") and not f.endswith(".egg-info")]
        folders[:] = sorted(f for f in kept if not (Path(here) / f / "pyvenv.cfg").exists())
        for name in files:
            path = Path(here) / name
            if not name.startswith(".") and path.suffix.lower() in SUFFIXES and path.is_file():
                found += [path] if path.suffix.lower() in (".py", ".ipynb") or _is_jupytext(path) else []
        if len(found) > _MOST_FILES:
            raise TargetError(f"{folder}: holds more than {_MOST_FILES} files; give a smaller folder")
    if not found:
        raise TargetError(f"{folder}: holds no .py file and no notebook")
    return tuple(sorted(found))


def _is_jupytext(path: Path) -> bool:
    with path.open("rb") as file:
        return b"jupytext:" in file.read(1000)


def package_of(path: Path) -> tuple[Path, str]:
    """The folder that imports start from, and the package that the file is in, or ""."""
    folder = path.resolve().parent
    names: list[str] = []
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        names.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(names)


def _in_module(module: str, name: str, hops: int = 5) -> tuple[Path, str]:
    """The file that defines a module's name, along `from ... import` where it is passed on."""
    file = _module_file(module)
    text = file.read_text(encoding="utf-8", errors="replace")
    if hops and is_python(text):
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for node in parse(text).body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name and _module_exists(whole := absolute(node, package)):
                        return _in_module(whole, alias.name, hops - 1)
    return file, name


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that an import names, seen from the package it stands in."""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    return ".".join([*(p for p in parts if p), *([node.module] if node.module else [])])


def _module_exists(module: str) -> bool:
    try:
        _module_file(module)
    except TargetError:
        return False
    return True


def _module_file(module: str) -> Path:
    """Where a module's source is, found without importing its parents."""
    path: list[str] = [os.getcwd(), *sys.path]
    spec = None
    names = module.split(".")
    for at in range(len(names)):
        whole = ".".join(names[: at + 1])
        try:
            spec = PathFinder.find_spec(whole, path)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            raise TargetError(f"{module}: there is no module {whole} in this folder or installed")
        path = list(spec.submodule_search_locations or [])
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        raise TargetError(f"{module}: has no Python source to read")
    return Path(spec.origin)
