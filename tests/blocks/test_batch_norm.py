"""Batch norm of (N, C): its sums run around a mean guessed from the first rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import barehand as bh
from barehand import vjp

CASES = {"near": 1.0, "far": 100.0, "a million off": 1e6}


@pytest.mark.parametrize("far", CASES.values(), ids=CASES)
@pytest.mark.parametrize("rows", [1500, 1_000_000])
def test_the_first_rows_may_lie_far_from_the_rest(far: float, rows: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, 3)).astype(np.float32)
    x[:1024, :2] += np.float32(far)
    g = rng.standard_normal(x.shape).astype(np.float32)
    wide = x.astype(np.longdouble)
    spread = wide.std(axis=0)
    xhat = (wide - wide.mean(axis=0)) / spread
    y, (dx,) = vjp.batch_norm(x, eps=0.0, cotangent=g, with_value=True)
    np.testing.assert_array_equal(bh.batch_norm(x, eps=0.0), y)
    eps = np.finfo(np.float32).eps
    assert np.abs(y - xhat).max() <= 4 * eps * np.abs(xhat).max()
    expected = (g - g.mean(axis=0, dtype=np.longdouble) - xhat * (g * xhat).mean(axis=0)) / spread
    scale = (np.abs(g) + np.abs(xhat) * np.abs(g * xhat).mean(axis=0)) / spread
    assert (np.abs(dx - expected) / scale).max() <= 4 * eps


@pytest.mark.parametrize("shape", [(2, 1), (1024, 3), (1025, 3), (5000, 700), (3, 200_000)])
def test_the_same_whatever_the_threads(shape: tuple[int, int]) -> None:
    x = np.random.default_rng(1).normal(3, 2, shape).astype(np.float32)
    found: list[Any] = []
    before = bh.get_num_threads()
    try:
        for count in (1, 3):
            bh.set_num_threads(count)
            found.append((bh.batch_norm(x), *vjp.batch_norm(x, cotangent=x)))
    finally:
        bh.set_num_threads(before)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
