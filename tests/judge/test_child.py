"""The child process: steps, values there and back, errors with their lines, what is left after a crash."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from barehand.judge.child import Crashed, Other, Parameter, Program, Session, TheirError, TimedOut, Workshop

PLAIN = """
import os, time, warnings
import numpy as np

LIMIT = 3
names = ["a"]


def softmax(x, axis=-1, *, scale=None):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def same(x, *more, **named):
    return x


def told(x):
    return type(x).__name__, str(getattr(x, "dtype", "")), getattr(x, "flags", None) is None or bool(x.flags.writeable)


def strides(x):
    return x.strides


def attributes(box, *, more):
    return box.left, box.inner.w, more(np.full(3, 5.0))


class Layer:
    def __init__(self, d=3):
        self.weight = np.ones(d)
        self.parts = {"bias": np.zeros((1, d)), "more": [np.zeros(2)]}
        self.inner = Inner()
        self.steps = 0

    def forward(self, x):
        self.steps += 1
        return x * self.weight + self.parts["bias"]

    def __call__(self, x):
        return self.forward(x)


class Inner:
    __slots__ = ("w",)

    def __init__(self):
        self.w = np.zeros(4)


def fails(x):
    return helper(x)


def helper(x):
    raise ValueError("no such thing")


def crash():
    os._exit(5)


def sleep():
    time.sleep(60)


def speak():
    print("out")
    warnings.warn("careful")
"""


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as open_workshop:
        yield open_workshop


@pytest.fixture
def session(workshop: Workshop) -> Iterator[Session]:
    with workshop.session(Program(PLAIN, "plain.py")) as open_session:
        yield open_session


def call(name: str, /, *args: Any, to: str = "y", **kwargs: Any) -> dict[str, Any]:
    return {"do": "call", "to": to, "function": {"name": name}, "args": list(args), "kwargs": kwargs}


def give(*names: str) -> dict[str, Any]:
    return {"do": "return", "values": [{"var": name} for name in names]}


def result(session: Session, *steps: dict[str, Any]) -> Any:
    [value] = session.run([*steps, give("y")])
    return value


def test_what_a_program_has(session: Session) -> None:
    assert session.names == {
        "os": "module",
        "time": "module",
        "warnings": "module",
        "np": "module",
        "LIMIT": "number",
        "names": "list",
        **dict.fromkeys(
            ("softmax", "same", "told", "strides", "attributes", "fails", "helper", "crash", "sleep", "speak"),
            "function",
        ),
        **dict.fromkeys(("Layer", "Inner"), "class"),
    }
    assert session.signature("softmax") == [
        Parameter("x", "positional_or_keyword", None),
        Parameter("axis", "positional_or_keyword", "-1"),
        Parameter("scale", "keyword_only", "None"),
    ]
    assert session.signature("Layer") == [Parameter("d", "positional_or_keyword", "3")]
    assert [p.name for p in session.signature("Layer.forward")] == ["self", "x"]


ARRAYS = [
    *(np.arange(6).reshape(2, 3).astype(t) for t in "?bhilqBHILQefd"),
    np.array(["a", "日本"]),
    np.array([]),
    np.zeros((2, 0, 3), np.float32),
    np.array(2.5),
    np.array([math.nan, math.inf, -0.0]),
    np.arange(6.0).reshape(2, 3).T,
    np.arange(6.0)[::2],
    np.arange(3, dtype=">f4"),
    np.full((), "", "U1"),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_arrays_there_and_back(session: Session, array: Any) -> None:
    back = result(session, call("same", array))
    assert type(back) is np.ndarray
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


VALUES = [
    *(None, True, 0, -(2**80), 1.5, math.inf, -0.0, "x", '日本 \\ " \n \ud800', ""),
    *(np.float32(0.1), np.float16(2), np.int8(-3), np.bool_(True), np.str_("s"), np.float64(math.inf)),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_there_and_back(session: Session, value: Any) -> None:
    back = result(session, call("same", value))
    assert type(back) is type(value)
    assert back == value
    assert repr(back) == repr(value)


def test_objects_and_functions_can_be_given(session: Session) -> None:
    x = np.arange(3.0)
    box = {"record": {"left": 1.5, "inner": {"record": {"w": x}}}}
    left, w, slope = result(session, call("attributes", box, more={"slope": [x, np.ones(3)]}))
    assert left == 1.5
    np.testing.assert_array_equal(w, x)
    np.testing.assert_array_equal(slope, 4 * x)


def test_values_within_values(session: Session) -> None:
    x = np.arange(3.0)
    back = result(session, call("same", {"dict": {"a": {"list": [1, x]}, "b": {"tuple": [None, {"name": "LIMIT"}]}}}))
    assert list(back) == ["a", "b"]
    assert back["b"] == (None, 3)
    np.testing.assert_array_equal(back["a"][1], x)
    assert result(session, call("same", [1, [x, 2]]))[1][1] == 2


def test_nan_comes_back(session: Session) -> None:
    assert math.isnan(result(session, call("same", math.nan)))


def test_arguments_may_have_any_name(session: Session) -> None:
    assert result(session, call("same", 1, array=np.ones(2), var=2, list=3, name=4)) == 1


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"array": np.ones(2)}, ("ndarray", "float64", True)),
        ({"array": np.ones(2), "read_only": True}, ("ndarray", "float64", False)),
        ({"array": np.ones(2), "as": "list"}, ("list", "", True)),
        (np.float32(1), ("float32", "float32", False)),
        ([1.0], ("list", "", True)),
    ],
)
def test_arrays_in_dress(session: Session, node: Any, expected: tuple[Any, ...]) -> None:
    assert result(session, call("told", node)) == expected


def test_strided_arrays(session: Session) -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert result(session, call("strides", {"array": x, "strided": True})) == (48, 16)
    np.testing.assert_array_equal(result(session, call("same", {"array": x, "strided": True})), x)


def test_what_is_no_plain_value(session: Session) -> None:
    other = result(session, call("Layer"))
    assert isinstance(other, Other)
    assert other.type_name == "program.Layer"
    assert result(session, call("same", {"name": "softmax"})).type_name == "function"
    with pytest.raises(TypeError, match="complex128 do not travel"):
        result(session, call("same", np.ones(2, complex)))


def test_objects_and_their_parts(session: Session) -> None:
    x = np.arange(3.0)
    make = call("Layer", 3, to="m")
    params = {"do": "params", "of": {"var": "m"}, "to": "y"}
    assert result(session, make, params) == {
        "weight": (3,),
        "parts[bias]": (1, 3),
        "parts[more][0]": (2,),
        "inner.w": (4,),
    }
    w = {"do": "set", "var": "m", "path": "weight", "value": x}
    b = {"do": "set", "var": "m", "path": "parts[bias]", "value": np.ones((1, 3))}
    forward = {"do": "call", "to": "y", "function": {"var": "m", "attr": "forward"}, "args": [x]}
    np.testing.assert_array_equal(result(session, w, b, forward), (x * x + 1)[None])
    by_call = {"do": "call", "to": "y", "function": {"var": "m"}, "args": [x]}
    np.testing.assert_array_equal(result(session, by_call), (x * x + 1)[None])
    assert result(session, {"do": "get", "to": "y", "from": {"var": "m"}, "path": "parts[more][0]"}).shape == (2,)
    assert result(session, {"do": "get", "to": "y", "from": {"var": "m"}, "path": "steps"}) == 2
    assert result(session, {"do": "get", "to": "y", "from": {"name": "Layer.forward"}}).type_name == "function"
    attributes = result(session, {"do": "attributes", "of": {"var": "m"}, "to": "y"})
    assert attributes["weight"] == "array"
    assert attributes["forward"] == "method"
    assert attributes["steps"] == "number"
    with pytest.raises(TheirError, match=r"weight has shape \(3,\), and is given \(4,\)"):
        session.run([{"do": "set", "var": "m", "path": "weight", "value": np.ones(4)}])
    with pytest.raises(TheirError, match="AttributeError"):
        session.run([{"do": "set", "var": "m", "path": "wieght", "value": np.ones(3)}])


def test_scripts(session: Session) -> None:
    script = {"do": "exec", "source": "w = X.mean(0)\nb = 1 / len(X)", "with": {"X": np.ones((4, 2)), "array": 0}}
    assert session.run([script, {"do": "return", "values": [{"name": "w"}, {"name": "b"}]}])[1] == 0.25
    with pytest.raises(TheirError, match=r"ZeroDivisionError.*line 12") as caught:
        session.run([{"do": "exec", "source": "w = 1\nb = 1 / 0", "line": 11}])
    assert caught.value.traceback == "line 12, in <module>: b = 1 / 0"


def test_seeds(session: Session) -> None:
    draw = {"do": "exec", "source": "import random\nr = [random.random(), float(np.random.rand())]"}
    steps = [{"do": "seed", "value": 3}, draw, {"do": "return", "values": [{"name": "r"}]}]
    assert session.run(steps) == session.run(steps)


def test_variables_live_until_forgotten(session: Session) -> None:
    session.run([{"do": "put", "to": "x", "value": 3}])
    assert session.run([give("x"), give("x", "x")]) == [3, 3, 3]
    session.run([{"do": "forget"}])
    with pytest.raises(TheirError, match="KeyError"):
        session.run([give("x")])


def test_errors_say_where(session: Session) -> None:
    session.run([{"do": "put", "to": "x", "value": 3}])
    with pytest.raises(TheirError) as caught:
        session.run([{"do": "put", "to": "z", "value": 3}, call("fails", {"var": "x"})])
    error = caught.value
    source = PLAIN.splitlines()
    assert (error.type, error.message, error.step) == ("ValueError", "no such thing", 1)
    assert error.line is not None
    assert source[error.line - 1].strip() == 'raise ValueError("no such thing")'
    assert error.traceback.splitlines()[0].endswith("in fails: return helper(x)")
    assert session.run([give("x")]) == [3]  # an exception does not end the session
    with pytest.raises(TheirError, match="NameError: name 'nothing' is not defined"):
        session.run([call("nothing")])


def test_lines_are_the_files_own(workshop: Workshop) -> None:
    with pytest.raises(TheirError, match=r"ZeroDivisionError: division by zero \(line 41\)"):
        workshop.session(Program("x = 1\nx / 0", "later.py", line=40))
    with pytest.raises(TheirError, match=r"SyntaxError.*\(line 40\)"):
        workshop.session(Program("def f(:", "later.py", line=40))


def test_a_crash_starts_it_again(session: Session) -> None:
    session.run([{"do": "put", "to": "x", "value": 3}])
    with pytest.raises(Crashed, match=r"called os._exit\(5\)"):
        session.run([call("crash")])
    with pytest.raises(TimedOut, match=r"took longer than 0\.2 s"):
        session.run([call("sleep")], seconds=0.2)
    assert result(session, call("same", 1)) == 1
    with pytest.raises(TheirError, match="KeyError"):
        session.run([give("x")])


def test_what_is_printed(session: Session) -> None:
    session.run([call("speak")])
    assert session.output.startswith("out\n")
    assert "careful" in session.output
    with pytest.raises(Crashed):
        session.run([{"do": "exec", "source": "print('last words'); os._exit(1)"}])
    assert session.output.endswith("last words\n")


def test_timing(session: Session) -> None:
    times = session.time([{"do": "exec", "source": "time.sleep(0.01)"}], 3)
    assert len(times) == 3
    assert all(0.01 <= t < 1 for t in times)


def test_sessions_side_by_side(workshop: Workshop) -> None:
    with workshop.session(Program("v = 1", "a.py")) as a, workshop.session(Program("v = 2", "b.py")) as b:
        with pytest.raises(Crashed):
            a.run([{"do": "exec", "source": "import os; os._exit(1)"}])
        value = {"do": "return", "values": [{"name": "v"}]}
        assert (a.run([value]), b.run([value])) == ([1], [2])


def test_a_workshop_that_died_is_opened_again() -> None:
    with Workshop() as workshop:
        session = workshop.session(Program(PLAIN, "plain.py"))
        assert workshop._process is not None
        workshop._process.kill()
        with pytest.raises(Crashed):
            result(session, call("sleep"))
        assert result(session, call("same", 1)) == 1
        session.close()


def test_large_arrays(session: Session) -> None:
    x = np.arange(4e6)
    np.testing.assert_array_equal(result(session, call("same", x)), x)
