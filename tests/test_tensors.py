"""The functions on tensors: the specs hold them to what the kernels promise, and torch's ways with tensors are kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import barehand
from barehand.blocks import homes, specs
from barehand.core.spec import FULL, Peer, Spec, cast
from barehand.judge.dress import candidate
from barehand.judge.grading import differences, examine

torch = pytest.importorskip("torch", reason="torch is not installed")

from barehand import tensors  # noqa: E402 - needs torch
from barehand.core import tensors as core  # noqa: E402 - needs torch

SPECS = [specs()[name] for name in homes("autograd") if name in specs()]
DIFFERENTIABLE = [s for s in SPECS if s.vjp is not None]
BY_TORCH = ("softmax", "log_softmax", "cross_entropy", "layer_norm", "batch_norm")  # on little data
LOSSES = [s for s in DIFFERENTIABLE if s.name.endswith("_loss") or s.name == "cross_entropy"]


@pytest.fixture(params=SPECS, ids=lambda s: s.name)
def spec(request: pytest.FixtureRequest) -> Spec:
    return request.param


@pytest.fixture(params=DIFFERENTIABLE, ids=lambda s: s.name)
def smooth(request: pytest.FixtureRequest) -> Spec:
    """A spec of a function with a gradient."""
    return request.param


@pytest.fixture(params=LOSSES, ids=lambda s: s.name)
def loss(request: pytest.FixtureRequest) -> Spec:
    return request.param


def given(spec: Spec, dtype: Any = torch.float64, seed: int = 3, grad: bool = True) -> dict[str, Any]:
    """Tensors of an ordinary case; the running statistics of a norm left out."""
    case = next(c for c in spec.cases if c.gradient and c.grade == "correctness" and set(FULL) <= set(c.dtypes))
    arrays = cast(case.make(np.random.default_rng(seed)), np.dtype(np.float64))
    found = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in arrays.items() if k not in spec.writes}
    for name, value in found.items():
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            found[name] = value.to(dtype)
            if grad and name in spec.differentiable:
                found[name].requires_grad_()
    return found


def data(spec: Spec, inputs: dict[str, Any]) -> list[Any]:
    """The differentiable tensors."""
    return [inputs[k] for k in spec.differentiable if isinstance(inputs.get(k), torch.Tensor)]


def call(spec: Spec, inputs: dict[str, Any], face: Any = barehand) -> Any:
    return getattr(face, spec.name)(*spec.positional(inputs), **spec.named(inputs))


def pulled(spec: Spec, inputs: dict[str, Any], result: Any, seed: int = 0, **options: Any) -> list[Any]:
    """Gradients for a random cotangent."""
    g = torch.randn(result.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(result.dtype)
    return list(torch.autograd.grad(result, data(spec, inputs), g, **options))


def close(left: Any, right: Any, **options: Any) -> None:
    torch.testing.assert_close(left, right, equal_nan=True, **options)


def equal(left: Any, right: Any) -> None:
    close(left, right, rtol=0, atol=0)


# The engine


def dressed(name: str, function: Callable[..., Any], spec: Spec) -> Any:
    return candidate(Peer(name, "torch", lambda: function), spec)


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call is handed over to torch's own operations for being small."""
    monkeypatch.setattr(core, "_SMALL", -1)


@pytest.mark.parametrize("small", [-1, core._SMALL])
def test_functions_keep_the_kernels_promise(spec: Spec, seed: int, small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the kernels, and where torch's own operations stand in for them on little data."""
    if small == core._SMALL and spec.name not in BY_TORCH:
        pytest.skip("always through the kernels")
    monkeypatch.setattr(core, "_SMALL", small)
    answer = replace(dressed("tensors", getattr(barehand, spec.name), spec), strict=True)
    report = examine(spec, answer, seed=seed)
    assert report.passed
    assert not report.findings, "\n".join(differences(report))


def test_what_is_composed_of_torch_operations_is_right(
    smooth: Spec, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other devices, transforms and second derivatives get."""
    monkeypatch.setattr(core, "_PLAIN", ())
    report = examine(smooth, dressed("composed", getattr(tensors, smooth.name), smooth), seed=seed)
    assert report.accepted, "\n".join(differences(report))


def test_torch_stays_unloaded_until_it_is_used() -> None:
    script = (
        "import sys, barehand as bh\nfor n in set(dir(bh)) - {'nn', 'optim'}: getattr(bh, n)\nbh.softmax([1.0])\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False", done.stderr
    assert np.isfinite(barehand.softmax([1.0, 2.0])).all()


def test_bad_shapes_and_options_are_refused_on_every_device(smooth: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are another matter: to look at them would wait for the device."""
    from barehand.judge import dress

    of_values = ("holds", "outside", "dtype", "pass real numbers", "not a regular", "read-only", "numpy array")
    monkeypatch.setattr(core, "_PLAIN", ())
    refused = 0
    for bad in smooth.bad_inputs:
        made = bad.make()
        arrays = {k: v for k, v in made.items() if isinstance(v, np.ndarray)}
        if len(arrays) < sum(k in made for k in smooth.signature) or any(
            v.dtype.kind not in "biuf" for v in arrays.values()
        ):
            continue
        if bad.error is TypeError or any(word in bad.says for word in of_values):
            continue
        with pytest.raises((bad.error, RuntimeError, IndexError)):
            call(smooth, dress._floating(smooth, dress._tensors(made)))
        refused += 1
    assert refused >= 1


# Little data, through torch's own operations


def plain(name: str, x: Any) -> Any:
    """A call that may be handed over."""
    function = getattr(barehand, name)
    return function(x, torch.arange(len(x)) % x.shape[1]) if name == "cross_entropy" else function(x)


@pytest.mark.parametrize("name", BY_TORCH)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_little_data_goes_to_torch(name: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(*args: Any, **options: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(core.Operator, "__call__", unwanted)
    for shape in ((32, 128), (256, 256)):
        plain(name, torch.randn(*shape, dtype=dtype, requires_grad=True)).sum().backward()
    for x in (torch.randn(32, 4096 * 3), torch.randn(4, 3).half(), torch.randn(4, 3, device="meta")):
        with pytest.raises(AssertionError):
            plain(name, x)


@pytest.mark.parametrize("name", BY_TORCH)
@pytest.mark.parametrize("shape", [(32, 2048), (2048, 32)])
def test_torchs_sums_over_the_longest_rows_keep_the_promise(name: str, shape: tuple[int, int], seed: int) -> None:
    promise = specs()[name]
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    g = torch.randn(*shape, generator=torch.Generator().manual_seed(seed + 1))
    found, expected = x.clone().requires_grad_(), x.double().requires_grad_()
    values = plain(name, found), plain(name, expected)
    for value, leaf in zip(values, (found, expected), strict=True):
        value.backward(g.to(leaf.dtype) if value.ndim else None)
    eps = torch.finfo(torch.float32).eps
    inputs = {"logits" if name == "cross_entropy" else "x": x.double().numpy()}
    if name == "cross_entropy":
        inputs["target"] = np.arange(len(x)) % x.shape[1]
    scale = promise.scale(inputs, (values[1].detach().numpy(),))[0]
    error = np.abs(values[0].detach().numpy() - values[1].detach().numpy())
    assert (error <= promise.accuracy * eps * scale).all(), (error / scale / eps).max()


@pytest.mark.parametrize("offset", [1.0, 1.9, 2.5, 100.0, 1e4, 1e8])
@pytest.mark.parametrize("name", ["layer_norm", "batch_norm"])
def test_a_mean_far_from_0_costs_no_digits(name: str, offset: float) -> None:
    """Torch computes x / sd - mean / sd: at 1e4 it is off by 2e-2 in float32. Up to two sd it may serve."""
    x = (torch.randn(64, 64, generator=torch.Generator().manual_seed(0)) + offset).requires_grad_()
    exact = x.detach().double().requires_grad_()
    g = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    found, expected = plain(name, x), plain(name, exact)
    close(found.double(), expected, rtol=0, atol=4 * torch.finfo(torch.float32).eps * expected.abs().max().item())
    found.backward(g), expected.backward(g.double())
    close(x.grad.double(), exact.grad, rtol=0, atol=8 * torch.finfo(torch.float32).eps * exact.grad.abs().max().item())


def test_running_statistics_are_updated_once() -> None:
    """Also where torch has updated them before it turns out that its result will not do."""
    for offset in (0.0, 1e4):
        x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0)) + offset
        running = torch.zeros(3), torch.ones(3)
        barehand.batch_norm(x, running_mean=running[0], running_var=running[1])
        wide = x.double()
        close(running[0].double(), 0.1 * wide.mean(0), rtol=1e-6, atol=1e-7)
        close(running[1].double(), 0.9 + 0.1 * wide.var(0), rtol=1e-6, atol=1e-7)


def test_labels_are_checked_on_little_data() -> None:
    x = torch.randn(3, 4, requires_grad=True)
    for label in (4, 99, -1, -(2**63), 2**63 - 1):
        with pytest.raises(ValueError, match=f"cross_entropy: target holds {label}"):
            barehand.cross_entropy(x, torch.tensor([0, 1, label]))
    with pytest.raises(ValueError, match="cross_entropy: target has shape"):
        barehand.cross_entropy(x, torch.tensor([0, 1]))
    value = barehand.cross_entropy(x, torch.full((3,), -100))
    value.backward()
    assert value.item() == 0
    equal(x.grad, torch.zeros(3, 4))


# Types, layouts, places


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_narrow_types_are_computed_in_float32(smooth: Spec, kind: Any, kernels: None) -> None:
    narrow = given(smooth, kind)
    wide = {
        k: v.detach().float().requires_grad_(v.requires_grad) if isinstance(v, torch.Tensor) and v.dtype == kind else v
        for k, v in narrow.items()
    }
    result, expected = call(smooth, narrow), call(smooth, wide)
    assert result.dtype == kind
    equal(result, expected.to(kind))
    for a, b in zip(pulled(smooth, narrow, result), pulled(smooth, wide, expected, seed=0), strict=True):
        assert a.dtype == kind
        # the cotangent is rounded to the narrow type first
        close(a, b.to(kind), rtol=4 * torch.finfo(kind).eps, atol=4 * torch.finfo(kind).eps * float(b.abs().max() + 1))


def test_mixed_types_give_the_widest(smooth: Spec) -> None:
    inputs = given(smooth, torch.float32)
    several = [k for k in smooth.differentiable if isinstance(inputs.get(k), torch.Tensor)]
    inputs[several[-1]] = inputs[several[-1]].detach().double().requires_grad_()
    result = call(smooth, inputs)
    assert result.dtype == torch.float64
    for x, g in zip(data(smooth, inputs), pulled(smooth, inputs, result), strict=True):
        assert g.dtype == x.dtype
        assert g.shape == x.shape


def test_whole_numbers_become_the_default_type(smooth: Spec) -> None:
    inputs = given(smooth, grad=False)
    for name in smooth.differentiable:
        if isinstance(inputs.get(name), torch.Tensor):
            inputs[name] = inputs[name].round().int()
    assert call(smooth, inputs).dtype == torch.get_default_dtype()


def spread(x: Any) -> Any:
    """The same numbers at every other place of a larger tensor."""
    return torch.stack([x, x], -1).flatten(-2)[..., ::2] if x.ndim else x


def turned(x: Any) -> Any:
    """The same numbers with the axes in memory the other way round."""
    return x.permute(*reversed(range(x.ndim))).contiguous().permute(*reversed(range(x.ndim)))


def moved(x: Any) -> Any:
    return torch.as_strided(torch.cat([x.new_zeros(5), x.reshape(-1)]), x.shape, x.contiguous().stride(), 5)


@pytest.mark.parametrize("layout", [spread, turned, moved])
def test_any_strides_do(smooth: Spec, layout: Callable[[Any], Any], kernels: None) -> None:
    inputs = given(smooth)
    laid = {
        k: layout(v.detach()).requires_grad_(v.requires_grad) if isinstance(v, torch.Tensor) else v
        for k, v in inputs.items()
    }
    result, expected = call(smooth, laid), call(smooth, inputs)
    equal(result, expected)
    for a, b in zip(pulled(smooth, laid, result), pulled(smooth, inputs, expected), strict=True):
        equal(a, b)


def test_tensors_share_their_memory_with_the_arrays() -> None:
    for x in (torch.zeros(3, 4), torch.zeros(3, 4, dtype=torch.float16).T, torch.zeros(3, 1).expand(3, 4)):
        assert core._array(x).ctypes.data == x.data_ptr()
        assert core._array(x.requires_grad_()).ctypes.data == x.data_ptr()
        assert np.shares_memory(core._array(x), x.detach().numpy())
    equal(torch.from_numpy(core._array(torch.ones(2, dtype=torch.complex64).conj().imag)), -torch.zeros(2))


def test_expanded_and_negated_tensors() -> None:
    x = torch.randn(1, 5).expand(3, 5)
    equal(barehand.softmax(x), barehand.softmax(x.contiguous()))
    negated = torch.randn(3, 5, dtype=torch.complex64).conj().imag
    assert negated.is_neg()
    equal(barehand.softmax(negated), barehand.softmax(negated.clone()))


def test_a_number_and_an_empty_tensor() -> None:
    one = torch.tensor(2.0, requires_grad=True)
    y = barehand.softmax(one)
    y.backward()
    assert (y.shape, one.grad.item()) == ((), 0.0)
    none = torch.empty(0, 3, requires_grad=True)
    barehand.layer_norm(none).sum().backward()
    assert none.grad.shape == (0, 3)
    value = barehand.cross_entropy(none, torch.empty(0, dtype=torch.long))
    value.backward()
    assert value.item() == 0.0


def test_the_meta_device_gives_shapes(smooth: Spec) -> None:
    inputs = given(smooth, torch.float32, grad=False)
    expected = call(smooth, inputs)
    meta = {k: v.to("meta") if isinstance(v, torch.Tensor) else v for k, v in inputs.items()}
    result = call(smooth, meta)
    assert (result.device.type, result.shape, result.dtype) == ("meta", expected.shape, expected.dtype)


def test_arrays_beside_tensors_are_refused(spec: Spec) -> None:
    inputs = given(spec, grad=False)
    several = [k for k in (*spec.signature, *spec.differentiable) if isinstance(inputs.get(k), torch.Tensor)]
    for name in list(dict.fromkeys(several))[1:]:
        mixed = {**inputs, name: inputs[name].numpy()}
        with pytest.raises(TypeError, match=rf"{spec.name}: {name} is a .*torch.as_tensor\({name}\)"):
            call(spec, mixed)


def test_two_devices_are_refused(loss: Spec) -> None:
    inputs = given(loss)
    name = loss.signature[1]
    with pytest.raises(ValueError, match=rf"{loss.name}: {name} is on meta, the others on cpu"):
        call(loss, {**inputs, name: inputs[name].to("meta")})


def test_metrics_and_suppression_name_the_way_to_the_cpu() -> None:
    with pytest.raises(TypeError, match=r"nms: scores is on meta; .*scores.cpu\(\)"):
        barehand.nms(torch.zeros(2, 4), torch.zeros(2, device="meta"), iou_threshold=0.5)
    kept = barehand.nms(torch.tensor([[0, 0, 4, 4], [0, 0, 4, 3.0]]), torch.tensor([0.5, 0.9]), iou_threshold=0.5)
    equal(kept, torch.tensor([1]))
    area = barehand.roc_auc_score(torch.tensor([0, 1, 1]), torch.tensor([0.1, 0.4, 0.3]))
    equal(area, torch.tensor(1.0, dtype=torch.float64))
    grouped = barehand.grouped_roc_auc_score(torch.tensor([0, 1]), torch.tensor([0.1, 0.2]), torch.tensor([7, 7]))
    assert (grouped.value.item(), grouped.n_groups) == (1.0, 1)


def test_complex_numbers_are_refused(smooth: Spec) -> None:
    inputs = given(smooth, grad=False)
    name = smooth.differentiable[0]
    with pytest.raises(TypeError, match=rf"{smooth.name}: {name} has dtype torch.complex128; pass real numbers"):
        call(smooth, {**inputs, name: inputs[name].to(torch.complex128)})


# Gradients


def test_only_what_requires_a_gradient_gets_one(smooth: Spec) -> None:
    inputs = given(smooth)
    everything = pulled(smooth, inputs, call(smooth, inputs))
    for place, x in enumerate(data(smooth, inputs)):
        for other in data(smooth, inputs):
            other.requires_grad_(other is x)
        result = call(smooth, inputs)
        g = torch.randn(result.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        equal(torch.autograd.grad(result, x, g)[0], everything[place])
    assert all(v.grad is None for v in inputs.values() if isinstance(v, torch.Tensor))


def test_without_a_gradient_nothing_is_spent_on_it(smooth: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(*args: Any) -> Any:
        raise AssertionError

    for name in ("value_and_gradients", "pull_back"):
        monkeypatch.setattr(core.Operator, name, unwanted)
    monkeypatch.setattr(core, "_apply", unwanted)
    inputs = given(smooth)
    with torch.no_grad():
        assert call(smooth, inputs).grad_fn is None
    with torch.inference_mode():
        assert not call(smooth, inputs).requires_grad
    assert call(smooth, given(smooth, grad=False)).grad_fn is None


def test_a_loss_finds_its_gradient_in_the_forward_pass(loss: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = given(loss)
    result = call(loss, inputs)
    if result.ndim:
        return
    monkeypatch.setattr(core.Operator, "pull_back", None)
    first = torch.autograd.grad(result, data(loss, inputs))
    monkeypatch.undo()
    for a, b in zip(first, torch.autograd.grad(call(loss, inputs), data(loss, inputs)), strict=True):
        equal(a, b)


@pytest.mark.filterwarnings("ignore:Input #")
def test_gradients_are_those_of_finite_differences(smooth: Spec) -> None:
    inputs = given(smooth)
    names = [k for k in smooth.differentiable if isinstance(inputs.get(k), torch.Tensor)]

    def function(*values: Any) -> Any:
        return call(smooth, {**inputs, **dict(zip(names, values, strict=True))})

    torch.autograd.gradcheck(function, data(smooth, inputs), fast_mode=True)
    torch.autograd.gradgradcheck(function, data(smooth, inputs), fast_mode=True)


def test_backward_twice_gives_the_same(smooth: Spec) -> None:
    inputs = given(smooth)
    result = call(smooth, inputs)
    first = pulled(smooth, inputs, result, retain_graph=True)
    first = [g.clone() for g in first]
    for a, b in zip(first, pulled(smooth, inputs, result), strict=True):
        close(a, b, rtol=1e-14, atol=1e-14)
    with pytest.raises(RuntimeError, match="second time"):
        pulled(smooth, inputs, result)


def test_a_changed_input_is_noticed(smooth: Spec, kernels: None) -> None:
    """Torch's own operations notice what they need: for cross-entropy that is not the input."""
    inputs = given(smooth, grad=False)
    leaf = inputs[smooth.differentiable[0]].clone().requires_grad_()
    x = leaf * 1
    result = call(smooth, {**inputs, smooth.differentiable[0]: x})
    if "softmax" in smooth.name and result.ndim:
        result.mul_(2)  # the gradient follows from the result
    else:
        with torch.no_grad():
            x.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()


def test_gradients_accumulate_and_hooks_run() -> None:
    x = torch.randn(4, 3, requires_grad=True)
    seen = []
    x.register_hook(lambda g: seen.append(g.clone()))
    for _ in range(2):
        barehand.cross_entropy(x, torch.tensor([0, 1, 2, 0])).backward()
    close(x.grad, seen[0] + seen[1])
    (3 * barehand.cross_entropy(x, torch.tensor([0, 1, 2, 0]))).backward()
    close(seen[2], 3 * seen[0])


def test_targets_and_masks_that_require_a_gradient_get_one() -> None:
    """The kernels have none for them; torch's operations take over."""
    x, q = torch.randn(4, 3, dtype=torch.float64), torch.rand(4, 3, dtype=torch.float64)
    q = q / q.sum(-1, keepdim=True)
    q.requires_grad_()
    ours, theirs = barehand.cross_entropy(x, q), torch.nn.functional.cross_entropy(x, q)
    close(torch.autograd.grad(ours, q), torch.autograd.grad(theirs, q))
    bias = torch.randn(4, 4, requires_grad=True)
    y = torch.randn(4, 3)
    ours = barehand.attention(y, y, y, mask=bias).square().sum()
    theirs = torch.nn.functional.scaled_dot_product_attention(y, y, y, attn_mask=bias).square().sum()
    close(torch.autograd.grad(ours, bias), torch.autograd.grad(theirs, bias))


def test_running_statistics_are_updated_and_the_update_is_noticed() -> None:
    x, mean, var = torch.randn(8, 3), torch.zeros(3), torch.ones(3)
    version = mean._version
    barehand.batch_norm(x, running_mean=mean, running_var=var)
    assert mean._version > version
    close(mean, 0.1 * x.mean(0))
    close(var, 0.9 + 0.1 * x.var(0))
    narrow = torch.zeros(3, dtype=torch.bfloat16), torch.ones(3, dtype=torch.bfloat16)
    barehand.batch_norm(x, running_mean=narrow[0], running_var=narrow[1])
    close(narrow[0], mean.bfloat16())
    with torch.inference_mode():
        inner = torch.zeros(3), torch.ones(3)
        barehand.batch_norm(x, running_mean=inner[0], running_var=inner[1])
    close(inner[0].clone(), mean)


def test_evaluation_remembers_the_statistics_it_used() -> None:
    x, mean, var = torch.randn(8, 3, requires_grad=True), torch.zeros(3), torch.ones(3)
    result = barehand.batch_norm(x, running_mean=mean, running_var=var, training=False)
    var.mul_(100)
    (g,) = torch.autograd.grad(result.sum(), x)
    close(g, torch.full_like(g, (1 + 1e-5) ** -0.5))


# Transforms, compilation, precision


def test_transforms(smooth: Spec) -> None:
    """vmap over two inputs, and the gradient as a function."""
    one, two = given(smooth, grad=False), given(smooth, seed=4, grad=False)
    names = [k for k, v in one.items() if isinstance(v, torch.Tensor)]

    def function(*values: Any) -> Any:
        return call(smooth, {**one, **dict(zip(names, values, strict=True))})

    both = torch.func.vmap(function)(*(torch.stack([one[k], two[k]]) for k in names))
    for got, inputs in zip(both, (one, two), strict=True):
        close(got, function(*(inputs[k] for k in names)))
    places = tuple(i for i, k in enumerate(names) if k in smooth.differentiable)
    found = torch.func.grad(lambda *v: function(*v).square().sum(), places)(*(one[k] for k in names))
    inputs = given(smooth)
    expected = torch.autograd.grad(call(smooth, inputs).square().sum(), [inputs[names[i]] for i in places])
    for a, b in zip(found, expected, strict=True):
        close(a, b)


def test_transforms_over_one_argument(smooth: Spec) -> None:
    """As for a gradient a sample: what differs is batched, the rest is shared."""
    inputs = given(smooth, grad=False)
    name = smooth.differentiable[0]
    several = torch.stack([inputs[name], 2 * inputs[name]])
    both = torch.func.vmap(lambda x: call(smooth, {**inputs, name: x}))(several)
    for got, x in zip(both, several, strict=True):
        close(got, call(smooth, {**inputs, name: x}))
    slope = torch.func.grad(lambda x: call(smooth, {**inputs, name: x}).square().sum())
    for got, x in zip(torch.func.vmap(slope)(several), several, strict=True):
        close(got, slope(x))


@pytest.mark.parametrize("function", [barehand.cross_entropy, barehand.softmax_focal_loss])
def test_gradients_of_single_rows(function: Any) -> None:
    """A row and its class, without a batch axis of their own."""
    x, t = torch.randn(4, 3), torch.tensor([0, 1, 2, -100])
    weight = {"weight" if function is barehand.cross_entropy else "alpha": torch.rand(3)}
    found = torch.func.vmap(torch.func.grad(lambda x, t: function(x, t, reduction="sum", **weight)))(x, t)
    x.requires_grad_()
    close(found, torch.autograd.grad(function(x, t, reduction="sum", **weight), x)[0])


def test_what_has_no_gradient_is_refused_to_transforms() -> None:
    y, s = torch.eye(2), torch.rand(2, 2)
    with pytest.raises(TypeError, match=r"roc_auc_score: torch.func's transforms do not reach this"):
        torch.func.vmap(barehand.roc_auc_score)(y, s)
    boxes = torch.rand(2, 3, 4)
    with pytest.raises(TypeError, match=r"nms: torch.func's transforms do not reach this"):
        torch.func.vmap(lambda b: barehand.nms(b, b[:, 0], iou_threshold=0.5))(boxes)


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints(reentrant: bool) -> None:
    from torch.utils.checkpoint import checkpoint

    x, t = torch.randn(4, 5, requires_grad=True), torch.arange(4)

    def function(x: Any) -> Any:
        return barehand.cross_entropy(barehand.layer_norm(barehand.softmax(x)), t)

    (expected,) = torch.autograd.grad(function(x), x)
    checkpoint(function, x, use_reentrant=reentrant).backward()
    close(x.grad, expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_compiled_whole(smooth: Spec) -> None:
    """One graph, forward and backward, and what it gives is what the call gives."""
    inputs = given(smooth)
    names = [k for k, v in inputs.items() if isinstance(v, torch.Tensor)]

    def function(*values: Any) -> Any:
        return call(smooth, {**inputs, **dict(zip(names, values, strict=True))})

    torch._dynamo.reset()
    compiled = torch.compile(function, backend="aot_eager", fullgraph=True)
    result, expected = compiled(*(inputs[k] for k in names)), function(*(inputs[k] for k in names))
    close(result, expected)
    for a, b in zip(pulled(smooth, inputs, result), pulled(smooth, inputs, expected), strict=True):
        close(a, b)
    with torch.no_grad():
        close(compiled(*(inputs[k] for k in names)), expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_compiled_for_any_size_and_option() -> None:
    def function(x: Any, t: Any, eps: float, smoothing: float, axis: int) -> Any:
        y = barehand.layer_norm(barehand.softmax(x, axis=axis), eps=eps)
        return barehand.cross_entropy(y, t, label_smoothing=smoothing)

    torch._dynamo.reset()
    compiled = torch.compile(function, backend="aot_eager", fullgraph=True, dynamic=True)
    for rows, classes, *options in (4, 5, 1e-5, 0.0, -1), (6, 7, 1e-3, 0.1, 0):
        x, t = torch.randn(rows, classes, requires_grad=True), torch.arange(rows) % classes
        result, expected = compiled(x, t, *options), function(x, t, *options)
        close(result, expected)
        close(torch.autograd.grad(result, x), torch.autograd.grad(expected, x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_compiled_under_autocast() -> None:
    x = torch.randn(4, 5, dtype=torch.bfloat16)
    torch._dynamo.reset()
    compiled = torch.compile(lambda x: barehand.attention(x, x, barehand.layer_norm(x)), backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16):
        assert barehand.layer_norm(x).dtype == torch.float32
        equal(compiled(x), barehand.attention(x, x, barehand.layer_norm(x)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_compiled_code_goes_round_metrics_and_suppression() -> None:
    """They stay outside the graph, which fullgraph=True refuses."""
    y, s, groups = torch.tensor([0, 1, 1, 0]), torch.rand(4), torch.tensor([0, 0, 1, 1])

    def function(b: Any) -> Any:
        s = (b * 2)[:, 0]
        areas = barehand.roc_auc_score(y, s), barehand.grouped_roc_auc_score(y, s, groups).value
        return *areas, barehand.roc_curve(y, s)[0], barehand.nms(b, s, iou_threshold=0.5)

    torch._dynamo.reset()
    boxes = torch.rand(4, 4)
    for got, expected in zip(torch.compile(function, backend="aot_eager")(boxes), function(boxes), strict=True):
        equal(got, expected)
    with pytest.raises(torch._dynamo.exc.Unsupported):
        torch.compile(barehand.roc_auc_score, backend="aot_eager", fullgraph=True)(y, s)


TURNED = torch.arange(20.0).reshape(5, 4).T  # the last axis is not the one that lies together in memory


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("operator", "call", "tensors", "options"),
    [
        ("call", "softmax(x)", [TURNED.contiguous()], {"axis": 0}),
        ("call", "layer_norm(x, weight)", [TURNED, torch.rand(5)], {"axis": -1, "eps": 1e-5}),
        ("call", "attention(query, key, value)", 3 * [TURNED], {"causal": False, "scale": None, "return_weights": 1}),
        ("call_with_gradients", "bpr_loss(positive_scores, negative_scores)", 2 * [TURNED], {"reduction": "mean"}),
    ],
)
def test_operators_keep_torchs_rules(operator: str, call: str, tensors: list[Any], options: dict[str, Any]) -> None:
    """What a compiled graph was told of types, shapes and strides is what it gets; nothing given is changed."""
    tensors = [t.detach().clone(memory_format=torch.preserve_format).requires_grad_() for t in tensors]
    getattr(barehand, call.partition("(")[0])  # loaded
    torch.library.opcheck(getattr(torch.ops.barehand, operator).default, (call, tensors, repr(options)))


def test_a_graph_from_elsewhere_finds_its_functions() -> None:
    """As an exported one does, where nothing has called the function before; and no large library is loaded for it."""
    script = (
        "import sys, torch, barehand as bh\n"
        "bh.roc_auc_score(torch.tensor([0, 1]), torch.tensor([0.1, 0.2]))\n"
        "bh.nms(torch.zeros(2, 4), torch.zeros(2), iou_threshold=0.5)\n"
        "bh.cross_entropy(torch.zeros(2, 4, requires_grad=True), torch.tensor([0, 1])).backward()\n"
        "print([m for m in ('sklearn', 'pandas', 'torch._dynamo', 'matplotlib') if m in sys.modules])\n"
        "print(torch.ops.barehand.call('softmax(x)', [torch.zeros(2, 4)], repr({'axis': -1}))[0].sum().item())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:2] == ["[]", "2.0"], done.stderr


def test_autocast(smooth: Spec) -> None:
    """Matrix products in the lower precision, norms and losses in float32, float64 as it is."""
    inputs = given(smooth, torch.bfloat16)
    products = "attention" in smooth.name
    with torch.autocast("cpu", torch.bfloat16):
        assert call(smooth, inputs).dtype == (torch.bfloat16 if products else torch.float32)
        result = call(smooth, given(smooth, torch.float32))
        assert result.dtype == (torch.bfloat16 if products else torch.float32)
        assert call(smooth, given(smooth)).dtype == torch.float64
    for x, g in zip(data(smooth, inputs), pulled(smooth, inputs, call(smooth, inputs)), strict=True):
        assert g.dtype == x.dtype


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_forward_differentiation(smooth: Spec) -> None:
    """By dual numbers and as a function: the slope along a direction is the gradient's product with it."""
    inputs = given(smooth)
    name = smooth.differentiable[0]
    along = torch.randn_like(inputs[name])
    result = call(smooth, inputs)
    g = torch.randn_like(result)
    expected = (torch.autograd.grad(result, inputs[name], g)[0] * along).sum()
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(inputs[name].detach(), along)
        slope = torch.autograd.forward_ad.unpack_dual(call(smooth, {**inputs, name: dual})).tangent
    close((slope * g).sum(), expected)
    slope = torch.func.jvp(lambda x: call(smooth, {**inputs, name: x}), (inputs[name].detach(),), (along,))[1]
    close((slope * g).sum(), expected)


@pytest.mark.filterwarnings("ignore")
def test_a_trace_holds_operations_and_no_numbers() -> None:
    function = torch.jit.trace(lambda x: barehand.softmax(x), (torch.zeros(2, 3),))
    x = torch.randn(2, 3)
    close(function(x), barehand.softmax(x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_compiled_target_that_requires_a_gradient_gets_one() -> None:
    x, q = torch.randn(4, 3), torch.full((4, 3), 1 / 3, requires_grad=True)
    torch._dynamo.reset()
    compiled = torch.compile(barehand.cross_entropy, backend="aot_eager", fullgraph=True)
    close(torch.autograd.grad(compiled(x, q), q), torch.autograd.grad(barehand.cross_entropy(x, q), q))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_compiled_norm_updates_its_statistics() -> None:
    x, eager = torch.randn(8, 3), (torch.zeros(3), torch.ones(3))
    running = torch.zeros(3), torch.ones(3)
    torch._dynamo.reset()
    compiled = torch.compile(
        lambda x, m, v: barehand.batch_norm(x, running_mean=m, running_var=v), backend="aot_eager", fullgraph=True
    )
    close(compiled(x, *running), barehand.batch_norm(x, running_mean=eager[0], running_var=eager[1]))
    close(running, eager)


def test_parameters_and_subclasses(smooth: Spec) -> None:
    class Marked(torch.Tensor):
        pass

    inputs, name = given(smooth), smooth.differentiable[0]
    expected = call(smooth, inputs)
    parameter = torch.nn.Parameter(inputs[name].detach())
    result = call(smooth, {**inputs, name: parameter})
    equal(result, expected)
    assert result.requires_grad
    close(call(smooth, {**inputs, name: inputs[name].detach().as_subclass(Marked)}).as_subclass(torch.Tensor), expected)


# Gradients that are to have gradients are the same gradients


def test_the_same_tensor_in_several_places_gets_each_gradient_once() -> None:
    x = torch.randn(2, 5, 4, dtype=torch.float64, requires_grad=True)
    y = torch.randn(2, 5, 4, dtype=torch.float64)
    w = torch.rand(4, dtype=torch.float64, requires_grad=True)
    boxes = torch.tensor([[0.0, 0, 2, 3], [1, 1, 4, 5]], dtype=torch.float64, requires_grad=True)
    for wanted, result in (
        (x, barehand.attention(x, x, x, causal=True)),
        (x, barehand.pairwise_margin_loss(x, y, x)),
        (x, barehand.bpr_loss(x, x * 1, reduction="none")),
        (w, barehand.layer_norm(y, w, w)),
        (boxes, barehand.pairwise_iou(boxes, boxes)),
        (boxes, barehand.iou(boxes, boxes + 0.1)),
    ):
        g = torch.randn_like(result)
        again = torch.autograd.grad(result, wanted, g, create_graph=True)[0]
        close(again.detach(), torch.autograd.grad(result, wanted, g)[0])


def test_many_cotangents_at_once(smooth: Spec) -> None:
    inputs = given(smooth)
    result = call(smooth, inputs)
    result = result[0] if isinstance(result, tuple) else result
    g = torch.randn(3, *result.shape, dtype=result.dtype, generator=torch.Generator().manual_seed(0))
    many = torch.autograd.grad(result, data(smooth, inputs), g, is_grads_batched=True, retain_graph=True)
    for i, one in enumerate(g):
        single = torch.autograd.grad(result, data(smooth, inputs), one, retain_graph=True)
        for left, right in zip(many, single, strict=True):
            close(left[i], right)


def test_nan_in_a_query_stays_there_under_a_transform() -> None:
    q = torch.randn(2, 1, 2, 5, 4)
    q[0, 0, 0, 1, 2] = torch.nan
    ones = torch.ones_like
    found = torch.func.vmap(lambda q: barehand.attention(q, ones(q), ones(q)))(q)
    assert found[0, 0, 0, 1].isnan().all()
    assert found.isnan().sum() == 4


def test_a_transform_inside_compiled_code() -> None:
    x = torch.randn(4, 5)

    def function(x: Any) -> Any:
        return torch.func.vmap(barehand.softmax)(x)

    close(torch.compile(function, backend="aot_eager", fullgraph=True)(x), torch.softmax(x, -1))


def test_a_mode_that_records_operations_finds_them() -> None:
    from torch.fx.experimental.proxy_tensor import make_fx

    traced = make_fx(lambda x: barehand.softmax(x))(torch.randn(3, 4))
    x = torch.randn(3, 4)
    close(traced(x), torch.softmax(x, -1))


def test_an_option_may_be_a_tensor_of_one_number() -> None:
    x = torch.randn(300, 300)
    close(barehand.layer_norm(x, eps=torch.tensor(1e-3)), barehand.layer_norm(x, eps=1e-3))
    close(barehand.bpr_loss(x, x.flip(0)), barehand.bpr_loss(x, x.flip(0)))
    with pytest.raises(TypeError, match="alpha is a ndarray beside tensors"):
        barehand.softmax_focal_loss(x, torch.zeros(300, dtype=torch.int64), alpha=np.ones(300))
