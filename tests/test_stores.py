"""Writing past the caches: every element in its place, and nothing beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import barehand as bh
from barehand.core.jit import kernel
from barehand.core.stores import LARGE, past_caches, publish


@kernel
def written(x: Any, y: Any) -> None:
    """y = x past the caches."""
    past_caches(x, y)
    publish()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, 7, 16, 17, 63, 64, 1000])
@pytest.mark.parametrize("start", [0, 1, 5, 16])
def test_every_element_and_none_beside(start: int, size: int, kind: type) -> None:
    x = np.random.default_rng(0).standard_normal(size + 3).astype(kind)[3:]
    room = np.full(start + size + 40, -1, kind)
    written(x, room[start : start + size])
    np.testing.assert_array_equal(room[start : start + size], x)
    assert (room[:start] == -1).all()
    assert (room[start + size :] == -1).all()


@pytest.mark.parametrize("kind", ["iou", "giou"])
def test_a_large_result_is_that_of_its_parts(kind: str) -> None:
    corners = np.random.default_rng(0).random((8001, 4), dtype=np.float32)
    boxes = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], axis=1)
    a, b = boxes[:4000], boxes[4000:]  # rows of 4001: each begins elsewhere in a line
    part = bh.pairwise_iou(a, b, kind=kind)  # type: ignore[arg-type]
    assert part.nbytes < LARGE < 2 * part.nbytes
    whole = bh.pairwise_iou(np.concatenate([a, a]), b, kind=kind)  # type: ignore[arg-type]
    np.testing.assert_array_equal(whole, np.concatenate([part, part]))
