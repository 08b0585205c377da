"""The kernels' own exp, log1p and log, within 2 units in the last place of 40-digit arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numba
import numpy as np
import pytest

from barehand.core import numeric

mpmath.mp.dps = 40


def over(function: Any) -> Callable[[Any], Any]:
    @numba.njit
    def each(x: Any) -> Any:
        y = np.empty_like(x)
        for i in range(x.size):
            y[i] = function(x[i])
        return y

    return each


def ulps(function: Any, exact: Callable[[Any], Any], x: Any) -> float:
    worst = 0.0
    for given, got in zip(x, over(function)(x), strict=True):
        right = exact(mpmath.mpf(float(given)))
        unit = np.spacing(np.abs(x.dtype.type(float(right))))
        worst = max(worst, float(abs(mpmath.mpf(float(got)) - right) / mpmath.mpf(float(unit))))
    return worst


@pytest.mark.parametrize(("dtype", "lowest"), [(np.float32, -87.3), (np.float64, -708.3)])
def test_exp_log1p_log_within_two_ulp(dtype: Any, lowest: float) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(lowest, 0, 4000), -np.exp(rng.uniform(-30, 0, 2000))]).astype(dtype)
    assert ulps(numeric.exp_nonpositive, mpmath.exp, x) <= 2
    u = np.exp(rng.uniform(-60, 0, 5000)).astype(dtype)
    assert ulps(numeric.log1p_unit, mpmath.log1p, u) <= 2
    q = np.concatenate([np.exp(rng.uniform(lowest, 0, 4000)), 1 - np.exp(rng.uniform(-12, -1, 2000))]).astype(dtype)
    assert ulps(numeric.log_unit, mpmath.log, q) <= 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_edges(dtype: Any) -> None:
    edges = np.array([0.0, -0.0, -np.inf, np.nan, -1e4, -1e-30], dtype)
    np.testing.assert_array_equal(over(numeric.exp_nonpositive)(edges), np.array([1, 1, 0, np.nan, 0, 1], dtype))
    edges = np.array([0.0, np.nan, 1.0], dtype)
    np.testing.assert_array_equal(over(numeric.log_unit)(edges), np.array([-np.inf, np.nan, 0], dtype))
    assert np.isnan(over(numeric.log1p_unit)(np.array([np.nan], dtype))[0])


def test_outside_a_kernel_they_say_so() -> None:
    for function in (numeric.exp_nonpositive, numeric.log1p_unit, numeric.log_unit):
        with pytest.raises(TypeError, match="inside a kernel"):
            function(0.0)
