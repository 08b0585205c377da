"""What people write for AUC that is wrong, and the advice each earns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.auc import textbook
from barehand.core.spec import Mutant


def _weights(sample_weight: Any, rows: int) -> Any:
    return np.ones(rows) if sample_weight is None else np.asarray(sample_weight, np.float64)


def _of_two_classes(area: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """roc_auc_score with another area(positive, scores, weights) where there is one column of scores."""

    def function(y_true: Any, y_score: Any, *, sample_weight: Any = None, max_fpr: Any = None, **options: Any) -> Any:
        y, s = np.asarray(y_true), np.asarray(y_score)
        if s.ndim == 2 or max_fpr is not None:
            return textbook.roc_auc_score(y, s, sample_weight=sample_weight, max_fpr=max_fpr, **options)
        return np.float64(area(y == np.unique(y)[-1], s, _weights(sample_weight, y.size)))

    return function


def _curve(positive: Any, s: Any, w: Any) -> tuple[Any, Any]:
    fpr, tpr, _ = textbook.roc_curve(positive, s, sample_weight=w, drop_intermediate=False)
    return fpr, tpr


def _pairs(win: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """The share of pairs by win(negatives strictly below, negatives below or equal)."""

    def area(positive: Any, s: Any, w: Any) -> Any:
        p, n = s[positive], s[~positive]
        order = np.argsort(n)
        below = np.append(0.0, w[~positive][order].cumsum())
        under, upto = (below[np.searchsorted(n[order], p, side)] for side in ("left", "right"))
        return (w[positive] * win(under, upto)).sum() / (w[positive].sum() * w[~positive].sum())

    return area


_right = _pairs(lambda under, upto: (under + upto) / 2)


def _ranks(positive: Any, s: Any, w: Any) -> Any:
    """The rank sum, ranks from argsort: among equal scores the order of the rows decides."""
    rank = np.empty(s.size)
    rank[np.argsort(s, kind="stable")] = np.arange(1.0, s.size + 1)
    p = np.count_nonzero(positive)
    return (rank[positive].sum() - p * (p + 1) / 2) / (p * (s.size - p))


def _row_by_row(positive: Any, s: Any, w: Any) -> Any:
    """A point of the curve after every row, also in the middle of a tie."""
    order = np.argsort(-s.astype(np.float64), kind="stable")
    tps, fps = (w * positive)[order].cumsum(), (w * ~positive)[order].cumsum()
    return np.trapezoid(np.append(0, tps) / tps[-1], np.append(0, fps) / fps[-1])


def _without_the_origin(positive: Any, s: Any, w: Any) -> Any:
    fpr, tpr = _curve(positive, s, w)
    return np.trapezoid(tpr[1:], fpr[1:])


def _grid(positive: Any, s: Any, w: Any) -> Any:
    thresholds = np.linspace(s.max(), s.min(), 100)
    tpr = np.array([(w * (positive & (s >= t))).sum() for t in thresholds]) / w[positive].sum()
    fpr = np.array([(w * (~positive & (s >= t))).sum() for t in thresholds]) / w[~positive].sum()
    return np.trapezoid(np.append(0, tpr), np.append(0, fpr))


def _hard(positive: Any, s: Any, w: Any) -> Any:
    return _right(positive, (s > 0.5).astype(np.float64), w)


def _single_precision(positive: Any, s: Any, w: Any) -> Any:
    order = np.argsort(s, kind="stable")
    ranked, values = positive[order], s[order]
    first = np.searchsorted(values, values, "left").astype(np.float32)
    last = np.searchsorted(values, values, "right").astype(np.float32)
    p = np.float32(np.count_nonzero(positive))
    n = np.float32(s.size) - p
    ranks = np.cumsum((first + last + np.float32(1)) / np.float32(2) * ranked, dtype=np.float32)[-1]
    return (ranks - p * (p + np.float32(1)) / np.float32(2)) / (p * n)


def _by_bits(positive: Any, s: Any, w: Any) -> Any:
    if s.dtype.kind != "f":
        return _right(positive, s, w)
    bits = s.view(f"i{s.dtype.itemsize}").astype(np.int64)
    return _right(positive, np.where(bits < 0, bits ^ np.iinfo(f"i{s.dtype.itemsize}").max, bits), w)


def _finite_only(positive: Any, s: Any, w: Any) -> Any:
    ok = np.isfinite(s)
    return _right(positive[ok], s[ok], w[ok])


def _summed_labels(y_true: Any, y_score: Any, *, sample_weight: Any = None, max_fpr: Any = None, **options: Any) -> Any:
    y, s = np.asarray(y_true), np.asarray(y_score)
    if s.ndim == 2 or max_fpr is not None or sample_weight is not None or y.dtype.kind not in "iuf":
        return textbook.roc_auc_score(y, s, sample_weight=sample_weight, max_fpr=max_fpr, **options)
    under, upto = (np.searchsorted(np.sort(s), s, side) for side in ("left", "right"))
    p = float(y.sum())
    return np.float64(((y * (under + upto + 1) / 2).sum() - p * (p + 1) / 2) / (p * (y.size - p)))


def _partial(scaled: Callable[[Any, float], Any]) -> Callable[..., Any]:
    """roc_auc_score with another last step from the area up to max_fpr."""

    def function(y_true: Any, y_score: Any, *, max_fpr: Any = None, **options: Any) -> Any:
        if max_fpr in (None, 1):
            return textbook.roc_auc_score(y_true, y_score, max_fpr=max_fpr, **options)
        least = max_fpr**2 / 2
        right = float(textbook.roc_auc_score(y_true, y_score, max_fpr=max_fpr, **options))
        return np.float64(scaled((2 * right - 1) * (max_fpr - least) + least, max_fpr))

    return function


def _whole_points_only(y_true: Any, y_score: Any, *, max_fpr: Any = None, **options: Any) -> Any:
    if max_fpr in (None, 1):
        return textbook.roc_auc_score(y_true, y_score, max_fpr=max_fpr, **options)
    y = np.asarray(y_true)
    fpr, tpr = _curve(y == np.unique(y)[-1], np.asarray(y_score), _weights(options.get("sample_weight"), y.size))
    inside, least = fpr <= max_fpr, max_fpr**2 / 2
    return np.float64((1 + (np.trapezoid(tpr[inside], fpr[inside]) - least) / (max_fpr - least)) / 2)


def _with_average(changed: dict[Any, Any]) -> Callable[..., Any]:
    """roc_auc_score that takes one average for another."""

    def function(y_true: Any, y_score: Any, *, average: Any = "macro", **options: Any) -> Any:
        return textbook.roc_auc_score(y_true, y_score, average=changed.get(average, average), **options)

    return function


def _rest_for_pairs(y_true: Any, y_score: Any, *, multi_class: str = "raise", **options: Any) -> Any:
    return textbook.roc_auc_score(
        y_true, y_score, multi_class="ovr" if multi_class == "ovo" else multi_class, **options
    )


def _unweighted(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, sample_weight=None, **options: function(*args, **options)


_TIES = {
    "en": "A pair with equal scores counts one half: average the strict and the loose comparison.",
    "zh": "得分相等的一对算一半：取严格比较与非严格比较的平均。",
}
_WEIGHTS = {
    "en": "Each pair counts with the product of its two weights; the weights are left out.",
    "zh": "每一对应按两个权重之积计数；这里没有用到权重。",
}
_PARTIAL = {
    "en": "The area up to max_fpr is standardised (McClish): 1/2 for chance, 1 for the best; this is another scale.",
    "zh": "max_fpr 以内的面积要按 McClish 标准化：随机为 1/2，最好为 1；这里的尺度不对。",
}

MUTANTS = (
    Mutant("ties count nothing", _TIES, _of_two_classes(_pairs(lambda under, upto: under))),
    Mutant("ties count in full", _TIES, _of_two_classes(_pairs(lambda under, upto: upto))),
    Mutant(
        "ranks from argsort",
        {
            "en": "Equal scores get different ranks, by the order of the rows: give them their average rank.",
            "zh": "得分相同的行按行序得到了不同的秩：应取平均秩。",
        },
        _of_two_classes(_ranks),
    ),
    Mutant(
        "a point after every row",
        {
            "en": "Inside a tie the curve follows the order of the rows: add a point after each distinct score only.",
            "zh": "同分的行之间，曲线跟着行序走：每个不同的得分之后才加一个点。",
        },
        _of_two_classes(_row_by_row),
    ),
    Mutant(
        "the curve without (0, 0)",
        {
            "en": "The curve begins at (0, 0); without that point the area before the first threshold is lost.",
            "zh": "曲线从 (0, 0) 开始；缺了这个点，第一个阈值之前的面积就丢了。",
        },
        _of_two_classes(_without_the_origin),
    ),
    Mutant(
        "a grid of 100 thresholds",
        {
            "en": "A fixed grid takes scores between two thresholds for equal: every score is a threshold.",
            "zh": "固定网格把两个阈值之间的得分当作相等：应对得分排序，每个得分都是阈值。",
        },
        _of_two_classes(_grid),
    ),
    Mutant(
        "scores rounded to 4 decimals",
        {
            "en": "Rounding makes ties that are none: rank the scores as they are.",
            "zh": "舍入会造出假的同分：应按原始得分排序。",
        },
        _of_two_classes(lambda positive, s, w: _right(positive, np.round(s.astype(np.float64), 4), w)),
    ),
    Mutant(
        "predictions for scores",
        {
            "en": "AUC ranks scores; cut at 0.5 first, it is the balanced accuracy of one threshold.",
            "zh": "AUC 是对得分排序；先按 0.5 二值化，得到的只是单个阈值下的平衡准确率。",
        },
        _of_two_classes(_hard),
    ),
    Mutant(
        "the larger of AUC and 1 - AUC",
        {
            "en": "A ranking worse than chance has an AUC below 1/2; turning it round hides the error.",
            "zh": "比随机还差的排序，AUC 就小于 1/2；取 1 - AUC 会掩盖问题。",
        },
        _of_two_classes(lambda positive, s, w: max(_right(positive, s, w), 1 - _right(positive, s, w))),
    ),
    Mutant(
        "positives and negatives exchanged",
        {
            "en": "The greater label is the positive class, and positives should score higher: this is 1 - AUC.",
            "zh": "较大的标签是正类，正类得分应更高：这里得到的是 1 - AUC。",
        },
        _of_two_classes(lambda positive, s, w: 1 - _right(positive, s, w)),
    ),
    Mutant(
        "labels summed",
        {
            "en": "The sum of the labels is the number of positives for 0 and 1 only: compare with the greater label.",
            "zh": "只有标签是 0 和 1 时，其和才是正样本数：应与较大的标签比较。",
        },
        _summed_labels,
    ),
    Mutant(
        "counts in float32",
        {
            "en": "Beyond 2^24 float32 skips whole numbers: count pairs in int64 or float64.",
            "zh": "超过 2^24 后 float32 表示不了每个整数：应以 int64 或 float64 计数。",
        },
        _of_two_classes(_single_precision),
    ),
    Mutant(
        "scores sorted by their bits",
        {
            "en": "-0.0 and 0.0 are equal and have different bits: add 0.0 before reading the bits.",
            "zh": "-0.0 与 0.0 相等而二进制表示不同：读取二进制位之前先加 0.0。",
        },
        _of_two_classes(_by_bits),
    ),
    Mutant(
        "infinite scores dropped",
        {
            "en": "An infinite score has a rank, the first or the last: only nan has none.",
            "zh": "无穷大的得分也有名次，不是第一就是最后：只有 nan 没有名次。",
        },
        _of_two_classes(_finite_only),
    ),
    Mutant("weights ignored", _WEIGHTS, _unweighted(textbook.roc_auc_score)),
    Mutant("a partial area as it is", _PARTIAL, _partial(lambda area, limit: area)),
    Mutant("a partial area over max_fpr", _PARTIAL, _partial(lambda area, limit: area / limit)),
    Mutant(
        "a partial area without its last piece",
        {
            "en": "max_fpr falls between two points of the curve: interpolate the height there and add the last piece.",
            "zh": "max_fpr 落在曲线的两点之间：应在那里插值，把最后一小段也算进去。",
        },
        _whole_points_only,
    ),
    Mutant(
        "weighted averages taken plainly",
        {
            "en": "average='weighted' weighs each class by its positives.",
            "zh": "average='weighted' 要按各类的正样本数加权。",
        },
        _with_average({"weighted": "macro"}),
    ),
    Mutant(
        "micro taken for macro",
        {
            "en": "'micro' ranks all cells of the matrix together; the mean of the columns is 'macro'.",
            "zh": "'micro' 把矩阵的所有元素放在一起排序；各列求平均的是 'macro'。",
        },
        _with_average({"micro": "macro"}),
    ),
    Mutant(
        "one against the rest for one against one",
        {
            "en": "'ovo' compares two classes on their own rows, both ways round.",
            "zh": "'ovo' 只在两个类各自的行上比较，正反各一次。",
        },
        _rest_for_pairs,
    ),
)


def _grouped(average: Callable[..., Any]) -> Callable[..., Any]:
    """Grouped AUC with another average(areas, positives, negatives, asked) of all groups; areas may be nan."""

    def function(y_true: Any, y_score: Any, groups: Any, *, sample_weight: Any = None, **options: Any) -> Any:
        y, s, g = np.asarray(y_true), np.asarray(y_score), np.asarray(groups)
        w, positive = _weights(sample_weight, y.size), y == np.unique(y)[-1]
        masks = [g == name for name in dict.fromkeys(g.tolist())]
        p = np.array([w[m & positive].sum() for m in masks])
        n = np.array([w[m & ~positive].sum() for m in masks])
        areas = np.array(
            [_right(positive[m], s[m], w[m]) if a and b else np.nan for m, a, b in zip(masks, p, n, strict=True)]
        )
        value = average(areas, p, n, options.get("average", "rows"))
        return np.float64(value), len(masks), int(np.isnan(areas).sum())

    return function


def _share(p: Any, n: Any, asked: str) -> Any:
    return {"rows": p + n, "positives": p, "groups": np.ones(p.size)}[asked]


def _mean(areas: Any, share: Any) -> Any:
    ok = ~np.isnan(areas)
    return (areas[ok] * share[ok]).sum() / share[ok].sum()


def _pooled(y_true: Any, y_score: Any, groups: Any, *, sample_weight: Any = None, **options: Any) -> Any:
    right = textbook.grouped_roc_auc_score(y_true, y_score, groups, sample_weight=sample_weight, **options)
    return textbook.roc_auc_score(y_true, y_score, sample_weight=sample_weight), *right[1:]


def _runs(y_true: Any, y_score: Any, groups: Any, **options: Any) -> Any:
    g = np.asarray(groups)
    return textbook.grouped_roc_auc_score(y_true, y_score, np.append(0, g[1:] != g[:-1]).cumsum(), **options)


def _only_counted(*args: Any, **options: Any) -> Any:
    value, groups, skipped = textbook.grouped_roc_auc_score(*args, **options)
    return value, groups - skipped, skipped


GROUPED_MUTANTS = (
    Mutant(
        "one AUC over all groups",
        {
            "en": "Pairs from different groups are compared too: rank within each group, then average.",
            "zh": "不同组的样本也被拿来比较了：应在每组内排序，再求平均。",
        },
        _pooled,
    ),
    Mutant(
        "the plain mean of the groups",
        {
            "en": "average='rows' weighs a group by its rows, 'positives' by its positives.",
            "zh": "average='rows' 按组的行数加权，'positives' 按正样本数加权。",
        },
        _grouped(lambda areas, p, n, asked: _mean(areas, np.ones(p.size))),
    ),
    Mutant(
        "groups weighed by their pairs",
        {
            "en": "A group counts with its rows, not with its pairs: pairs make long groups count for nearly all.",
            "zh": "组的权重是行数而不是样本对数：按对数加权，长的组几乎决定了一切。",
        },
        _grouped(lambda areas, p, n, asked: _mean(areas, p * n if asked == "rows" else _share(p, n, asked))),
    ),
    Mutant(
        "groups of one class count 1/2",
        {
            "en": "A group of one class has no AUC: leave it out, with its weight.",
            "zh": "只有一个类的组没有 AUC：连同权重一起略去。",
        },
        _grouped(lambda areas, p, n, asked: _mean(np.nan_to_num(areas, nan=0.5), _share(p, n, asked))),
    ),
    Mutant(
        "groups of one class count 0",
        {
            "en": "A group of one class has no AUC, not the AUC 0: leave it out, with its weight.",
            "zh": "只有一个类的组没有 AUC，而不是 AUC 为 0：连同权重一起略去。",
        },
        _grouped(lambda areas, p, n, asked: _mean(np.nan_to_num(areas, nan=0.0), _share(p, n, asked))),
    ),
    Mutant(
        "runs of equal names for groups",
        {
            "en": "Rows of one group need not be neighbours: collect them by name, or sort by name first.",
            "zh": "同组的行不一定相邻：应按组名归并，或先按组名排序。",
        },
        _runs,
    ),
    Mutant(
        "n_groups without those left out",
        {"en": "n_groups counts every group, also those left out.", "zh": "n_groups 统计所有的组，包括被略去的。"},
        _only_counted,
    ),
    Mutant("weights ignored", _WEIGHTS, _unweighted(textbook.grouped_roc_auc_score)),
)


def _curve_of(points: Callable[..., Any]) -> Callable[..., Any]:
    """roc_curve from points(thresholds, fps, tps), which start at the highest score."""

    def function(
        y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None, drop_intermediate: bool = True
    ) -> Any:
        fpr, tpr, thresholds = textbook.roc_curve(
            y_true, y_score, pos_label=pos_label, sample_weight=sample_weight, drop_intermediate=drop_intermediate
        )
        return points(fpr, tpr, thresholds)

    return function


def _old_threshold(fpr: Any, tpr: Any, thresholds: Any) -> Any:
    return fpr, tpr, np.append(thresholds[1] + 1, thresholds[1:])


def _all_points(*args: Any, drop_intermediate: bool = True, **options: Any) -> Any:
    return textbook.roc_curve(*args, drop_intermediate=False, **options)


def _each_row(
    y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None, drop_intermediate: bool = True
) -> Any:
    y, s = np.asarray(y_true), np.asarray(y_score).astype(np.float64)
    positive, w = y == (np.unique(y)[-1] if pos_label is None else pos_label), _weights(sample_weight, y.size)
    order = np.argsort(-s, kind="stable")
    tps, fps = (w * positive)[order].cumsum(), (w * ~positive)[order].cumsum()
    return np.append(0, fps) / fps[-1], np.append(0, tps) / tps[-1], np.append(np.inf, s[order])


def _greater_label(*args: Any, pos_label: Any = None, **options: Any) -> Any:
    return textbook.roc_curve(*args, **options)


def _upright_only(fpr: Any, tpr: Any, thresholds: Any) -> Any:
    keep = np.append(True, np.diff(tpr) != 0)
    return fpr[keep], tpr[keep], thresholds[keep]


CURVE_MUTANTS = (
    Mutant(
        "the rates exchanged",
        {"en": "The false positive rate comes first.", "zh": "先返回假正率，再返回真正率。"},
        _curve_of(lambda fpr, tpr, thresholds: (tpr, fpr, thresholds)),
    ),
    Mutant(
        "a first threshold of max + 1",
        {
            "en": "The point (0, 0) belongs to a threshold above every score: inf. max + 1 is no probability.",
            "zh": "点 (0, 0) 对应高于一切得分的阈值，即 inf；max + 1 不是概率。",
        },
        _curve_of(_old_threshold),
    ),
    Mutant(
        "no point at (0, 0)",
        {"en": "The curve begins at (0, 0), with the threshold inf.", "zh": "曲线从 (0, 0) 开始，阈值为 inf。"},
        _curve_of(lambda fpr, tpr, thresholds: (fpr[1:], tpr[1:], thresholds[1:])),
    ),
    Mutant(
        "thresholds from low to high",
        {
            "en": "The curve runs from the highest threshold down, so that the rates rise.",
            "zh": "曲线从最高的阈值往下走，两个比率才会递增。",
        },
        _curve_of(lambda fpr, tpr, thresholds: (fpr[::-1], tpr[::-1], thresholds[::-1])),
    ),
    Mutant("a point for every row", MUTANTS[3].advice, _each_row),
    Mutant(
        "points where only false positives rise dropped",
        {
            "en": "A point goes only where it lies on a line between its neighbours: a level piece has two ends.",
            "zh": "只有落在两侧邻点连线上的点才能去掉：水平的一段也有两个端点。",
        },
        _curve_of(_upright_only),
    ),
    Mutant(
        "drop_intermediate ignored",
        {
            "en": "By default points between others on a line are dropped.",
            "zh": "默认应去掉落在邻点连线上的中间点。",
        },
        _all_points,
    ),
    Mutant("weights ignored", _WEIGHTS, _unweighted(textbook.roc_curve)),
    Mutant(
        "pos_label ignored",
        {
            "en": "pos_label names the positive class, the greater label or not.",
            "zh": "正类由 pos_label 指定，不一定是较大的标签。",
        },
        _greater_label,
    ),
)
