"""From living objects to programs that define them again: functions, classes, closures, libraries, notebooks."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import barehand
from barehand.judge.objects import intake_of, piece_of
from barehand.judge.pieces import Piece
from barehand.judge.recognise import recognise
from barehand.judge.sources import TargetError

SCALE = 2.0
X = np.array([[0.5, -1.0, 2.0]])


def shifted(x: Any) -> Any:
    return x - x.max(axis=-1, keepdims=True)


def my_softmax(x: Any) -> Any:
    """Stable."""
    e = np.exp(shifted(x))
    return e / e.sum(axis=-1, keepdims=True)


class Scaled:
    def __init__(self, by: float = SCALE) -> None:
        self.by = by

    def __call__(self, x: Any) -> Any:
        return x * self.by

    def method(self, x: Any) -> Any:
        return self(x)


named_lambda = lambda x, k=SCALE: x * k  # noqa: E731 - that it is one is the point


def nested(factor: float, mode: Any = "plain") -> tuple[Any, ...]:
    import numpy as numerics

    def helper(x: Any) -> Any:
        return shifted(x) * factor

    def softmax(x: Any) -> Any:
        e = numerics.exp(helper(x))
        return e / e.sum(axis=-1, keepdims=True)

    class Layer:
        def forward(self, x: Any) -> Any:
            return helper(x), mode

    return softmax, Layer, lambda x: shifted(x) * factor


@functools.lru_cache
def cached(x: float) -> float:
    return x * SCALE


def rebuilt(obj: Any) -> Any:
    """What the piece's program defines, in a namespace of its own."""
    piece = piece_of(obj)
    space: dict[str, Any] = {"__name__": "judged"}
    exec(compile(piece.source, piece.path, "exec"), space)
    return space[piece.name]


def at_line(piece: Piece, text: str) -> int:
    """Where in the file the program's line with that text is."""
    number = next(i for i, line in enumerate(piece.source.split("\n"), 1) if text in line)
    return piece.place(number)[1]


def in_this_file(text: str, after: str = "") -> int:
    lines = Path(__file__).read_text(encoding="utf-8").split("\n")
    start = next(i for i, line in enumerate(lines) if after in line)
    return next(i for i, line in enumerate(lines, 1) if i > start and text in line)


def test_a_function_comes_with_what_it_needs() -> None:
    piece = piece_of(my_softmax)
    assert (piece.name, piece.kind, piece.path, piece.library) == ("my_softmax", "function", __file__, "numpy")
    assert piece.line == in_this_file("def my_softmax")
    assert "pytest" not in piece.source
    assert "Stable." in piece.docs
    assert np.array_equal(rebuilt(my_softmax)(X), my_softmax(X))
    intake = intake_of(my_softmax)
    assert (intake.pieces, intake.target, intake.broken) == ((piece,), "my_softmax", ())


@pytest.mark.parametrize("obj", [Scaled, Scaled(3.0)], ids=["class", "instance"])
def test_a_class_and_its_instances(obj: object) -> None:
    piece = piece_of(obj)
    assert (piece.name, piece.kind, [m.name for m in piece.methods]) == (
        "Scaled",
        "class",
        ["__init__", "__call__", "method"],
    )
    assert rebuilt(obj)()(3.0) == 6.0


def test_a_nested_function_brings_what_it_takes_from_around_it() -> None:
    softmax, layer, anonymous = nested(3)
    assert np.array_equal(rebuilt(softmax)(X), softmax(X))
    assert rebuilt(layer)().forward(X)[1] == "plain"
    assert np.array_equal(rebuilt(anonymous)(X), shifted(X) * 3)
    piece = piece_of(softmax)
    assert piece.line == in_this_file("def softmax", after="def nested")
    assert at_line(piece, "numerics.exp") == in_this_file("numerics.exp(helper")
    assert piece.own.startswith("def softmax")
    guess = recognise(piece)
    assert guess is not None
    assert guess.block == "softmax"


@pytest.mark.parametrize("taken", [X, {"a": 1}, math.nan, object()], ids=["array", "dict", "nan", "object"])
def test_what_no_line_can_say_is_refused(taken: object) -> None:
    with pytest.raises(TargetError, match=r"forward uses mode of the function around it, a .*; pass it as an argument"):
        piece_of(nested(1.0, taken)[1])


def test_recursion_is_no_closure_to_be_carried() -> None:
    def power(x: float, n: int) -> float:
        return x * power(x, n - 1) if n else 1.0

    assert rebuilt(power)(2.0, 5) == 32.0


def test_a_name_without_a_value_is_refused() -> None:
    def early() -> Callable[[], object]:
        def inner() -> object:
            return later

        piece_of(inner)
        later = 1
        return inner

    with pytest.raises(TargetError, match="inner uses later, which has no value yet"):
        early()


def test_lambdas() -> None:
    assert piece_of(named_lambda).name == "named_lambda"
    assert rebuilt(named_lambda)(4.0) == 8.0
    functions = [
        lambda x: x + 1.0,
        lambda x: sum(v for v in (x, SCALE)),
    ]
    assert [rebuilt(f)(1.0) for f in functions] == [2.0, 3.0]
    assert rebuilt(lambda x: -x)(1.0) == -1.0
    twins = (lambda x: x, lambda x: x * 1), 0
    assert rebuilt(twins[0][1])(2.0) == 2.0


def test_a_decorator_that_wraps_is_looked_through() -> None:
    assert rebuilt(cached)(2.0) == 4.0
    assert piece_of(cached).name == "cached"


def test_barehands_own_and_numpys_functions_are_imported() -> None:
    piece = piece_of(barehand.softmax)
    assert piece.source == "from barehand.blocks.softmax import softmax\n"
    assert [p.name for p in piece.parameters] == ["x", "axis", "mask", "out"]
    assert rebuilt(np.exp) is np.exp
    assert rebuilt(np.linalg.norm) is np.linalg.norm
    assert rebuilt(math.fsum) is math.fsum


def test_functions_and_classes_of_torch_and_scipy_are_imported() -> None:
    torch = pytest.importorskip("torch")
    special = pytest.importorskip("scipy.special")
    functional = torch.nn.functional
    for obj in (torch.softmax, functional.softmax, functional.scaled_dot_product_attention, special.softmax):
        piece = piece_of(obj)
        assert rebuilt(obj) is obj
        assert not piece.source.startswith(("from torch._C", "from scipy.special._"))
        assert piece.library == ("numpy" if obj is special.softmax else "torch")
    assert [p.name for p in piece_of(torch.softmax).parameters] == ["input", "dim", "dtype"]
    loss = [p.name for p in piece_of(functional.cross_entropy).parameters]
    assert loss == ["input", "target", "weight", "ignore_index", "reduction", "label_smoothing"]
    heads = piece_of(torch.nn.MultiheadAttention(4, 2))
    assert (heads.kind, heads.library) == ("class", "torch")
    assert [p.name for p in heads.parameters][:2] == ["embed_dim", "num_heads"]
    assert "forward" in [m.name for m in heads.methods]
    assert next(p.name for m in heads.methods if m.name == "forward" for p in m.parameters) == "query"


@pytest.mark.parametrize(
    ("obj", "says"),
    [
        (functools.partial(my_softmax), "a partial has no source"),
        (Scaled().method, "is the method of one object; give its class"),
        (3, "3 is no function and no class"),
        (math, "is no function and no class"),
        (X, "is no function and no class"),
        (None, "None is no function and no class"),
        (eval("lambda x: x"), "the source of <lambda> is not to be found"),
    ],
    ids=["partial", "method", "number", "module", "array", "None", "eval"],
)
def test_what_cannot_be_judged_is_refused(obj: object, says: str) -> None:
    with pytest.raises(TargetError, match=says):
        piece_of(obj)


def test_a_function_typed_into_nothing_is_refused() -> None:
    space: dict[str, Any] = {}
    exec("def typed(x):\n    return x", space)
    with pytest.raises(TargetError, match="the source of typed is not to be found; write it in a file"):
        piece_of(space["typed"])


def test_a_module_that_only_passes_a_library_function_on_is_not_its_home() -> None:
    module = ModuleType("m")
    vars(module)["exp"] = np.exp
    sys.modules["m"] = module
    try:
        assert piece_of(np.exp).source == "from numpy import exp\n"
    finally:
        del sys.modules["m"]


NOTEBOOK = """
    import warnings
    warnings.simplefilter("ignore")
    from IPython.core.interactiveshell import InteractiveShell
    from barehand.judge import check
    from barehand.judge.objects import piece_of
    from barehand.judge.verdicts import Judgement

    def judge(intake, as_):
        if as_ == "nonsense":
            raise ValueError("check: 'nonsense' is no block")
        for piece in intake.pieces:
            print("PIECE", piece.name, as_, piece.cell, piece.line, repr(piece.source.strip()))
        return Judgement(intake.target, 1, (), ())

    check.judge = judge
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    for cell in (
        "import numpy as np",
        "def top(x): return x.max()",
        "%load_ext barehand.judge.magic",
        "%%barehand softmax\\nlimit = top(np.ones(2))\\ndef f(x):\\n    return np.exp(x - top(x))",
        "%%barehand\\n1 / 0",
        "%%barehand nonsense\\ndef g(x): return x",
        "%%barehand\\nprint('only printed')",
    ):
        print("DONE", shell.run_cell(cell, store_history=True).success)
    print("LIMIT", shell.user_ns["limit"])
    shell.user_ns["piece_of"] = piece_of
    shell.run_cell("print('CHECKED', piece_of(f).cell, piece_of(f).line)", store_history=True)
"""


def test_the_magic_runs_the_cell_and_judges_what_it_defines(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    command = [sys.executable, "-c", textwrap.dedent(NOTEBOOK)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={"IPYTHONDIR": str(tmp_path), "NO_COLOR": "1"}
    )
    lines = done.stdout.splitlines()
    needed = "import numpy as np\\ndef top(x): return x.max()\\n\\n\\ndef f(x):\\n    return np.exp(x - top(x))"
    assert f"PIECE f softmax 4 3 '{needed}'" in lines, done.stdout + done.stderr
    # A cell that raises has shown it; the magic itself went well.
    assert [line for line in lines if line.startswith("DONE")] == [f"DONE {ok}" for ok in (True,) * 5 + (False, True)]
    assert [line for line in lines if line.startswith("Out")] == ["Out[4]: ", "Out[7]: "]
    assert "ZeroDivisionError" in done.stdout
    assert "UsageError: check: 'nonsense' is no block" in done.stderr + done.stdout
    assert "Nothing was judged." in done.stdout
    assert "LIMIT 1.0" in lines
    assert "CHECKED 4 3" in lines
