"""IoU and non-maximum suppression of tensors."""

from __future__ import annotations

import math
from typing import Any, get_args

import torch
from torch import Tensor

import barehand.blocks.iou as arrays
from barehand.blocks.iou import vjp
from barehand.blocks.iou.launch import BoxFormat, Kind
from barehand.core.arrays import check_number, check_option
from barehand.core.tensors import Operator, on_cpu, register


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """a / b, and 0 over nothing."""
    return torch.where(b == 0, 0, a / torch.where(b == 0, 1, b))


def _corners(boxes: Tensor, box_format: str, offset: float) -> tuple[Tensor, Tensor]:
    """The first and the last corner; an inverted side ends where it starts."""
    boxes = torch.where(boxes.isfinite().all(-1, keepdim=True), boxes, torch.nan)
    p, q = boxes[..., :2], boxes[..., 2:]
    if box_format == "xywh":
        q = p + (q - offset)
    elif box_format == "cxcywh":
        half = (q - offset) / 2
        p, q = p - half, p + half
    return p, torch.where(q - p + offset < 0, p - offset, q)


def _aligned(boxes1: Tensor, boxes2: Tensor, *, box_format: str, offset: float, kind: str, name: str = "iou") -> Tensor:
    check_option(name, "box_format", box_format, get_args(BoxFormat))
    check_option(name, "kind", kind, get_args(Kind))
    offset = check_number(name, "offset", offset, low=0.0)
    (a1, a2), (b1, b2) = _corners(boxes1, box_format, offset), _corners(boxes2, box_format, offset)
    ends = (
        (a1, a2),
        (b1, b2),
        (torch.maximum(a1, b1), torch.minimum(a2, b2)),
        (torch.minimum(a1, b1), torch.maximum(a2, b2)),
    )
    size, other, shared, hull = ((stop - start + offset).relu() for start, stop in ends)
    # In units of the box around both no area leaves the range; the unit cancels, and so has no gradient.
    unit = hull.detach().amax(-1, keepdim=True)
    unit = torch.where(unit > 0, unit, 1)
    apart = (a1 - b1 + a2 - b2) / 2 / unit
    size, other, shared, hull = (s / unit for s in (size, other, shared, hull))
    inter = shared.prod(-1)
    union = size.prod(-1) + other.prod(-1) - inter
    result = _ratio(inter, union)
    if kind == "giou":
        around = hull.prod(-1)
        return result - torch.where(around == 0, 0, 1 - _ratio(union, around))
    if kind == "iou":
        return result
    away = _ratio(apart.square().sum(-1), hull.square().sum(-1))
    if kind == "diou":
        return result - away
    v = 4 / math.pi**2 * (_angle(other) - _angle(size)).square()
    return result - away - _ratio(v.square(), 1 - result + v)


def _angle(size: Tensor) -> Tensor:
    """atan(w / h), 0 for a box of nothing."""
    w, h = size.unbind(-1)
    return torch.atan2(w, torch.where((w == 0) & (h == 0), 1, h))


def _check(name: str, ndim: int, **boxes: Tensor) -> None:
    for argument, value in boxes.items():
        if value.ndim == 0 or value.shape[-1] != 4 or (ndim and value.ndim != ndim):
            wanted = "(N, 4)" if ndim else "(..., 4)"
            raise ValueError(
                f"{name}: {argument} has shape {tuple(value.shape)}, not {wanted}; give four numbers a box in the last "
                "axis"
            )


def _iou(boxes1: Tensor, boxes2: Tensor, **options: Any) -> Tensor:
    _check("iou", 0, boxes1=boxes1, boxes2=boxes2)
    return _aligned(boxes1, boxes2, **options)


def _pairwise(boxes1: Tensor, boxes2: Tensor, **options: Any) -> Tensor:
    _check("pairwise_iou", 2, boxes1=boxes1, boxes2=boxes2)
    return _aligned(boxes1[:, None], boxes2, name="pairwise_iou", **options)


_BOXES = ("boxes1", "boxes2")
_IOU = register(Operator("iou", _BOXES, _BOXES, arrays.iou, vjp.iou, _iou))
_PAIRWISE = register(Operator("pairwise_iou", _BOXES, _BOXES, arrays.pairwise_iou, vjp.pairwise_iou, _pairwise))


def iou(boxes1: Tensor, boxes2: Tensor, *, box_format: str = "xyxy", offset: float = 0, kind: str = "iou") -> Any:
    """As `barehand.iou`."""
    return _IOU(boxes1, boxes2, box_format=box_format, offset=offset, kind=kind)


def pairwise_iou(
    boxes1: Tensor, boxes2: Tensor, *, box_format: str = "xyxy", offset: float = 0, kind: str = "iou"
) -> Any:
    """As `barehand.pairwise_iou`."""
    return _PAIRWISE(boxes1, boxes2, box_format=box_format, offset=offset, kind=kind)


def nms(
    boxes: Tensor, scores: Tensor, *, iou_threshold: float, classes: Any = None, box_format: str = "xyxy",
    offset: float = 0,
) -> Any:  # fmt: skip
    """As `barehand.nms`, for tensors on the CPU."""
    options = {"iou_threshold": iou_threshold, "classes": classes, "box_format": box_format, "offset": offset}
    return on_cpu(arrays.nms, boxes=boxes, scores=scores, **options)
