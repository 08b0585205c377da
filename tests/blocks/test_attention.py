"""Attention beyond the spec: tiles, memory, BLAS threads, torch's module, and the ONNX operator's tests."""

from __future__ import annotations

import tracemalloc
import warnings
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

from barehand import set_num_threads
from barehand.blocks import attention as block
from barehand.blocks.attention import AttentionWeights, attention, multi_head_attention, tiles, vjp
from barehand.blocks.attention.spec import SPECS
from barehand.core.blas import _controls, one_thread
from barehand.core.spec import Spec
from barehand.core.threads import get_num_threads
from barehand.judge.grading import Candidate, differences, examine


def drawn(*shape: int, seed: int = 0, count: int = 3, dtype: Any = np.float32) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for _ in range(count)]


def exact(q: Any, k: Any, v: Any, seen: Any = True) -> Any:
    """In float64 by the plain formula; every row sees something."""
    s = np.where(seen, q.astype(np.float64) @ k.astype(np.float64).swapaxes(-1, -2) / q.shape[-1] ** 0.5, -np.inf)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


# Tiles


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.name)
def test_small_tiles_change_nothing(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case of the spec through many tiles: two queries against three keys at a time."""
    for name, value in {
        "_QUERIES": 2, "_CAUSAL_QUERIES": 2, "_KEYS": 3, "_BACKWARD": 8, "_FEWEST_QUERIES": 2, "_SMALL": 0, "_TASKS": 3,
    }.items():  # fmt: skip
        monkeypatch.setattr(tiles, name, value)
    report = examine(spec, Candidate("tiles", getattr(block, spec.name), getattr(vjp, spec.name), strict=True))
    assert report.passed
    assert not report.findings, "\n".join(differences(report))


@pytest.mark.parametrize(
    ("queries", "keys", "causal"), [(600, 1300, False), (600, 1300, "bottom_right"), (700, 700, True)]
)
def test_many_tiles(queries: int, keys: int, causal: Any) -> None:
    q, (k, v) = drawn(1, queries, 16, count=1)[0], drawn(1, keys, 16, seed=1, count=2)
    seen = np.tri(queries, keys, keys - queries, dtype=bool) if causal else True
    expected = exact(q, k, v, seen)
    np.testing.assert_allclose(attention(q, k, v, causal=causal), expected, atol=2e-6)
    g = drawn(1, queries, 16, seed=2, count=1)[0]
    value, gradients = vjp.attention(q, k, v, causal=causal, cotangent=g, with_value=True)
    np.testing.assert_allclose(value, expected, atol=2e-6)
    wide = vjp.attention(*(x.astype(np.float64) for x in (q, k, v)), causal=causal, cotangent=g.astype(np.float64))
    for narrow, reference in zip(gradients, wide, strict=True):
        np.testing.assert_allclose(narrow, reference, atol=2e-5)


def test_the_gradient_is_the_slope() -> None:
    """Central differences in float64, through tiles, mask and projections."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 5, 4))
    w = AttentionWeights(*(rng.standard_normal((4, 4)) for _ in range(4)), *rng.standard_normal((4, 4)))
    g, step = rng.standard_normal((2, 5, 4)), 1e-6
    given: dict[str, Any] = {"num_heads": 2, "mask": np.tri(5, dtype=bool)}
    *_, pulled = vjp.multi_head_attention(x, x, x, w, **given, cotangent=g)
    for name in ("w_q", "w_k", "w_v", "w_o", "b_q", "b_v", "b_o"):
        direction = rng.standard_normal(getattr(w, name).shape)
        ends = (
            multi_head_attention(x, x, x, w._replace(**{name: getattr(w, name) + sign * step * direction}), **given)
            for sign in (1, -1)
        )
        there, back = ends
        slope = np.sum(g * (there - back)) / (2 * step)
        assert np.sum(getattr(pulled, name) * direction) == pytest.approx(slope, rel=1e-6, abs=1e-8)


# Memory and threads


def test_memory_grows_with_the_length_and_not_with_its_square() -> None:
    q, k, v = drawn(4, 4096, 16)
    attention(q[:, :64], k, v)  # what is made once
    tracemalloc.start()
    result = attention(q, k, v)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < result.nbytes + (24 << 20)  # all scores would be 256 MB


def test_the_threads_change_no_bit() -> None:
    before = get_num_threads()
    q, k, v = drawn(3, 700, 32)
    results = []
    try:
        for n in (1, 2, 3):
            set_num_threads(n)
            results.append((attention(q, k, v, causal=True), *vjp.attention(q, k, v, cotangent=v)))
    finally:
        set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_blas_gets_its_threads_back() -> None:
    controls = _controls()
    if controls is None:
        pytest.skip("NumPy's BLAS here has no setting for its threads")
    read, write = controls
    before = read()
    try:
        write(2)
        with one_thread:
            with one_thread:
                assert read() == 1
            assert read() == 1
        assert read() == 2
    finally:
        write(before)


# One for None, and pairs


def test_a_cotangent_for_the_weights_alone() -> None:
    q, k, v = drawn(2, 4, 3, dtype=np.float64)
    given = {"return_weights": True}
    g, gp = drawn(2, 4, 3, seed=1, count=1, dtype=np.float64)[0], drawn(2, 4, 4, seed=2, count=1, dtype=np.float64)[0]
    both = vjp.attention(q, k, v, **given, cotangent=(g, gp))
    first = vjp.attention(q, k, v, **given, cotangent=(g, None))
    second = vjp.attention(q, k, v, **given, cotangent=(None, gp))
    for a, b, c in zip(both, first, second, strict=True):
        np.testing.assert_allclose(a, b + c, atol=1e-14)
    for wrong in (g, (None, None), (g,)):
        with pytest.raises(ValueError, match="the cotangent is a pair"):
            vjp.attention(q, k, v, **given, cotangent=wrong)


def test_weights_of_another_kind_are_refused() -> None:
    x = np.ones((3, 4))
    for wrong in (np.ones((4, 4)), [np.eye(4)] * 4, (np.eye(4),) * 2):
        with pytest.raises(TypeError, match="not AttentionWeights"):
            multi_head_attention(x, x, x, wrong, num_heads=2)  # type: ignore[arg-type]


def test_the_weights_of_torch_s_module() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.manual_seed(0)
    module = torch.nn.MultiheadAttention(12, 3, batch_first=True).double()
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    hidden = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
    expected, each = module(x, x, x, attn_mask=hidden, average_attn_weights=False)
    in_w, in_b = module.in_proj_weight.detach().numpy(), module.in_proj_bias.detach().numpy()
    out = module.out_proj
    w = AttentionWeights(*np.split(in_w, 3), out.weight.detach().numpy(), *np.split(in_b, 3), out.bias.detach().numpy())
    given: dict[str, Any] = {"num_heads": 3, "causal": True, "return_weights": True}
    ours, weights = multi_head_attention(x.numpy(), x.numpy(), x.numpy(), w, **given)
    np.testing.assert_allclose(ours, expected.detach().numpy(), atol=1e-13)
    np.testing.assert_allclose(weights, each.detach().numpy(), atol=1e-13)


# ONNX


@cache
def onnx_cases() -> tuple[Any, ...]:
    pytest.importorskip("onnx", reason="onnx is not installed")
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the suite divides by zero on purpose elsewhere
        found = load_model_tests(kind="node")
    return tuple(c for c in found if [n.op_type for n in c.model.graph.node] == ["Attention"])


def inexpressible(node: Any, options: dict[str, Any], inputs: list[Any]) -> str | None:
    """Why our signature cannot say what the case asks for; None where it can."""
    names = dict(enumerate(node.input))
    if inputs[0].dtype.char not in "efd":
        return "bfloat16: NumPy has none"
    if options.get("softcap"):
        return "softcap: ours bends no scores"
    if names.get(4) or names.get(5):
        return "past keys and values: ours keeps no cache"
    if names.get(6) and options.get("is_causal", 0):
        return "causal from each sequence's own length: ours aligns all alike"
    if options.get("qk_matmul_output_mode", 0) != 3 and len(node.output) > 3 and node.output[3]:
        return "scores as an output: ours returns the weights"
    return None


def joined(options: dict[str, Any], given: dict[str, Any], queries: int, keys: int) -> Any:
    """Mask, window and lengths as one mask."""
    ahead = np.arange(keys) - np.arange(queries)[:, None]
    left, right = options.get("left_window_size", -1), options.get("right_window_size", -1)
    seen = ((left < 0) | (ahead >= -left)) & ((right < 0) | (ahead <= right))
    lengths, mask = given.get("nonpad_kv_seqlen"), given.get("attn_mask")
    if lengths is not None:
        seen = seen & (np.arange(keys) < lengths[:, None, None, None])
    if mask is None:
        return seen
    short = [(0, 0)] * (mask.ndim - 1) + [(0, keys - mask.shape[-1])]  # keys that a mask does not reach are hidden
    if mask.dtype == bool:
        return np.pad(mask, short) & seen
    return np.where(seen, np.pad(mask, short, constant_values=-np.inf), -np.inf)


def answer(node: Any, options: dict[str, Any], inputs: list[Any], wanted: int) -> list[Any]:
    """Our results in the order of the operator's outputs."""
    given = dict(zip(filter(None, node.input), inputs, strict=True))
    q, k, v = (given[n] for n in "QKV")
    flat = q.ndim == 3
    if flat:  # (N, L, heads d)
        heads, kv = options["q_num_heads"], options["kv_num_heads"]
        q, k, v = (x.reshape(*x.shape[:2], n, -1).swapaxes(1, 2) for x, n in ((q, heads), (k, kv), (v, kv)))
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], axis=1) for x in (k, v))  # heads that share keys
    mask = joined(options, given, q.shape[-2], k.shape[-2])
    causal = "top_left" if options.get("is_causal", 0) else False
    y, p = attention(q, k, v, mask=mask, causal=causal, scale=options.get("scale"), return_weights=True)
    y = y.swapaxes(1, 2).reshape(len(y), y.shape[2], -1) if flat else y
    return [y, p] if wanted > 1 else [y]


def test_onnx_attention() -> None:
    import onnx

    ran, skipped = 0, Counter[str]()
    for case in onnx_cases():
        node = case.model.graph.node[0]
        options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        reason = inexpressible(node, options, list(case.data_sets[0][0]))
        if reason is not None:
            skipped[reason] += 1
            continue
        for inputs, expected in case.data_sets:
            for ours, theirs in zip(answer(node, options, list(inputs), len(expected)), expected, strict=True):
                assert ours.shape == theirs.shape, case.name
                np.testing.assert_allclose(ours, theirs, rtol=case.rtol, atol=case.atol, err_msg=case.name)
        ran += 1
    print(ran, dict(skipped))
    assert ran >= 45
    assert set(skipped) == {
        "bfloat16: NumPy has none",
        "softcap: ours bends no scores",
        "past keys and values: ours keeps no cache",
        "causal from each sequence's own length: ours aligns all alike",
        "scores as an output: ours returns the weights",
    }
