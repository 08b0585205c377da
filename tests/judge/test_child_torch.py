"""The child process with torch: tensors, modules, gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from barehand.judge.child import Other, OutOfMemory, Program, Session, Tensor, TheirError, Workshop

pytest.importorskip("torch")

SOURCE = """
import torch
from torch import nn


def same(x):
    return x


def told(x):
    return type(x).__name__, str(x.dtype), x.requires_grad, x.is_contiguous(), torch.is_grad_enabled()


def square(x, w):
    return (x * x * w[0]).sum(-1), x.detach()


def memory():
    return torch.ones(10**11)


class Sub(torch.Tensor):
    pass


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 2)])
        self.register_buffer("mean", torch.zeros(2))

    def forward(self, x):
        return self.layers[0](x)
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Workshop(torch=True) as workshop, workshop.session(Program(SOURCE, "net.py")) as open_session:
        yield open_session


def call(name: str, *args: Any, to: str = "y", **more: Any) -> dict[str, Any]:
    return {"do": "call", "to": to, "function": {"name": name}, "args": list(args), **more}


def give(*names: str) -> dict[str, Any]:
    return {"do": "return", "values": [{"var": name} for name in names]}


def tensor(array: Any, **options: Any) -> dict[str, Any]:
    return {"array": np.asarray(array), "as": "torch", **options}


@pytest.mark.parametrize("kind", ["?", "b", "h", "i", "q", "B", "e", "f", "d"])
def test_tensors_there_and_back(session: Session, kind: str) -> None:
    x = np.arange(6).reshape(2, 3).astype(kind)
    [back] = session.run([call("same", tensor(x)), give("y")])
    assert isinstance(back, Tensor)
    assert back.dtype == x.dtype.name
    assert not back.requires_grad
    assert back.array.dtype == x.dtype
    np.testing.assert_array_equal(back.array, x)


def test_bfloat16_comes_back_widened(session: Session) -> None:
    x = np.array([1.0, 1 / 3, np.inf, -0.0], np.float32)
    [back] = session.run([call("same", tensor(x, dtype="bfloat16", grad=True)), give("y")])
    assert (back.dtype, back.array.dtype, back.requires_grad) == ("bfloat16", np.float32, True)
    np.testing.assert_allclose(back.array, x, rtol=2**-8)
    assert np.signbit(back.array[3])


def test_tensors_in_dress(session: Session) -> None:
    x = np.ones((2, 3))
    returned = give("y")
    assert session.run([call("told", tensor(x, grad=True)), returned]) == [
        ("Tensor", "torch.float64", True, True, True)
    ]
    assert session.run([call("told", tensor(x, strided=True)), returned])[0][3] is False
    assert session.run([call("told", tensor(x), no_grad=True), returned])[0][4] is False


def test_only_exact_tensors_are_told(session: Session) -> None:
    for source in (
        "Sub([1.0])",
        "torch.ones(2).to_sparse()",
        "torch.ones(2, dtype=torch.complex64)",
        "torch.ones(2, device='meta')",
    ):
        session.run([{"do": "exec", "source": f"v = {source}"}])
        [other] = session.run([{"do": "return", "values": [{"name": "v"}]}])
        assert isinstance(other, Other), source
    session.run([{"do": "exec", "source": "v = [nn.Parameter(torch.ones(2)), torch.ones(3).max(0), torch.ones(2).T]"}])
    [[parameter, (value, index), _]] = session.run([{"do": "return", "values": [{"name": "v"}]}])
    assert parameter.parameter
    assert parameter.requires_grad
    assert (value.array, index.dtype) == (1.0, "int64")


def test_gradients(session: Session) -> None:
    rng = np.random.default_rng(0)
    x, w, unused, g = rng.random((4, 3)), rng.random(2), rng.random(2), rng.random(4)
    steps = [
        *({"do": "put", "to": k, "value": tensor(v, grad=True)} for k, v in (("x", x), ("w", w), ("u", unused))),
        call("square", {"var": "x"}, {"var": "w"}, to="both"),
        {"do": "get", "to": "y", "from": {"var": "both"}, "path": "[0]"},
        {"do": "get", "to": "z", "from": {"var": "both"}, "path": "[1]"},
        {"do": "grad", "to": "g", "of": ["y", "z"], "cotangent": [tensor(g), tensor(x)], "wrt": ["x", "w", "u"]},
        give("g", "g.unused"),
    ]
    (dx, dw, du), which = session.run(steps)
    np.testing.assert_allclose(dx.array, 2 * x * w[0] * g[:, None], rtol=1e-14)
    np.testing.assert_allclose(dw.array, [((x * x).sum(-1) * g).sum(), 0], rtol=1e-14)
    np.testing.assert_array_equal(du.array, np.zeros(2))
    assert which == [False, False, True]
    with pytest.raises(TheirError, match="does not require grad"):
        session.run([{"do": "grad", "to": "g", "of": ["z"], "cotangent": [tensor(x)], "wrt": ["x"]}])


def test_modules(session: Session) -> None:
    rng = np.random.default_rng(0)
    w, b, x = rng.random((2, 3)), rng.random(2), rng.random((5, 3))
    session.run([call("Net", to="m")])
    [names] = session.run([{"do": "params", "of": {"var": "m"}, "to": "p"}, give("p")])
    assert names == {"layers.0.weight": (2, 3), "layers.0.bias": (2,), "mean": (2,)}  # a buffer too
    session.run([{"do": "dtype", "var": "m", "dtype": "float64"}])
    for path, value in (("layers[0].weight", tensor(w)), ("layers.0.bias", b)):
        session.run([{"do": "set", "var": "m", "path": path, "value": value}])
    forward = {"do": "call", "to": "y", "function": {"var": "m"}, "args": [tensor(x)]}
    [y] = session.run([forward, give("y")])
    np.testing.assert_allclose(y.array, x @ w.T + b, rtol=1e-14)
    g = rng.random((5, 2))
    wrt = ["m.layers[0].weight", "m.layers.0.bias"]
    [[dw, db]] = session.run([{"do": "grad", "to": "g", "of": ["y"], "cotangent": [tensor(g)], "wrt": wrt}, give("g")])
    np.testing.assert_allclose(dw.array, g.T @ x, rtol=1e-13)
    np.testing.assert_allclose(db.array, g.sum(0), rtol=1e-13)
    with pytest.raises(TheirError, match="shape"):
        session.run([{"do": "set", "var": "m", "path": "layers[0].weight", "value": w.T}])
    [kinds] = session.run([{"do": "attributes", "of": {"var": "m"}, "to": "a"}, give("a")])
    assert (kinds["mean"], kinds["forward"], kinds["training"]) == ("tensor", "method", "bool")


def test_seeds(session: Session) -> None:
    draw = {"do": "exec", "source": "r = torch.rand(3)"}
    steps = [{"do": "seed", "value": 3}, draw, {"do": "return", "values": [{"name": "r"}]}]
    np.testing.assert_array_equal(session.run(steps)[0].array, session.run(steps)[0].array)


def test_too_much_memory(session: Session) -> None:
    with pytest.raises(OutOfMemory):
        session.run([call("memory")])
