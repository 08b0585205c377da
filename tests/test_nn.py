"""The modules: torch's of the same name by value, in both directions, and what torch's cannot do."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import barehand

torch = pytest.importorskip("torch", reason="torch is not installed")

from barehand import nn  # noqa: E402 - needs torch

THEIRS = torch.nn
MASKED = -100


def close(found: Any, expected: Any, times: float = 64.0) -> None:
    """Within so many eps of the largest number expected, or of 1: the size of inputs and cotangents here, and so of
    what is added up where the gradient of a shift comes to zero.
    """
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    size = max(1.0, expected.nan_to_num().abs().max().item() if expected.numel() else 0.0)
    limit = times * torch.finfo(expected.dtype).eps * size if expected.is_floating_point() else 0
    torch.testing.assert_close(found, expected, rtol=0, atol=limit, equal_nan=True)


def pulled(module: Any, *inputs: Any, seed: int = 0, **options: Any) -> list[Any]:
    """The result, and the gradients of inputs and parameters under a random cotangent."""
    inputs = tuple(x.clone().requires_grad_(x.is_floating_point()) for x in inputs)
    result = module(*inputs, **options)
    first = result[0] if isinstance(result, tuple) else result
    g = torch.randn(first.shape, dtype=first.dtype, generator=torch.Generator().manual_seed(seed))
    wanted = [x for x in (*inputs, *module.parameters()) if x.requires_grad]
    return [first.detach(), *torch.autograd.grad(first, wanted, g)]


def draw(*shape: int, seed: int = 0, dtype: Any = torch.float64) -> Any:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def classes(*shape: int, n: int = 4, seed: int = 0) -> Any:
    found = torch.randint(n, shape, generator=torch.Generator().manual_seed(seed))
    found.view(-1)[1] = MASKED
    return found


# Modules that torch has: name, arguments, inputs

TWINS: list[tuple[str, tuple[Any, ...], dict[str, Any], Callable[[], tuple[Any, ...]]]] = [
    ("Softmax", (), {"dim": 1}, lambda: (draw(3, 4, 5),)),
    ("Softmax", (-1,), {}, lambda: (draw(6),)),
    ("BatchNorm1d", (4,), {}, lambda: (draw(6, 4),)),
    ("BatchNorm1d", (4, 1e-3, 0.3), {}, lambda: (draw(3, 4, 5),)),
    ("BatchNorm1d", (4,), {"affine": False}, lambda: (draw(6, 4),)),
    ("BatchNorm1d", (4,), {"track_running_stats": False}, lambda: (draw(6, 4),)),
    ("BatchNorm1d", (4,), {"momentum": None}, lambda: (draw(6, 4),)),
    ("BatchNorm2d", (3,), {}, lambda: (draw(2, 3, 4, 5),)),
    ("LayerNorm", (5,), {}, lambda: (draw(3, 5),)),
    ("LayerNorm", ((4, 5), 1e-3), {}, lambda: (draw(3, 4, 5),)),
    ("LayerNorm", (5,), {"bias": False}, lambda: (draw(2, 3, 5),)),
    ("LayerNorm", ([5],), {"elementwise_affine": False}, lambda: (draw(3, 5),)),
    ("CrossEntropyLoss", (), {}, lambda: (draw(6, 4), classes(6))),
    ("CrossEntropyLoss", (), {"reduction": "none"}, lambda: (draw(6, 4, 3), classes(6, 3))),
    (
        "CrossEntropyLoss",
        (),
        {"reduction": "sum", "label_smoothing": 0.1},
        lambda: (draw(2, 4, 3, 2), classes(2, 3, 2)),
    ),
    (
        "CrossEntropyLoss",
        (torch.tensor([1.0, 2.0, 0.5, 0.0], dtype=torch.float64),),
        {"ignore_index": 2},
        lambda: (draw(6, 4), classes(6).clamp(min=0)),
    ),
    ("CrossEntropyLoss", (), {}, lambda: (draw(6, 4), draw(6, 4, seed=1).softmax(1).detach())),
    ("CrossEntropyLoss", (), {}, lambda: (draw(4), torch.tensor(2))),
]
IDS = [f"{n}{i}" for i, (n, *_) in enumerate(TWINS)]


@pytest.fixture(params=TWINS, ids=IDS)
def twins(request: pytest.FixtureRequest) -> tuple[Any, Any, tuple[Any, ...]]:
    """Our module and torch's in float64, parameters alike but not those of the start; and inputs."""
    name, args, options, inputs = request.param
    ours, theirs = (getattr(home, name)(*args, **options).double() for home in (nn, THEIRS))
    for i, p in enumerate(theirs.parameters()):
        p.data = draw(*p.shape, seed=i + 9)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, inputs()


def test_values_and_gradients_are_torchs(twins: Any) -> None:
    ours, theirs, inputs = twins
    for _ in range(2):  # the second time from other running statistics
        for found, expected in zip(pulled(ours, *inputs), pulled(theirs, *inputs), strict=True):
            close(found, expected, 256)
    for name, x in theirs.state_dict().items():
        close(ours.state_dict()[name], x)
    ours.eval(), theirs.eval()
    for found, expected in zip(pulled(ours, *inputs), pulled(theirs, *inputs), strict=True):
        close(found, expected, 256)


class Given(torch.nn.Module):
    """A loss with its target given."""

    def __init__(self, loss: Any, target: Any) -> None:
        super().__init__()
        self.loss, self.target = loss, target

    def forward(self, x: Any) -> Any:
        return self.loss(x, self.target)


def test_state_goes_both_ways(twins: Any) -> None:
    ours, theirs, inputs = twins
    ours(*inputs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    for source, target in ((ours, theirs), (theirs, ours)):
        target.load_state_dict(source.state_dict())
        for name, x in source.state_dict().items():
            assert torch.equal(target.state_dict()[name], x)
    assert isinstance(ours, type(theirs))


def test_it_starts_and_reads_as_torchs(twins: Any) -> None:
    _, theirs, _ = twins
    name, args, options, _ = next(t for t in TWINS if t[0] == type(theirs).__name__)
    made = []
    for home in (nn, THEIRS):
        torch.manual_seed(3)
        made.append(getattr(home, name)(*args, **options))
    for ours, expected in zip(made[0].state_dict().values(), made[1].state_dict().values(), strict=True):
        assert torch.equal(ours, expected)
    if name != "CrossEntropyLoss":  # torch's shows no options
        assert repr(made[0]) == repr(made[1])


def test_old_states_of_batch_norm_load() -> None:
    """Without the count of batches, as before version 2."""
    ours = nn.BatchNorm1d(2)
    state = {k: v for k, v in THEIRS.BatchNorm1d(2).state_dict().items() if k != "num_batches_tracked"}
    ours.load_state_dict(state)
    assert ours.num_batches_tracked == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_running_statistics_in_any_type(dtype: Any) -> None:
    ours, theirs = nn.BatchNorm1d(4).to(dtype), THEIRS.BatchNorm1d(4).double()
    for seed in range(3):
        x = draw(16, 4, seed=seed).to(dtype)
        ours(x), theirs(x.double())
    assert ours.running_var.dtype == dtype
    close(ours.running_mean, theirs.running_mean.to(dtype), 4)
    close(ours.running_var, theirs.running_var.to(dtype), 4)


def test_a_switch_to_batches_own_statistics_keeps_the_running_ones() -> None:
    for home in (nn, THEIRS):
        module = home.BatchNorm1d(4).double()
        module.track_running_stats = False
        module(draw(6, 4))
        assert not module.running_mean.any()
        assert module.num_batches_tracked == 0
        close(module.eval()(draw(6, 4)).detach(), draw(6, 4) / (1 + 1e-5) ** 0.5)  # with those that are there


def test_an_empty_mean_is_zero() -> None:
    """All targets ignored: nan in torch (pytorch#70348)."""
    target = torch.full((3,), MASKED)
    assert THEIRS.CrossEntropyLoss()(draw(3, 4), target).isnan()
    value, gradient = pulled(Given(nn.CrossEntropyLoss(), target), draw(3, 4))
    assert value == 0
    assert not gradient.any()


def test_softmax_takes_a_mask() -> None:
    mask = torch.tensor([[True, True, False], [False, False, False]])
    x = torch.tensor([[0.0, 0.0, torch.nan], [1.0, 2.0, 3.0]])
    assert torch.equal(nn.Softmax()(x, mask), torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]))


@pytest.mark.parametrize("home", [nn, THEIRS], ids=["ours", "torch"])
def test_norms_far_from_zero(home: Any) -> None:
    """Mean 1e4 and standard deviation 1e-3 in float32: torch is off by 1e-2."""
    x = 1e4 + 1e-3 * draw(64, 64)
    x = x.float()
    for module in (home.LayerNorm(64, eps=1e-12), home.BatchNorm1d(64, eps=1e-12)):
        exact = copy.deepcopy(module).double()(x.double())
        error = (module(x).double() - exact).abs().max().item()
        assert (error < 1e-5) == (home is nn), error


# A net


def net(home: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), home.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten(),
        torch.nn.Linear(144, 8), home.BatchNorm1d(8), torch.nn.ReLU(), home.LayerNorm(8), torch.nn.Linear(8, 3),
    )  # fmt: skip


def step(model: Any, loss: Any, x: Any, target: Any) -> float:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    value = loss(model(x), target)
    value.backward()
    optimizer.step()
    optimizer.zero_grad()
    return float(value.detach())


@pytest.mark.parametrize(("first", "second"), [(nn, THEIRS), (THEIRS, nn)], ids=["ours to torch", "torch to ours"])
def test_training_goes_on_where_the_other_left_off(first: Any, second: Any) -> None:
    """Three steps with each side's modules, the state handed over, three more; against torch alone."""
    x, target = draw(10, 1, 8, 8), classes(10, n=3)
    alone, model = net(THEIRS).double(), net(first).double()
    losses: list[list[float]] = [[], []]
    for home in (first, second):
        if home is second:
            state = model.state_dict()
            model = net(second, seed=5).double()
            model.load_state_dict(state)
        for _ in range(3):
            losses[0].append(step(alone, THEIRS.CrossEntropyLoss(), x, target))
            losses[1].append(step(model, home.CrossEntropyLoss(), x, target))
    close(torch.tensor(losses[1], dtype=torch.float64), torch.tensor(losses[0], dtype=torch.float64), 2**16)
    assert losses[0][-1] < losses[0][0]
    for p, q in zip(model.state_dict().values(), alone.state_dict().values(), strict=True):
        close(p, q, 2**16)  # rounding, six steps on


def test_compiled_nets_are_the_same() -> None:
    x, target = draw(10, 1, 8, 8), classes(10, n=3)
    model, loss = net(nn).double(), nn.CrossEntropyLoss()
    both = [copy.deepcopy(model), model]

    def run(model: Any, call: Any) -> list[Any]:
        value = call(x, target)
        return [value.detach(), *torch.autograd.grad(value, list(model.parameters()))]

    compiled = torch.compile(lambda x, t: loss(both[1](x), t), backend="aot_eager", fullgraph=True)
    expected = run(both[0], lambda x, t: loss(both[0](x), t))
    for a, b in zip(run(both[1], compiled), expected, strict=True):
        close(a, b, 2**12)
    for a, b in zip(both[1].buffers(), both[0].buffers(), strict=True):
        close(a, b)


def test_gradients_a_sample() -> None:
    """`torch.func`: vmap over the gradient of a functional call, against one sample at a time."""
    model, loss = torch.nn.Sequential(torch.nn.Linear(5, 4), nn.LayerNorm(4)).double(), nn.CrossEntropyLoss()
    parameters = {k: v.detach() for k, v in model.named_parameters()}
    x, target = draw(3, 5), torch.tensor([0, 3, 1])

    def cost(parameters: Any, x: Any, t: Any) -> Any:
        return loss(torch.func.functional_call(model, parameters, (x,)), t)

    found = torch.func.vmap(torch.func.grad(cost), in_dims=(None, 0, 0))(parameters, x, target)
    for i in range(3):
        expected = torch.autograd.grad(loss(model(x[i]), target[i]), list(model.parameters()))
        for a, b in zip(found.values(), expected, strict=True):
            close(a[i], b, 256)


def test_autocast_is_honoured() -> None:
    """Norms and losses in float32, attention in the lower precision, as torch's own."""
    x, target = draw(6, 4, dtype=torch.bfloat16), classes(6)
    with torch.autocast("cpu", torch.bfloat16):
        for module in (nn.LayerNorm(4), nn.BatchNorm1d(4), nn.Softmax()):
            assert module(x).dtype == torch.float32
        assert nn.CrossEntropyLoss()(x, target).dtype == torch.float32
        for module in (nn.MultiHeadAttention(4, 2), nn.SelfAttention(4, 3, 3)):
            assert module(draw(6, 4, dtype=torch.float32)).dtype == torch.bfloat16


# Losses

LOSSES: list[tuple[Any, Callable[..., Any], dict[str, Any], Callable[[], tuple[Any, ...]], str]] = [
    (
        nn.ContrastiveLoss,
        barehand.contrastive_loss,
        {"margin": 2.0, "reduction": "sum"},
        lambda: (draw(6, 3), draw(6, 3, seed=1), torch.arange(6) % 2),
        "ContrastiveLoss(margin=2.0, reduction='sum')",
    ),
    (
        nn.PairwiseMarginLoss,
        barehand.pairwise_margin_loss,
        {"margin": 0.5},
        lambda: (draw(6, 3), draw(6, 3, seed=1), draw(6, 3, seed=2)),
        "PairwiseMarginLoss(margin=0.5, reduction='mean')",
    ),
    (
        nn.FocalLoss,
        barehand.focal_loss,
        {"alpha": (0.3, 0.9), "gamma": 1.5, "reduction": "none"},
        lambda: (draw(6, 3), (torch.arange(18) % 2).reshape(6, 3)),
        "FocalLoss(alpha=(0.3, 0.9), gamma=1.5, reduction='none', from_probabilities=False)",
    ),
    (
        nn.FocalLoss,
        barehand.focal_loss,
        {"alpha": None, "from_probabilities": True},
        lambda: (draw(6, 3).sigmoid(), draw(6, 3, seed=1).sigmoid()),
        "FocalLoss(alpha=None, gamma=2.0, reduction='mean', from_probabilities=True)",
    ),
    (
        nn.SoftmaxFocalLoss,
        barehand.softmax_focal_loss,
        {"alpha": 0.5, "gamma": 1.0},
        lambda: (draw(6, 4), classes(6)),
        "SoftmaxFocalLoss(alpha=0.5, gamma=1.0, ignore_index=-100, reduction='mean', dim=None)",
    ),
    (
        nn.BPRLoss,
        barehand.bpr_loss,
        {"reduction": "none"},
        lambda: (draw(6), draw(6, 3, seed=1)),
        "BPRLoss(reduction='none')",
    ),
    (
        nn.CrossEntropyLoss,
        barehand.cross_entropy,
        {"label_smoothing": 0.1, "from_probabilities": True},
        lambda: (draw(6, 4).softmax(1), classes(6).clamp(min=0)),
        "CrossEntropyLoss(ignore_index=-100, reduction='mean', label_smoothing=0.1, dim=None, from_probabilities=True)",
    ),
]


@pytest.mark.parametrize(("module", "function", "options", "inputs", "text"), LOSSES)
def test_losses_are_the_functions(module: Any, function: Any, options: Any, inputs: Any, text: str) -> None:
    loss = module(**options)
    assert repr(loss) == text
    x = inputs()
    arrays = [a.numpy() for a in x]
    value = torch.as_tensor(function(*arrays, **options))
    assert torch.equal(loss(*x), value)
    gradients = getattr(barehand.vjp, function.__name__)
    cotangent = None if value.ndim == 0 else draw(*value.shape).numpy()
    inputs_ = [a.clone().requires_grad_(a.is_floating_point()) for a in x]
    result = loss(*inputs_)
    result.backward(None if cotangent is None else torch.from_numpy(cotangent))
    for a, expected in zip(inputs_, gradients(*arrays, **options, cotangent=cotangent), strict=False):
        close(a.grad, torch.from_numpy(expected), 4)


def test_focal_weights_of_classes_move_along() -> None:
    loss = nn.SoftmaxFocalLoss(alpha=[1.0, 2.0, 0.5, 0.0])
    assert "alpha=<4 classes>" in repr(loss)
    x, target = draw(5, 4, 3), classes(5, 3)
    expected = barehand.softmax_focal_loss(x.numpy(), target.numpy(), axis=1, alpha=[1.0, 2.0, 0.5, 0.0])
    close(loss.double()(x, target), torch.as_tensor(expected), 4)
    assert loss.to("meta").alpha.device.type == "meta"
    assert list(loss.state_dict()) == ["alpha"]


def test_the_class_axis_is_torchs_unless_named() -> None:
    x, target = draw(2, 4, 3), classes(2, 3)
    for module in (nn.CrossEntropyLoss, nn.SoftmaxFocalLoss):
        assert torch.equal(module()(x, target), module(dim=-1)(x.movedim(1, -1), target))


# Attention

MASKS = {
    "none": {},
    "boolean": {"mask": torch.tensor([[1, 0, 1, 1, 0], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1]]).bool()},
    "of each sample": {"mask": draw(2, 3, 5, seed=7) < 1.0},
    "of each head": {"mask": draw(2, 2, 3, 5, seed=7) < 1.0},
    "floating": {"mask": draw(3, 5, seed=7)},
    "padding": {"key_mask": torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]).bool()},
    "boolean and padding": {
        "mask": torch.tensor([[1, 0, 1, 1, 0], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1]]).bool(),
        "key_mask": torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]).bool(),
    },
    "of each head and padding": {
        "mask": draw(2, 2, 3, 5, seed=7) < 1.0,
        "key_mask": torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]).bool(),
    },
    "floating and padding": {
        "mask": draw(3, 5, seed=7),
        "key_mask": torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]).bool(),
    },
}


def in_their_words(mask: Any = None, key_mask: Any = None) -> dict[str, Any]:
    """Masks as torch's module takes them: True = may not attend, batch and heads on one axis, one type for both."""
    found: dict[str, Any] = {"need_weights": True, "average_attn_weights": False}
    boolean = mask is None or mask.dtype == torch.bool
    if mask is not None:
        mask = ~mask if boolean else mask
        if mask.ndim == 3:
            mask = mask[:, None].expand(-1, 2, -1, -1)
        found["attn_mask"] = mask if mask.ndim == 2 else mask.flatten(0, 1)
    if key_mask is not None:
        hidden = torch.zeros(key_mask.shape, dtype=torch.float64).masked_fill(~key_mask, -torch.inf)
        found["key_padding_mask"] = ~key_mask if boolean else hidden
    return found


def heads(**options: Any) -> tuple[Any, Any]:
    torch.manual_seed(1)
    theirs = THEIRS.MultiheadAttention(6, 2, batch_first=True, dtype=torch.float64, **options)
    for p in theirs.parameters():
        torch.nn.init.normal_(p)
    return nn.MultiHeadAttention.from_torch(theirs), theirs


@pytest.mark.parametrize("masks", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize(
    "options", [{}, {"bias": False}, {"kdim": 4, "vdim": 7}], ids=["usual", "no bias", "other widths"]
)
def test_heads_are_torchs(options: Any, masks: Any) -> None:
    ours, theirs = heads(**options)
    x = draw(2, 3, 6), draw(2, 5, options.get("kdim", 6), seed=1), draw(2, 5, options.get("vdim", 6), seed=2)
    for found, expected in zip(pulled(ours, *x, **masks), pulled(theirs, *x, **in_their_words(**masks)), strict=True):
        close(found, expected, 256)
    weights = ours(*x, **masks, return_weights=True)[1]
    close(weights, theirs(*x, **in_their_words(**masks))[1], 256)


def test_one_argument_is_self_attention_and_two_share_keys() -> None:
    ours, theirs = heads()
    x, y = draw(2, 4, 6), draw(2, 5, 6, seed=1)
    close(ours(x), theirs(x, x, x)[0], 256)
    close(ours(x, y), theirs(x, y, y)[0], 256)
    close(ours(x[0], y[0]), theirs(x[0], y[0], y[0])[0], 256)
    future = torch.ones(4, 4, dtype=torch.bool).triu(1)
    close(ours(x, causal=True), theirs(x, x, x, attn_mask=future)[0], 256)
    close(ours(x, mask=~future), ours(x, causal=True), 256)
    padding = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]]).bool()
    expected = theirs(x, x, x, attn_mask=future, key_padding_mask=~padding)[0]
    close(ours(x, causal=True, key_mask=padding), expected, 256)


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"kdim": 4, "vdim": 7}])
def test_heads_start_as_torchs_and_states_go_both_ways(options: Any) -> None:
    torch.manual_seed(4)
    ours = nn.MultiHeadAttention(6, 2, **options)
    torch.manual_seed(4)
    theirs = THEIRS.MultiheadAttention(6, 2, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, x in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], x)
    theirs.load_state_dict(nn.MultiHeadAttention(6, 2, **options).state_dict())
    ours.load_state_dict(theirs.state_dict())


def test_conversion_keeps_everything() -> None:
    theirs = THEIRS.MultiheadAttention(6, 2, dtype=torch.float64).eval()  # the batch second
    theirs.in_proj_bias.requires_grad_(False)
    before = torch.get_rng_state()
    ours = nn.MultiHeadAttention.from_torch(theirs)
    assert torch.equal(torch.get_rng_state(), before)
    assert not ours.training
    assert not ours.in_proj_bias.requires_grad
    assert ours.in_proj_weight.dtype == torch.float64
    x = draw(5, 2, 6)
    close(ours(x.transpose(0, 1)).transpose(0, 1), theirs(x, x, x)[0], 256)
    with torch.no_grad():
        ours.in_proj_weight.zero_()
    assert theirs.in_proj_weight.any()  # a copy


def test_a_query_with_nothing_to_attend_to() -> None:
    """nan in torch (pytorch#41508); the bias of the result here, and no gradient."""
    ours, theirs = heads()
    x, key_mask = draw(2, 4, 6), torch.tensor([[False] * 4, [True] * 4])
    assert theirs(x, x, x, key_padding_mask=~key_mask)[0][0].isnan().all()
    close(ours(x, key_mask=key_mask)[0], ours.out_proj.bias.detach().expand(4, 6))
    assert not ours(x, key_mask=key_mask, return_weights=True)[1][0].any()
    _, gradient, *others = pulled(ours, x, key_mask=key_mask)
    assert not gradient[0].any()
    assert all(g.isfinite().all() for g in others)


@pytest.mark.parametrize("share", [False, True])
def test_padding_may_hold_nan(share: bool) -> None:
    """It leaks in torch (pytorch#101967)."""
    attend = nn.MultiHeadAttention(6, 2, share_heads=share, dtype=torch.float64)
    x, y, key_mask = draw(2, 3, 6), draw(2, 5, 6, seed=1), torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]).bool()
    spoilt = y.masked_fill(~key_mask[..., None], torch.nan)
    clean = y.masked_fill(~key_mask[..., None], 0)
    for a, b in zip(
        pulled(attend, x, spoilt, key_mask=key_mask), pulled(attend, x, clean, key_mask=key_mask), strict=True
    ):
        close(a, b)


def whole(shared: Any) -> Any:
    """Ordinary heads with the shared projections repeated along the diagonal."""
    state = {}
    parts = [shared.q_proj, shared.k_proj, shared.v_proj]
    state["in_proj_weight"] = torch.cat([torch.block_diag(*[p.weight] * shared.num_heads) for p in parts])
    if parts[0].bias is not None:
        state["in_proj_bias"] = torch.cat([p.bias.repeat(shared.num_heads) for p in parts])
    state |= {f"out_proj.{k}": v for k, v in shared.out_proj.state_dict().items()}
    made = nn.MultiHeadAttention(shared.embed_dim, shared.num_heads, bias=parts[0].bias is not None).double()
    made.load_state_dict(state)
    return made


@pytest.mark.parametrize("masks", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("bias", [True, False])
def test_shared_heads_are_one_projection_repeated(bias: bool, masks: Any) -> None:
    shared = nn.MultiHeadAttention(6, 2, bias=bias, share_heads=True, dtype=torch.float64)
    names = ("q_proj", "k_proj", "v_proj")
    assert [tuple(getattr(shared, n).weight.shape) for n in names] == [(3, 3)] * 3
    ordinary, x = whole(shared), (draw(2, 3, 6), draw(2, 5, 6, seed=1), draw(2, 5, 6, seed=2))
    found, expected = pulled(shared, *x, **masks), pulled(ordinary, *x, **masks)
    for a, b in zip(found[:4], expected[:4], strict=True):
        close(a, b, 256)
    g = dict(zip((n for n, _ in ordinary.named_parameters()), expected[4:], strict=True))
    for i, name in enumerate(names):
        block = g["in_proj_weight"].chunk(3)[i]
        mine = dict(zip((n for n, _ in shared.named_parameters()), found[4:], strict=True))[f"{name}.weight"]
        close(mine, block[:3, :3] + block[3:, 3:], 256)
    a, b = (m(*x, **masks, return_weights=True)[1] for m in (shared, ordinary))
    close(a, b, 256)
    close(shared(x[0], causal=True), ordinary(x[0], causal=True), 256)


def test_the_scale_is_ours_to_choose() -> None:
    """Some divide by the root of embed_dim."""
    attend = nn.MultiHeadAttention(6, 2, scale=6**-0.5, dtype=torch.float64)
    usual = nn.MultiHeadAttention(6, 2, dtype=torch.float64)
    usual.load_state_dict(attend.state_dict())
    with torch.no_grad():
        usual.in_proj_weight[:6] *= (3 / 6) ** 0.5
    close(attend(draw(4, 6)), usual(draw(4, 6)), 256)


@pytest.mark.parametrize("masks", [{}, {"causal": True}, {"key_mask": torch.tensor([True, True, False, True, False])}])
@pytest.mark.parametrize("out_proj", [True, False])
def test_self_attention_is_its_formula(out_proj: bool, masks: Any) -> None:
    attend = nn.SelfAttention(6, 4, 3, out_proj=out_proj, dtype=torch.float64)

    class Formula(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.of = attend

        def forward(self, x: Any, causal: bool = False, key_mask: Any = None) -> Any:
            q, k, v = attend.q_proj(x), attend.k_proj(x), attend.v_proj(x)
            mask = key_mask if key_mask is None else key_mask[None]
            result = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
            return attend.out_proj(result) if out_proj else result

    for x in (draw(5, 6), draw(2, 5, 6)):
        for a, b in zip(pulled(attend, x, **masks), pulled(Formula(), x, **masks), strict=True):
            close(a, b, 256)
    result, weights = attend(draw(2, 5, 6), **masks, return_weights=True)
    assert result.shape == (2, 5, 6 if out_proj else 3)
    assert weights.shape == (2, 5, 5)
    close(weights.sum(-1).detach(), torch.ones(2, 5, dtype=torch.float64))


def test_self_attention_trains() -> None:
    """A classifier that has to find the one marked place: torch's own modules learn it no better."""
    torch.manual_seed(0)
    x, target = draw(64, 6, 8, dtype=torch.float32), classes(64, n=3).clamp(min=0)
    place = torch.arange(64) % 6
    x[torch.arange(64), place, 0] = 4.0
    x[torch.arange(64), place, 1:4] = 4.0 * torch.nn.functional.one_hot(target, 3)
    model = torch.nn.Sequential(nn.SelfAttention(8, 4, 4), nn.LayerNorm(8))
    head, loss = torch.nn.Linear(8, 3), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam([*model.parameters(), *head.parameters()], lr=0.02)
    for _ in range(60):
        value = loss(head(model(x).mean(1)), target)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert value < 0.1


def test_compiled_attention_is_the_same() -> None:
    torch.manual_seed(0)
    model = torch.nn.ModuleList([nn.MultiHeadAttention(6, 2), nn.SelfAttention(6, 4, 3)]).double()
    key_mask = torch.tensor([[True] * 4, [True, True, True, False]])

    def call(x: Any) -> Any:
        return model[1](model[0](x, key_mask=key_mask, causal=True), causal=True)

    compiled = torch.compile(call, backend="aot_eager", fullgraph=True)
    x, g = draw(2, 4, 6).requires_grad_(), draw(2, 4, 6, seed=3)
    for a, b in zip(
        torch.autograd.grad(compiled(x), [x, *model.parameters()], g),
        torch.autograd.grad(call(x), [x, *model.parameters()], g),
        strict=True,
    ):
        close(a, b, 256)


# What every module does as torch's do

EVERY: list[tuple[Callable[[], Any], Callable[[], tuple[Any, ...]]]] = [
    (lambda: nn.Softmax(1), lambda: (draw(6, 4, dtype=torch.float32),)),
    (lambda: nn.BatchNorm1d(4), lambda: (draw(6, 4, dtype=torch.float32),)),
    (lambda: nn.BatchNorm2d(3), lambda: (draw(2, 3, 4, 5, dtype=torch.float32),)),
    (lambda: nn.LayerNorm(4), lambda: (draw(6, 4, dtype=torch.float32),)),
    (
        lambda: nn.ContrastiveLoss(),
        lambda: (draw(6, 3, dtype=torch.float32), draw(6, 3, seed=1, dtype=torch.float32), torch.arange(6) % 2),
    ),
    (lambda: nn.PairwiseMarginLoss(), lambda: tuple(draw(6, 3, seed=i, dtype=torch.float32) for i in range(3))),
    (
        lambda: nn.CrossEntropyLoss(torch.tensor([1.0, 2.0, 0.5, 1.0])),
        lambda: (draw(6, 4, dtype=torch.float32), classes(6)),
    ),
    (lambda: nn.FocalLoss(), lambda: (draw(6, dtype=torch.float32), torch.arange(6) % 2)),
    (lambda: nn.SoftmaxFocalLoss(alpha=[1.0] * 4), lambda: (draw(6, 4, dtype=torch.float32), classes(6))),
    (lambda: nn.BPRLoss(), lambda: (draw(6, dtype=torch.float32), draw(6, seed=1, dtype=torch.float32))),
    (lambda: nn.MultiHeadAttention(4, 2), lambda: (draw(2, 6, 4, dtype=torch.float32),)),
    (lambda: nn.MultiHeadAttention(4, 2, share_heads=True), lambda: (draw(2, 6, 4, dtype=torch.float32),)),
    (lambda: nn.SelfAttention(4, 2, 3), lambda: (draw(2, 6, 4, dtype=torch.float32),)),
]


@pytest.fixture(params=EVERY, ids=lambda pair: type(pair[0]()).__name__)
def example(request: pytest.FixtureRequest) -> tuple[Any, tuple[Any, ...]]:
    torch.manual_seed(2)
    make, inputs = request.param
    return make(), inputs()


def moved(inputs: tuple[Any, ...], to: Any) -> tuple[Any, ...]:
    return tuple(x.to(to) if x.is_floating_point() or not isinstance(to, torch.dtype) else x for x in inputs)


def test_copies_and_pickles_are_the_same(example: Any) -> None:
    module, inputs = example
    module(*inputs)
    before = copy.deepcopy(module)
    expected = before(*inputs)
    stored = io.BytesIO()
    torch.save(module.state_dict(), stored)
    stored.seek(0)
    loaded = copy.deepcopy(module)
    for p in loaded.parameters():
        p.data.zero_()
    loaded.load_state_dict(torch.load(stored, weights_only=True))
    stored = io.BytesIO()
    torch.save(module, stored)
    stored.seek(0)
    for other in (pickle.loads(pickle.dumps(module)), torch.load(stored, weights_only=False), loaded):
        assert repr(other) == repr(module)
        assert torch.equal(other(*inputs), expected)


def test_training_and_evaluation_switch(example: Any) -> None:
    module, _ = example
    assert module.training
    assert not module.eval().training
    assert module.train().training


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_types_are_kept(example: Any, dtype: Any) -> None:
    module, inputs = example
    expected = module.double()(*moved(inputs, torch.float64))
    found = module.to(dtype)(*moved(inputs, dtype))
    assert found.dtype == dtype
    assert found.isfinite().all()
    # Inputs and parameters are rounded on the way: a rough comparison, of the size of the whole.
    assert (found.double() - expected).abs().max() <= 32 * torch.finfo(dtype).eps * (1 + expected.abs().max())


def test_shapes_without_memory(example: Any) -> None:
    module, inputs = example
    expected = copy.deepcopy(module)(*inputs)
    found = module.to("meta")(*moved(inputs, torch.device("meta")))
    assert found.device.type == "meta"
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    assert "(" in repr(module)


def test_backward_in_the_parameters_type(example: Any) -> None:
    module, inputs = example
    inputs = tuple(x.requires_grad_(x.is_floating_point()) for x in inputs)
    module(*inputs).sum().backward()
    for x in (*inputs, *module.parameters()):
        if x.requires_grad:
            assert x.grad.dtype == x.dtype
            assert x.grad.shape == x.shape


def test_no_gradient_is_kept_where_none_is_wanted(example: Any) -> None:
    module, inputs = example
    with torch.no_grad():
        assert module(*inputs).grad_fn is None
    for p in module.parameters():
        p.requires_grad_(False)
    assert module(*inputs).grad_fn is None


def test_every_module_is_documented() -> None:
    names = set(nn.__all__)
    assert names == {type(make()).__name__ for make, _ in EVERY}
    assert names <= set(dir(nn))
    for name in names:
        text = inspect.getdoc(getattr(nn, name)) or ""
        for section in ("Args:", "Shapes:", ">>>"):
            assert section in text, f"{name} says nothing about {section}"
        assert "forward" in vars(getattr(nn, name)) or name.startswith("BatchNorm")
    with pytest.raises(AttributeError, match="has no attribute 'Softmix'"):
        nn.Softmix  # noqa: B018


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: nn.MultiHeadAttention(10, 3),
        ValueError,
        "MultiHeadAttention: embed_dim 10 is not divisible by num_heads 3; use a multiple",
    ),
    (lambda: nn.MultiHeadAttention(8, 0), ValueError, "MultiHeadAttention: num_heads is 0; use a number from 1 on"),
    (lambda: nn.MultiHeadAttention(8.0, 2), TypeError, "embed_dim must be an integer, not 8.0; pass an int"),
    (lambda: nn.MultiHeadAttention(8, True), TypeError, "num_heads must be an integer, not True; pass an int"),
    (lambda: nn.MultiHeadAttention(8, 2, share_heads=True, kdim=4), ValueError, "leave kdim and vdim out"),
    (lambda: nn.MultiHeadAttention(8, 2, scale="x"), TypeError, "MultiHeadAttention: scale must be a number, not 'x'"),
    (lambda: nn.MultiHeadAttention(4, 2)(draw(3, 4), value=draw(3, 4)), ValueError, "value is given without key"),
    (
        lambda: nn.MultiHeadAttention(4, 2)(draw(3, 4), key_mask=torch.ones(3)),
        TypeError,
        "key_mask has dtype torch.float32, not bool; True means a key that is there",
    ),
    (
        lambda: nn.MultiHeadAttention(4, 2).double()(draw(3, 4), draw(5, 4), causal=True),
        ValueError,
        "causal is True with 3 queries and 5 keys",
    ),
    (lambda: nn.MultiHeadAttention.from_torch(THEIRS.Linear(2, 2)), TypeError, "module is a Linear; pass a torch.nn"),
    (
        lambda: nn.MultiHeadAttention.from_torch(THEIRS.MultiheadAttention(4, 2, add_bias_kv=True)),
        ValueError,
        "module has add_bias_kv, which is not offered here",
    ),
    (
        lambda: nn.MultiHeadAttention.from_torch(THEIRS.MultiheadAttention(4, 2, add_zero_attn=True)),
        ValueError,
        "module has add_zero_attn, which is not offered here",
    ),
    (
        lambda: nn.MultiHeadAttention.from_torch(THEIRS.MultiheadAttention(4, 2, dropout=0.1)),
        ValueError,
        r"module has dropout, which is not offered here; set module.dropout = 0.0",
    ),
    (
        lambda: nn.MultiHeadAttention(4, 2, share_heads=True)(draw(3, 6)),
        ValueError,
        r"query has shape \(3, 6\), whose last axis is not embed_dim = 4",
    ),
    (lambda: nn.MultiHeadAttention(4, 2)(draw(3, 6).float()), ValueError, "w_q has shape"),
    (lambda: nn.SelfAttention(4, 0, 2), ValueError, "SelfAttention: d_k is 0; use a number from 1 on"),
    (
        lambda: nn.BatchNorm1d(3)(draw(2, 3, 4, 4)),
        ValueError,
        r"BatchNorm1d: input has shape \(2, 3, 4, 4\), not",
    ),
    (lambda: nn.BatchNorm2d(3)(draw(2, 3)), ValueError, r"BatchNorm2d: input has shape \(2, 3\), not \(N, C, H, W\)"),
    (lambda: nn.BatchNorm1d(3)(draw(3, 2)), ValueError, r"has 2 channels on axis 1, not num_features = 3"),
    (lambda: nn.LayerNorm(3)(draw(3, 2)), ValueError, r"LayerNorm: input has shape \(3, 2\), whose last axes are not"),
    (lambda: nn.Softmax(2)(draw(3, 2)), ValueError, "axis 2 does not exist"),
    (
        lambda: nn.ContrastiveLoss(margin=-1),
        ValueError,
        "ContrastiveLoss: margin is -1; use a finite number",
    ),
    (lambda: nn.PairwiseMarginLoss(reduction="avg"), ValueError, "reduction is 'avg'; use 'mean', 'sum' or 'none'"),
    (lambda: nn.FocalLoss(alpha=2.0), ValueError, "FocalLoss: alpha is 2.0; use a finite number from 0 to 1"),
    (
        lambda: nn.FocalLoss(alpha=(1.0, 2.0, 3.0)),
        ValueError,
        r"give a number, a pair \(positives, negatives\)",
    ),
    (lambda: nn.SoftmaxFocalLoss(gamma=-1.0), ValueError, "SoftmaxFocalLoss: gamma is -1.0"),
    (lambda: nn.CrossEntropyLoss(label_smoothing=2.0), ValueError, "CrossEntropyLoss: label_smoothing is 2.0"),
    (lambda: nn.BPRLoss(reduction=None), ValueError, "BPRLoss: reduction is None"),
    (lambda: nn.Softmax()(draw(3).numpy()), TypeError, "softmax: x is a ndarray"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS, ids=[text[:40] for *_, text in ERRORS])
def test_errors_say_what_is_wrong(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_without_torch_the_extra_is_named() -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import barehand\n"
        "try:\n    import barehand.nn\n"
        "except barehand.MissingBackend as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert "barehand.nn: torch is not installed" in done.stdout, done.stderr
    assert "pip install 'barehand[torch]'" in done.stdout
