"""What people write for IoU and NMS that is wrong, and the advice each earns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.iou import textbook
from barehand.core.spec import Mutant


def _ratio(a: Any, b: Any) -> Any:
    return a / np.where(b == 0, 1, b) * (b != 0)


def _floating(boxes: Any) -> Any:
    return np.multiply(boxes, 1.0).astype(np.longdouble)


def _corners(b: Any, box_format: str, offset: float) -> tuple[Any, Any]:
    p, q = b[..., :2], b[..., 2:]
    if box_format == "xywh":
        return p, p + q - offset
    return (p, q) if box_format == "xyxy" else (p - (q - offset) / 2, p + (q - offset) / 2)


class _Terms:
    """The quantities that the formulas share, by the right formulas."""

    def __init__(self, one: Any, two: Any, offset: float) -> None:
        (a1, a2), (b1, b2) = one, two
        self.size, self.other = np.maximum(a2 - a1 + offset, 0), np.maximum(b2 - b1 + offset, 0)
        self.raw = np.minimum(a2, b2) - np.maximum(a1, b1) + offset
        e, f = np.maximum(a2, a1 - offset), np.maximum(b2, b1 - offset)
        self.hull = np.maximum(np.maximum(e, f) - np.minimum(a1, b1) + offset, 0)
        self.apart = (a1 - b1 + e - f) / 2
        self.starts, self.stops = (a1, b1), (a2, b2)
        self.inter = np.maximum(self.raw, 0).prod(axis=-1)
        self.areas = self.size.prod(axis=-1), self.other.prod(axis=-1)
        self.union = self.areas[0] + self.areas[1] - self.inter


def _aspect(t: _Terms, value: Any) -> Any:
    turn = np.arctan2(t.other[..., 0], t.other[..., 1]) - np.arctan2(t.size[..., 0], t.size[..., 1])
    v = 4 / np.pi**2 * turn**2
    return v, _ratio(v, 1 - value + v)


def _of_giou(t: _Terms, value: Any) -> Any:
    return _ratio(t.hull.prod(axis=-1) - t.union, t.hull.prod(axis=-1))


def _of_diou(t: _Terms, value: Any) -> Any:
    return _ratio((t.apart**2).sum(axis=-1), (t.hull**2).sum(axis=-1))


def _of_ciou(t: _Terms, value: Any) -> Any:
    v, alpha = _aspect(t, value)
    return alpha * v


def _variant(
    share: Callable[[_Terms], Any] = lambda t: _ratio(t.inter, t.union),
    giou: Any = _of_giou,
    diou: Any = _of_diou,
    ciou: Any = _of_ciou,
    corners: Any = _corners,
    floating: Any = _floating,
    terms: Any = _Terms,
    finish: Any = lambda value: value,
) -> Callable[..., Any]:
    """IoU with one of its parts exchanged."""

    def iou(boxes1: Any, boxes2: Any, *, box_format: str = "xyxy", offset: float = 0, kind: str = "iou") -> Any:
        dtype = np.result_type(np.multiply(boxes1, 1.0), np.multiply(boxes2, 1.0))
        with np.errstate(all="ignore"):
            given = (floating(np.asarray(b)) for b in (boxes1, boxes2))
            t = terms(*(corners(b, box_format, offset) for b in given), offset)
            value = share(t)
            less = {"iou": 0, "giou": giou(t, value), "diou": diou(t, value), "ciou": diou(t, value) + ciou(t, value)}
            value = value - less[kind]
            bad = ~(np.isfinite(boxes1).all(axis=-1) & np.isfinite(boxes2).all(axis=-1))
            return finish(np.where(bad, np.nan, value)).astype(dtype)[()]

    return iou


def _pixel_added(one: Any, two: Any, offset: float) -> _Terms:
    return _Terms(one, two, 1)


def _offset_in_the_areas(one: Any, two: Any, offset: float) -> _Terms:
    t = _Terms(one, two, offset)
    t.inter = np.maximum(t.raw - offset, 0).prod(axis=-1)
    t.union = t.areas[0] + t.areas[1] - t.inter
    return t


def _as_it_comes(boxes: Any) -> Any:
    """Arithmetic in the boxes' own type; the textbook's for nothing."""
    return boxes


def _unclamped(t: _Terms) -> Any:
    inter = t.raw.prod(axis=-1)
    return _ratio(inter, t.areas[0] + t.areas[1] - inter)


def _half_forgotten(b: Any, box_format: str, offset: float) -> tuple[Any, Any]:
    if box_format != "cxcywh":
        return _corners(b, box_format, offset)
    return b[..., :2] - (b[..., 2:] - offset), b[..., :2] + (b[..., 2:] - offset)


def _size_plus_offset(b: Any, box_format: str, offset: float) -> tuple[Any, Any]:
    return _corners(b, box_format, 0)


def _by_the_sizes(t: _Terms) -> Any:
    """The enclosing box from the sizes: right where one is inside the other only."""
    return np.maximum(t.size, t.other).prod(axis=-1)


def _by_the_starts(t: _Terms, value: Any) -> Any:
    return _ratio(((t.starts[0] - t.starts[1]) ** 2).sum(axis=-1), (t.hull**2).sum(axis=-1))


def _by_division(t: _Terms, value: Any) -> Any:
    turn = np.arctan(t.other[..., 0] / t.other[..., 1]) - np.arctan(t.size[..., 0] / t.size[..., 1])
    v = 4 / np.pi**2 * turn**2
    return v * v / (1 - value + v)


# name, advice in English, advice in Chinese, the function
_WRONG: tuple[tuple[str, str, str, Callable[..., Any]], ...] = (
    (
        "no clamp at 0",
        "Boxes apart along both axes give two negative sides, whose product is positive: clamp each side at 0 first.",
        "两框在两个方向上都不相交时，两条负边相乘得正数：应先把每条边截断到 0。",
        _variant(share=_unclamped),
    ),
    (
        "absolute values for a clamp",
        "abs(side) makes an overlap out of a gap; a negative side means no overlap, 0.",
        "取绝对值会把间隙当成重叠；边长为负表示不相交，应为 0。",
        _variant(share=lambda t: _ratio(i := np.abs(t.raw).prod(axis=-1), t.areas[0] + t.areas[1] - i)),
    ),
    (
        "a pixel added to every side",
        "+1 belongs to inclusive pixel coordinates only; on boxes of unit scale it is larger than the boxes.",
        "+1 只适用于含端点的像素坐标；对归一化到 [0, 1] 的框，它比框本身还大。",
        _variant(terms=_pixel_added),
    ),
    (
        "the offset in the areas only",
        "Where width is x2 - x1 + 1, the sides of the intersection need the + 1 too.",
        "若宽度按 x2 - x1 + 1 计算，交集的边长也要 + 1。",
        _variant(terms=_offset_in_the_areas),
    ),
    (
        "the box format ignored",
        "xywh and cxcywh are not corners: convert them before taking minima and maxima.",
        "xywh 和 cxcywh 不是角点坐标：取最小、最大值之前要先换算。",
        _variant(corners=lambda b, box_format, offset: _corners(b, "xyxy", offset)),
    ),
    (
        "the half of the size forgotten",
        "A centre is half a width from either side: x1 = cx - w / 2.",
        "中心到两边各是宽度的一半：x1 = cx - w / 2。",
        _variant(corners=_half_forgotten),
    ),
    (
        "the size grown by the offset",
        "A given w is the width already: x2 = x + w - offset, so that x2 - x1 + offset is w.",
        "给出的 w 已经是宽度：x2 = x + w - offset，这样 x2 - x1 + offset 才等于 w。",
        _variant(corners=_size_plus_offset),
    ),
    (
        "0/0 for empty boxes",
        "Two empty boxes have a union of 0: return 0 there, or one nan spoils the whole mean.",
        "两个空框的并集为 0：此时应返回 0，否则一个 nan 会毁掉整个均值。",
        _variant(share=lambda t: t.inter / t.union),
    ),
    (
        "an epsilon in the union",
        "I / (U + 1e-6) is wrong for small boxes, and for all of them never 1: ask whether U is 0.",
        "I / (U + 1e-6) 对小框误差很大，而且永远到不了 1：应单独判断 U 是否为 0。",
        _variant(share=lambda t: t.inter / (t.union + 1e-6)),
    ),
    (
        "the intersection counted twice in the union",
        "The two areas together hold the intersection twice: U = A + B - I.",
        "两个面积之和把交集算了两次：U = A + B - I。",
        _variant(share=lambda t: _ratio(t.inter, t.areas[0] + t.areas[1])),
    ),
    (
        "over the smaller area",
        "I / min(A, B) is the share of the smaller box that is covered; IoU divides by the union.",
        "I / min(A, B) 是较小框被覆盖的比例；IoU 应除以并集。",
        _variant(share=lambda t: _ratio(t.inter, np.minimum(*t.areas))),
    ),
    (
        "over the first area",
        "I / A is the share of the first box that is covered: not symmetric, and not IoU.",
        "I / A 是第一个框被覆盖的比例：它不对称，也不是 IoU。",
        _variant(share=lambda t: _ratio(t.inter, t.areas[0])),
    ),
    (
        "arithmetic in the boxes' own type",
        "Areas leave uint8, int32 and float16 from 16, 46341 and 256 pixels on: widen integers and halves first.",
        "边长从 16、46341、256 像素起，面积就超出 uint8、int32、float16：应先转为更宽的浮点类型。",
        _variant(floating=_as_it_comes),
    ),
    (
        "the kind ignored",
        "giou, diou and ciou each subtract a term from IoU.",
        "giou、diou、ciou 都要从 IoU 中再减去一项。",
        _variant(giou=lambda t, v: 0, diou=lambda t, v: 0, ciou=lambda t, v: 0),
    ),
    (
        "giou over the union",
        "The empty part of the enclosing box, C - U, is divided by C.",
        "外接框的空白部分 C - U 应除以 C。",
        _variant(giou=lambda t, v: _ratio(t.hull.prod(axis=-1) - t.union, t.union)),
    ),
    (
        "an enclosing box from the sizes",
        "The enclosing box runs from the smaller start to the larger stop; its sides are not the larger sides.",
        "外接框从较小的起点到较大的终点；它的边长不是两框边长的较大者。",
        _variant(giou=lambda t, v: _ratio(_by_the_sizes(t) - t.union, _by_the_sizes(t))),
    ),
    (
        "diou without squares",
        "DIoU divides the squared distance between the centres by the squared diagonal.",
        "DIoU 用中心距离的平方除以对角线的平方。",
        _variant(diou=lambda t, v: np.sqrt(_of_diou(t, v))),
    ),
    (
        "diou from the first corners",
        "The distance is between the centres: boxes that share a corner may have centres far apart.",
        "距离应取两框中心之间：共用一个角点的框，中心可能相距很远。",
        _variant(diou=_by_the_starts),
    ),
    (
        "4 / pi for 4 / pi²",
        "The angles differ by pi / 2 at most; 4 / pi² brings their squared difference to [0, 1].",
        "两个角度最多相差 pi / 2；乘以 4 / pi² 才能把差的平方归一到 [0, 1]。",
        _variant(ciou=lambda t, v: _ratio((np.pi * _aspect(t, v)[0]) ** 2, 1 - v + np.pi * _aspect(t, v)[0])),
    ),
    (
        "ciou without alpha",
        "The aspect ratio's term is alpha v with alpha = v / (1 - IoU + v), not v.",
        "长宽比一项是 alpha v，其中 alpha = v / (1 - IoU + v)，而不是 v。",
        _variant(ciou=lambda t, v: _aspect(t, v)[0]),
    ),
    (
        "w / h of a box without height",
        "w / h is infinite or nan at h = 0, and nan spoils the gradient of all: use atan2(w, h).",
        "h = 0 时 w / h 为无穷或 nan，nan 会毁掉全部梯度：应使用 atan2(w, h)。",
        _variant(ciou=_by_division),
    ),
    (
        "cut off at 0",
        "giou, diou and ciou are negative for boxes apart; that is what they are for: do not clamp the result.",
        "两框相离时 giou、diou、ciou 为负，这正是它们有用的地方：不要把结果截断到 0。",
        _variant(finish=lambda value: np.maximum(value, 0)),
    ),
)


def _with_slopes(change: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The textbook's gradients, changed."""
    return lambda boxes1, boxes2, **options: change(*textbook.iou_vjp(boxes1, boxes2, **options))


def _ties_to_the_first(boxes1: Any, boxes2: Any, **options: Any) -> Any:
    """As if the corners of the first lay a little further in."""
    inwards = np.array([np.inf, np.inf, -np.inf, -np.inf], np.longdouble)
    dtype = np.result_type(np.multiply(boxes1, 1.0), np.multiply(boxes2, 1.0))
    tied = np.nextafter(np.multiply(boxes1, 1.0).astype(np.longdouble), inwards)
    return tuple(d.astype(dtype) for d in textbook.iou_vjp(tied, boxes2, **options))


_WRONG_SLOPES: tuple[tuple[str, str, str, Callable[..., Any]], ...] = (
    (
        "the gradient of 1 - IoU",
        "This is the slope of the loss 1 - IoU; IoU's own has the other sign.",
        "这是损失 1 - IoU 的梯度；IoU 本身的梯度符号相反。",
        _with_slopes(lambda d1, d2: (-d1, -d2)),
    ),
    (
        "the second boxes taken for constants",
        "IoU is symmetric: the second boxes have a gradient of their own.",
        "IoU 是对称的：第二组框也有自己的梯度。",
        _with_slopes(lambda d1, d2: (d1, 0 * d2)),
    ),
    (
        "the gradients exchanged",
        "The first gradient is that of boxes1, the second that of boxes2.",
        "第一个梯度属于 boxes1，第二个属于 boxes2。",
        lambda boxes1, boxes2, **options: (
            textbook.iou_vjp(boxes2, boxes1, **options)
            if np.shape(boxes1) == np.shape(boxes2)
            else textbook.iou_vjp(boxes1, boxes2, **options)
        ),
    ),
    (
        "no gradient for the second corner",
        "The last two numbers of a box move it too, as a corner or as its size.",
        "框的后两个数（角点或边长）同样有梯度。",
        _with_slopes(lambda d1, d2: tuple(d * np.array([1, 1, 0, 0], d.dtype) for d in (d1, d2))),
    ),
    (
        "nan where there is no slope",
        "A slope with 0/0 in it is nan for empty boxes and for boxes apart: one such pair spoils the step.",
        "梯度里出现 0/0 时，空框和不相交的框会得到 nan：一个这样的框对就会毁掉整步更新。",
        _with_slopes(lambda d1, d2: tuple(np.where((d == 0).all(-1, keepdims=True), np.nan, d) for d in (d1, d2))),
    ),
    (
        "the slope of a tie given to the first",
        "Where corners tie, each takes half: then equal boxes, where IoU is at its peak, have no slope.",
        "角点重合时各取一半：这样两框相等、IoU 达到最大时梯度为 0。",
        _ties_to_the_first,
    ),
)


def _every(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same mistake for every pair."""
    return lambda boxes1, boxes2, **options: function(np.asarray(boxes1)[:, None], np.asarray(boxes2)[None], **options)


def _every_slope(vjp: Callable[..., Any]) -> Callable[..., Any]:
    def pairwise(boxes1: Any, boxes2: Any, **options: Any) -> Any:
        n, m = np.shape(boxes1), np.shape(boxes2)
        d1, d2 = vjp(np.asarray(boxes1)[:, None], np.asarray(boxes2)[None], **options)
        return d1.reshape(n), d2.reshape(m)

    return pairwise


def _each_with_its_own(boxes1: Any, boxes2: Any, **options: Any) -> Any:
    n = min(len(boxes1), len(boxes2))
    return textbook.iou(boxes1[:n], boxes2[:n], **options)


MUTANTS = tuple(
    [Mutant(name, {"en": en, "zh": zh}, function) for name, en, zh, function in _WRONG]
    + [Mutant(name, {"en": en, "zh": zh}, vjp=vjp) for name, en, zh, vjp in _WRONG_SLOPES]
)
# What is as likely where every pair is computed at once; the rest is IoU's own.
_FOR_EVERY_PAIR = {
    "no clamp at 0",
    "a pixel added to every side",
    "the box format ignored",
    "0/0 for empty boxes",
    "an epsilon in the union",
    "the intersection counted twice in the union",
    "arithmetic in the boxes' own type",
    "the kind ignored",
    "giou over the union",
    "diou from the first corners",
    "the gradient of 1 - IoU",
    "the second boxes taken for constants",
    "nan where there is no slope",
    "the slope of a tie given to the first",
}
PAIRWISE_MUTANTS = (
    Mutant(
        "each box with its own only",
        {
            "en": "Matching needs every box with every box, (N, M): put an axis in, boxes1[:, None].",
            "zh": "匹配需要所有框两两计算，结果为 (N, M)：应插入一维，boxes1[:, None]。",
        },
        _each_with_its_own,
    ),
    Mutant(
        "rows and columns exchanged",
        {"en": "Rows belong to boxes1, columns to boxes2.", "zh": "行对应 boxes1，列对应 boxes2。"},
        lambda boxes1, boxes2, **options: textbook.pairwise_iou(boxes2, boxes1, **options),
    ),
    *(
        Mutant(name, {"en": en, "zh": zh}, _every(function))
        for name, en, zh, function in _WRONG
        if name in _FOR_EVERY_PAIR
    ),
    *(
        Mutant(name, {"en": en, "zh": zh}, vjp=_every_slope(vjp))
        for name, en, zh, vjp in _WRONG_SLOPES
        if name in _FOR_EVERY_PAIR
    ),
)


def _overlaps(boxes: Any, box_format: str, offset: float) -> Any:
    b = np.multiply(boxes, 1.0).astype(np.longdouble)
    return textbook.pairwise_iou(b, b, box_format=box_format, offset=offset).astype(np.float64)


def _ranked(scores: Any) -> list[int]:
    return sorted(range(len(scores)), key=np.asarray(scores).__getitem__, reverse=True)


def _suppression(
    overlaps: Any = _overlaps,
    ranked: Any = _ranked,
    meets: Any = lambda overlap, threshold: overlap > threshold,
    against: Any = lambda kept, seen: kept,
    finish: Any = lambda kept: kept,
    classes_count: bool = True,
) -> Callable[..., Any]:
    """NMS with one of its parts exchanged."""

    def nms(
        boxes: Any, scores: Any, *, iou_threshold: float, classes: Any = None, box_format: str = "xyxy",
        offset: float = 0,
    ) -> Any:  # fmt: skip
        with np.errstate(all="ignore"):
            overlap = overlaps(boxes, box_format, offset)
        c = np.asarray(np.zeros(len(overlap)) if classes is None or not classes_count else classes)
        kept: list[int] = []
        seen: list[int] = []
        for i in ranked(scores):
            others = against(kept, seen)
            if not (meets(overlap[i, others], iou_threshold) & (c[others] == c[i])).any():
                kept.append(i)
            seen.append(i)
        return np.array(finish(kept), np.int64)

    return nms


def _smaller_covered(boxes: Any, box_format: str, offset: float) -> Any:
    b = np.multiply(boxes, 1.0).astype(np.longdouble)
    p = textbook.Pair(b[:, None], b, box_format, offset)
    areas = p.size.prod(axis=-1)
    return _ratio(p.iou * p.union, np.minimum(areas, areas.T)).astype(np.float64)


def _nan_overlaps(boxes: Any, box_format: str, offset: float) -> Any:
    """An empty union as 1: boxes without an area suppress one another."""
    b = np.multiply(boxes, 1.0).astype(np.longdouble)
    p = textbook.Pair(b[:, None], b, box_format, offset)
    return np.where(p.union == 0, 1.0, p.iou.astype(np.float64))


def _classes_shifted(boxes: Any, scores: Any, **options: Any) -> Any:
    """The boxes of class c moved by c times the largest coordinate: apart only if nothing is negative."""
    b, classes = np.multiply(boxes, 1.0), options.pop("classes", None)
    if classes is not None and len(b):
        number = np.unique(classes, return_inverse=True)[1]
        shift = number[:, None] * b.max().astype(np.float64)
        b = b + np.where(np.arange(4) < (4 if options.get("box_format", "xyxy") == "xyxy" else 2), shift, 0)
    return textbook.nms(b, scores, **options)


def _with_scores(change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda boxes, scores, **options: textbook.nms(boxes, change(np.asarray(scores)), **options)


def _as_given(overlaps: Callable[..., Any]) -> Callable[..., Any]:
    """Overlaps by a wrong IoU."""
    return lambda boxes, box_format, offset: _every(overlaps)(boxes, boxes, box_format=box_format, offset=offset)


_WRONG_NMS: tuple[tuple[str, str, str, Callable[..., Any]], ...] = (
    (
        "the worst first",
        "argsort sorts upwards: the best score has to come first.",
        "argsort 按升序排列：应当从得分最高的开始。",
        _suppression(ranked=lambda scores: _ranked(scores)[::-1]),
    ),
    (
        "at least for more than",
        "A box is suppressed where IoU > threshold; equal is not more.",
        "IoU > 阈值时才抑制；等于阈值不算。",
        _suppression(meets=lambda overlap, threshold: overlap >= threshold),
    ),
    (
        "classes ignored",
        "A dog in front of a bicycle suppresses nothing: compare boxes of one class only.",
        "狗挡在自行车前面，两个框不应互相抑制：只比较同类的框。",
        _suppression(classes_count=False),
    ),
    (
        "what is suppressed suppresses in turn",
        "Compare with the boxes kept, not with all better ones: one that is gone suppresses nothing.",
        "只与已保留的框比较，而不是与所有得分更高的框比较：被抑制的框不再抑制别的框。",
        _suppression(against=lambda kept, seen: seen),
    ),
    (
        "only the last box kept is asked",
        "A box has to be compared with every box kept before it, not with the last alone.",
        "每个框都要与此前保留的所有框比较，而不是只看最后一个。",
        _suppression(against=lambda kept, seen: kept[-1:]),
    ),
    (
        "only the best box suppresses",
        "After the best box comes the next best that is left, until none is left.",
        "处理完得分最高的框，还要继续处理剩下的最高分，直到没有剩余。",
        _suppression(against=lambda kept, seen: kept[:1]),
    ),
    (
        "indices in the order of the boxes",
        "The indices come best score first, so that [:k] takes the k best.",
        "返回的下标应按得分从高到低，这样 [:k] 就是最好的 k 个。",
        _suppression(finish=sorted),
    ),
    (
        "ranks for indices",
        "The loop runs over ranks; the indices of the boxes are order[ranks].",
        "循环里用的是名次；框的下标应为 order[名次]。",
        lambda boxes, scores, **options: np.array(
            [_ranked(scores).index(i) for i in textbook.nms(boxes, scores, **options)], np.int64
        ),
    ),
    (
        "equal scores backwards",
        "argsort()[::-1] turns equal scores round too: sort by -score, stably.",
        "argsort()[::-1] 会把同分的次序也倒过来：应对 -score 做稳定排序。",
        _suppression(ranked=lambda scores: [int(i) for i in np.argsort(scores, kind="stable")[::-1]]),
    ),
    (
        "scores negated in their own type",
        "-score of an unsigned number wraps around: sort upwards and read backwards, or make the scores floats.",
        "无符号数取负会回绕：应升序排列后倒着读，或先把得分转为浮点数。",
        _suppression(ranked=lambda scores: [int(i) for i in np.argsort(-scores, kind="stable")]),
    ),
    (
        "over the smaller area",
        "The threshold is one for IoU: I / U, not I / min(A, B).",
        "阈值是针对 IoU 的：I / U，而不是 I / min(A, B)。",
        _suppression(overlaps=_smaller_covered),
    ),
    (
        "no clamp at 0",
        "Boxes apart along both axes give two negative sides, whose product is positive: clamp each side at 0 first.",
        "两框在两个方向上都不相交时，两条负边相乘得正数：应先把每条边截断到 0。",
        _suppression(overlaps=_as_given(_variant(share=_unclamped))),
    ),
    (
        "the box format ignored",
        "xywh and cxcywh are not corners: convert them before taking minima and maxima.",
        "xywh 和 cxcywh 不是角点坐标：取最小、最大值之前要先换算。",
        _suppression(overlaps=lambda boxes, box_format, offset: _overlaps(boxes, "xyxy", offset)),
    ),
    (
        "the offset ignored",
        "With offset=1 a box of pixels 0 to 1 is two pixels wide.",
        "offset=1 时，从像素 0 到像素 1 的框宽为两个像素。",
        _suppression(overlaps=lambda boxes, box_format, offset: _overlaps(boxes, box_format, 0)),
    ),
    (
        "a pixel added to every side",
        "+1 belongs to inclusive pixel coordinates only.",
        "+1 只适用于含端点的像素坐标。",
        _suppression(overlaps=lambda boxes, box_format, offset: _overlaps(boxes, box_format, 1)),
    ),
    (
        "empty boxes that suppress",
        "The IoU of boxes without an area is 0: they suppress nothing.",
        "没有面积的框 IoU 为 0，不会抑制任何框。",
        _suppression(overlaps=_nan_overlaps),
    ),
    (
        "classes kept apart by a shift",
        "Moved by multiples of the largest coordinate, classes still meet where some are negative: compare labels.",
        "按最大坐标平移各类别，坐标为负时不同类别仍会重叠：应直接比较类别。",
        _classes_shifted,
    ),
    (
        "areas in the boxes' own type",
        "Areas leave uint8 and float16 early: make integers float64 and halves float32 first.",
        "面积很容易超出 uint8 和 float16：应先把整数转为 float64、半精度转为 float32。",
        _suppression(overlaps=_as_given(_variant(floating=_as_it_comes))),
    ),
)  # fmt: skip
NMS_MUTANTS = tuple(Mutant(name, {"en": en, "zh": zh}, function) for name, en, zh, function in _WRONG_NMS)
