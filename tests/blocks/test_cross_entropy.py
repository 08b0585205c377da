"""What the spec cannot say of cross-entropy: relative accuracy where the loss itself is tiny."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import barehand as bh
from barehand import vjp


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_confident_right_row_keeps_its_digits(dtype: Any) -> None:
    gaps = np.array([1.0, 5.0, 20.0, 40.0, 80.0])
    logits = np.zeros((5, 3), dtype)
    logits[:, 1] = gaps
    losses, (gradient,) = vjp.cross_entropy(
        logits, [1] * 5, reduction="none", cotangent=np.ones(5, dtype), with_value=True
    )
    others = 2 * np.exp(-gaps.astype(np.longdouble))
    eps = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(losses, np.log1p(others), rtol=eps)
    np.testing.assert_allclose(gradient[:, 1], -others / (1 + others), rtol=eps)
    focal = bh.softmax_focal_loss(logits, [1] * 5, gamma=1.0, reduction="none")
    missed = others / (1 + others)
    np.testing.assert_allclose(focal, np.log1p(others) * missed, rtol=2 * eps, atol=np.finfo(dtype).smallest_normal)


def test_a_label_that_ignore_index_makes_a_class() -> None:
    """ignore_index may be one of the classes; its rows then count for nothing."""
    logits = np.array([[1.0, 2.0], [3.0, 1.0]])
    assert bh.cross_entropy(logits, [0, 1], ignore_index=0) == bh.cross_entropy(logits[1:], [1])


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.int64, np.uint64, bool])
def test_labels_of_any_integer_type(kind: Any) -> None:
    logits = np.array([[1.0, 2.0], [3.0, 1.0]])
    assert bh.cross_entropy(logits, np.array([0, 1], kind)) == bh.cross_entropy(logits, [0, 1])
