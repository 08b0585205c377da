"""Edges that no spec case covers, each once wrong: overflow in rescue paths, aliasing, odd types, stray warnings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import barehand as bh
from barehand import vjp

F4, F2, INF = np.float32, np.float16, np.inf


@pytest.mark.parametrize("size", [1e19, 1e30, 1e37])
@pytest.mark.parametrize("shape", [(4, 1), (1, 1, 4), (2, 1, 2)])
def test_norms_of_values_whose_squares_overflow(size: float, shape: tuple[int, ...]) -> None:
    x = (size * np.array([1, -1, 1, -1], F4)).astype(F4)
    np.testing.assert_allclose(bh.batch_norm(x.reshape(shape)).ravel(), [1, -1, 1, -1], rtol=1e-6)
    np.testing.assert_allclose(bh.layer_norm(np.tile(x, 50)), np.tile([1, -1, 1, -1], 50), rtol=1e-6)


def test_norms_without_eps() -> None:
    x = np.array([1e-25, -1e-25, 3e-25], F4)
    np.testing.assert_allclose(bh.layer_norm(x, eps=0), [0, -1.2247449, 1.2247449], atol=1e-6)
    np.testing.assert_allclose(bh.batch_norm(x[:, None], eps=0).ravel(), [0, -1.2247449, 1.2247449], atol=1e-6)
    np.testing.assert_array_equal(bh.layer_norm([2.0, 2.0], eps=0), [0, 0])
    np.testing.assert_array_equal(bh.batch_norm([[2.0], [2.0]], eps=0), [[0], [0]])


def test_no_kernel_widens_with_float() -> None:
    """Inside a kernel float(x) of a float32 is a float32; np.float64(x) is what was meant."""
    root = Path(bh.__file__).parent
    for path in [*root.glob("blocks/*/cpu.py"), root / "core" / "rows.py"]:
        assert not re.search(r"(?<![\w.])float\(", path.read_text()), path


def test_distances_beyond_the_type() -> None:
    a, p, n = (np.array([[v]], F4) for v in (2e38, -2e38, -1.9e38))
    np.testing.assert_allclose(bh.pairwise_margin_loss(a, p, n), 1e37, rtol=1e-5)
    value, gradients = vjp.contrastive_loss(np.array([[2e38, 0]], F4), np.array([[-2e38, 0]], F4), [0], with_value=True)
    assert value == 0
    assert not np.any(gradients)


def test_infinite_logits() -> None:
    assert np.isnan(bh.cross_entropy([[INF, 0.0]], [0]))
    assert np.isnan(bh.cross_entropy([[INF, 0.0]], [[0.0, 0.0]]))
    assert np.isnan(bh.softmax_focal_loss([[INF, 0.0]], [0]))
    assert bh.focal_loss([INF, -INF], [1, 0]) == 0
    assert bh.cross_entropy([[-INF, 0.0], [1.0, 2.0]], [0, 1], weight=[0.0, 1.0]) == pytest.approx(0.3132617)


def test_labels_beyond_int64_are_no_classes() -> None:
    for function in (bh.cross_entropy, bh.softmax_focal_loss):
        with pytest.raises(ValueError, match="target holds 18446744073709551516"):
            function(np.zeros((2, 2)), np.array([2**64 - 100, 1], np.uint64))
        assert function(np.zeros((1, 2)), [0], ignore_index=2**70) > 0
        with pytest.raises(TypeError, match=r"ignore_index must be an integer, not -100\.0"):
            function(np.zeros((1, 2)), [0], ignore_index=-100.0)
    with pytest.raises(ValueError, match="target holds 18446744073709551615"):
        bh.focal_loss([0.0], np.array([2**64 - 1], np.uint64))


def test_what_is_ignored_may_hold_anything() -> None:
    p = np.array([[np.nan, 7.0], [0.25, 0.75]])
    assert bh.cross_entropy(p, [-100, 1], from_probabilities=True) == pytest.approx(-np.log(0.75))
    np.testing.assert_array_equal(vjp.cross_entropy(p, [-100, 1], from_probabilities=True)[0][0], [0, 0])


def test_out_may_share_memory_with_a_parameter() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    for function in (bh.layer_norm, bh.batch_norm):
        expected = function(x, np.array([2.0, 2.0]))
        o = np.full((2, 2), 2.0)
        np.testing.assert_array_equal(function(x, o[0], out=o), expected)


def test_soft_targets_are_not_rounded_to_half() -> None:
    n = 3_000_000
    loss = bh.cross_entropy(np.zeros((1, n), F2), np.full((1, n), 1 / n))
    assert loss == pytest.approx(np.log(n), rel=1e-3)


def test_long_softmax_gradients_keep_their_digits() -> None:
    n = 2_000_000
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal(n, F4), (0.1 + 1e-3 * rng.standard_normal(n)).astype(F4)
    (dx,) = vjp.log_softmax(x, cotangent=g)
    p = np.exp(x.astype(float) - np.log(np.exp(x.astype(float)).sum()))
    wide = g.astype(float)
    total = wide.sum()
    error = np.abs(dx - (wide - p * total)) / (np.finfo(F4).eps * (np.abs(wide) + p * (1 - np.log(p)) * total))
    assert error.max() <= 8


@pytest.mark.parametrize("call", [
    lambda: vjp.softmax(3.0), lambda: vjp.log_softmax(3.0), lambda: vjp.bpr_loss(0.0, 1.0, reduction="none"),
    lambda: vjp.focal_loss(0.0, 1, reduction="none"),
])  # fmt: skip
def test_a_number_needs_no_cotangent(call: Any) -> None:
    assert all(np.ndim(g) == 0 for g in call())


def test_leaving_the_range_of_half_is_silent() -> None:
    """Warnings are errors here: an infinity is the right answer in float16, and no warning comes with it."""
    assert bh.log_softmax(np.array([6e4, -6e4], F2))[1] == -INF
    assert bh.cross_entropy(np.array([[6e4, -6e4]], F2), [1], reduction="none")[0] == INF
    assert bh.contrastive_loss(np.array([[300.0]], F2), np.array([[0.0]], F2), [1], reduction="none")[0] == INF
    assert bh.layer_norm(np.array([1.0, 2.0], F2), np.array([6e4, 6e4], F2), np.array([6e4, 6e4], F2))[1] == INF


@pytest.mark.parametrize(("call", "error", "says"), [
    (lambda: bh.layer_norm([1.0, 2.0], eps="1e-5"), TypeError, "eps must be a number, not '1e-5'"),
    (lambda: bh.layer_norm([1.0, 2.0], eps=True), TypeError, "eps must be a number, not True"),
    (lambda: bh.layer_norm([1.0, 2.0], eps=10**400), ValueError, "eps is 1000"),
    (lambda: bh.softmax([1.0], axis=np.array([0])), TypeError, "axis must be an integer"),
    (lambda: bh.bpr_loss([1.0], [2.0], reduction=np.array(["mean"])), ValueError, "reduction is array"),
    (lambda: bh.batch_norm(np.eye(2), training=np.array([1, 0])), TypeError, "training must be True or False"),
    (lambda: bh.softmax_focal_loss(np.eye(2), [0, 1], alpha="x"), TypeError, "alpha is 'x'"),
    (lambda: bh.softmax_focal_loss(np.empty((1, 0)), [0]), ValueError, "have no classes"),
    (lambda: bh.focal_loss([0.0], [1], alpha="x"), TypeError, "alpha must be a number, not 'x'"),
    (lambda: bh.focal_loss([0.0], [1], gamma=1e39), ValueError, "gamma is 1e"),
    (lambda: bh.softmax(np.ma.array([1.0, 1e9], mask=[0, 1])), TypeError, "x is a masked array"),
    (lambda: bh.batch_norm(np.eye(2), running_mean=[0, 0], running_var=[1, 1]), TypeError, "running_mean is a list"),
])  # fmt: skip
def test_odd_arguments_are_refused_in_words(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


def test_results_too_small_for_their_type_raise_nothing() -> None:
    with np.errstate(all="raise"):
        bh.softmax(np.array([0, -20, -30], np.float16))
        bh.cross_entropy(np.array([[10, -20]], np.float16), [0])
        bh.vjp.iou(np.float16([0, 0, 60, 60]), np.float16([1, 0, 9, 9]))
        statistics = {"running_mean": np.zeros(1, np.float16), "running_var": np.ones(1, np.float16)}
        bh.batch_norm(np.float16([[1e-7], [0]]), **statistics, momentum=0.1)
        tiny = np.full(2, 1e-38, np.float32)
        bh.vjp.focal_loss(tiny, [0, 1], reduction="none", cotangent=tiny)


def test_a_gradient_asks_for_no_writable_statistics() -> None:
    x, mean, var = np.arange(6.0).reshape(3, 2), np.zeros(2), np.ones(2)
    for running in (mean, var):
        running.flags.writeable = False
    bh.vjp.batch_norm(x, running_mean=mean, running_var=var, cotangent=x, with_value=True)
    with pytest.raises(ValueError, match="running_mean is read-only and training updates it"):
        bh.batch_norm(x, running_mean=mean, running_var=var)


def test_words_as_numpy_holds_them() -> None:
    assert bh.bpr_loss([1.0], [2.0], reduction=np.str_("sum")) == bh.bpr_loss([1.0], [2.0], reduction="sum")


def test_a_bound_from_above_is_said() -> None:
    with pytest.raises(ValueError, match=r"max_fpr is 1\.5; use a finite number above 0 and at most 1"):
        bh.roc_auc_score([0, 1], [0.1, 0.2], max_fpr=1.5)
