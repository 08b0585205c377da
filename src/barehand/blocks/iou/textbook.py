"""IoU as on paper: the share that two boxes have in common, its three refinements, and what NMS makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np

_START_AND_STOP = {"xyxy": ((1, 0), (0, 1)), "xywh": ((1, 0), (1, 1)), "cxcywh": ((1, -0.5), (1, 0.5))}


def _ratio(a: Any, b: Any) -> Any:
    """a / b, and 0 over nothing."""
    return a / np.where(b == 0, 1, b) * (b != 0)


class Pair:
    """The quantities of the formulas for boxes a and b, in long double, where no area leaves the range."""

    def __init__(self, boxes1: Any, boxes2: Any, box_format: str, offset: float) -> None:
        def corners(boxes: Any) -> Any:
            x = np.multiply(boxes, 1.0).astype(np.longdouble)
            x = np.where(np.isfinite(x).all(axis=-1, keepdims=True), x, np.nan)
            p, q = x[..., :2], x[..., 2:] - (box_format != "xyxy") * offset
            return (m * p + n * q for m, n in _START_AND_STOP[box_format])

        (a1, a2), (b1, b2) = corners(boxes1), corners(boxes2)
        end, other = np.maximum(a2, a1 - offset), np.maximum(b2, b1 - offset)  # an inverted side ends where it starts
        self.leads = a1 - b1, b2 - a2, b1 - a1, end - other
        self.apart, self.inverted = (a1 - b1 + end - other) / 2, a2 - a1 + offset < 0
        lengths = a2 - a1, b2 - b1, np.minimum(a2, b2) - np.maximum(a1, b1), np.maximum(end, other) - np.minimum(a1, b1)
        self.size, self.other, self.shared, self.hull = (np.maximum(length + offset, 0) for length in lengths)
        inter, self.c, self.far = self.shared.prod(axis=-1), self.hull.prod(axis=-1), (self.hull**2).sum(axis=-1)
        self.union = self.size.prod(axis=-1) + self.other.prod(axis=-1) - inter
        self.iou, self.rho = _ratio(inter, self.union), _ratio((self.apart**2).sum(axis=-1), self.far)
        self.turn = np.subtract(*(np.arctan2(s[..., 0], s[..., 1]) for s in (self.other, self.size)))
        self.v = 4 / np.pi**2 * self.turn**2
        self.alpha = _ratio(self.v, 1 - self.iou + self.v)


def iou(boxes1: Any, boxes2: Any, *, box_format: str = "xyxy", offset: float = 0, kind: str = "iou") -> Any:
    """I / U; giou: - (C - U) / C; diou: - (way between the centres / diagonal of the hull)²; ciou: - alpha v too."""
    p = Pair(boxes1, boxes2, box_format, offset)
    less = {"iou": 0, "giou": _ratio(p.c - p.union, p.c), "diou": p.rho, "ciou": p.rho + p.alpha * p.v}
    return (p.iou - less[kind]).astype(np.result_type(np.multiply(boxes1, 1.0), np.multiply(boxes2, 1.0)))[()]


def pairwise_iou(boxes1: Any, boxes2: Any, *, box_format: str = "xyxy", offset: float = 0, kind: str = "iou") -> Any:
    """Every box with every box."""
    return iou(np.asarray(boxes1)[:, None], boxes2, box_format=box_format, offset=offset, kind=kind)


def nms(boxes: Any, scores: Any, *, iou_threshold: float, classes: Any = None, box_format: str = "xyxy",
        offset: float = 0) -> Any:  # fmt: skip
    """From the best score down: a box is kept unless it overlaps one of its class that is kept by more than this."""
    b = np.asarray(boxes, np.longdouble)
    overlap = pairwise_iou(b, b, box_format=box_format, offset=offset).astype(np.float64)
    c, kept = np.asarray(np.zeros(len(b)) if classes is None else classes), np.empty(0, np.int64)
    for i in sorted(range(len(b)), key=np.asarray(scores).__getitem__, reverse=True):
        if not (overlap[i, kept] > iou_threshold)[c[kept] == c[i]].any():
            kept = np.append(kept, i)
    return kept


def _slopes(p: Pair, box_format: str, kind: str, hold_alpha: bool) -> Any:
    """The derivative for the first box; what ties shares it (1/2 each), and a clamp at its edge has none."""
    inter, area, size, hull, apart = _ratio(1 + p.iou, p.union), _ratio(-p.iou, p.union), 0 * p.size, 0, 0
    if kind == "giou":
        inter, area = inter - _ratio(1, p.c), area + _ratio(1, p.c)
        hull = -_ratio(_ratio(p.union, p.c)[..., None], p.hull)
    elif kind != "iou":
        apart = -_ratio(p.apart, p.far[..., None])
        hull = 2 * p.hull * _ratio(p.rho, p.far)[..., None]
    if kind == "ciou":
        of_iou, of_v = (1, -p.alpha) if hold_alpha else (1 - p.alpha**2, -p.alpha * (2 - p.alpha))
        inter, area, turn = inter * of_iou, area * of_iou, 8 / np.pi**2 * of_v * p.turn
        size = np.stack([-turn, turn], axis=-1) * _ratio(p.size[..., ::-1], (p.size**2).sum(axis=-1)[..., None])
    shared = inter[..., None] * p.shared[..., ::-1] * (p.shared > 0)
    size = (size + area[..., None] * p.size[..., ::-1]) * (p.size > 0)
    inner1, inner2, outer1, outer2 = ((1 + np.sign(lead)) / 2 for lead in p.leads)
    start, stop = apart - shared * inner1 - hull * outer1 - size, apart + shared * inner2 + hull * outer2 + size
    start, stop = start + p.inverted * stop, stop * ~p.inverted
    return np.concatenate([m * start + n * stop for m, n in zip(*_START_AND_STOP[box_format], strict=True)], axis=-1)


def iou_vjp(boxes1: Any, boxes2: Any, *, box_format: str = "xyxy", offset: float = 0, kind: str = "iou",
            cotangent: Any = 1.0, hold_alpha: bool = False) -> Any:  # fmt: skip
    """The slopes times the cotangent, summed where boxes were broadcast; IoU is symmetric, and so are its slopes."""
    found, dtype = [], np.result_type(np.multiply(boxes1, 1.0), np.multiply(boxes2, 1.0))
    for x, y in ((boxes1, boxes2), (boxes2, boxes1)):
        slopes = _slopes(Pair(x, y, box_format, offset), box_format, kind, hold_alpha)
        d, shape = np.asarray(cotangent)[..., None] * slopes, (1,) * (slopes.ndim - np.ndim(x)) + np.shape(x)
        found.append(d.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1)).reshape(np.shape(x)).astype(dtype))
    return tuple(found)


def pairwise_iou_vjp(boxes1: Any, boxes2: Any, **options: Any) -> Any:
    """The same for every box with every box."""
    d1, d2 = iou_vjp(np.asarray(boxes1)[:, None], boxes2, **options)
    return d1[:, 0], d2
