"""Reading targets: every kind of file, what a definition needs, what is broken, and nothing but a TargetError."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from barehand.judge.intake import Intake, Piece, TargetError, read
from barehand.judge.recognise import recognise_all

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def notebook(*cells: str) -> str:
    """A notebook's JSON; cells that start with `#: ` are markdown."""
    made = []
    for at, cell in enumerate(cells):
        text = dedent(cell).strip("\n")
        kind = "markdown" if text.startswith("#: ") else "code"
        made.append(
            {"cell_type": kind, "id": f"cell-{at}", "metadata": {}, "source": text.removeprefix("#: ")}
            | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        )
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    def write(text: str | bytes, name: str = "blocks.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return str(path)

    return write


def only(intake: Intake) -> Piece:
    assert not intake.broken
    (piece,) = intake.pieces
    return piece


def by_name(intake: Intake, name: str) -> Piece:
    (piece,) = [p for p in intake.pieces if p.name == name]
    return piece


def run(piece: Piece, **given: object) -> dict[str, object]:
    """What the program defines; it must run by itself."""
    names: dict[str, object] = {"__name__": "piece", **given}
    exec(compile(piece.source, piece.path, "exec"), names)
    return names


# Files of Python


def test_a_definition_comes_with_what_it_needs_and_nothing_else(file: Callable[..., str]) -> None:
    intake = read(
        file("""\
        import numpy as np
        import random
        from math import sqrt as root

        EPS = 10 ** -5
        print("loading")
        data = open("/nowhere")

        def shift(x):
            return x - np.max(x)

        def unused(x):
            return random.random()

        # Softmax
        def softmax(x, *, axis: int = -1, **rest):
            '''Rows to probabilities.'''
            e = np.exp(shift(x)) + EPS  # stable
            return e / e.sum(axis)

        softmax(data)
        """)
    )
    piece = by_name(intake, "softmax")
    lines = piece.source.splitlines()
    assert [n for n, line in enumerate(lines, 1) if line] == [1, 5, 9, 10, 16, 17, 18, 19]
    assert run(piece)["softmax"]
    assert (piece.line, piece.cell, piece.kind, piece.library) == (16, None, "function", "numpy")
    assert piece.place(18) == (None, 18)
    assert piece.heading == "Softmax"
    assert piece.docs == "Rows to probabilities.\nstable"
    assert [(p.name, p.default, p.kind, p.annotation) for p in piece.parameters] == [
        ("x", None, "positional", None),
        ("axis", "-1", "keyword", "int"),
        ("rest", None, "var_keyword", None),
    ]
    assert piece.calls >= {"np", "shift", "EPS"}


def test_a_class_has_methods_bases_and_arguments(file: Callable[..., str]) -> None:
    piece = only(
        read(
            file("""\
            import torch
            from torch import nn

            class Norm(nn.Module):
                def __init__(self, dim, eps=1e-5):
                    super().__init__()
                    self.eps = eps

                def forward(self, x):
                    return x

                @staticmethod
                def helper(a, b): ...
            """)
        )
    )
    assert (piece.kind, piece.bases, piece.library) == ("class", ("nn.Module",), "torch")
    assert [p.name for p in piece.parameters] == ["dim", "eps"]
    assert [(m.name, [p.name for p in m.parameters]) for m in piece.methods] == [
        ("__init__", ["dim", "eps"]),
        ("forward", ["x"]),
        ("helper", ["a", "b"]),
    ]
    assert not piece.hints


def test_in_a_file_the_last_of_each_name_counts(file: Callable[..., str]) -> None:
    piece = by_name(
        read(file("def g(x):\n    return k(x)\ndef k(x):\n    return 1\ndef k(x):\n    return 2\nC = 1\nC = 2\n")), "g"
    )
    assert run(piece)["g"](0) == 2  # type: ignore[operator]
    shadowing = read(file("def f():\n    return 1\n\ndef f():\n    return 2\n"))
    assert only(shadowing).line == 4
    assert "replaces an earlier f (line 1)" in only(shadowing).hints[0]


def test_constants_changed_in_place_are_those_at_the_end(file: Callable[..., str]) -> None:
    piece = by_name(read(file("T = [0]\nT[0] = 5\nT += [1]\ndef f():\n    return T\nT[0] = 7\n")), "f")
    assert run(piece)["f"]() == [7, 1]  # type: ignore[operator]


def test_methods_hung_on_a_class_come_along(file: Callable[..., str]) -> None:
    intake = read(file("class A:\n    pass\ndef forward(self, x):\n    return x\nA.forward = forward\n"))
    assert run(by_name(intake, "A"))["A"]().forward(3) == 3  # type: ignore[operator]
    assert by_name(intake, "forward").takes_self
    assert [p.name for p in by_name(intake, "forward").parameters] == ["x"]


def test_definitions_under_try_and_if_come_with_their_statement(file: Callable[..., str]) -> None:
    intake = read(
        file("""\
        try:
            import nothing_of_that_name
        except ImportError:
            def f(x):
                return x
        if __name__ == "__main__":
            def g(x):
                return x
        """)
    )
    assert run(only(intake))["f"](1) == 1  # type: ignore[operator]


def test_what_only_main_sets_is_missing(file: Callable[..., str]) -> None:
    (broken,) = read(file('def f(x=K):\n    return x\nif __name__ == "__main__":\n    K = 1\n')).broken
    assert "__main__" in broken.message


def test_a_piece_for_show_does_without_what_is_not_installed(
    file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from barehand.judge.reading import packages

    monkeypatch.setattr(packages, "_installed", lambda name: False)
    piece = only(read(file("import matplotlib.pyplot as plt\ndef f(x):\n    plt.plot(x)\n")))
    assert "matplotlib" not in piece.source
    assert piece.hints == ("line 1: matplotlib is not installed here; its import is left out",)


def test_settings_above_a_definition_are_kept(file: Callable[..., str]) -> None:
    text = (
        "import sys\nimport torch\nimport numpy as np\nsys.path.append('lib')\ntorch.set_default_dtype(torch.float64)\n"
    )
    intake = read(file(text + "def f(x):\n    return torch.exp(x)\ndef g(x):\n    return np.exp(x)\n"))
    assert "set_default_dtype" in by_name(intake, "f").source
    assert "torch" not in by_name(intake, "g").source
    assert "import sys" in by_name(intake, "g").source


@pytest.mark.parametrize(
    ("text", "library"),
    [
        ("import numpy as np\nimport torch\ndef f(x):\n    return np.exp(x)\n", "numpy"),
        ("import torch.nn.functional as F\ndef f(x):\n    return F.relu(x)\n", "torch"),
        ("def f(x):\n    return x.exp() / x.exp().sum(dim=-1)\n", "torch"),
        ("from torch import exp\ndef g(x):\n    return exp(x)\ndef f(x):\n    return g(x)\n", "torch"),
        ("import math\ndef f(x):\n    return [math.exp(v) for v in x]\n", "python"),
    ],
)
def test_the_library_is_what_the_definition_uses(file: Callable[..., str], text: str, library: str) -> None:
    assert by_name(read(file(text)), "f").library == library


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(file: Callable[..., str], end: bytes, mark: bytes) -> None:
    target = file(mark + end.join([b"# \xe4\xba\xa4", b"def f(x):", b'    """a', b'b"""', b"    return x", b""]))
    piece = only(read(target))
    assert piece.line == 2
    assert "\r" not in piece.source


def test_the_declared_encoding_is_believed(file: Callable[..., str]) -> None:
    assert only(read(file("# -*- coding: latin-1 -*-\ndef f():\n    return 'é'\n".encode("latin-1")))).name == "f"
    with pytest.raises(TargetError, match="UTF-8"):
        read(file("def f():\n    return 'é'\n".encode("latin-1")))


# What is broken


def test_one_syntax_error_does_not_spoil_the_rest(file: Callable[..., str]) -> None:
    intake = read(
        file('''\
        import numpy as np

        def good(x):
            """A text
        at the margin
            """
            return np.exp(x)

        @staticmethod
        def bad(x:
            return x

        class AlsoGood:
            pass

        def python2(x):
            print x
        ''')
    )
    assert [p.name for p in intake.pieces] == ["good", "AlsoGood"]
    assert [(b.name, b.line) for b in intake.broken] == [("bad", 10), ("python2", 17)]
    assert "never closed" in intake.broken[0].message
    assert "Python 2" in intake.broken[1].hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("def f(x)：\n    return x\n", "full-width"),
        ("def f(x):\nreturn x\n", "not indented"),
        ("def f(x):\n    a = 1\n      return a\n", "indentation"),
        ("x = 1\nreturn x\n", "not inside its function"),
        ("def f(x):\n    return x +\n", "return x +"),
    ],
)
def test_the_likely_cause_of_a_syntax_error(file: Callable[..., str], text: str, hint: str) -> None:
    assert any(hint in b.hint for b in read(file(text)).broken)


@pytest.mark.parametrize("text", ["K = 1 \\\n; L = 2\n", "L = 2 \\\n\\\n;\n", "L = 2 \\\n\f\n"])
def test_a_statement_may_go_on_after_a_backslash(file: Callable[..., str], text: str) -> None:
    assert run(only(read(file(text + "def f():\n    return L\n"))))["f"]() == 2  # type: ignore[operator]


def test_prose_is_given_up_soon(file: Callable[..., str]) -> None:
    intake = read(file("This is no Python.\n" * 5000))
    assert len(intake.broken) == 21
    assert "is this a program" in intake.broken[-1].hint


@pytest.mark.parametrize("name", ["_init_", "__int__", "init", "__inti__", "_init__", "__init_"])
def test_a_misspelt_init_is_hinted_at(file: Callable[..., str], name: str) -> None:
    piece = only(read(file(f"class A:\n    def {name}(self, dim):\n        self.dim = dim\n")))
    assert piece.hints == (f"line 2: {name} is never called by Python; did you mean __init__?",)


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    def __init__(self, d): ...\n    def init(self, d): ...\n",
        "class A:\n    def __int__(self): return 1\n",
        "class A:\n    @staticmethod\n    def f(): ...\n",
        "def f(x):\n    for i in x:\n        if i: print(last)\n        last = i\n",
        "def f(x):\n    s = 0\n    for i in x:\n        s += i\n    return s\n",
        "def f(x):\n    def g():\n        return h\n    h = 1\n    return g()\n",
        "def f(n):\n    return f(n - 1) if n else [i for i in range(3)]\n",
        "import numpy as np\ndef f(x: 'Tensor'):\n    return np.exp(x)\n",
    ],
)
def test_what_is_not_odd(file: Callable[..., str], text: str) -> None:
    assert not only(read(file(text))).hints


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("def f(x):\n    return np.exp(x)\n", "np is not set anywhere; add import numpy as np"),
        ("def helper(x): return x\ndef f(x):\n    return helpr(x)\n", "did you mean helper?"),
        ("def f(X, y):\n    for i in y:\n        w -= i\n    return w\n", "line 3: w is used before it is set"),
        ("def f(x):\n    y = x * z\n    z = 2\n    return y\n", "line 2: z is used before it is set"),
        (
            "from torch import nn\nclass f(nn.Module):\n    def __init__(self):\n        self.a = 1\n",
            "super().__init__()",
        ),
        ("from torch import nn\nclass f(nn.Module):\n    def froward(self, x): ...\n", "did you mean forward?"),
        ("class f:\n    def step(): ...\n", "no self"),
    ],
)
def test_slips_are_hinted_at(file: Callable[..., str], text: str, hint: str) -> None:
    assert any(hint in h for h in by_name(read(file(text)), "f").hints)


def test_a_name_needed_at_once_and_never_set_is_broken(file: Callable[..., str]) -> None:
    intake = read(file("class Net(nn.Module):\n    pass\n\ndef f(x=LATER):\n    return x\nLATER = 1\n"))
    assert not intake.pieces
    first, second = intake.broken
    assert (first.name, first.line, first.hint) == ("Net", 1, "add from torch import nn")
    assert "set only further down" in second.message


# Notebooks


@pytest.fixture
def _nbformat() -> None:
    pytest.importorskip("nbformat", reason="reads .ipynb")


@pytest.mark.usefixtures("_nbformat")
def test_a_notebook_knows_cells_lines_and_headings(file: Callable[..., str]) -> None:
    cells = [
        "#: # Blocks\nby hand",
        "%matplotlib inline\nimport numpy as np\n!pip install torch",
        "#: ## 1. Softmax\nwith a shift",
        "np.exp?\ndef f(x):\n    %time\n    return np.exp(x)",
        "#: ### 测试",
        "out = f(np.ones(3))\nprint(out)\nfiles = !ls",
        "%%bash\nrm -rf /",
    ]
    piece = only(read(file(notebook(*cells), "a.ipynb")))
    assert (piece.cell, piece.line, piece.heading) == (2, 2, "Blocks\n1. Softmax")
    assert piece.place(piece.source.splitlines().index("    return np.exp(x)") + 1) == (2, 4)
    assert "print" not in piece.source
    run(piece)


@pytest.mark.usefixtures("_nbformat")
def test_in_a_notebook_a_name_means_what_it_meant_above(file: Callable[..., str]) -> None:
    cells = [
        "def norm(x):\n    return eps",
        "eps = 1",
        "def helper():\n    return 'first'",
        "def a():\n    return helper(), eps",
        "eps = 2\ndef helper():\n    return 'second'",
        "def b():\n    return helper(), eps",
    ]
    intake = read(file(notebook(*cells), "a.ipynb"))
    assert run(by_name(intake, "a"))["a"]() == ("first", 1)  # type: ignore[operator]
    assert run(by_name(intake, "b"))["b"]() == ("second", 2)  # type: ignore[operator]
    assert run(by_name(intake, "norm"))["norm"](0) == 1  # type: ignore[operator]


@pytest.mark.usefixtures("_nbformat")
def test_a_name_used_from_task_to_task_is_several_pieces(file: Callable[..., str]) -> None:
    cells = ["#: ## BPR", "def loss(p, n): ...", "#: ## Focal", "def loss(x, y): ...", "def softmax(x): ..."]
    intake = read(file(notebook(*cells, "#: ## Softmax, better", "def softmax(x, axis): ..."), "a.ipynb"))
    assert [(p.name, p.cell) for p in intake.pieces] == [("loss", 1), ("loss", 2), ("softmax", 4)]
    assert "(cell 3, line 1)" in intake.pieces[2].hints[0]


@pytest.mark.usefixtures("_nbformat")
def test_a_training_cell_is_not_run(file: Callable[..., str]) -> None:
    cells = ["import numpy as np", "def train(X, y):\n    w = np.zeros(2)\n    return w", "w = train(1 / 0, 2)"]
    piece = only(read(file(notebook(*cells), "a.ipynb")))
    assert piece.name == "train"
    run(piece)


@pytest.mark.usefixtures("_nbformat")
def test_a_broken_cell_leaves_the_others(file: Callable[..., str]) -> None:
    cells = ["def f(x):\n    return x", "#: ## Softmax", "x = (", "def g(x):\n    return f(x)"]
    intake = read(file(notebook(*cells), "a.ipynb"))
    assert [p.name for p in intake.pieces] == ["f", "g"]
    assert [(b.name, b.cell, b.line, b.heading) for b in intake.broken] == [("cell 2", 2, 1, "Softmax")]


@pytest.mark.usefixtures("_nbformat")
def test_what_run_would_bring_is_said(file: Callable[..., str]) -> None:
    (broken,) = read(file(notebook("%run helpers.py", "class A(Base):\n    pass"), "a.ipynb")).broken
    assert broken.hint == "%run helpers.py is not run here: import what it defines"


@pytest.mark.parametrize("suffix", ["md", "Rmd"])
def test_markdown_by_jupytext(file: Callable[..., str], suffix: str) -> None:
    pytest.importorskip("jupytext", reason="reads Markdown")
    fence = "```{python}" if suffix == "Rmd" else "```python"
    text = (
        f"## Softmax\n\n{fence}\nimport numpy as np\n```\n\n```sh\nls\n```\n\n{fence}\ndef f(x):\n    return x\n```\n"
    )
    piece = only(read(file(text, f"a.{suffix}")))
    assert (piece.heading, piece.line) == ("Softmax", 1)


def test_cells_in_percent_format_are_a_file(file: Callable[..., str]) -> None:
    piece = only(
        read(file("# %% [markdown]\n# ## Softmax\n# with care\n\n# %%\nK = 1\n# %%\ndef f(x):\n    return K\n"))
    )
    assert (piece.line, piece.heading) == (8, "Softmax\nwith care")


def test_a_marimo_notebook_is_unwrapped(file: Callable[..., str]) -> None:
    intake = read(
        file('''\
        import marimo

        app = marimo.App()

        with app.setup:
            import math

        @app.cell
        def _():
            import marimo as mo
            return (mo,)

        @app.cell
        def _(mo):
            mo.md(r"""
            ## Softmax
            """)
            return

        @app.cell
        def _(math):
            # by hand
            def f(x):
                return math.exp(x)
            return (f,)

        @app.function
        def g(x):
            return math.sqrt(x)

        if __name__ == "__main__":
            app.run()
        ''')
    )
    f = by_name(intake, "f")
    assert (f.line, f.heading) == (23, "Softmax\nby hand")
    assert run(f)["f"](0) == 1  # type: ignore[operator]
    assert run(by_name(intake, "g"))["g"](4) == 2  # type: ignore[operator]


def test_a_missing_library_is_named(file: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(TargetError, match=r"needs nbformat; pip install"):
        read(file(notebook("x = 1"), "a.ipynb"))


# Scripts

DESCENT = """\
import numpy as np
rng = np.random.default_rng(0)
X = rng.standard_normal((20, 2))
y = X @ np.array([1.0, 2.0]) + 3
w, b = np.zeros(X.shape[1]), 0.0
n = len(y)
lr = 0.1
for epoch in range(50):
    error = X @ w + b - y
    w -= lr * X.T @ error / n
    b -= lr * error.mean()
print(w, b)
"""


def test_a_bare_descent_is_a_script(file: Callable[..., str]) -> None:
    piece = only(read(file(DESCENT, "descent.py")))
    assert (piece.kind, piece.name, piece.reads) == ("script", "descent", ("X", "y"))
    assert {"w", "b"} <= set(piece.assigns)
    assert "rng" not in piece.source
    assert "print" not in piece.source
    import numpy as np

    X = np.eye(2)
    assert np.all(run(piece, X=X, y=np.zeros(2))["w"] == 0)  # type: ignore[operator]
    assert "X @ np.array([1.0, 2.0])" in piece.data
    assert "lr" not in piece.data


@pytest.mark.usefixtures("_nbformat")
def test_a_descent_over_several_cells(file: Callable[..., str]) -> None:
    cells = [
        "import numpy as np\nX_train, y_train = load()",
        "Xb = np.c_[np.ones(len(X_train)), X_train]\ntheta = np.zeros(Xb.shape[1])",
        "def gradient(theta):\n    return Xb.T @ (Xb @ theta - y_train)",
        "#: Training",
        "for _ in range(100):\n    theta = theta - 0.01 * gradient(theta)",
        "bias, weights = theta[0], theta[1:]",
    ]
    intake = read(file(notebook(*cells), "a.ipynb"))
    (piece,) = [p for p in intake.pieces if p.kind == "script"]
    assert set(piece.reads) == {"X_train", "y_train"}
    assert "theta" in piece.assigns
    assert "load" not in piece.source
    import numpy as np

    assert run(piece, X_train=np.eye(2), y_train=np.zeros(2))["theta"] is not None


@pytest.mark.parametrize(
    "text",
    ["for i in range(3):\n    print(i)\n", "total = 0\nfor i in range(3):\n    total += 1\n", "x = 1\nprint(x - 1)\n"],
)
def test_loops_that_learn_nothing_are_no_pieces(file: Callable[..., str], text: str) -> None:
    assert not read(file(text + "def f(): ...\n")).pieces[1:]


# Targets


def test_a_folder_is_read_in_order(file: Callable[..., str], tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "sub/c.py", ".hidden/d.py", "venv2/lib/e.py", "lib/site-packages/f.py", "README.md"):
        file(f"def {Path(name).stem}(x): ...\n", name)
    file("", "venv2/pyvenv.cfg")
    file("", "empty.py")
    intake = read(str(tmp_path))
    assert [p.name for p in intake.pieces] == ["a", "b", "c"]
    assert [b.message for b in intake.broken] == ["the file is empty"]
    assert intake.folder == str(tmp_path.resolve())


def test_one_definition_of_a_file(file: Callable[..., str]) -> None:
    target = file("def f(x): ...\ndef g(x): ...\n")
    assert only(read(f"{target}:g")).name == "g"
    with pytest.raises(TargetError, match=r"no function or class 'h'; it has f, g"):
        read(f"{target}:h")
    with pytest.raises(TargetError, match="did you mean softmax"):
        read(file("def softmax(x): ...\n") + ":sofmax")


def test_one_definition_of_a_module(file: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file("raise SystemExit('imported')\nfrom .inner import soft as softmax\n", "pack/__init__.py")
    file("from . import more\nfrom .more import K\ndef soft(x):\n    return K + more.K\n", "pack/inner.py")
    file("K = 1\n", "pack/more.py")
    monkeypatch.chdir(tmp_path)
    for target in ("pack.inner:soft", "pack:softmax", "pack/inner.py:soft"):
        piece = only(read(target))
        assert piece.name == "soft"
        assert piece.source.startswith("from pack import more\nfrom pack.more import K\n")
        assert piece.folder == str(tmp_path.resolve())
    with pytest.raises(TargetError, match=r"no module pack\.nothing"):
        read("pack.nothing:f")
    with pytest.raises(TargetError, match="no Python source"):
        read("math:exp")


def test_an_import_from_beside_works_without_a_package(file: Callable[..., str]) -> None:
    piece = by_name(read(file("from .other import k\ndef f(x):\n    return k\n")), "f")
    assert piece.source.startswith("from other import k")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.py", b"", "is empty"),
        ("a.py", b" \n\n", "is empty"),
        ("a.py", b"x = 1\n\0", "binary"),
        ("a.py", b"x = 1\n", "no function, no class and no computation"),
        ("a.py", b"x = '" + b"a" * (1 << 20) + b"'\n", "1 MB"),
        ("a.txt", b"x = 1\n", r"\.txt is not read"),
        ("a.ipynb", b"{", "not a notebook"),
        ("a.ipynb", b"[]", "not a notebook"),
        ("a.ipynb", b'{"cells": [null]}', "not a notebook"),
        ("a.ipynb", notebook("#: ## Only words").encode(), "no Python code"),
        ("a.ipynb", notebook("x = '" + "a" * (2 << 20) + "'").encode(), "code cell 1 has"),
        ("a.ipynb", b"[" * 100_000, "not a notebook"),
    ],
)
def test_what_cannot_be_read_is_said(file: Callable[..., str], name: str, data: bytes, says: str) -> None:
    if name.endswith("ipynb"):
        pytest.importorskip("nbformat", reason="reads .ipynb")
    with pytest.raises(TargetError, match=says):
        read(file(data, name))


@pytest.mark.parametrize(
    "target", ["", " ", "nowhere.py", "nowhere.py:f", "no.module:f", "a\0b", "x:y:z", "a" * 5000, ":", "a:"]
)
def test_targets_that_name_nothing(target: str) -> None:
    with pytest.raises(TargetError):
        read(target)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + ")" * 5000,
        "-" * 20000 + "1",
        "x" + ".a" * 20000,
        "f = " + "[" * 90 + "]" * 90 + "\n",
        "a = 1" + " + 1" * 50000,
    ],
)
def test_deep_nesting_is_refused_or_read(file: Callable[..., str], text: str) -> None:
    with suppress(TargetError):
        read(file(text + "\ndef f(x):\n    return x\n"))


# Whatever comes


def reads(target: str) -> None:
    """Reads it, or refuses it; any other exception fails the test."""
    with suppress(TargetError):
        intake = read(target)
        recognise_all(intake.pieces)
        assert all(piece.line >= 1 for piece in intake.pieces)


@QUICK
@given(st.binary(max_size=300), st.sampled_from(["a.py", "a.ipynb", "a.md"]))
def test_any_bytes(file: Callable[..., str], data: bytes, name: str) -> None:
    reads(file(data, name))


PARTS = st.sampled_from(
    """
def f(x):|    return x|class A:|@d|x = (|)|for i in x:|    w -= 1 * x|else:|import a|from .b import c|if 1: pass|%time
# 交叉熵|lambda: 0|del x|async def g(): await h|global x|x: int
type X = int|match x:|  case [a]: pass|return|x, y = y, x
import numpy as np|from m import *|    def __int__(self, d): ...|def f(x, x): ...|\\d = '\\d'|！
if __name__ == "__main__":|!ls
""".strip()
    .replace("|", "\n")
    .split("\n")
).map(lambda line: line + "\n") | st.sampled_from(['"""', "\t", "\\\n", ";", "\f", "\n", "é"])


@QUICK
@given(st.lists(PARTS, max_size=25).map("".join))
def test_any_lines_of_python(file: Callable[..., str], text: str) -> None:
    reads(file(text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cells", "source", "cell_type", "metadata", "worksheets", "nbformat"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@pytest.mark.usefixtures("_nbformat")
@QUICK
@given(JSON, st.sampled_from([1, 2, 3, 4, 5, None]))
def test_any_json(file: Callable[..., str], content: object, version: int | None) -> None:
    if isinstance(content, dict):
        content |= {"nbformat": version, "nbformat_minor": 5}
    reads(file(json.dumps(content), "a.ipynb"))


@pytest.mark.usefixtures("_nbformat")
@QUICK
@given(st.integers(0, 400), st.lists(PARTS, max_size=12).map("".join))
def test_truncated_notebooks(file: Callable[..., str], length: int, code: str) -> None:
    whole = notebook("#: ## Softmax", code, "def f(x):\n    return x")
    reads(file(whole[:length], "a.ipynb"))
    reads(file(whole, "a.ipynb"))
