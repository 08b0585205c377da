"""What IoU and NMS must do, on which inputs, and how right they must be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from barehand.blocks.iou import mutants, textbook
from barehand.core.spec import (
    DOUBLE,
    FULL,
    SINGLE,
    BadInput,
    Case,
    Convention,
    Inputs,
    Law,
    Outputs,
    Spec,
    Workload,
)

Make = Callable[[np.random.Generator], Inputs]
KINDS = ("iou", "giou", "diou", "ciou")


def _given_as(corners: Any, box_format: str, offset: float) -> Any:
    """Corners in another format."""
    start, stop = corners[..., :2], corners[..., 2:]
    if box_format == "xywh":
        stop = stop - start + offset
    elif box_format == "cxcywh":
        start, stop = (start + stop) / 2, stop - start + offset
    return np.concatenate([start, stop], axis=-1)


def _near(start: Any, side: Any, rng: np.random.Generator) -> Any:
    """Boxes of other sizes, moved by less than makes them part."""
    moved, grown = start + rng.uniform(-0.45, 0.45, start.shape) * side, side * rng.uniform(0.7, 1.5, side.shape)
    return np.concatenate([moved, moved + grown], axis=-1)


def _some(rng: np.random.Generator, n: int, size: float) -> tuple[Any, Any]:
    return rng.uniform(0, size, (n, 2)), rng.uniform(size / 20, size / 4, (n, 2))


def _pairs(n: int, size: float = 100, place: float = 0, **options: Any) -> Make:
    """n boxes in a picture of this size, each with one that it overlaps."""

    def make(rng: np.random.Generator) -> Inputs:
        start, side = _some(rng, n, size)
        how = options.get("box_format", "xyxy"), options.get("offset", 0)
        start = start + place
        boxes = np.concatenate([start, start + side], axis=-1), _near(start, side, rng)
        return {**dict(zip(("boxes1", "boxes2"), (_given_as(b, *how) for b in boxes), strict=True)), **options}

    return make


def _every(n: int, m: int, size: float = 100, place: float = 0, **options: Any) -> Make:
    """n boxes and m boxes in a picture of this size."""

    def make(rng: np.random.Generator) -> Inputs:
        made: Inputs = {}
        for name, count in (("boxes1", n), ("boxes2", m)):
            start, side = _some(rng, count, size)
            corners = np.concatenate([start, start + 2 * side], axis=-1) + place
            made[name] = _given_as(corners, options.get("box_format", "xyxy"), options.get("offset", 0))
        return {**made, **options}

    return make


def _given(first: Any, second: Any, dtype: Any = float, **options: Any) -> Make:
    return lambda rng: {"boxes1": np.array(first, dtype), "boxes2": np.array(second, dtype), **options}


def _both(shape1: tuple[int, ...], shape2: tuple[int, ...], **options: Any) -> Make:
    """Boxes that are broadcast."""

    def make(rng: np.random.Generator) -> Inputs:
        made: Inputs = {}
        for name, shape in (("boxes1", shape1), ("boxes2", shape2)):
            start = rng.uniform(0, 20, (*shape, 2))
            made[name] = np.concatenate([start, start + rng.uniform(10, 40, (*shape, 2))], axis=-1)
        return {**made, **options}

    return make


def _whole(n: int, m: int, **options: Any) -> Make:
    """Boxes on whole pixels."""

    def make(rng: np.random.Generator) -> Inputs:
        def boxes(count: int) -> Any:
            start = rng.integers(0, 30, (count, 2))
            return np.concatenate([start, start + rng.integers(3, 40, (count, 2))], axis=-1).astype(float)

        return {"boxes1": boxes(n), "boxes2": boxes(m), **options}

    return make


# A point; a point elsewhere; two lines; a box; a box that is inverted along x, along y, along both; one around them.
_ODD = [
    [2.0, 2, 2, 2],
    [5, 1, 5, 1],
    [1, 1, 4, 1],
    [3, 0, 3, 6],
    [0, 0, 4, 3],
    [6, 1, 5, 3],
    [2, 5, 3, 2],
    [7, 7, 6, 5],
]
_EMPTY, _INVERTED = _ODD[:5], _ODD[4:]
_ALL = [a for a in _EMPTY for _ in _EMPTY], [b for _ in _EMPTY for b in _EMPTY]
_ALL_INVERTED = [a for a in _INVERTED for _ in _INVERTED], [b for _ in _INVERTED for b in _INVERTED]
_NOT_FINITE = [[np.nan, 0, 1, 1], [0, 0, np.inf, 1], [-np.inf, 0, np.inf, np.nan], [0, 0, 2, 2]]
_UINT8 = [[10, 10, 250, 250], [200, 100, 255, 130]], [[0, 20, 240, 255], [190, 90, 250, 140]]
_APART = [[0.0, 0, 2, 1]], [[5.0, 7, 9, 8]]
_THIN = [[0.0, 0, 1e4, 1], [3, 0, 3, 9], [1, 2, 5, 2]], [[0.0, 0.5, 2, 9e3], [1, 1, 3, 3], [0, 0, 4, 4]]
_INT32 = [[0, 0, 60000, 60000], [-70000, 0, 10, 50000]], [[100, 0, 60000, 50000], [-60000, 10, 10, 50000]]


def _same(rng: np.random.Generator) -> Any:
    start, side = _some(rng, 6, 100)
    return np.concatenate([start, start + side], axis=-1)


def _equal(kind: str) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        boxes = _same(rng)
        return {"boxes1": boxes, "boxes2": boxes.copy(), "kind": kind}

    return make


def _each_kind(name: str, catches: str, make: Callable[..., Make], *given: Any, **more: Any) -> tuple[Case, ...]:
    """The same boxes for every kind."""
    options = {k: more.pop(k) for k in ("offset",) if k in more}
    return tuple(
        Case(f"{name}, {kind}", catches, make(*given, **options, **({} if kind == "iou" else {"kind": kind})), **more)
        for kind in KINDS
    )


def _shared(some: Callable[..., Make], *sizes: int) -> tuple[Case, ...]:
    """What holds box by box and for every pair alike."""
    return (
        *_each_kind("boxes", "a formula that is plainly wrong", some, *sizes),
        Case("unit-scale boxes", "a pixel added to every side, an epsilon in the union", some(*sizes, size=1)),
        Case("unit-scale boxes, ciou", "an epsilon in a denominator", some(*sizes, size=1, kind="ciou")),
        Case("first corner and size", "xywh read as xyxy", some(*sizes, box_format="xywh", kind="giou")),
        Case("centre and size", "a half forgotten", some(*sizes, box_format="cxcywh", kind="ciou")),
        Case("inclusive pixels", "offset in some of the sides only", some(*sizes, offset=1)),
        Case("inclusive pixels, giou", "offset forgotten in the enclosing box", some(*sizes, offset=1, kind="giou")),
        Case("inclusive pixels, xywh", "w + 1", some(*sizes, box_format="xywh", offset=1)),
        Case("inclusive pixels, cxcywh", "w + 1", some(*sizes, box_format="cxcywh", offset=1, kind="ciou")),
        Case(
            "far from the origin", "x1 + x2 - (x3 + x4)", some(*sizes, place=1e6, kind="ciou"), "stability", dtypes=FULL
        ),
        Case("pictures of 4000 pixels", "areas beyond 65504", some(*sizes, size=4000), "stability"),
        Case("boxes of 1e30", "areas that overflow", some(*sizes, size=1e30, kind="ciou"), "stability", dtypes=FULL),
        Case("boxes of 1e-30", "areas that underflow", some(*sizes, size=1e-30, kind="giou"), "stability", dtypes=FULL),
        Case("boxes of 1e200", "areas that overflow", some(*sizes, size=1e200), "stability", dtypes=(DOUBLE,)),
    )


CASES = (
    *_shared(_pairs, 40),
    Case("apart along both axes", "two negative sides multiplied", _given(*_APART)),
    Case("apart along both axes, giou", "a result cut off at 0", _given(*_APART, kind="giou")),
    Case("apart along one axis", "no clamp", _given([[0.0, 0, 2, 5]], [[3.0, 1, 9, 8]])),
    Case("one inside the other", "I / min(A, B)", _given([[0.0, 0, 9, 4]], [[1.0, 1, 3, 2]], kind="diou")),
    Case("boxes that touch", "a slope at the clamp's edge", _given([[0.0, 0, 2, 5]], [[2.0, 1, 9, 8]]), "stability"),
    *_each_kind("corners that tie", "the slope of a tie given to one", _given, [[0.0, 0, 2, 5]], [[0.0, 1, 3, 5]]),
    *(Case(f"equal boxes, {kind}", "IoU below or above 1, a slope at its peak", _equal(kind)) for kind in KINDS),
    *_each_kind("empty boxes", "0/0", _given, *_ALL, grade="stability"),
    *_each_kind("inverted boxes", "two negative sides multiplied", _given, *_ALL_INVERTED, grade="stability"),
    Case("thin boxes", "w/h of h = 0", _given(*_THIN, kind="ciou"), "stability"),
    *(Case(f"nan and infinity, {kind}", "nan hidden",
           _given(_NOT_FINITE * 2, [[0.0, 0, 2, 2]] * 4 + _NOT_FINITE[::-1], kind=kind), "stability", gradient=False)
      for kind in ("iou", "ciou")),
    Case("one box with many", "a gradient not summed", _both((1,), (9,), kind="giou")),
    Case("a box without an axis with many", "a gradient not summed", _both((), (9,))),
    Case("rows with columns", "broadcasting", _both((4, 1), (3,), kind="ciou")),
    Case("several batch axes", "a shape lost", _both((2, 3), (2, 3), kind="diou")),
    Case("two single boxes", "an axis assumed", _both((), ())),
    Case("no boxes", "the axis of nothing", _given(np.empty((0, 4)), np.empty((0, 4))), "generality"),
    Case("many boxes", "a loop that is not the formula", _pairs(1500, kind="ciou"), dtypes=(SINGLE,)),
    Case("bytes", "200 + 100 is 44", _given(*_UINT8, np.uint8), "stability", dtypes=(DOUBLE,)),
    Case("int32", "areas beyond 2^31", _given(*_INT32, np.int32, kind="giou"), "stability", dtypes=(DOUBLE,)),
    Case("unsigned, apart", "0 - 1 is 2^64 - 1", _given([[0, 0, 2, 2]], [[5, 5, 9, 9]], np.uint64), "stability",
         dtypes=(DOUBLE,)),
)  # fmt: skip

PAIRWISE_CASES = (
    *_shared(_every, 7, 5),
    *_each_kind("whole pixels", "corners that tie", _whole, 6, 5, offset=1),
    *_each_kind("empty and inverted boxes", "0/0", _given, _ODD, _ODD, grade="stability"),
    Case("one box on the left", "one pair at a time", _every(1, 8)),
    Case("one box on the right", "one pair at a time", _every(8, 1)),
    Case("as many on both sides", "each with its own", _every(6, 6)),
    Case("none on the left", "the shape of nothing", _every(0, 5), "generality"),
    Case("none on the right", "the shape of nothing", _every(5, 0, kind="ciou"), "generality"),
    Case("many rows", "a gradient whose sum loses digits", _every(2000, 3, kind="giou"), dtypes=(SINGLE,)),
    Case("many columns", "a gradient whose sum loses digits", _every(3, 2000, kind="ciou"), dtypes=(SINGLE,)),
    Case("nan and infinity", "nan hidden", _given(_NOT_FINITE, _NOT_FINITE), "stability", gradient=False),
    Case("bytes", "200 + 100 is 44", _given(*_UINT8, np.uint8), "stability", dtypes=(DOUBLE,)),
    Case("int32", "areas beyond 2^31", _given(*_INT32, np.int32), "stability", dtypes=(DOUBLE,)),
)


def _scored(rng: np.random.Generator, n: int, size: float = 60, **options: Any) -> Inputs:
    start = rng.uniform(0, size, (n, 2))
    boxes = np.concatenate([start, start + rng.uniform(10, 40, (n, 2))], axis=-1)
    boxes = _given_as(boxes, options.get("box_format", "xyxy"), options.get("offset", 0))
    # A score is its rank: rounding makes no two the same.
    return {"boxes": boxes, "scores": (1 + rng.permutation(n)) / 2.0**8, "iou_threshold": 0.4, **options}


def _detections(n: int, **options: Any) -> Make:
    return lambda rng: _scored(rng, n, **options)


def _in_classes(names: Any) -> Make:
    return lambda rng: {**_scored(rng, 40), "classes": rng.choice(np.array(names), 40)}


def _listed(boxes: Any, scores: Any, iou_threshold: float, dtype: Any = float, **options: Any) -> Make:
    return lambda rng: {
        "boxes": np.array(boxes, dtype),
        "scores": np.array(scores),
        "iou_threshold": iou_threshold,
        **options,
    }


# Each overlaps the next by 2/3: the first suppresses the second, which does not suppress the third.
_CHAIN = [[0, 0, 10, 10], [2, 0, 12, 10], [4, 0, 14, 10], [6, 0, 16, 10]]
# The last two have IoU 1/2 and 3/10 with the first.
_ROW = [[9 * i, 0, 9 * i + 6, 6] for i in range(20)]
_CROSSING = [[0, 0, 100, 100], [-100, -100, -1, -1], [-90, -100, -1, -1]]
_PIXELS = [[0, 0, 1, 1], [1, 0, 2, 1], [0, 0, 1, 0]]
_TOUCHING = [[0, 0, 2, 2], [2, 0, 4, 2], [3, 1, 6, 6]]
_EXACT = [[0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 3, 10]]


def _one_large(rng: np.random.Generator) -> Inputs:
    made = _scored(rng, 80, 300)
    made["boxes"][0] = 0, 0, 340, 340
    return made


NMS_CASES = (
    Case("detections", "a loop that is plainly wrong", _detections(60)),
    Case("detections, a low threshold", "boxes compared the wrong way", _detections(60, iou_threshold=0.05)),
    Case("detections, a high threshold", "too much suppressed", _detections(60, iou_threshold=0.75)),
    Case("a chain", "what is suppressed suppresses in turn", _listed(_CHAIN, [0.75, 0.5, 0.25, 0.125], 0.5)),
    Case("a chain, backwards", "indices in the order of the boxes", _listed(_CHAIN, [0.125, 0.25, 0.5, 0.75], 0.5)),
    Case("an IoU of exactly 1/2", "at least for more than", _listed(_EXACT, [3.0, 2.0, 1.0], 0.5)),
    Case("an IoU of exactly 3/10", "a threshold in float32", _listed(_EXACT, [3.0, 1.0, 2.0], 0.3)),
    Case("a threshold of 0", "at least for more than", _listed(_TOUCHING, [1.0, 3, 2], 0)),
    Case("a threshold of 1", "at least for more than", _listed(_CHAIN[:2] * 2, [1.0, 2, 3, 4], 1)),
    Case("equal scores", "an order left to chance", _listed(_ROW, [0.5] * 20, 0.5)),
    Case("equal boxes", "all of them kept, or none", _listed([[0, 0, 3, 3]] * 5, [1.0, 2, 5, 5, 3], 0.5)),
    Case("signed zeros and infinite scores", "-0 below 0, infinity as nan",
         _listed(_ROW[:5], [-0.0, 0.0, -np.inf, np.inf, 1], 0.5)),
    Case("classes", "classes ignored", _in_classes([0, 1, 2])),
    Case("classes with names", "classes added to coordinates", _in_classes(["cat", "dog"])),
    Case("classes below 0", "classes added to coordinates", _in_classes([-7, 3, 2**40])),
    Case("negative coordinates, classes", "classes added to coordinates",
         _listed(_CROSSING, [3.0, 2, 1], 0.5, classes=np.array([0, 1, 1]))),
    Case("first corner and size", "xywh read as xyxy", _detections(60, box_format="xywh")),
    Case("centre and size", "a half forgotten", _detections(60, box_format="cxcywh")),
    Case("inclusive pixels", "offset ignored", _listed(_PIXELS, [3.0, 2, 1], 0.25, offset=1)),
    Case("empty and inverted boxes", "0/0", _listed(_ODD * 2, np.arange(16.0), 0.5), "stability"),
    Case("boxes of 1e30", "areas that overflow",
         _listed(1e29 * np.array(_CHAIN), [0.75, 0.5, 0.25, 0.125], 0.5), "stability", dtypes=FULL),
    Case("pictures of 4000 pixels", "areas beyond 65504",
         _listed(250.0 * np.array(_CHAIN), [0.75, 0.5, 0.25, 0.125], 0.5), "stability"),
    Case("one large box among small ones", "a grid as coarse as the largest",
         _one_large),
    Case("bytes", "200 + 100 is 44", _listed(_UINT8[0] + _UINT8[1], [4.0, 3, 2, 1], 0.5, np.uint8), "stability",
         dtypes=(DOUBLE,)),
    Case("whole scores", "-score of an unsigned number", _listed(_CHAIN, np.array([0, 1, 2, 3], np.uint8), 0.5),
         dtypes=(DOUBLE,)),
    Case("one box", "an axis dropped", _listed([[0, 0, 1, 1]], [0.5], 0.5)),
    Case("no boxes", "the first of nothing", _listed(np.empty((0, 4)), np.empty(0), 0.5), "generality"),
)  # fmt: skip


def _bad(says: str, error: type[Exception] = ValueError, **changed: Any) -> tuple[Any, ...]:
    return lambda: {"boxes1": np.ones((3, 4)), "boxes2": np.ones((3, 4)), **changed}, error, says


_BAD_OPTIONS = (
    BadInput("an unknown format", *_bad("box_format is 'yxyx'; use 'xyxy', 'xywh' or 'cxcywh'", box_format="yxyx")),
    BadInput("an unknown kind", *_bad("kind is 'eiou'; use 'iou', 'giou', 'diou' or 'ciou'", kind="eiou")),
    BadInput("a negative offset", *_bad("offset is -1; use a finite number at least 0", offset=-1)),
    BadInput("an offset of nan", *_bad("offset is nan", offset=np.nan)),
    BadInput("an offset that is a word", *_bad("offset must be a number", TypeError, offset="1")),
    BadInput("complex boxes", *_bad("dtype complex128", TypeError, boxes1=np.ones((3, 4), complex))),
    BadInput("words for boxes", *_bad("pass real numbers", TypeError, boxes2=np.array([["a"] * 4] * 3))),
    BadInput("ragged boxes", *_bad("not a regular array", boxes1=[[0.0, 0, 1, 1], [0.0, 0, 1]])),
    BadInput("five numbers", *_bad(r"boxes2 has shape \(3, 5\)", boxes2=np.ones((3, 5)))),
    BadInput("a single number", *_bad(r"boxes1 has shape \(\), not", boxes1=1.0)),
)
BAD_INPUTS = (
    *_BAD_OPTIONS,
    BadInput("other numbers of boxes", *_bad("do not broadcast; .*pairwise_iou", boxes2=np.ones((4, 4)))),
)
PAIRWISE_BAD_INPUTS = (
    *_BAD_OPTIONS,
    BadInput("one box", *_bad(r"boxes1\[None\] for one box", boxes1=np.ones(4))),
    BadInput("a batch of sets", *_bad(r"not \(N, 4\)", boxes2=np.ones((2, 3, 4)))),
)


def _bad_nms(says: str, error: type[Exception] = ValueError, **changed: Any) -> tuple[Any, ...]:
    given: Inputs = {"boxes": np.ones((3, 4)), "scores": np.arange(3.0), "iou_threshold": 0.5, **changed}
    return lambda: given, error, says


NMS_BAD_INPUTS = (
    BadInput("nan scores", *_bad_nms("scores holds nan at 1", scores=np.array([1, np.nan, 0]))),
    BadInput("nan boxes", *_bad_nms("boxes holds .* in row 0", boxes=np.full((3, 4), np.nan))),
    BadInput("infinite boxes", *_bad_nms("which is not finite", boxes=np.array([[0, 0, np.inf, 1]] * 3))),
    BadInput("a threshold above 1", *_bad_nms("is 50; use a finite number from 0 to 1", iou_threshold=50)),
    BadInput("a threshold below 0", *_bad_nms("iou_threshold is -0.1", iou_threshold=-0.1)),
    BadInput("a threshold of nan", *_bad_nms("iou_threshold is nan", iou_threshold=np.nan)),
    BadInput("other lengths", *_bad_nms(r"\(4,\); give one for each box, shape \(3,\)", scores=np.ones(4))),
    BadInput("scores as a column", *_bad_nms(r"scores has shape \(3, 1\)", scores=np.ones((3, 1)))),
    BadInput("too few classes", *_bad_nms(r"classes has shape \(2,\)", classes=np.array([0, 1]))),
    BadInput("nan for a class", *_bad_nms("classes holds nan", classes=np.array([1.0, np.nan, 2.0]))),
    BadInput("a list for a class", *_bad_nms("classes holds what is no name", TypeError, classes=[[1], [2], [3]])),
    BadInput("complex scores", *_bad_nms("dtype complex128", TypeError, scores=np.ones(3, complex))),
    BadInput("scores within the boxes", *_bad_nms(r"boxes has shape \(3, 5\)", boxes=np.ones((3, 5)))),
    BadInput("one box", *_bad_nms(r"boxes\[None\] for one box", boxes=np.ones(4))),
    BadInput("an unknown format", *_bad_nms("box_format is 'yxyx'", box_format="yxyx")),
    BadInput("a negative offset", *_bad_nms("offset is -1", offset=-1)),
)  # fmt: skip


def _ratio(a: Any, b: Any) -> Any:
    return a / np.where(b == 0, 1, b) * (b != 0)


def _options(inputs: Inputs) -> tuple[str, float, str]:
    return inputs.get("box_format", "xyxy"), inputs.get("offset", 0), inputs.get("kind", "iou")


def _reach(inputs: Inputs) -> Any:
    """How large the corners are along each axis, where they are computed: one eps of this moves a corner."""
    box_format, offset, _ = _options(inputs)
    if box_format == "xyxy" and not offset:
        return np.zeros(1)
    first, second = (np.abs(np.multiply(inputs[k], 1.0)) for k in ("boxes1", "boxes2"))
    return np.maximum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:]) + offset


@np.errstate(all="ignore")
def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """A side is the difference of two given numbers, right to half an eps: IoU keeps its relative accuracy.

    The other terms add their own size; corners that have to be computed first are right to an eps of their size.
    """
    box_format, offset, kind = _options(inputs)
    p, m = textbook.Pair(inputs["boxes1"], inputs["boxes2"], box_format, offset), _reach(inputs)
    size = p.iou + _ratio((2 * m * (p.size + p.other)[..., ::-1]).sum(axis=-1), p.union)
    if kind == "giou":
        size = size + 1 + _ratio(m, p.hull).sum(axis=-1)
    elif kind != "iou":
        size = size + p.rho + 4 * _ratio(m.sum(axis=-1), np.sqrt(p.far))
    if kind == "ciou":
        bend = p.alpha * (2 - p.alpha) * np.abs(p.turn)
        thin = sum(_ratio(2 * m.sum(axis=-1), np.hypot(*np.moveaxis(s, -1, 0))) for s in (p.size, p.other))
        size = size + p.alpha * p.v + p.alpha**2 * (2 + size) + bend * (np.pi + thin)
    return (size,)


@np.errstate(all="ignore")
def _slope_sizes(inputs: Inputs, first: str, second: str) -> Any:
    """The terms of the slopes for the corners of one of the boxes, (..., 2)."""
    box_format, offset, kind = _options(inputs)
    p, m = textbook.Pair(inputs[first], inputs[second], box_format, offset), _reach(inputs)
    inter, area = _ratio(1 + p.iou, p.union), _ratio(p.iou, p.union)
    size, gap = np.zeros_like(p.size), (np.abs(p.leads[0]) + np.abs(p.leads[3])) / 2
    if kind == "giou":
        inter, area = inter + _ratio(1, p.c), area + _ratio(1, p.c)
        size = size + _ratio(_ratio(p.union, p.c)[..., None], p.hull)
    elif kind != "iou":
        size = size + _ratio(gap, p.far[..., None]) + 2 * p.hull * _ratio((gap**2).sum(axis=-1), p.far**2)[..., None]
    if kind == "ciou":
        turn = np.pi + np.abs(p.turn) * (1 + _ratio(2, 1 - p.iou + p.v))
        bend = p.alpha * (2 - p.alpha) * turn
        size = size + _ratio(p.size[..., ::-1], (p.size**2).sum(axis=-1)[..., None]) * bend[..., None]
    size = size + inter[..., None] * (p.shared + m)[..., ::-1] + area[..., None] * p.size[..., ::-1]
    return size * (1 + sum(_ratio(m, s).sum(axis=-1) for s in (p.size, p.other)))[..., None]


def _gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    """The terms of the slopes times the cotangent, added up along the axes that the boxes were broadcast along.

    Where a corner moves with another, by the format or in an inverted box, it takes the terms of both.
    """
    found = []
    for first, second, like in (("boxes1", "boxes2", gradients[0]), ("boxes2", "boxes1", gradients[1])):
        size = np.abs(np.asarray(cotangent))[..., None] * _slope_sizes(inputs, first, second)
        ones = (1,) * (size.ndim - like.ndim) + like.shape[:-1]
        axes = tuple(i for i, n in enumerate(ones) if n == 1)
        size = 2 * size.sum(axis=axes).reshape(*like.shape[:-1], 2)
        found.append(np.concatenate([size, size], axis=-1))
    return tuple(found)


def _spread(inputs: Inputs) -> Inputs:
    return {**inputs, "boxes1": np.asarray(inputs["boxes1"])[:, None], "boxes2": np.asarray(inputs["boxes2"])[None]}


def _pairwise_gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    sizes = _gradient_scale(_spread(inputs), cotangent, (gradients[0][:, None], gradients[1][None]))
    return sizes[0][:, 0], sizes[1][0]


def _quarters(rng: np.random.Generator) -> Inputs:
    """Moving these boxes by 64 is exact in every type."""
    start, side = rng.integers(-16, 17, (2, 12, 2)) / 4, rng.integers(1, 17, (2, 12, 2)) / 4
    boxes = np.concatenate([start, start + side], axis=-1)
    return {"boxes1": boxes[0], "boxes2": boxes[1], "kind": str(rng.choice(KINDS))}


def _changed(inputs: Inputs, change: Callable[[Any], Any]) -> Inputs:
    return {k: change(v) if k in ("boxes1", "boxes2", "boxes") else v for k, v in inputs.items()}


def _moved(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    return call(_changed(inputs, lambda b: b + b.dtype.type(64)))[0], call(inputs)[0], _law_scale(inputs)


def _grown(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    return call(_changed(inputs, lambda b: b * b.dtype.type(8)))[0], call(inputs)[0], _law_scale(inputs)


def _exchanged(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    there = call(inputs)[0]
    back = call({**inputs, "boxes1": inputs["boxes2"], "boxes2": inputs["boxes1"]})[0]
    return back.T, there, _law_scale(inputs, there.ndim)


def _law_scale(inputs: Inputs, ndim: int = 1) -> Any:
    """Each of the four terms is at most 1; the angles are right to an eps of pi."""
    n = len(inputs["boxes1"])
    return np.full((n,) * ndim, 4.0)


def _pairwise_law(sides: Callable[..., Any]) -> Callable[..., Any]:
    def every(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
        left, right, _ = sides(call, inputs)
        return left, right, _law_scale(inputs, 2)

    return every


def _laws(lift: Callable[[Any], Any]) -> tuple[Law, ...]:
    words = (
        ("symmetric", {"en": "exchanging the boxes changes nothing", "zh": "交换两个框，结果不变"}, _exchanged),
        (
            "a shift changes nothing",
            {"en": "moving both boxes changes nothing", "zh": "两框同时平移，结果不变"},
            _moved,
        ),
        (
            "the unit does not matter",
            {"en": "scaling both boxes changes nothing", "zh": "两框同时缩放，结果不变"},
            _grown,
        ),
    )
    return tuple(Law(name, statement, _quarters, lift(sides)) for name, statement, sides in words)


def _again(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    kept = call(inputs)[0]
    again = call({**inputs, "boxes": inputs["boxes"][kept], "scores": inputs["scores"][kept]})[0]
    return again, np.arange(len(kept)), 1.0


def _shuffled(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    order = np.random.default_rng(len(inputs["boxes"])).permutation(len(inputs["boxes"]))
    moved = call({**inputs, "boxes": inputs["boxes"][order], "scores": inputs["scores"][order]})[0]
    return order[moved], call(inputs)[0], 1.0


def _boxes_work(n: int, size: float) -> Callable[[np.random.Generator], Any]:
    def make(rng: np.random.Generator) -> Any:
        start = rng.uniform(0, size, (n, 2))
        return np.concatenate([start, start + rng.uniform(10, 100, (n, 2))], axis=-1).astype(np.float32)

    return make


def _work(n: int, m: int, **options: Any) -> Make:
    return lambda rng: {"boxes1": _boxes_work(n, 1000)(rng), "boxes2": _boxes_work(m, 1000)(rng), **options}


def _nms_work(n: int, size: float, classes: int = 0) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        made: Inputs = {"boxes": _boxes_work(n, size)(rng), "scores": rng.random(n, np.float32), "iou_threshold": 0.5}
        return {**made, "classes": rng.integers(0, classes, n)} if classes else made

    return make


_ALIASES = {
    "boxes1": ("boxes1", "boxes_1", "box1", "bboxes1", "boxes_a", "pred", "pred_boxes", "a"),
    "boxes2": ("boxes2", "boxes_2", "box2", "bboxes2", "boxes_b", "target", "gt_boxes", "b"),
    "box_format": ("box_format", "fmt", "format", "mode"),
    "offset": ("offset", "pixel_offset"),
    "kind": ("kind", "iou_type", "type"),
}


def _held(vjp: Callable[..., Any], reference: Callable[..., Any]) -> tuple[Convention, ...]:
    words = {
        "en": "alpha of ciou is a constant for the gradient, as in the code that Zheng et al. (2020) published.",
        "zh": "求 ciou 的梯度时把 alpha 视为常数，如 Zheng 等人 2020 年公开的代码。",
    }
    return (Convention("alpha held constant", words, reference, partial(vjp, hold_alpha=True)),)


SPECS = (
    Spec(
        name="iou",
        block="iou",
        titles={"en": "IoU", "zh": "交并比 IoU"},
        summary={"en": "what share of their union two boxes have in common", "zh": "衡量两个框的重叠占其并集的比例"},
        formula="I / U;  giou: - (C - U) / C;  diou: - (d / c)²;  ciou: diou - alpha v",
        signature=("boxes1", "boxes2"),
        differentiable=("boxes1", "boxes2"),
        reference=textbook.iou,
        vjp=textbook.iou_vjp,
        scale=_scale,
        gradient_scale=_gradient_scale,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        accuracy=4.0,
        gradient_accuracy=4.0,
        laws=_laws(lambda sides: sides),
        conventions=_held(textbook.iou_vjp, textbook.iou),
        aliases={"iou": ("iou", "box_iou", "bbox_iou", "compute_iou", "intersection_over_union", "IoU"), **_ALIASES},
        workloads=(
            Workload("1e6 pairs", _work(10**6, 10**6)),
            Workload("1e5 pairs, ciou, value and gradient", _work(10**5, 10**5, kind="ciou"), gradient=True),
        ),
    ),
    Spec(
        name="pairwise_iou",
        block="iou",
        titles={"en": "Pairwise IoU", "zh": "两两 IoU"},
        summary={"en": "the IoU of every box with every other", "zh": "两组框之间两两的交并比"},
        formula="I[i, j] / U[i, j], and the terms of iou's kinds",
        signature=("boxes1", "boxes2"),
        differentiable=("boxes1", "boxes2"),
        reference=textbook.pairwise_iou,
        vjp=textbook.pairwise_iou_vjp,
        scale=lambda inputs, outputs: _scale(_spread(inputs), outputs),
        gradient_scale=_pairwise_gradient_scale,
        cases=PAIRWISE_CASES,
        bad_inputs=PAIRWISE_BAD_INPUTS,
        mutants=mutants.PAIRWISE_MUTANTS,
        accuracy=4.0,
        gradient_accuracy=4.0,
        laws=_laws(_pairwise_law),
        conventions=_held(textbook.pairwise_iou_vjp, textbook.pairwise_iou),
        aliases={"pairwise_iou": ("pairwise_iou", "box_iou", "bbox_overlaps", "iou_matrix", "batch_iou"), **_ALIASES},
        workloads=(
            Workload("5000x5000", _work(5000, 5000)),
            Workload("5000x5000, giou", _work(5000, 5000, kind="giou")),
            Workload("1000x1000, giou, value and gradient", _work(1000, 1000, kind="giou"), gradient=True),
        ),
    ),
    Spec(
        name="nms",
        block="iou",
        titles={"en": "Non-maximum suppression", "zh": "非极大值抑制 NMS"},
        summary={"en": "keeps the best of boxes that overlap", "zh": "在相互重叠的框中只保留得分最高的"},
        formula="best first: keep i unless IoU(i, k) > threshold for some k kept before, of the same class",
        signature=("boxes", "scores"),
        differentiable=(),
        reference=textbook.nms,
        vjp=None,
        scale=lambda inputs, outputs: (1.0,),
        gradient_scale=None,
        cases=NMS_CASES,
        bad_inputs=NMS_BAD_INPUTS,
        mutants=mutants.NMS_MUTANTS,
        accuracy=0.0,
        gradient_accuracy=0.0,
        laws=(
            Law(
                "twice is once",
                {"en": "what is kept is kept when suppressed again", "zh": "对保留下来的框再做一次 NMS，全部保留"},
                lambda rng: _scored(rng, 40),
                _again,
            ),
            Law(
                "the order of the boxes does not matter",
                {"en": "shuffling the boxes keeps the same ones", "zh": "打乱框的次序，保留的仍是同一批框"},
                lambda rng: _scored(rng, 40),
                _shuffled,
            ),
        ),
        aliases={
            "nms": ("nms", "non_max_suppression", "non_maximum_suppression", "batched_nms", "py_cpu_nms"),
            "boxes": ("boxes", "bboxes", "dets", "detections"),
            "scores": ("scores", "score", "confidences", "confidence"),
            "iou_threshold": (
                "iou_threshold",
                "iou_thresh",
                "threshold",
                "thresh",
                "nms_threshold",
                "overlap_threshold",
            ),
            "classes": ("classes", "idxs", "labels", "class_ids", "category_ids"),
            "box_format": _ALIASES["box_format"],
            "offset": _ALIASES["offset"],
        },
        workloads=(
            Workload("20000 boxes", _nms_work(20000, 1000)),
            Workload("20000 boxes of 80 classes", _nms_work(20000, 1000, 80)),
        ),
    ),
)
