"""Memory used again: never while anybody looks at it, and never more of it than was agreed."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import barehand as bh
from barehand import vjp
from barehand.core import memory

F4 = np.dtype(np.float32)
SHAPE = (1024, 1024)


@pytest.fixture(autouse=True)
def _empty_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_free", {})


def address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def test_the_same_memory_comes_back_once_nobody_looks() -> None:
    a = memory.empty(SHAPE, F4)
    place = address(a)
    view = a[3:, ::2]
    del a
    gc.collect()
    b = memory.empty(SHAPE, F4)
    assert address(b) != place  # a view still looks at it
    del view
    gc.collect()
    assert address(memory.empty(SHAPE, F4)) == place


def test_results_are_not_overwritten_by_later_ones() -> None:
    x = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    first = bh.softmax(x)
    kept = first.copy()
    for _ in range(5):
        bh.softmax(x * 2)
    np.testing.assert_array_equal(first, kept)


def test_it_is_like_an_ordinary_array() -> None:
    a = memory.empty((300, 1000), np.dtype(np.float64))
    assert type(a) is np.ndarray
    assert a.flags.carray
    assert a.shape == (300, 1000)
    assert a.dtype == np.float64
    assert address(a) % 4096 == 0
    a[:] = 1
    assert a.sum() == 300_000


def test_small_results_are_left_to_numpy() -> None:
    assert memory.empty((10, 10), F4).flags.owndata


def test_the_store_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_most", 8 << 20)
    arrays = [memory.empty(SHAPE, F4) for _ in range(6)]
    del arrays
    gc.collect()
    assert sum(size * len(blocks) for size, blocks in memory._free.items()) <= 8 << 20
    monkeypatch.setattr(memory, "_most", 0)
    assert memory.empty(SHAPE, F4).flags.owndata


def test_sizes_no_longer_used_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_most", 12 << 20)
    memory.empty((2 << 20,), F4)  # 8 MB, never asked for again
    for _ in range(2):
        a, b = memory.empty(SHAPE, F4), memory.empty(SHAPE, F4)
        places = {address(a), address(b)}
        del a, b
        gc.collect()
    a, b = memory.empty(SHAPE, F4), memory.empty(SHAPE, F4)
    assert {address(a), address(b)} == places
    memory.empty((4 << 20,), F4)  # more than there is room for: it drives nothing out
    del a, b
    gc.collect()
    assert sum(size * len(blocks) for size, blocks in memory._free.items()) == 8 << 20


@pytest.mark.parametrize(
    ("value", "says"), [("0", "ok"), ("64", "ok"), ("-1", "BAREHAND_KEEP_MB is '-1'"), ("x", "'x'")]
)
def test_the_environment_variable(value: str, says: str) -> None:
    script = "import numpy as np, barehand as bh; bh.softmax(np.zeros((2, 2))); print('ok')"
    environment = os.environ | {"BAREHAND_KEEP_MB": value}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    assert says in done.stdout + done.stderr


@pytest.mark.parametrize("kind", [np.float32, np.uint8, bool, np.int32, np.float64])
def test_focal_value_and_gradient_need_little_more_than_the_gradient(kind: Any) -> None:
    """1e7 float32 logits: 40 MB of gradient, and at most 5 MB besides."""
    x = np.random.default_rng(0).standard_normal(10**7, np.float32)
    t = (x > 1).astype(kind)
    vjp.focal_loss(x[:10], t[:10], with_value=True)  # compiled before anything is counted
    tracemalloc.start()
    try:
        vjp.focal_loss(x, t, with_value=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 40e6 <= peak <= 45e6


def test_idle_threads_hold_nobodys_arrays() -> None:
    before = bh.get_num_threads()
    bh.set_num_threads(2)
    try:
        for _ in range(20):  # until both threads took part
            x = np.zeros((2048, 512), np.float32)
            bh.softmax(x)
        alive = weakref.ref(x)
        del x
        end = time.perf_counter() + 5
        while alive() is not None and time.perf_counter() < end:
            time.sleep(0.01)
    finally:
        bh.set_num_threads(before)
    assert alive() is None
