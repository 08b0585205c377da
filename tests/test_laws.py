"""The laws of every spec, on inputs that hypothesis makes up and shrinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import barehand
from barehand.blocks import public, specs
from barehand.core.compare import error_in_eps
from barehand.core.spec import FULL, Law, Spec, cast, wider

LAWS = [pytest.param(s, law, id=f"{s.name}-{law.name}") for s in specs().values() for law in s.laws]


@pytest.mark.parametrize(("spec", "law"), LAWS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from(FULL))
def test_law_holds(spec: Spec, law: Law, seed: int, dtype: Any) -> None:
    inputs = cast(law.make(np.random.default_rng(seed)), dtype)
    left, right, scale = law.sides(lambda changed: spec.run(public(spec.name), changed), inputs)
    kind = spec.result_dtype or dtype
    error = error_in_eps(np.asarray(left, kind), np.asarray(right, wider(kind)), scale, kind)
    assert np.max(error, initial=0.0) <= 2 * spec.accuracy


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(0, 6), min_size=1, max_size=4).map(tuple),
    axis=st.integers(-4, 3),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
)
def test_softmax_of_any_shape_and_axis(shape: tuple[int, ...], axis: int, seed: int, dtype: Any) -> None:
    x = np.random.default_rng(seed).normal(0, 5, shape).astype(dtype)
    if not -len(shape) <= axis < len(shape):
        with pytest.raises(ValueError, match="does not exist"):
            barehand.softmax(x, axis=axis)
        return
    p = barehand.softmax(x, axis=axis)
    assert p.shape == shape
    assert p.dtype == dtype
    assert ((p >= 0) & (p <= 1)).all()
    if x.size:
        np.testing.assert_allclose(p.astype(np.float64).sum(axis=axis), 1, rtol=8 * float(np.finfo(dtype).eps))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 5),
    n=st.integers(2, 40),
    mean=st.floats(-1e4, 1e4),
    spread=st.floats(1e-2, 1e3),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_layer_normalised_row_has_mean_zero_and_variance_one(
    rows: int, n: int, mean: float, spread: float, seed: int
) -> None:
    x = np.random.default_rng(seed).normal(mean, spread, (rows, n))
    y = barehand.layer_norm(x, eps=0.0)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-13 * n)
    np.testing.assert_allclose(y.var(axis=1), 1, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(logits=st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=12), data=st.data())
def test_cross_entropy_is_never_negative_and_its_gradient_sums_to_zero(
    logits: list[float], data: st.DataObject
) -> None:
    label = data.draw(st.integers(0, len(logits) - 1))
    loss, (gradient,) = barehand.vjp.cross_entropy([logits], [label], with_value=True)
    assert 0 <= loss < np.inf
    assert abs(gradient.sum()) <= 1e-14
    assert gradient[0, label] <= 0
