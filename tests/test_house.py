"""The rules of the house: who imports whom, what a folder holds, what loads when, what is documented."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import barehand
from barehand import textbook, vjp
from barehand.blocks import BLOCKS, homes, public, roles, specs

ROOT = Path(barehand.__file__).parent
FUNCTIONS = [name for names in BLOCKS.values() for name in names]


def imports(path: Path) -> set[str]:
    """The modules a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def block_files(role: str) -> list[object]:
    return [pytest.param(ROOT / "blocks" / b / f"{role}.py", b, id=b) for b in BLOCKS if f"{role}.py" in roles(b)]


STANDARD = {"__future__", "typing", "collections", "dataclasses", "math", "abc", "functools", "sys", "warnings"}


def outside(path: Path, allowed: tuple[str, ...]) -> set[str]:
    return {
        name
        for name in imports(path)
        if name.split(".")[0] not in STANDARD and not any(name == a or name.startswith(a + ".") for a in allowed)
    }


# Files that some folders have besides: parts of the textbook, and parts of the door.
PLAIN = ("weights", "scaled_dot_product")
DOOR = ("launch", "weights", "units", "tiles", "labels", "ranking", "slopes", "suppression")


def beside(block: str, roles: tuple[str, ...]) -> list[str]:
    return [f"barehand.blocks.{block}.{role}" for role in roles]


@pytest.mark.parametrize(("path", "block"), [p for role in ("textbook", *PLAIN) for p in block_files(role)])
def test_a_textbook_is_numpy_alone(path: Path, block: str) -> None:
    others = {f"barehand.blocks.{b}.textbook" for b in BLOCKS}
    assert not outside(path, ("numpy", *beside(block, PLAIN), *others))


@pytest.mark.parametrize(("path", "block"), [p for role in ("cpu", "slopes") for p in block_files(role)])
def test_kernels_know_no_textbook_and_no_other_block(path: Path, block: str) -> None:
    # The path of the cache is stamped with these.
    shared = "core.jit", "core.numeric", "core.rows", "core.stores", "descent.sweeps"
    assert not outside(path, ("numpy", *(f"barehand.{module}" for module in shared)))


@pytest.mark.parametrize("role", ["spec", "mutants"])
@pytest.mark.parametrize("block", BLOCKS)
def test_a_spec_knows_no_kernel(block: str, role: str) -> None:
    path = ROOT / "blocks" / block / f"{role}.py"
    assert not outside(path, ("numpy", *beside(block, ("textbook", "mutants", "weights")), "barehand.core.spec"))


@pytest.mark.parametrize(("path", "block"), [p for role in ("__init__", "vjp", *DOOR) for p in block_files(role)])
def test_the_door_loads_no_kernel(path: Path, block: str) -> None:
    assert not outside(path, ("numpy", *beside(block, DOOR), "barehand.core"))


def test_the_core_knows_no_block() -> None:
    """But for the hand-over to the functions on tensors, by name."""
    for path in (ROOT / "core").glob("*.py"):
        others = {i for i in imports(path) if i.startswith("barehand") and not i.startswith("barehand.core")}
        assert others == ({"barehand.tensors"} if path.name == "dispatch.py" else set()), path


@pytest.mark.parametrize("block", BLOCKS)
def test_a_folder_holds_its_roles_and_nothing_else(block: str) -> None:
    found = {p.name for p in (ROOT / "blocks" / block).iterdir() if p.name != "__pycache__"}
    assert found == roles(block)


def test_every_folder_is_a_block() -> None:
    assert {p.name for p in (ROOT / "blocks").iterdir() if p.is_dir() and p.name != "__pycache__"} == set(BLOCKS)
    assert set(specs()) == set(FUNCTIONS)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_lesson_has_its_length_and_its_formulas(block: str, language: str) -> None:
    lines = (ROOT / "blocks" / block / f"lesson.{language}.md").read_text().splitlines()
    assert 40 <= len(lines) <= 120
    assert any("$" in line for line in lines)


@pytest.mark.parametrize(
    ("statement", "unloaded"),
    [
        ("import barehand", "numba torch scipy sklearn typer rich pandas"),
        (
            "import barehand as bh; bh.softmax; bh.vjp.softmax; bh.textbook.softmax",
            "numba torch scipy sklearn typer rich",
        ),
        ("import barehand as bh; bh.softmax([1.0, 2.0])", "torch sklearn typer rich"),  # Numba loads SciPy where it can
        ("import barehand.cli", "numba torch scipy sklearn"),
    ],
)
def test_what_loads_when(statement: str, unloaded: str) -> None:
    script = f"{statement}\nimport sys\nprint([m for m in {unloaded!r}.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_are_documented(name: str) -> None:
    function = public(name)
    text = inspect.getdoc(function)
    assert text
    for section in ("Args", "Returns", "Raises", "Edge cases", "Cost", "Source", ">>>"):
        assert section in text, f"{name} says nothing about {section}"
    assert callable(getattr(textbook, name))


@pytest.mark.parametrize("name", homes("vjp"))
def test_a_gradient_takes_what_its_function_takes(name: str) -> None:
    gradient = getattr(vjp, name)
    assert ">>>" in (inspect.getdoc(gradient) or "")
    names = list(inspect.signature(public(name)).parameters)
    assert [n for n in inspect.signature(gradient).parameters if n not in ("cotangent", "with_value")] == [
        n for n in names if n != "out"
    ]
    assert callable(getattr(textbook, f"{name}_vjp"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_names_are_those_of_the_contract(name: str) -> None:
    """The textbook takes the same arguments as the function, but for where the result goes.

    An estimator's takes those that a plain descent has.
    """
    ours = [p for p in inspect.signature(public(name)).parameters if p != "out"]
    books = list(inspect.signature(getattr(textbook, name)).parameters)
    assert books == ours or (name in homes("estimator") and [p for p in ours if p in books] == books)


def test_what_is_public() -> None:
    for name in barehand.__all__:
        assert getattr(barehand, name) is not None
    assert set(homes()) <= set(dir(barehand))
    assert set(homes("vjp")) <= set(dir(vjp))
    assert set(FUNCTIONS) <= set(dir(textbook))
    with pytest.raises(AttributeError, match="has no attribute 'softmix'"):
        barehand.softmix  # noqa: B018


def test_each_ignored_rule_bears_its_reason() -> None:
    for path in ROOT.rglob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"# (noqa|type: ignore)", line):
                assert re.search(r"# noqa: [A-Z]+\d+ - \w|# type: ignore\[[\w, -]+\]", line), f"{path}:{number}: {line}"


def test_files_are_short() -> None:
    for block in BLOCKS:
        folder = ROOT / "blocks" / block
        most = {"__init__": 120, "textbook": 100, "cpu": 260, "launch": 230, "vjp": 120}
        for role in (r for r in most if f"{r}.py" in roles(block)):
            assert len((folder / f"{role}.py").read_text().splitlines()) <= most[role], f"{block}/{role}.py"


def test_modules_import_by_themselves() -> None:
    for path in ROOT.rglob("*.py"):
        if "variants" in path.parts:  # programs for the judge
            continue
        module = ".".join(("barehand", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        if module == "barehand.__main__":
            continue
        try:
            import_module(module)
        except ImportError as missing:
            if not isinstance(missing, barehand.MissingBackend) and missing.name != "torch":
                raise  # not an extra that is not installed


def test_every_folder_of_modules_is_a_package() -> None:
    """One that is none is imported a second time under another name, by pytest and by whoever is in its folder."""
    apart = ROOT / "judge" / "variants"  # programs as people write them
    folders = {path.parent for path in ROOT.rglob("*.py") if apart not in path.parents}
    assert len(folders) > len(BLOCKS)
    assert not [f for f in folders if not (f / "__init__.py").exists()]
