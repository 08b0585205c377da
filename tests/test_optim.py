"""`barehand.optim.Adam`: torch's trajectories, its habits as an optimizer, and what torch's cannot do."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import barehand
from barehand.core import threads

torch = pytest.importorskip("torch", reason="torch is not installed")

from barehand.blocks.adam import optimizer as module  # noqa: E402 - needs torch
from barehand.optim import Adam  # noqa: E402

THEIRS = torch.optim
OPTIONS: list[dict[str, Any]] = [
    {},
    {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3},
    {"betas": (0.0, 0.0)},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "decoupled": True},
    {"amsgrad": True},
    {"maximize": True, "weight_decay": 0.1},
    {"amsgrad": True, "maximize": True, "weight_decay": 0.1, "decoupled": True},
]
SHAPES: list[tuple[int, ...]] = [(5,), (3, 4), (2, 3, 2), (), (0,), (1,)]


def draw(*shape: int, seed: int = 0, dtype: Any = torch.float64) -> Any:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).to(dtype)


def params(*shapes: tuple[int, ...], dtype: Any = torch.float64) -> list[Any]:
    return [torch.nn.Parameter(draw(*s, seed=i, dtype=dtype)) for i, s in enumerate(shapes)]


def theirs(given: Any, *, decoupled: bool = False, **options: Any) -> Any:
    return (THEIRS.AdamW if decoupled else THEIRS.Adam)(given, **{"weight_decay": 0.0, **options})


def go(optimizer: Any, steps: range) -> None:
    """Steps with gradients that are drawn anew for each, growing and shrinking."""
    for k in steps:
        for i, p in enumerate(p for g in optimizer.param_groups for p in g["params"]):
            p.grad = draw(*p.shape, seed=1000 * k + i, dtype=p.dtype) * (1 + k % 7)
        optimizer.step()


def close(found: list[Any], expected: list[Any], lr: float = 1e-3, steps: int = 1) -> None:
    """Within 16 eps of what was added up: the parameters and the steps taken."""
    for a, b in zip(found, expected, strict=True):
        limit = 16 * torch.finfo(b.dtype).eps * (4 + lr * steps)
        torch.testing.assert_close(a.detach(), b.detach(), rtol=0, atol=limit, equal_nan=True)


@pytest.fixture(params=["kernel", "torch"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Through the kernel, and as on devices without one."""
    if request.param == "torch":
        monkeypatch.setattr(module, "_PLAIN", ())
    return request.param


# Trajectories


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_hundred_steps_are_torchs(options: dict[str, Any], dtype: Any, way: str) -> None:
    ps, qs = params(*SHAPES, dtype=dtype), params(*SHAPES, dtype=dtype)
    ours, other = Adam(ps, **options), theirs(qs, **options)
    go(ours, range(100)), go(other, range(100))
    close(ps, qs, options.get("lr", 1e-3), 100)
    for p, q in zip(ps, qs, strict=True):
        assert list(ours.state[p]) == list(other.state[q])
        for name, mean in other.state[q].items():
            assert ours.state[p][name].dtype == mean.dtype
            torch.testing.assert_close(ours.state[p][name], mean)


def test_a_thousand_steps_in_float32_stay_near_float64() -> None:
    ps = params((50,), dtype=torch.float32)
    exact = [torch.nn.Parameter(p.detach().double()) for p in ps]
    ours, other = Adam(ps), theirs(exact)
    for k in range(1000):
        g = draw(50, seed=k, dtype=torch.float32)
        ps[0].grad, exact[0].grad = g, g.double()
        ours.step(), other.step()
    error = (ps[0].detach() - exact[0].detach()).abs().max().item()
    # Each step rounds the parameter once, up or down: over a thousand that adds up as its root.
    assert error < 1000**0.5 * torch.finfo(torch.float32).eps * exact[0].detach().abs().max().item()


@cache
def _sampled() -> list[Any]:
    """torch's own inputs for the tests of its optimizers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_optimizers import optim_db
    return [entry for entry in optim_db if entry.optim_cls.__name__ in ("Adam", "AdamW", "SparseAdam")]


@pytest.mark.parametrize("name", ["Adam", "AdamW", "SparseAdam"])
def test_torchs_own_inputs(name: str) -> None:
    """Each of its option sets, over the same gradients; what is not run is counted, by reason."""
    entry = next(e for e in _sampled() if e.optim_cls.__name__ == name)
    ran, skipped = 0, Counter[str]()
    for sample in entry.optim_inputs_func(device="cpu"):
        options = dict(sample.kwargs)
        if options.pop("capturable", False) or options.pop("differentiable", False) or sample.params is not None:
            skipped["inside graphs of torch"] += 1
            continue
        options = {
            k: v.double() if isinstance(v, torch.Tensor) else v for k, v in options.items()
        }  # read in float32 else
        ps, qs = params((4, 3), (5,)), params((4, 3), (5,))
        default = {"AdamW": 0.01}.get(name, 0.0)
        extra: dict[str, Any] = {} if name == "SparseAdam" else {"weight_decay": options.get("weight_decay", default)}
        tiny = {"eps": 1e-60} if name == "SparseAdam" else {}  # its eps is not corrected as v is, unlike Adam's own
        ours = Adam(ps, **{**options, **extra, **tiny, "decoupled": name == "AdamW"})
        other = entry.optim_cls(qs, **options, **tiny)
        for k in range(20):
            for i, (p, q) in enumerate(zip(ps, qs, strict=True)):
                g = draw(*p.shape, seed=9 * k + i)
                g[draw(len(g), seed=k) > 0] = 0  # not every row each time
                p.grad = q.grad = g.to_sparse(1) if name == "SparseAdam" else g
            ours.step(), other.step()
        close(ps, qs, float(options.get("lr", 1e-3)), 20)
        ran += 1
    assert ran >= 4
    assert not skipped, skipped


def test_torchs_own_errors() -> None:
    """Where torch refuses, so do we, unless it is a limit of torch's alone; counted."""
    entry = next(e for e in _sampled() if e.optim_cls.__name__ == "Adam")
    refused, limits = 0, Counter[str]()
    for sample in entry.optim_error_inputs_func("cpu", torch.float32):
        given, kind = sample.optimizer_error_input, sample.error_type
        if "foreach" in given.desc or "as a Tensor" in given.desc or "betas must be either both" in given.desc:
            limits[given.desc] += 1
            continue
        with pytest.raises((ValueError, TypeError) if kind is not UserWarning else UserWarning):
            Adam(given.params, **given.kwargs)
        refused += 1
    assert refused >= 7
    assert len(limits) <= 4


def test_it_is_the_numpy_optimizer() -> None:
    """To the bit, and the states go over."""
    p = params((3, 4))[0]
    a = p.detach().numpy().copy()
    ours, arrays = Adam([p], lr=0.1, amsgrad=True), barehand.Adam([a], lr=0.1, amsgrad=True)
    for k in range(6):
        g = draw(3, 4, seed=k)
        p.grad = g
        ours.step(), arrays.step([g.numpy()])
        if k == 2:
            fresh = Adam([p], amsgrad=True)
            fresh.load_state_dict(arrays.state_dict())
            arrays.load_state_dict(ours.state_dict())
            ours = fresh
    np.testing.assert_array_equal(p.detach().numpy(), a)


# Options and groups


def test_groups_have_options_of_their_own(way: str) -> None:
    def made(kind: Any, ps: list[Any]) -> Any:
        groups = [{"params": [ps[0]], "lr": 0.1}, {"params": [ps[1]], "betas": (0.5, 0.9), "amsgrad": True}]
        optimizer = kind(groups, lr=0.01)
        optimizer.add_param_group({"params": ps[2], "weight_decay": 0.3})
        return optimizer

    ps, qs = params((3,), (4,), (2, 2)), params((3,), (4,), (2, 2))
    ours, other = made(Adam, ps), made(THEIRS.Adam, qs)
    go(ours, range(5)), go(other, range(5))
    close(ps, qs, 0.1, 5)
    assert [g["lr"] for g in ours.param_groups] == [0.1, 0.01, 0.01]


def test_a_group_may_decouple_its_decay() -> None:
    p, q = params((3,), (3,))
    Adam([{"params": [p], "decoupled": True}], weight_decay=0.1).add_param_group({"params": [q]})
    optimizer = Adam([{"params": [p], "decoupled": True}, {"params": [q]}], weight_decay=0.1)
    assert [g["decoupled_weight_decay"] for g in optimizer.param_groups] == [True, False]
    assert "decoupled" not in optimizer.param_groups[0]


def test_named_parameters() -> None:
    net = torch.nn.Linear(2, 3)
    optimizer = Adam(net.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    go(optimizer, range(2))
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


@pytest.mark.parametrize(
    "schedule",
    [
        lambda o: THEIRS.lr_scheduler.StepLR(o, 2, 0.5),
        lambda o: THEIRS.lr_scheduler.OneCycleLR(o, 0.1, total_steps=12),  # moves beta1, too
        lambda o: THEIRS.lr_scheduler.CosineAnnealingLR(o, 10),
    ],
    ids=["step", "one cycle", "cosine"],
)
@pytest.mark.parametrize("wrap", [float, torch.tensor])
def test_schedulers(schedule: Callable[[Any], Any], wrap: Callable[[float], Any]) -> None:
    ps, qs = params((4,)), params((4,))
    both = [(Adam(ps, lr=wrap(0.1))), THEIRS.Adam(qs, lr=wrap(0.1))]
    for optimizer in both:
        scheduler = schedule(optimizer)
        for k in range(10):
            go(optimizer, range(k, k + 1))
            scheduler.step()
    # A rate that is a float32 tensor is scheduled in float32, and the two read it at different widths.
    limit = 1e-12 if wrap is float else 1e-6
    torch.testing.assert_close(ps[0], qs[0], rtol=limit, atol=limit)


def test_rates_as_tensors() -> None:
    ps, qs = params((4,)), params((4,))
    tensors = {"lr": torch.tensor(0.1, dtype=torch.float64), "betas": (torch.tensor(0.5), torch.tensor([0.75]))}
    ours, other = Adam(ps, **tensors), THEIRS.Adam(qs, lr=0.1, betas=(0.5, 0.75))
    go(ours, range(3)), go(other, range(3))
    close(ps, qs, 0.1, 3)
    assert ours.param_groups[0]["lr"] is tensors["lr"]


def test_closures() -> None:
    p = params((3,))[0]
    optimizer = Adam([p], lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == pytest.approx((params((3,))[0] ** 2).sum().item())
    assert optimizer.step() is None


# Gradients


def test_a_gradient_of_none_is_no_step(way: str) -> None:
    ps, qs = params((3,), (4,)), params((3,), (4,))
    ours, other = Adam(ps, lr=0.1, weight_decay=0.1), THEIRS.Adam(qs, lr=0.1, weight_decay=0.1)
    for optimizer, (p, q) in ((ours, ps), (other, qs)):
        go(optimizer, range(2))
        before = q.detach().clone()
        optimizer.zero_grad()
        assert p.grad is None
        p.grad = torch.ones(3, dtype=torch.float64)
        optimizer.step()
        assert torch.equal(q, before)
        go(optimizer, range(3, 5))
    close(ps, qs, 0.1, 5)
    assert ours.state[ps[0]]["step"] == 5
    assert ours.state[ps[1]]["step"] == 4
    assert len(Adam(params((3,))).state) == 0


def test_no_gradient_at_all() -> None:
    optimizer = Adam(params((3,)))
    optimizer.step()
    assert not optimizer.state


@pytest.mark.parametrize("dense", [1, 2], ids=["rows", "blocks"])
def test_sparse_gradients_move_their_rows(dense: int, way: str) -> None:
    """As torch.optim.SparseAdam, but for its eps, which is not corrected as v is; repeated rows add up."""
    shape = (6, 3) if dense == 1 else (4, 3, 2)
    ps, qs = params(shape), params(shape)
    ours, other = Adam(ps, lr=0.1, eps=1e-60), THEIRS.SparseAdam(qs, lr=0.1, eps=1e-60)
    before = ps[0].detach().clone()
    for k in range(4):
        rows = torch.tensor([[0, 2, 2, 3 - k % 2]])
        g = torch.sparse_coo_tensor(rows, draw(4, *shape[1:], seed=k), shape, check_invariants=True)
        ps[0].grad, qs[0].grad = g, g.clone()
        ours.step(), other.step()
    close(ps, qs, 0.1, 4)
    assert torch.equal(ps[0][1], before[1])
    assert not ours.state[ps[0]]["exp_avg"][1].any()
    assert ours.state[ps[0]]["step"] == 4


def test_sparse_gradients_of_an_embedding(way: str) -> None:
    """With what SparseAdam lacks, against a dense optimizer where every row is used."""
    tables = [torch.nn.Embedding(4, 3, sparse=sparse) for sparse in (True, False)]
    tables[1].load_state_dict(tables[0].state_dict())
    options = {"lr": 0.1, "weight_decay": 0.1, "amsgrad": True}
    both = [Adam(table.parameters(), **options) for table in tables]
    for k in range(5):
        for table, optimizer in zip(tables, both, strict=True):
            optimizer.zero_grad()
            (table(torch.tensor([3, 0, 1, 2, 2, 0])) * draw(6, 3, seed=k, dtype=torch.float32)).sum().backward()
            assert table.weight.grad.is_sparse == table.sparse
            optimizer.step()
    close([tables[0].weight], [tables[1].weight], 0.1, 5)


def test_a_sparse_gradient_of_nothing(way: str) -> None:
    p = params((3, 2))[0]
    before = p.detach().clone()
    none = torch.zeros(1, 0, dtype=torch.long)
    p.grad = torch.sparse_coo_tensor(none, torch.zeros(0, 2).double(), (3, 2), check_invariants=True)
    Adam([p]).step()
    assert torch.equal(p, before)


LAYOUTS: list[Callable[[], Any]] = [
    lambda: draw(4, 3).T,
    lambda: draw(2, 3, 4, 5).to(memory_format=torch.channels_last),
    lambda: draw(6, 8)[::2, ::3],
    lambda: draw(4, 3, 2).permute(1, 2, 0),
    lambda: draw(5, 2)[:, 1],
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_any_strides(layout: Callable[[], Any], dtype: Any, way: str) -> None:
    """Of the parameter, and the other way round of the gradient; other numbers in the memory stay."""
    start = layout()
    p = torch.empty_strided(start.shape, start.stride(), dtype=dtype).copy_(start).requires_grad_()
    q = torch.nn.Parameter(start.contiguous().to(dtype))
    ours, other = Adam([p], lr=0.1, amsgrad=True), Adam([q], lr=0.1, amsgrad=True)
    for k in range(3):
        g = draw(*start.shape, seed=k, dtype=dtype)
        p.grad, q.grad = g.clone(memory_format=torch.contiguous_format), g
        ours.step(), other.step()
    assert torch.equal(p, q)
    assert p.stride() == start.stride()


def test_a_view_leaves_the_rest_of_its_memory() -> None:
    whole = torch.ones(4, 6)
    p = whole[1::2, ::2].requires_grad_()
    optimizer = Adam([p], lr=0.1)
    go(optimizer, range(2))
    assert (p != 1).all()
    assert (whole[::2] == 1).all()
    assert (whole[:, 1::2] == 1).all()


def test_gradients_that_are_no_plain_memory(way: str) -> None:
    """Expanded, negative by a bit, and with a gradient of their own."""
    for g in (torch.ones(1).double().expand(3), torch._neg_view(draw(3)), (draw(3).requires_grad_() * 2)):
        p, q = params((3,), (3,))
        p.data.copy_(q.data)
        p.grad, q.grad = g, g.detach().clone().resolve_neg()
        Adam([p], lr=0.1).step(), THEIRS.Adam([q], lr=0.1).step()
        close([p], [q])


def test_nan_stays_where_it_is(way: str) -> None:
    p = torch.nn.Parameter(torch.ones(3))
    p.grad = torch.tensor([1.0, torch.nan, 0.0])
    Adam([p], lr=0.1).step()
    torch.testing.assert_close(p.detach(), torch.tensor([0.9, torch.nan, 1.0]), equal_nan=True)


# Narrow types


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_parameters_compute_in_float32(dtype: Any, way: str) -> None:
    """Each step is float32's, rounded once; a million small numbers in the means are none of its concern."""
    p = params((40,), dtype=dtype)[0]
    optimizer = Adam([p], lr=0.05)
    for k in range(5):
        wide = torch.nn.Parameter(p.detach().float())
        exact = Adam([wide], lr=0.05)
        if k:
            exact.load_state_dict(optimizer.state_dict())
        g = draw(40, seed=k, dtype=dtype)
        p.grad, wide.grad = g, g.float()
        optimizer.step(), exact.step()
        assert torch.equal(p.detach(), wide.detach().to(dtype))
    assert optimizer.state[p]["exp_avg"].dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_zero_gradients_do_no_harm(dtype: Any, way: str) -> None:
    """float16 becomes nan in torch's own loop and foreach: eps vanishes, and 0 / 0 remains."""
    p = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=dtype))
    for eps in (1e-8, 0.0):
        optimizer = Adam([p], eps=eps)
        for _ in range(3):
            p.grad = torch.zeros_like(p)
            optimizer.step()
        assert p.tolist() == [1.0, -2.0]
    q = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float16))
    q.grad = torch.zeros_like(q)
    THEIRS.Adam([q], foreach=False).step()
    assert q.isnan().all()


def test_small_steps_are_not_lost_in_bfloat16(way: str) -> None:
    """Steps of a tenth of what bfloat16 can tell apart at 1: to nearest they vanish, at random they add up."""
    step = 2**-8 / 10
    moved = {}
    for stochastic in (False, True):
        torch.manual_seed(0)
        p = torch.nn.Parameter(torch.ones(4096, dtype=torch.bfloat16))
        optimizer = Adam([p], lr=step, stochastic_rounding=stochastic)
        for _ in range(100):
            p.grad = torch.ones_like(p)
            optimizer.step()
        moved[stochastic] = p.detach().clone()
    assert (moved[False] == 1).all()
    # The mean of 4096 parameters that strayed by at most half a spacing in each of 100 steps: 5 standard deviations.
    assert moved[True].double().mean().item() == pytest.approx(1 - 100 * step, abs=5 * 2**-9 * 100**0.5 / 4096**0.5)


def test_random_rounding_is_fair_and_seeded() -> None:
    x = torch.tensor([1 + 2**-9, -(1 + 2**-9), 1.0, 0.0, -0.0, torch.inf, torch.nan, 3.3e38]).repeat(20_000, 1)
    found = []
    for _ in range(2):
        torch.manual_seed(1)
        found.append(module._rounded_at_random(x))
    assert torch.equal(found[0].nan_to_num(), found[1].nan_to_num())
    ups = (found[0][:, 0] > 1).double().mean().item()
    assert ups == pytest.approx(0.25, abs=0.016)  # a quarter of the way up; five standard deviations
    assert set(found[0][:, 1].tolist()) == {-1.0, -1 - 2**-7}
    assert (found[0][:, 2:5] == x[:, 2:5]).all()
    assert found[0][:, 5].isinf().all()
    assert found[0][:, 6].isnan().all()


def test_stochastic_rounding_leaves_wider_types_alone() -> None:
    ps, qs = params((5,), dtype=torch.float32), params((5,), dtype=torch.float32)
    state = torch.get_rng_state()
    go(Adam(ps, stochastic_rounding=True), range(3)), go(Adam(qs), range(3))
    assert torch.equal(ps[0], qs[0])
    assert torch.equal(state, torch.get_rng_state())


# States


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_training_goes_on_where_the_other_left_off(options: dict[str, Any]) -> None:
    """Ours to torch's and torch's to ours, through a file, against torch alone."""
    qs = params((3, 4), (5,))
    alone = theirs(qs, **options)
    go(alone, range(6))
    for first, second in ((Adam, theirs), (theirs, Adam)):
        ps = params((3, 4), (5,))
        optimizer = first(ps, **options)
        go(optimizer, range(3))
        file = io.BytesIO()
        torch.save(optimizer.state_dict(), file)
        file.seek(0)
        other = second(ps, **{k: v for k, v in options.items() if k in ("decoupled", "amsgrad")})
        other.load_state_dict(torch.load(file, weights_only=True))
        assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
        go(other, range(3, 6))
        close(ps, qs, options.get("lr", 1e-3), 6)
    assert set(other.state_dict()["param_groups"][0]) >= set(alone.state_dict()["param_groups"][0])


@pytest.mark.parametrize("flavour", [{"fused": True}, {"foreach": True}])
def test_states_of_torchs_faster_ways(flavour: dict[str, Any]) -> None:
    ps, qs = params((4,), dtype=torch.float32), params((4,), dtype=torch.float32)
    ours, other = Adam(ps), THEIRS.Adam(qs, **flavour)
    go(other, range(3)), go(ours, range(3))
    (
        ours.load_state_dict(other.state_dict()),
        other.load_state_dict(copy.deepcopy(ours.state_dict())),
    )  # it does not copy
    go(other, range(3, 6)), go(ours, range(3, 6))
    close(ps, qs, 1e-3, 6)


def test_means_of_narrow_parameters_are_loaded_as_they_are() -> None:
    """torch narrows a loaded state to its parameter's type: half the digits, and squares below 6e-8 are zero."""
    p = torch.nn.Parameter(torch.ones(3, dtype=torch.float16))
    first, second = Adam([p]), Adam([p])
    p.grad = torch.full_like(p, 1e-3)
    first.step()
    second.load_state_dict(first.state_dict())
    loaded = second.state[p]
    assert loaded["exp_avg_sq"].dtype == torch.float32
    assert torch.equal(loaded["exp_avg_sq"], first.state[p]["exp_avg_sq"])
    assert loaded["exp_avg_sq"] is not first.state[p]["exp_avg_sq"]


def test_a_loaded_state_is_a_copy_that_lies_as_its_parameter() -> None:
    p = torch.nn.Parameter(draw(3, 4).T)
    p.grad = draw(4, 3)
    first, second = Adam([p]), Adam([p])
    first.step()
    saved = first.state_dict()
    second.load_state_dict(saved)
    assert second.state[p]["exp_avg"].stride() == p.stride()
    before = saved["state"][0]["exp_avg"].clone()
    second.step()
    assert torch.equal(saved["state"][0]["exp_avg"], before)


def test_a_state_of_another_shape_is_refused_and_changes_nothing() -> None:
    ours, other = Adam(params((3,)), lr=0.5), Adam(params((4,)))
    go(ours, range(1)), go(other, range(1))
    with pytest.raises(ValueError, match=r"state_dict's exp_avg has shape \(4,\), its parameter \(3,\)"):
        ours.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match="parameter group"):
        ours.load_state_dict(Adam(params((3,), (3,))).state_dict())
    assert ours.param_groups[0]["lr"] == 0.5
    assert "_taken" not in ours.__dict__
    go(ours, range(1, 2))


@pytest.mark.parametrize("carry", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_copies_go_on_by_themselves(carry: Callable[[Any], Any]) -> None:
    net = torch.nn.Linear(3, 2).double()
    optimizer = Adam(net.parameters(), lr=0.1, stochastic_rounding=True)
    go(optimizer, range(2))
    other_net, other = carry((net, optimizer))
    assert next(other_net.parameters()) is other.param_groups[0]["params"][0]
    assert other.param_groups[0]["stochastic_rounding"]
    go(optimizer, range(2, 4)), go(other, range(2, 4))
    for p, q in zip(net.parameters(), other_net.parameters(), strict=True):
        assert torch.equal(p, q)
        assert p is not q


def test_parameters_may_change_type_on_the_way() -> None:
    net = torch.nn.Linear(3, 2)
    optimizer = Adam(net.parameters(), lr=0.1)
    go(optimizer, range(2))
    for dtype in (torch.bfloat16, torch.float64, torch.float32):
        net.to(dtype)
        go(optimizer, range(2, 4))
        assert net.weight.dtype == dtype
        assert net.weight.isfinite().all()


# An optimizer among torch's tools


def test_hooks_and_profile() -> None:
    calls: list[str] = []
    p = params((3,))[0]
    optimizer = Adam([p])
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    optimizer.register_state_dict_post_hook(lambda _, state: calls.append("saved"))
    optimizer.register_load_state_dict_pre_hook(lambda _, state: calls.append("load"))
    optimizer.register_load_state_dict_post_hook(lambda _: calls.append("loaded"))
    go(optimizer, range(1))
    optimizer.load_state_dict(optimizer.state_dict())
    assert calls == ["before", "after", "saved", "load", "loaded"]
    assert isinstance(optimizer, torch.optim.Optimizer)


def test_a_changed_parameter_cannot_be_used_for_an_old_gradient(way: str) -> None:
    for p in (*params((3,)), torch.nn.Parameter(draw(6)[::2])):
        loss = (p**2).sum()
        p.grad = torch.ones_like(p)
        Adam([p]).step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_gradient_scaling() -> None:
    """A step with infinite gradients is left out."""
    net = torch.nn.Linear(3, 1)
    optimizer, scaler = Adam(net.parameters(), lr=0.1), torch.amp.GradScaler("cpu", init_scale=4.0)
    before = net.weight.detach().clone()
    for factor, moves in ((torch.inf, False), (1.0, True)):
        optimizer.zero_grad()
        scaler.scale(net(torch.ones(2, 3)).sum() * factor).backward()
        scaler.step(optimizer)
        scaler.update()
        assert torch.equal(net.weight, before) != moves
    assert optimizer.state[net.weight]["step"] == 1


def test_clipping_and_averaging() -> None:
    net, other = (torch.nn.Linear(3, 2).double() for _ in range(2))
    other.load_state_dict(net.state_dict())
    averages = []
    for model, optimizer in ((net, Adam(net.parameters(), lr=0.1)), (other, THEIRS.Adam(other.parameters(), lr=0.1))):
        average = THEIRS.swa_utils.AveragedModel(model)
        for k in range(4):
            optimizer.zero_grad(set_to_none=k % 2 == 0)
            (model(draw(5, 3, seed=k)) ** 2).sum().backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            average.update_parameters(model)
        averages.append([*average.parameters()])
    close(averages[0], averages[1], 0.1, 4)


def test_a_compiled_training_step() -> None:
    """The graph ends at the optimizer, which works outside of it."""
    nets = [torch.nn.Linear(3, 2).double() for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    both = [Adam(net.parameters(), lr=0.1) for net in nets]

    def step(net: Any, optimizer: Any, x: Any) -> None:
        optimizer.zero_grad()
        (net(x) ** 2).mean().backward()
        optimizer.step()

    compiled = torch.compile(step, backend="aot_eager")
    for k in range(3):
        x = draw(5, 3, seed=k)
        compiled(nets[0], both[0], x), step(nets[1], both[1], x)
    close([*nets[0].parameters()], [*nets[1].parameters()], 0.1, 3)


def test_other_devices_stay_where_they_are() -> None:
    p = torch.nn.Parameter(torch.empty(3, 4, device="meta"))
    optimizer = Adam([p], amsgrad=True, weight_decay=0.1)
    p.grad = torch.empty_like(p)
    optimizer.step()
    assert optimizer.state[p]["max_exp_avg_sq"].device.type == "meta"
    assert optimizer.state[p]["step"] == 1


class Marked(torch.Tensor):
    """A subclass that counts the operations it sees."""

    seen = 0

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        cls.seen += 1
        return super().__torch_function__(function, types, args, kwargs or {})


def test_subclasses_see_torchs_operations() -> None:
    p = torch.ones(3).double().as_subclass(Marked).requires_grad_()
    q = torch.ones(3).double().requires_grad_()
    p.grad, q.grad = draw(3).as_subclass(Marked), draw(3)
    Marked.seen = 0
    Adam([p], lr=0.1).step(), Adam([q], lr=0.1).step()
    assert Marked.seen
    torch.testing.assert_close(p.detach().as_subclass(torch.Tensor), q.detach())


def test_the_number_of_threads_does_not_matter() -> None:
    results = []
    for n in (1, 2, 3):
        threads.set_num_threads(n)
        p = torch.nn.Parameter(torch.ones(300_001))
        optimizer = Adam([p])
        go(optimizer, range(2))
        results.append(p.detach())
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_a_step_works_in_the_tensors_own_memory() -> None:
    p = torch.nn.Parameter(torch.ones(1000))
    optimizer = Adam([p])
    go(optimizer, range(1))
    places = [p.data_ptr(), *(optimizer.state[p][k].data_ptr() for k in ("exp_avg", "exp_avg_sq"))]
    go(optimizer, range(1, 3))
    assert places == [p.data_ptr(), *(optimizer.state[p][k].data_ptr() for k in ("exp_avg", "exp_avg_sq"))]


# What is refused

WRONG: list[tuple[Callable[[], Any], dict[str, Any], type[Exception], str]] = [
    (lambda: torch.ones(2, dtype=torch.complex64), {}, TypeError, r"params\[0\] has dtype torch.complex64; .*real"),
    (lambda: torch.ones(2).to_sparse(), {}, TypeError, r"params\[0\] has layout torch.sparse_coo"),
    (lambda: torch.ones(2), {"lr": -1.0}, ValueError, "lr is -1.0"),
    (lambda: torch.ones(2), {"lr": torch.nan}, ValueError, "lr is nan"),
    (lambda: torch.ones(2), {"lr": torch.ones(2)}, ValueError, r"lr is a tensor of shape \(2,\); use one number"),
    (lambda: torch.ones(2), {"betas": (0.9, 1.0)}, ValueError, r"betas is \(0.9, 1.0\)"),
    (lambda: torch.ones(2), {"betas": 0.9}, ValueError, "betas is 0.9"),
    (lambda: torch.ones(2), {"eps": -1e-8}, ValueError, "eps is -1e-08"),
    (lambda: torch.ones(2), {"weight_decay": -0.1}, ValueError, "weight_decay is -0.1"),
    (lambda: torch.ones(2), {"lr": "fast"}, TypeError, "lr"),
]


@pytest.mark.parametrize(("made", "options", "error", "says"), WRONG)
def test_what_is_refused(made: Callable[[], Any], options: Any, error: type[Exception], says: str) -> None:
    p = made().requires_grad_()
    with pytest.raises(error, match=f"^Adam: {says}"):
        Adam([p], **options)
    optimizer = Adam(params((3,)))
    with pytest.raises(error, match=f"^Adam: {says}"):
        optimizer.add_param_group({"params": [p], **options})
    assert len(optimizer.param_groups) == 1


def test_torchs_own_refusals() -> None:
    with pytest.raises(TypeError, match="iterable"):
        Adam(torch.ones(2))
    with pytest.raises(ValueError, match="empty parameter list"):
        Adam([])
    with pytest.raises(ValueError, match="non-leaf"):
        Adam([params((2,))[0] * 2])
    p = params((2,))[0]
    with pytest.raises(ValueError, match="more than one parameter group"):
        Adam([{"params": [p]}, {"params": [p]}])


def test_a_refused_step_changes_nothing() -> None:
    p, q = params((3, 3), (3, 3))
    before = p.detach().clone()
    optimizer = Adam([p, q])
    p.grad, q.grad = draw(3, 3), draw(3, 3).to_sparse()
    optimizer.add_param_group({"params": params((2,))})
    optimizer.param_groups[1]["lr"] = -1
    with pytest.raises(ValueError, match="lr is -1"):
        optimizer.step()
    assert torch.equal(p, before)
    assert not optimizer.state
    optimizer.param_groups[1]["lr"], optimizer.param_groups[0]["differentiable"] = 0.1, True
    with pytest.raises(ValueError, match="differentiable is True"):
        optimizer.step()


def test_it_says_what_it_is() -> None:
    text = repr(Adam(params((2,)), lr=0.1, decoupled=True))
    assert text.startswith("Adam (\nParameter Group 0\n")
    assert "decoupled_weight_decay: True" in text
    assert "lr: 0.1" in text


def test_without_torch_it_says_what_to_install() -> None:
    script = """
import sys
sys.modules["torch"] = None
import barehand
try:
    import barehand.optim
except barehand.core.arrays.MissingBackend as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("barehand.optim: torch is not installed"), done.stderr
    assert "pip install 'barehand[torch]'" in done.stdout
