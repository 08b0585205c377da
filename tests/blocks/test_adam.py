"""What a trajectory does not show: the state, the parameters' memory, and what happens when a step is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import barehand as bh
from barehand.core import threads

RNG = np.random.default_rng


def gradients(steps: int, shape: tuple[int, ...] = (5,), dtype: Any = np.float64) -> Any:
    return RNG(4).standard_normal((steps, *shape)).astype(dtype)


@pytest.mark.parametrize("options", [{}, {"amsgrad": True}, {"weight_decay": 0.1, "decoupled": True}])
def test_a_snapshot_goes_on_where_it_was_taken(options: dict[str, Any]) -> None:
    gs = gradients(10)
    p = np.ones(5)
    first = bh.Adam([p], lr=0.1, **options)
    for g in gs[:5]:
        first.step([g])
    saved, q = first.state_dict(), p.copy()
    for g in gs[5:]:
        first.step([g])
    second = bh.Adam([q])
    second.load_state_dict(saved)
    assert second.lr == 0.1
    for g in gs[5:]:
        second.step([g])
    np.testing.assert_array_equal(q, p)


@pytest.mark.parametrize("options", [{}, {"amsgrad": True}, {"weight_decay": 0.1}])
def test_state_goes_to_torch_and_back(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    gs = gradients(9, (2, 3))
    p = np.ones((2, 3))
    ours = bh.Adam([p], lr=0.1, **options)
    for g in gs[:3]:
        ours.step([g])
    t = torch.tensor(p.copy(), requires_grad=True)
    theirs = torch.optim.Adam([t], **options)
    groups = {**theirs.state_dict()["param_groups"][0], "lr": 0.1}
    state = {k: torch.as_tensor(v, dtype=torch.float64) for k, v in ours.state_dict()["state"][0].items()}
    theirs.load_state_dict({"state": {0: state}, "param_groups": [groups]})
    for g in gs[3:6]:
        ours.step([g])
        t.grad = torch.tensor(g)
        theirs.step()
    np.testing.assert_allclose(t.detach().numpy(), p, rtol=1e-13)
    q = t.detach().numpy().copy()
    back = bh.Adam([q])
    back.load_state_dict(theirs.state_dict())
    for g in gs[6:]:
        ours.step([g])
        back.step([g])
    np.testing.assert_allclose(q, p, rtol=1e-13)


def test_a_snapshot_is_not_changed_by_later_steps() -> None:
    optimizer = bh.Adam([np.ones(2)])
    optimizer.step([np.ones(2)])
    saved = optimizer.state_dict()
    before = saved["state"][0]["exp_avg"].copy()
    optimizer.step([np.ones(2)])
    np.testing.assert_array_equal(saved["state"][0]["exp_avg"], before)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: None, "lacks 'state' or 'param_groups'"),
        (lambda s: {"state": {}}, "lacks 'state'"),
        (
            lambda s: {**s, "param_groups": s["param_groups"] * 2},
            r"groups of \[1, 1\] parameters, this optimizer of one",
        ),
        (lambda s: {**s, "state": {0: {**s["state"][0], "exp_avg": np.zeros(3)}}}, "exp_avg of params"),
        (lambda s: {**s, "param_groups": [{**s["param_groups"][0], "lr": -1}]}, "lr is -1"),
    ],
)
def test_a_wrong_snapshot_is_refused_and_changes_nothing(change: Any, says: str) -> None:
    p = np.ones(2)
    optimizer = bh.Adam([p], lr=0.5)
    optimizer.step([np.ones(2)])
    with pytest.raises(ValueError, match=says):
        optimizer.load_state_dict(change(optimizer.state_dict()))
    assert optimizer.lr == 0.5
    assert optimizer.state_dict()["state"][0]["step"] == 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_views_of_every_kind_are_updated(dtype: Any) -> None:
    big = np.ones((6, 8), dtype)
    views = [big[::2, ::3], big[1::2].T, big[::2, 1]]
    alone = [np.ones(v.shape, dtype) for v in views]
    gs = [RNG(1).standard_normal(v.shape).astype(dtype) for v in views]
    together, apart = bh.Adam(views, lr=0.1), bh.Adam(alone, lr=0.1)
    for _ in range(3):
        together.step(gs)
        apart.step(gs)
    for v, a in zip(views, alone, strict=True):
        np.testing.assert_array_equal(v, a)
    untouched = np.ones((6, 8), bool)
    for mask in (untouched[::2, ::3], untouched[1::2], untouched[::2, 1]):
        mask[...] = False
    assert (big[untouched] == 1).all()


def test_a_gradient_may_be_the_parameter_itself() -> None:
    p, q = np.array([1.0, -2.0]), np.array([1.0, -2.0])
    bh.Adam([p], lr=0.1, weight_decay=0.1).step([p])
    bh.Adam([q], lr=0.1, weight_decay=0.1).step([q.copy()])
    np.testing.assert_array_equal(p, q)


def test_half_precision_with_zero_gradients_stays_finite() -> None:
    p = np.array([1.0, -2.0], np.float16)
    optimizer = bh.Adam([p])
    for _ in range(3):
        optimizer.step([np.zeros(2, np.float16)])
    np.testing.assert_array_equal(p, [1, -2])


def test_lr_may_change_between_steps_and_is_checked_then() -> None:
    p = np.array([0.0])
    optimizer = bh.Adam([p], lr=1.0)
    optimizer.step([[1.0]])
    optimizer.lr = 0.0
    optimizer.step([[1.0]])
    np.testing.assert_allclose(p, [-1])
    optimizer.lr = np.nan
    with pytest.raises(ValueError, match="lr is nan"):
        optimizer.step([[1.0]])
    optimizer.lr, optimizer.amsgrad = 1.0, True  # from here on
    optimizer.step([[1.0]])
    np.testing.assert_allclose(p, [-2])


def test_a_refused_step_changes_nothing() -> None:
    p, q = np.ones(2), np.ones(3)
    optimizer = bh.Adam([p, q])
    with pytest.raises(ValueError, match=r"grads\[1\] has shape \(2,\), its parameter \(3,\)"):
        optimizer.step([np.ones(2), np.ones(2)])
    with pytest.raises(ValueError, match="1 gradients for 2 parameters"):
        optimizer.step([np.ones(2)])
    with pytest.raises(TypeError, match=r"grads is one array of shape \(2, 2\)"):
        optimizer.step(np.ones((2, 2)))  # type: ignore[arg-type]
    np.testing.assert_array_equal(p, 1)
    assert optimizer.state_dict()["state"] == {}


SHARED = np.ones(4)


@pytest.mark.parametrize(
    ("params", "error", "says"),
    [
        (np.ones((2, 2)), TypeError, "params is one array"),
        ([], ValueError, "params is empty"),
        ([[1.0, 2.0]], TypeError, r"params\[0\] is a list"),
        ([np.float64(1)], TypeError, r"params\[0\] is a float64"),
        ([np.ones(2, int)], TypeError, "dtype int64"),
        ([np.ones(2, ">f8")], TypeError, "dtype >f8"),
        ([SHARED, SHARED], ValueError, r"params\[0\] and params\[1\] share memory"),
        ([SHARED[:3], SHARED[2:]], ValueError, "share memory"),
        ([np.broadcast_to(1.0, 3)], ValueError, "is read-only"),
    ],
)
def test_parameters_that_cannot_be_updated_are_refused(params: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=f"^Adam: .*{says}"):
        bh.Adam(params)


def test_a_tensor_is_refused_by_name() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match=r"Adam: params\[0\] is a torch.Tensor"):
        bh.Adam([torch.ones(2)])
    with pytest.raises(TypeError, match=r"Adam: grads\[0\] is a torch.Tensor"):
        bh.Adam([np.ones(2)]).step([torch.ones(2)])


def test_the_number_of_threads_does_not_matter() -> None:
    g = RNG(0).standard_normal(300_001).astype(np.float32)
    results = []
    for n in (1, 2, 3):
        threads.set_num_threads(n)
        p = np.ones_like(g)
        optimizer = bh.Adam([p], amsgrad=True)
        optimizer.step([g])
        optimizer.step([g])
        results.append(p)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_it_says_what_it_is() -> None:
    assert repr(bh.Adam([np.ones(2)], lr=0.1)).startswith("Adam(1 parameters, lr=0.1, betas=(0.9, 0.999)")


def read_only(array: Any) -> Any:
    view = array[:]
    view.flags.writeable = False
    return view


def over_its_buffer(array: Any) -> Any:
    return np.frombuffer(memoryview(array))


@pytest.mark.parametrize("look", [lambda array: array, read_only, over_its_buffer])
@pytest.mark.parametrize("hold", [lambda array: array, over_its_buffer])
def test_a_gradient_may_be_another_parameter(look: Any, hold: Any) -> None:
    """The slopes of a product are its factors: each moves, and the step is that from before it moved."""
    a, b = np.array([1.0, 2.0]), np.array([3.0, -4.0])
    c, d = a.copy(), b.copy()
    ours, apart = bh.Adam([hold(a), hold(b)], lr=0.1), bh.Adam([c, d], lr=0.1)
    for _ in range(3):
        ours.step([look(b), look(a)])
        apart.step([d.copy(), c.copy()])
    np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(b, d)


def of_one(**changed: Any) -> dict[str, Any]:
    """The state of one parameter of two numbers."""
    state = {"step": 1, "exp_avg": np.zeros(2), "exp_avg_sq": np.zeros(2), **changed}
    return {"state": {0: state}, "param_groups": [{"params": [0]}]}


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"state": {0: {"step": 1}}, "param_groups": [{"params": [0]}]}, r"lacks \['exp_avg', 'exp_avg_sq'\]; pass"),
        ({"state": {}, "param_groups": [{}]}, "a group without 'params'; pass"),
        ({"state": {}, "param_groups": [{"params": 1}]}, "a group without 'params'; pass"),
        ({"state": {}, "param_groups": [{"params": [0, 1]}]}, "this optimizer of one group of 1; make"),
        ({"state": [], "param_groups": 3}, "'state' is a list, its 'param_groups' a int, not a dict and a list; pass"),
        ({"state": {"0": {}}, "param_groups": [{"params": [0]}]}, r"states of \['0'\] and the parameters \[0\]; pass"),
        ({"state": {0: 1}, "param_groups": [{"params": [0]}]}, "lacks .*; pass"),
        (of_one(step=-1), r"params\[0\], step, is -1; use a finite number at least 0"),
        (of_one(exp_avg=np.zeros(3)), r"has shape \(3,\), the parameter \(2,\); load"),
    ],
)
def test_a_state_that_fits_nothing(state: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        bh.Adam([np.zeros(2)]).load_state_dict(state)
