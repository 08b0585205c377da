"""What people use today for IoU and NMS, under our argument names; torchvision's formulas, written with torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _corners(b: Any, box_format: str, offset: float) -> tuple[Any, Any]:
    p, q = b[..., :2], b[..., 2:]
    if box_format == "xyxy":
        return p, q
    return (p, p + q - offset) if box_format == "xywh" else (p - (q - offset) / 2, p + (q - offset) / 2)


def _formula(xp: Any, clamp: Callable[[Any], Any]) -> Callable[..., Any]:
    """The formulas as they are usually written, with the functions of a library."""

    def iou(boxes1: Any, boxes2: Any, *, box_format: str = "xyxy", offset: float = 0, kind: str = "iou") -> Any:
        (a1, a2), (b1, b2) = _corners(boxes1, box_format, offset), _corners(boxes2, box_format, offset)
        size, other = clamp(a2 - a1 + offset), clamp(b2 - b1 + offset)
        shared = clamp(xp.minimum(a2, b2) - xp.maximum(a1, b1) + offset)
        inter = shared[..., 0] * shared[..., 1]
        union = size[..., 0] * size[..., 1] + other[..., 0] * other[..., 1] - inter
        value = inter / union
        if kind == "iou":
            return value
        hull = clamp(xp.maximum(a2, b2) - xp.minimum(a1, b1) + offset)
        if kind == "giou":
            c = hull[..., 0] * hull[..., 1]
            return value - (c - union) / c
        apart = ((a1 + a2) - (b1 + b2)) / 2
        value = value - (apart**2).sum(-1) / (hull**2).sum(-1)
        if kind == "diou":
            return value
        turn = xp.arctan(other[..., 0] / other[..., 1]) - xp.arctan(size[..., 0] / size[..., 1])
        v = 4 / 3.141592653589793**2 * turn**2
        return value - v * v / (1 - inter / union + v)

    return iou


def _torch() -> Callable[..., Any]:
    import torch

    return _formula(torch, torch.relu)


def _torch_pairwise() -> Callable[..., Any]:
    iou = _torch()
    return lambda boxes1, boxes2, **options: iou(boxes1[:, None], boxes2[None], **options)


def _numpy() -> Callable[..., Any]:
    import numpy as np

    iou = _formula(np, lambda x: np.maximum(x, 0))

    def function(boxes1: Any, boxes2: Any, **options: Any) -> Any:
        with np.errstate(all="ignore"):
            return iou(np.multiply(boxes1, 1.0), np.multiply(boxes2, 1.0), **options)

    return function


def _numpy_pairwise() -> Callable[..., Any]:
    iou = _numpy()
    return lambda boxes1, boxes2, **options: iou(boxes1[:, None], boxes2[None], **options)


def _greedy() -> Callable[..., Any]:
    """The loop of the C programs: areas once, flags for what is suppressed, a division a pair."""
    import numba
    import numpy as np

    @numba.njit(error_model="numpy", nogil=True)
    def sweep(order: Any, x1: Any, y1: Any, x2: Any, y2: Any, areas: Any, group: Any, threshold: Any) -> Any:
        n = order.size
        gone = np.zeros(n, np.bool_)
        kept = np.empty(n, np.int64)
        count = 0
        for p in range(n):
            i = order[p]
            if gone[i]:
                continue
            kept[count] = i
            count += 1
            for q in range(p + 1, n):
                j = order[q]
                if gone[j] or group[i] != group[j]:
                    continue
                w = min(x2[i], x2[j]) - max(x1[i], x1[j])
                h = min(y2[i], y2[j]) - max(y1[i], y1[j])
                if w > 0 and h > 0:
                    inter = w * h
                    if inter / (areas[i] + areas[j] - inter) > threshold:
                        gone[j] = True
        return kept[:count]

    def nms(
        boxes: Any, scores: Any, *, iou_threshold: float, classes: Any = None, box_format: str = "xyxy",
        offset: float = 0,
    ) -> Any:  # fmt: skip
        start, stop = _corners(np.multiply(boxes, 1.0), box_format, offset)
        (x1, y1), (x2, y2) = np.ascontiguousarray(start.T), np.ascontiguousarray((stop + offset).T)
        areas = np.maximum(x2 - x1, 0) * np.maximum(y2 - y1, 0)
        group = np.zeros(len(x1), np.int64) if classes is None else np.unique(classes, return_inverse=True)[1]
        order = np.argsort(-np.multiply(scores, 1.0), kind="stable")
        return sweep(order, x1, y1, x2, y2, areas, group, areas.dtype.type(iou_threshold))

    return nms


_EMPTY = "0/0, as in pytorch/vision#3404"
_DECISION = "no decision on inverted boxes"
_RANGE = {
    "boxes of 1e30": "areas overflow",
    "boxes of 1e-30": "areas underflow",
    "boxes of 1e200": "areas overflow",
}
_THIN = "w / h is infinite, and its slope 0 times infinity"
_LACKS = {
    **{f"nan and infinity, {kind}": "the IoU with an infinite area is 0" for kind in ("iou", "ciou")},
    **{f"inverted boxes, {kind}": _DECISION for kind in ("iou", "giou", "diou", "ciou")},
}
_DEFECTS = {
    **{f"empty boxes, {kind}": _EMPTY for kind in ("iou", "giou", "diou", "ciou")},
    **_RANGE,
    "far from the origin": "the centres lose their digits at 1e6",
    "equal boxes, ciou": "alpha is 0/0",
}
_PAIRWISE_LACKS = {"nan and infinity": "the IoU with an infinite area is 0"}
_PAIRWISE_DEFECTS = {
    **{f"empty and inverted boxes, {kind}": _EMPTY for kind in ("iou", "giou", "diou", "ciou")},
    **_RANGE,
    "far from the origin": "the centres lose their digits at 1e6",
}

PEERS = {
    "iou": (
        Peer("torch's formula", "torch", _torch, lacks=_LACKS, defects={**_DEFECTS, "thin boxes": _THIN}),
        Peer("numpy's formula", "numpy", _numpy, lacks=_LACKS, defects=_DEFECTS),
    ),
    "pairwise_iou": (
        Peer("torch's formula, broadcast", "torch", _torch_pairwise, lacks=_PAIRWISE_LACKS, defects=_PAIRWISE_DEFECTS),
        Peer("numpy's formula, broadcast", "numpy", _numpy_pairwise, lacks=_PAIRWISE_LACKS, defects=_PAIRWISE_DEFECTS),
    ),
    "nms": (
        Peer(
            "a greedy double loop, compiled",
            "numpy",
            _greedy,
            defects={"boxes of 1e30": "areas overflow in float32"},
        ),
    ),
}
