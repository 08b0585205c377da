"""IoU of boxes, its refinements, and non-maximum suppression."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from barehand.blocks.iou import launch, suppression
from barehand.blocks.iou.launch import BoxFormat, Kind
from barehand.core.dispatch import by_kind


@by_kind
def iou(
    boxes1: ArrayLike, boxes2: ArrayLike, *, box_format: BoxFormat = "xyxy", offset: float = 0, kind: Kind = "iou"
) -> Any:
    """What share of two boxes' union they have in common, box by box. As a loss, take 1 - iou.

    With w = max(x2 - x1 + offset, 0), h likewise, and area w h: IoU = I / U, U = area1 + area2 - I.
    giou = IoU - (C - U) / C, C the area of the smallest box around both; diou = IoU - (d / c)², d between the centres,
    c the diagonal of that box; ciou = diou - alpha v, v = 4/pi² (atan(w2/h2) - atan(w1/h1))², alpha = v/(1 - IoU + v).

    Args:
        boxes1, boxes2: boxes (..., 4), broadcast against each other; float16, float32 or float64 are kept, integers of
            any width become float64. Pixels or any other unit.
        box_format: "xyxy", two corners; "xywh", the first corner and the size; "cxcywh", the centre and the size.
        offset: 1 counts pixels inclusively, width = x2 - x1 + 1; w and h given as sizes stay what they are given as
            (x2 = x + w - offset; x1, x2 = cx -+ (w - offset) / 2).
        kind: "iou" in [0, 1], "giou" in (-1, 1], "diou" in (-1, 1], "ciou" in (-2, 1].

    Returns:
        A number, or an array of the broadcast shape without the last axis, in the wider dtype of the two.

    Raises:
        TypeError: boxes that are not real numbers.
        ValueError: boxes without four numbers, shapes that do not broadcast, or an option out of range.

    Edge cases: an inverted box is empty, a side of length 0 at its start. A union, or a box around both, of nothing
    gives 0 for its term. IoU never exceeds 1 and is 1 for equal boxes that have an area. A box with nan or infinity
    gives nan. float16 is computed in float32; float32 boxes of 1e30 or 1e-30 in float64, so no area leaves the range.
    In float64 the sizes of one call may differ by 1e150. Gradients are finite: corners that tie share the slope, and
    a side of length 0, or boxes that only touch, have none from the clamp.

    Cost: one pass; boxes that are broadcast are copied.

    Source: P. Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x; H. Rezatofighi et al. (2019), arXiv:1902.09630,
    algorithm 1; Z. Zheng et al. (2020), arXiv:1911.08287, equations 6 to 11.

    >>> float(iou([0, 0, 2, 2], [1, 0, 3, 2], kind="giou"))
    0.3333333333333333
    """
    return launch.forward(False, boxes1, boxes2, box_format, offset, kind)


@by_kind
def pairwise_iou(
    boxes1: ArrayLike, boxes2: ArrayLike, *, box_format: BoxFormat = "xyxy", offset: float = 0, kind: Kind = "iou"
) -> Any:
    """The IoU of every box of one set with every box of another, as matching and evaluation need it.

    result[i, j] = iou(boxes1[i], boxes2[j]): see `iou` for the formulas, the options and the edge cases.

    Args:
        boxes1, boxes2: boxes (N, 4) and (M, 4).
        box_format, offset, kind: as in `iou`.

    Returns:
        (N, M), in the wider dtype of the two; integers give float64.

    Raises:
        TypeError: boxes that are not real numbers.
        ValueError: boxes that are not (N, 4) and (M, 4), or an option out of range.

    Edge cases, Source: as in `iou`. No boxes on either side give an empty matrix.

    Cost: the result is written once; besides it, eight numbers a box.

    >>> pairwise_iou([[0, 0, 2, 2], [5, 5, 6, 6]], [[0, 0, 2, 1]])
    array([[0.5],
           [0. ]])
    """
    return launch.forward(True, boxes1, boxes2, box_format, offset, kind)


@by_kind
def nms(
    boxes: ArrayLike, scores: ArrayLike, *, iou_threshold: float, classes: ArrayLike | None = None,
    box_format: BoxFormat = "xyxy", offset: float = 0,
) -> Any:  # fmt: skip
    """Keep the best of boxes that overlap: greedy non-maximum suppression.

    From the best score down, a box is kept unless its IoU with a box kept before, of its class, exceeds iou_threshold.

    Args:
        boxes: (N, 4), floating or integers.
        scores: (N,), floating or integers; they rank as they compare, -inf and inf too.
        iou_threshold: from 0 to 1.
        classes: None, or (N,) numbers, words, any objects that hash; boxes suppress only those of their class.
        box_format, offset: as in `iou`.

    Returns:
        The indices of the boxes kept, best score first, int64.

    Raises:
        TypeError: boxes or scores that are not real numbers, classes that do not hash.
        ValueError: shapes that do not go together, nan for a score or a class, boxes not finite, a bad option.

    Edge cases: of equal scores the lower index comes first. An IoU equal to the threshold does not suppress; IoU is
    decided in float64, whatever the dtype of boxes. An empty box suppresses nothing and is kept. No boxes give none.

    Cost: a sort, then for each box those kept near it: a grid rules the others out.

    Source: R. Girshick et al. (2014), arXiv:1311.2524, section 2.2; P. Felzenszwalb et al. (2010),
    doi:10.1109/TPAMI.2009.167, section 7.2, with another measure of overlap.

    >>> nms([[0, 0, 4, 4], [0, 0, 4, 3], [5, 5, 9, 9]], [0.5, 0.9, 0.7], iou_threshold=0.5)
    array([1, 2])
    """
    return suppression.keep_best(boxes, scores, iou_threshold, classes, box_format, offset)
