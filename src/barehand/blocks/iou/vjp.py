"""Gradients of IoU for NumPy users; non-maximum suppression has none."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.iou import launch
from barehand.blocks.iou.launch import BoxFormat, Kind


def iou(
    boxes1: ArrayLike,
    boxes2: ArrayLike,
    *,
    box_format: BoxFormat = "xyxy",
    offset: float = 0,
    kind: Kind = "iou",
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradients of IoU for both boxes, in the numbers that the boxes are given by.

    d IoU = (1 + IoU) dI / U - IoU (d area1 + d area2) / U, times the cotangent, summed where boxes were broadcast.
    alpha in ciou is differentiated too. Corners that tie share the slope, half each, so that equal boxes have none;
    where a clamp at 0 is at its edge it has none; an inverted side moves with its start. The loss 1 - iou is had with
    -cotangent. `with_value=True` returns (iou(...), gradients).

    >>> iou([0, 0, 2, 2], [1, 0, 3, 2])[0]
    array([0.11111111, 0.        , 0.33333333, 0.        ])
    """
    return launch.backward(cotangent, with_value, False, boxes1, boxes2, box_format, offset, kind)


def pairwise_iou(
    boxes1: ArrayLike,
    boxes2: ArrayLike,
    *,
    box_format: BoxFormat = "xyxy",
    offset: float = 0,
    kind: Kind = "iou",
    cotangent: ArrayLike | None = None,
    with_value: bool = False,
) -> Any:
    """The gradients of the IoU of every pair for boxes1 (N, 4) and boxes2 (M, 4).

    As in `iou`, summed over the pairs that a box is in. One sweep over the cotangent (N, M); the slopes of the pairs
    are never stored. `with_value=True` returns (pairwise_iou(...), gradients).

    >>> pairwise_iou([[0, 0, 2, 2]], [[1, 0, 3, 2]], cotangent=[[9.0]])[1].round(6)
    array([[-3.,  0., -1.,  0.]])
    """
    return launch.backward(cotangent, with_value, True, boxes1, boxes2, box_format, offset, kind)
