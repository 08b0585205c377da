"""What the specs cannot say of IoU and NMS: exact bounds, any set of boxes, threads, memory, and the ONNX tests."""

from __future__ import annotations

import tracemalloc
import warnings
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barehand.blocks import iou as block
from barehand.blocks.iou import textbook, vjp
from barehand.core import threads

KINDS = ("iou", "giou", "diou", "ciou")
FORMATS = ("xyxy", "xywh", "cxcywh")


def some_boxes(rng: np.random.Generator, n: int, size: float = 1000.0, dtype: Any = np.float32) -> Any:
    start = rng.uniform(0, size, (n, 2))
    return np.concatenate([start, start + rng.uniform(size / 100, size / 10, (n, 2))], axis=1).astype(dtype)


boxes_of_any_kind = st.lists(
    st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 4), min_size=1, max_size=8
).map(lambda rows: np.array(rows, np.float32))  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(boxes=boxes_of_any_kind, kind=st.sampled_from(KINDS), box_format=st.sampled_from(FORMATS))
def test_symmetric_and_within_its_range(boxes: Any, kind: str, box_format: str) -> None:
    """Whatever the boxes: inverted, empty, huge or tiny."""
    got = block.pairwise_iou(boxes, boxes, box_format=box_format, kind=kind)
    np.testing.assert_array_equal(got, got.T)
    eps = np.finfo(np.float32).eps
    low = {"iou": 0.0, "giou": -1.0, "diou": -1.0, "ciou": -2.0}[kind]
    assert (got >= low - 4 * eps).all()
    assert (got <= 1).all()
    for gradient in vjp.pairwise_iou(boxes, boxes, box_format=box_format, kind="iou", cotangent=np.ones_like(got)):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_equal_boxes_are_exactly_1_and_at_the_peak(dtype: Any, kind: str) -> None:
    boxes = some_boxes(np.random.default_rng(0), 20000, dtype=dtype)
    assert (block.iou(boxes, boxes, kind="iou") == 1).all()
    near = boxes * dtype(1 + 2 * np.finfo(dtype).eps)
    assert (block.iou(boxes, near, kind=kind) <= 1).all()
    for gradient in vjp.iou(boxes, boxes, kind="iou", cotangent=np.ones(len(boxes), dtype)):
        assert np.abs(gradient).max() <= 4 * np.finfo(dtype).eps


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 60),
    size=st.sampled_from([30.0, 100.0, 400.0]),
    threshold=st.floats(0, 1),
    classes=st.integers(1, 3),
)
def test_nms_keeps_what_the_textbook_keeps(seed: int, n: int, size: float, threshold: float, classes: int) -> None:
    """Clustered, spread out, one box around all, inverted ones, ties in the scores."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, size, (n, 2))
    boxes = np.concatenate([start, start + rng.uniform(-2, 40, (n, 2)) * rng.choice([1, 1, 10], (n, 1))], axis=1)
    scores, labels = rng.integers(0, 20, n), rng.integers(0, classes, n)
    kept = block.nms(boxes, scores, iou_threshold=threshold, classes=labels)
    np.testing.assert_array_equal(kept, textbook.nms(boxes, scores, iou_threshold=threshold, classes=labels))
    again = block.nms(boxes[kept], scores[kept], iou_threshold=threshold, classes=labels[kept])
    np.testing.assert_array_equal(again, np.arange(len(kept)))


@pytest.mark.parametrize("n", [5, 3000])
def test_the_same_to_the_bit_for_any_number_of_threads(n: int) -> None:
    rng = np.random.default_rng(1)
    a, b = some_boxes(rng, n), some_boxes(rng, 700)
    g = rng.standard_normal((n, 700), np.float32)
    before, found = threads.get_num_threads(), []
    try:
        for count in (1, 2, 5):
            threads.set_num_threads(count)
            value, gradients = vjp.pairwise_iou(a, b, kind="ciou", cotangent=g, with_value=True)
            found.append(
                (
                    value,
                    *gradients,
                    *vjp.iou(a[: len(b)], b[: len(a)], cotangent=g[0, : min(n, 700)] if n > 5 else g[0, :5]),
                )
            )
    finally:
        threads.set_num_threads(before)
    for other in found[1:]:
        for x, y in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(x, y)


def test_pairs_need_little_memory_besides_the_result() -> None:
    rng = np.random.default_rng(2)
    a, b = some_boxes(rng, 5000), some_boxes(rng, 5000)
    block.pairwise_iou(a[:9], b[:9])
    tracemalloc.start()
    try:
        block.pairwise_iou(a, b)
        assert tracemalloc.get_traced_memory()[1] <= 110e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.uint32, np.uint64, np.int64])
def test_integers_of_any_width(kind: Any) -> None:
    a, b = np.array([[10, 20, 110, 120]], kind), np.array([[60, 20, 120, 100]], kind)
    expected = block.iou(a.astype(float), b.astype(float))
    assert block.iou(a, b) == expected
    assert block.pairwise_iou(a, b)[0, 0] == expected
    np.testing.assert_array_equal(block.nms(a, np.array([1], kind), iou_threshold=0.5), [0])


def test_float32_boxes_of_any_size_together() -> None:
    """One call with boxes of 1e30, of 1 and of 1e-30: each pair as if it were alone."""
    unit = np.array([[0, 0, 2, 2], [1, 0, 3, 2]], np.float32)
    boxes = np.concatenate([unit * np.float32(s) for s in (1e30, 1, 1e-30)])
    got = block.pairwise_iou(boxes, boxes)
    for i in (0, 2, 4):
        np.testing.assert_allclose(got[i, i + 1], 1 / 3, rtol=1e-6)


def test_an_array_beside_a_tensor_is_refused_by_name() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match=r"pairwise_iou: boxes2 is a ndarray beside tensors"):
        block.pairwise_iou(torch.zeros(2, 4), np.zeros((2, 4)))


@cache
def onnx_cases() -> list[Any]:
    pytest.importorskip("onnx", reason="onnx is not installed")
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the suite divides by zero on purpose elsewhere
        found = load_model_tests(kind="node")
    return [c for c in found if [n.op_type for n in c.model.graph.node] == ["NonMaxSuppression"]]


def selected(inputs: list[Any], center_point_box: int) -> Any:
    """ONNX's operator by ours: a call for each class of each image, cut to the scores and the number asked for."""
    boxes, scores, *rest = inputs
    most, threshold, least = (
        np.ravel(x)[0] if np.size(x) else d for x, d in zip(rest, (0, 0.0, -np.inf), strict=False)
    )
    found = []
    for image in range(scores.shape[0]):
        b = boxes[image]
        if not center_point_box:  # y before x, which is all the same, and any two opposite corners
            corners = b.reshape(-1, 2, 2)
            b = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        for label in range(scores.shape[1]):
            s = scores[image, label]
            (some,) = np.nonzero(s > least)
            how = "cxcywh" if center_point_box else "xyxy"
            kept = some[block.nms(b[some], s[some], iou_threshold=float(threshold), box_format=how)][: int(most)]
            found += [[image, label, i] for i in kept]
    return np.array(found, np.int64).reshape(-1, 3)


def test_the_onnx_operator() -> None:
    skipped: Counter[str] = Counter()
    passed = 0
    for case in onnx_cases():
        attributes = {a.name: a.i for a in case.model.graph.node[0].attribute}
        for inputs, expected in case.data_sets:
            if len(inputs) < 5:
                skipped["inputs left out"] += 1
                continue
            np.testing.assert_array_equal(selected(list(inputs), attributes.get("center_point_box", 0)), expected[0])
            passed += 1
    print(passed, dict(skipped))
    assert passed >= 9
    assert not skipped


def test_classes_of_any_kind() -> None:
    boxes, scores = [[0, 0, 9, 9], [1, 0, 9, 9]], [0.9, 0.8]
    for kind in (object, np.dtypes.StringDType()):
        assert block.nms(boxes, scores, iou_threshold=0.5, classes=np.array(["a", "b"], kind)).tolist() == [0, 1]
        assert block.nms(boxes, scores, iou_threshold=0.5, classes=np.array(["a", "a"], kind)).tolist() == [0]
    for labels in ([1, "1"], [(1, 2), (1, 3)], [1.5, 2.5]):
        assert block.nms(boxes, scores, iou_threshold=0.5, classes=labels).tolist() == [0, 1]
    with pytest.raises(ValueError, match="classes holds None, which is no name; give those rows one"):
        block.nms(boxes, scores, iou_threshold=0.5, classes=[None, "a"])


def test_five_columns_are_boxes_and_something_more() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 5\).*; drop the extra column or pass boxes1\[\.\.\., :4\]"):
        block.pairwise_iou([[0, 0, 9, 9, 0.5]], [[0, 0, 9, 9]])
