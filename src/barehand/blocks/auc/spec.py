"""What AUC, grouped AUC and the curve must do, on which inputs, and how right they must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from barehand.blocks.auc import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, SINGLE, BadInput, Case, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]


def _labels(rng: np.random.Generator, n: int, share: float = 0.4) -> Any:
    """0 and 1, both of them present."""
    y = (rng.random(n) < share).astype(np.int64)
    y[:2] = rng.permutation(2)
    return y


def _drawn(n: int, scores: Callable[[Any, Any], Any] = lambda rng, y: y + 1.5 * rng.standard_normal(y.size),
           weights: Any = None, share: float = 0.4, **options: Any) -> Make:  # fmt: skip
    """n rows whose positives score one higher on average, or as `scores` says."""

    def make(rng: np.random.Generator) -> Inputs:
        y = _labels(rng, n, share)
        weighed = {} if weights is None else {"sample_weight": weights(rng, n)}
        return {"y_true": y, "y_score": scores(rng, y), **weighed, **options}

    return make


def _renamed(make: Make, *names: Any, dtype: Any = None) -> Make:
    """The same rows with other labels for 0 and 1."""
    return lambda rng: (lambda d: {**d, "y_true": np.array(names, dtype)[d["y_true"]]})(make(rng))


def _given(y: Any, s: Any, **options: Any) -> Make:
    return lambda rng: {"y_true": np.array(y), "y_score": np.array(s, np.float64), **options}


def _uniform(rng: np.random.Generator, n: int) -> Any:
    return 0.1 + rng.random(n)


def _whole(rng: np.random.Generator, n: int) -> Any:
    return rng.integers(1, 5, n).astype(np.float64)


def _some_zero(rng: np.random.Generator, n: int) -> Any:
    return np.append([1.0, 1.0], rng.integers(0, 2, n - 2) * rng.integers(1, 4, n - 2))


def _coarse(rng: np.random.Generator, y: Any) -> Any:
    return np.round(y + 2 * rng.standard_normal(y.size)) / 2


def _signed_zeros(rng: np.random.Generator, y: Any) -> Any:
    return rng.choice([-0.0, 0.0, 0.0, -0.0, -1.0, 1.0], y.size)


def _infinite(rng: np.random.Generator, y: Any) -> Any:
    return rng.choice([-np.inf, np.inf, -1.0, 2.0, 0.5], y.size)


def _crowded(rng: np.random.Generator, y: Any) -> Any:
    return np.append(1e30, 0.5 + 1e-13 * rng.integers(0, 10**5, y.size - 1))


def _columns(n: int, c: int, **options: Any) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        y = (rng.random((n, c)) < np.linspace(0.2, 0.6, c)).astype(np.int64)
        y[0], y[1] = np.arange(c) % 2, 1 - np.arange(c) % 2
        y[:, 0], y[:, 1] = np.where(y.all(axis=1), 0, y[:, 0]), np.where(y.any(axis=1), y[:, 1], 1)
        return {"y_true": y, "y_score": y + 1.5 * rng.standard_normal((n, c)), **options}

    return make


def _classes(n: int, c: int, names: Any = None, **options: Any) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        y = np.append(np.arange(c), rng.choice(c, n - c, p=np.arange(1, c + 1) / (c * (c + 1) / 2)))
        z = np.exp(1.5 * rng.standard_normal((n, c)) + np.eye(c)[y])
        y = y if names is None else np.array(names)[y]
        return {"y_true": y, "y_score": z / z.sum(axis=1, keepdims=True), **options}

    return make


CASES = (
    Case("two classes", "a formula that is plainly wrong", _drawn(50)),
    Case("worse than chance", "AUC turned round", _drawn(50, lambda rng, y: rng.standard_normal(y.size) - 2 * y)),
    Case("ties", "a tie that counts nothing, or one", _drawn(60, _coarse)),
    Case("few distinct scores", "only adjacent ties", _drawn(200, lambda rng, y: rng.integers(0, 3, y.size) + 0.0)),
    Case("constant scores", "ranks from the order of the rows", _drawn(30, lambda rng, y: np.full(y.size, 0.25))),
    Case("positives first among ties", "the order of the rows", _given([1, 1, 0, 0, 1, 0], [2, 2, 2, 2, 3, 1])),
    Case("negatives first among ties", "the order of the rows", _given([0, 0, 1, 1, 0, 1], [2, 2, 2, 2, 1, 3])),
    Case("the positive on top", "a curve without (0, 0)", _given([1, 0, 0, 1], [4, 3, 2, 1])),
    Case("a perfect ranking", "1 missed", _drawn(20, lambda rng, y: y + rng.random(y.size) / 2)),
    Case("a reversed ranking", "0 missed", _drawn(20, lambda rng, y: rng.random(y.size) / 2 - y)),
    Case("labels -1 and 1", "labels summed", _renamed(_drawn(40), -1, 1)),
    Case("labels 1 and 2", "the positive class taken to be 1", _renamed(_drawn(40), 1, 2)),
    Case("labels as bools", "bools subtracted", _renamed(_drawn(40), False, True), "generality"),
    Case("floating labels", "0.0 and 1.0 taken for quantities", _renamed(_drawn(40), 0.0, 1.0)),
    Case("labels as words", "numbers expected", _renamed(_drawn(40), "no", "yes"), "generality"),
    Case("labels as objects", "objects refused", _renamed(_drawn(40), "a", "b", dtype=object), "generality"),
    Case("a rare class", "accuracy mistaken for ranking", _drawn(1000, share=0.003)),
    Case("two rows", "an array cut short", _given([0, 1], [0.2, 0.1])),
    Case("minus zero and zero", "-0.0 below 0.0", _drawn(80, _signed_zeros), "stability"),
    Case("infinite scores", "inf refused or dropped", _drawn(80, _infinite), "stability"),
    Case(
        "scores a millionth apart", "scores rounded first",
        _drawn(60, lambda rng, y: 1e-6 * (y + 1.5 * rng.standard_normal(y.size))), "stability", dtypes=FULL,
    ),
    Case("scores near 1e30", "a fixed range of scores", _drawn(60, lambda rng, y: 1e30 * rng.standard_normal(y.size)),
         "stability", dtypes=FULL),
    Case("crowded scores and one far off", "a grid of thresholds", _drawn(20000, _crowded), "stability", dtypes=FULL),
    Case("many rows", "counts in float32, every pair compared", _drawn(50000), dtypes=FULL),
    Case("many rows with ties", "runs of ties cut in two", _drawn(50000, _coarse), dtypes=(SINGLE,)),
    Case("many probabilities", "one sign only",
         _drawn(40000, lambda rng, y: 1 / (1 + np.exp(2 - y - rng.standard_normal(y.size)))), dtypes=(SINGLE,)),
    Case("weights", "weights ignored", _drawn(60, weights=_uniform)),
    Case("weights and ties", "a tie weighed once", _drawn(60, _coarse, _uniform)),
    Case("whole weights", "a row repeated is a row of that weight", _drawn(60, _coarse, _whole)),
    Case("weights of zero", "a row that weighs nothing", _drawn(60, weights=_some_zero)),
    Case("weights of 1e200", "products beyond the range", _drawn(30, weights=lambda rng, n: 1e200 * _uniform(rng, n)),
         "stability", dtypes=(DOUBLE,)),
    Case("weights of 1e-200", "products that vanish", _drawn(30, weights=lambda rng, n: 1e-200 * _uniform(rng, n)),
         "stability", dtypes=(DOUBLE,)),
    Case("many weighted rows", "long sums that lose digits", _drawn(50000, weights=_uniform), dtypes=FULL),
    # From one side only; a bound on the true positive rate besides is asked for in scikit-learn#19751.
    Case("max_fpr of 0.3", "an area that is not standardised", _drawn(70, max_fpr=0.3)),
    Case("max_fpr between tied scores", "the last piece left out", _drawn(70, _coarse, max_fpr=0.37)),
    Case("max_fpr below the first false positive", "no piece at all", _drawn(40, max_fpr=0.01)),
    Case("max_fpr with weights", "rates by rows", _drawn(70, _coarse, _whole, max_fpr=0.3)),
    Case("max_fpr of 1", "an area standardised twice", _drawn(40, max_fpr=1.0)),
    Case("several labels", "columns mixed up", _columns(40, 3)),
    Case("several labels, each", "an average not asked for", _columns(40, 3, average=None)),
    Case("several labels, micro", "the mean of the columns", _columns(40, 3, average="micro")),
    Case("several labels, weighted", "the plain mean", _columns(40, 3, average="weighted")),
    Case("several labels, samples", "columns for rows", _columns(40, 3, average="samples")),
    Case("classes against the rest", "a mean over rows", _classes(60, 4, multi_class="ovr"), dtypes=FULL),
    Case("classes against the rest, weighted", "the plain mean",
         _classes(60, 4, multi_class="ovr", average="weighted"), dtypes=FULL),
    Case("classes against the rest, micro", "the mean of the classes",
         _classes(60, 4, multi_class="ovr", average="micro"), dtypes=FULL),
    Case("classes against the rest, each", "an average not asked for",
         _classes(60, 4, multi_class="ovr", average=None), dtypes=FULL),
    Case("pairs of classes", "classes against the rest", _classes(60, 4, multi_class="ovo"), dtypes=FULL),
    Case("pairs of classes, weighted", "the plain mean",
         _classes(60, 4, multi_class="ovo", average="weighted"), dtypes=FULL),
    Case("named classes", "columns in another order", _classes(60, 3, ["b", "c", "d"], multi_class="ovo",
         labels=np.array(["b", "c", "d"])), "generality", dtypes=FULL),
    Case("whole scores", "integers that wrap around",
         lambda rng: {"y_true": _labels(rng, 40), "y_score": rng.integers(0, 9, 40).astype(np.uint8)},
         "generality", dtypes=(DOUBLE,)),
)  # fmt: skip


def _in_groups(n: int, groups: int, names: Callable[[Any], Any] = lambda g: g, scores: Any = None,
               weights: Any = None, **options: Any) -> Make:  # fmt: skip
    """Unsorted groups with levels of their own: every fifth has positives only, and every fifth negatives only."""

    def make(rng: np.random.Generator) -> Inputs:
        g = rng.integers(0, groups, n)
        g[:4] = 1
        y = np.where(g % 5 == 4, 1, np.where(g % 5 == 3, 0, _labels(rng, n)))
        y[:4] = 0, 1, 1, 0
        s = y + 1.5 * rng.standard_normal(n) + 3 * np.sin(g) if scores is None else scores(rng, y)
        weighed = {} if weights is None else {"sample_weight": weights(rng, n)}
        return {"y_true": y, "y_score": s, "groups": names(g), **weighed, **options}

    return make


GROUPED_CASES = (
    Case("groups", "one AUC over all groups", _in_groups(200, 12)),
    Case("groups of one class", "left out or counted 1/2", _in_groups(60, 20)),
    Case("every group with both classes", "counts that are never wrong", _in_groups(80, 3)),
    Case("averaged by positives", "rows for positives", _in_groups(200, 12, average="positives")),
    Case("averaged by groups", "an average ignored", _in_groups(200, 12, average="groups")),
    Case("ties within groups", "a tie that counts nothing", _in_groups(200, 10, scores=_coarse)),
    Case("sorted groups", "runs of names that happen to be groups", _in_groups(200, 12, names=np.sort)),
    Case("one group", "a group compared with nothing", _in_groups(50, 2, names=lambda g: g * 0 + 7)),
    Case("weights", "weights ignored", _in_groups(200, 12, weights=_uniform)),
    Case("weights by positives", "rows counted", _in_groups(200, 12, weights=_whole, average="positives")),
    Case("weights of zero", "a group that weighs nothing",
         _in_groups(100, 12, weights=lambda rng, n: np.append([1.0] * 4, rng.integers(0, 2, n - 4) + 0.0))),
    Case("infinite scores and zeros", "inf dropped", _in_groups(200, 9, scores=_infinite), "stability"),
    Case("minus zero and zero", "-0.0 below 0.0", _in_groups(200, 9, scores=_signed_zeros), "stability"),
    Case("names far apart", "a table for every number between",
         _in_groups(150, 9, names=lambda g: (g - 3) * (2**60 // 7)), "generality"),
    Case("negative names", "a name taken for a place", _in_groups(150, 9, names=lambda g: -g - 5), "generality"),
    Case("words for names", "numbers expected", _in_groups(150, 9, names=lambda g: np.array(list("qwertzuio"))[g]),
         "generality"),
    Case("objects for names", "arrays of numbers expected",
         _in_groups(150, 9, names=lambda g: np.array(["a", 1, "1", 2.5, (1,), "b", "c", "d", "e"], object)[g]),
         "generality"),
    Case("many small groups", "a loop that takes minutes", _in_groups(4000, 900), dtypes=FULL),
    Case("long groups", "one way of sorting for all", _in_groups(30000, 3), dtypes=FULL),
    Case("long weighted groups", "long sums", _in_groups(30000, 3, weights=_uniform), dtypes=(SINGLE,)),
)  # fmt: skip

CURVE_CASES = (
    Case("a curve", "a formula that is plainly wrong", _drawn(40)),
    Case("every point", "points dropped", _drawn(40, drop_intermediate=False)),
    Case("ties", "a point for every row", _drawn(60, _coarse)),
    Case("ties, every point", "a point for every row", _drawn(60, _coarse, drop_intermediate=False)),
    Case("constant scores", "more than two points", _drawn(20, lambda rng, y: np.full(y.size, 0.25))),
    Case("a perfect ranking", "(0, 1) missed", _drawn(20, lambda rng, y: y + rng.random(y.size) / 2)),
    Case("labels -1 and 1", "labels summed", _renamed(_drawn(40), -1, 1)),
    Case("labels as words", "numbers expected", _renamed(_drawn(40, pos_label="no"), "no", "yes"), "generality"),
    Case("the smaller label positive", "pos_label ignored", _drawn(40, pos_label=0)),
    Case("one class of three", "two classes demanded",
         lambda rng: {"y_true": np.append([0, 1, 2], rng.integers(0, 3, 40)), "y_score": rng.standard_normal(43),
                      "pos_label": 1}),
    Case("whole weights", "weights ignored", _drawn(60, _coarse, _whole)),
    Case("weights, every point", "weights ignored", _drawn(60, weights=_uniform, drop_intermediate=False)),
    Case("weights of zero", "a threshold for a row that weighs nothing", _drawn(60, weights=_some_zero)),
    Case("minus zero and zero", "two thresholds for zero", _drawn(60, _signed_zeros), "stability"),
    Case("infinite scores", "inf refused", _drawn(60, _infinite, drop_intermediate=False), "stability"),
    Case("many rows", "thresholds out of order", _drawn(50000), dtypes=FULL),
    Case("many weighted rows", "long sums that lose digits",
         _drawn(50000, weights=_uniform, drop_intermediate=False), dtypes=(SINGLE,)),
)  # fmt: skip


def _bad(says: str, error: type[Exception] = ValueError, **changed: Any) -> tuple[Any, ...]:
    """Two good rows, with something changed; None leaves an argument out."""
    good = {"y_true": np.array([0, 1]), "y_score": np.array([0.2, 0.7])}
    return lambda: {k: v for k, v in {**good, **changed}.items() if v is not None}, error, says


_EVERY_BAD = (
    BadInput("a score too few", *_bad("differ in length, 2 and 1; give one score", y_score=np.array([0.5]))),
    BadInput("nan scores", *_bad("y_score holds nan.*drop or fill", y_score=np.array([np.nan, 1.0]))),
    BadInput("complex scores", *_bad("dtype complex128", TypeError, y_score=np.zeros(2, complex))),
    BadInput("words for scores", *_bad("pass real numbers", TypeError, y_score=np.array(["a", "b"]))),
    BadInput("two columns of scores", *_bad(r"pass y_score\[:, 1\]", y_score=np.zeros((2, 2)))),
    BadInput("scores with three axes", *_bad(r"shape \(2, 1, 1\)", y_score=np.zeros((2, 1, 1)))),
    BadInput("a number for labels", *_bad(r"y_true has shape \(\)", y_true=np.array(1))),
    BadInput("no rows", *_bad("y_true is empty", y_true=np.empty(0), y_score=np.empty(0))),
    BadInput("nan labels", *_bad("y_true holds nan", y_true=np.array([0.0, np.nan]))),
    BadInput("quantities for labels", *_bad("continuous format is not supported", y_true=np.array([0.5, 1.0]))),
    BadInput("complex labels", *_bad("dtype complex128", TypeError, y_true=np.zeros(2, complex))),
    BadInput("bytes for labels", *_bad("represented as bytes", TypeError, y_true=np.array([b"a", b"b"]))),
    BadInput("labels without an order", *_bad("without an order", TypeError, y_true=np.array([1, "a"], object))),
    BadInput("a weight too few", *_bad(r"sample_weight has shape \(1,\)", sample_weight=np.ones(1))),
    BadInput("a negative weight", *_bad("sample_weight holds -1", sample_weight=np.array([1.0, -1.0]))),
    BadInput("an infinite weight", *_bad("sample_weight holds inf", sample_weight=np.array([1.0, np.inf]))),
    BadInput("a nan weight", *_bad("sample_weight holds nan", sample_weight=np.array([1.0, np.nan]))),
    BadInput("weights of zero alone", *_bad("at least one non-zero", sample_weight=np.zeros(2))),
)
_THREE: Any = {"y_true": np.array([0, 1, 2]), "y_score": np.eye(3)}

BAD_INPUTS = (
    *_EVERY_BAD,
    BadInput("an unknown average", *_bad("average is 'mean'; use 'micro'", average="mean")),
    BadInput("an unknown multi_class", *_bad("multi_class is 'all'; use 'raise'", multi_class="all")),
    BadInput("max_fpr of 0", *_bad("max_fpr is 0", max_fpr=0.0)),
    BadInput("max_fpr beyond 1", *_bad("max_fpr is 1.5", max_fpr=1.5)),
    BadInput("max_fpr below 0", *_bad("max_fpr is -0.5", max_fpr=-0.5)),
    BadInput("three classes without a word", *_bad(r"multi_class must be in \('ovo', 'ovr'\)", **_THREE)),
    BadInput("three classes and max_fpr", *_bad("Partial AUC", **_THREE, multi_class="ovr", max_fpr=0.5)),
    BadInput("three classes, one column",
             *_bad("needs to be of shape", **{**_THREE, "y_score": np.zeros(3)}, multi_class="ovr")),
    BadInput("no probabilities",
             *_bad("should sum up to 1", **{**_THREE, "y_score": np.ones((3, 3))}, multi_class="ovr")),
    BadInput("pairs of classes with weights",
             *_bad("sample_weight is not supported", **_THREE, multi_class="ovo", sample_weight=np.ones(3))),
    BadInput("each pair of classes",
             lambda: {**_THREE, "multi_class": "ovo", "average": None}, NotImplementedError, "not implemented"),
    BadInput("samples of classes", *_bad("average must be one of", **_THREE, multi_class="ovr", average="samples")),
    BadInput("two names for one class",
             *_bad("must be unique", **_THREE, multi_class="ovr", labels=np.array([0, 1, 1]))),
    BadInput("names out of order", *_bad("must be ordered", **_THREE, multi_class="ovr", labels=np.array([2, 1, 0]))),
    BadInput("a name too few", *_bad("Number of given labels, 2", **_THREE, multi_class="ovr", labels=np.arange(2))),
    BadInput("a class without a name",
             *_bad("labels not in parameter", **_THREE, multi_class="ovr", labels=np.array([0, 1, 3]))),
    BadInput("a column too many",
             *_bad("Number of classes in y_true not equal", y_true=np.arange(3), y_score=np.full((3, 4), 0.25),
                   multi_class="ovr")),
    BadInput("other columns than labels",
             *_bad("y_true has shape", y_true=np.eye(3, dtype=int), y_score=np.zeros((3, 2)))),
    BadInput("several classes in several columns",
             *_bad("multiclass-multioutput", y_true=np.arange(4).reshape(2, 2), y_score=np.zeros((2, 2)))),
)  # fmt: skip

_TWO_NAMES: Any = {"groups": np.zeros(2, np.int64)}


def _with_groups(bad: BadInput) -> BadInput:
    return replace(bad, make=lambda: {**bad.make(), **_TWO_NAMES})


GROUPED_BAD = (
    *(_with_groups(bad) for bad in _EVERY_BAD),
    BadInput("a name too few", *_bad(r"groups has shape \(1,\)", groups=np.zeros(1))),
    BadInput("nan for a name", *_bad("groups holds nan", groups=np.array([np.nan, 1.0]))),
    BadInput("None for a name", *_bad("groups holds None, which is no name", groups=np.array([None, 1], object))),
    BadInput("NaT for a name", *_bad("groups holds NaT", groups=np.array(["NaT", "2020"], "M8[Y]"))),
    BadInput("lists for names", *_bad("groups holds what is no name", TypeError,
             groups=np.array([[1], [1, 2]], dtype=object))),
    BadInput("three classes", *_bad("more than two classes", y_true=np.arange(3), y_score=np.zeros(3),
             groups=np.zeros(3))),
    BadInput("an unknown average", *_bad("average is 'macro'; use 'rows'", **_TWO_NAMES, average="macro")),
)  # fmt: skip

CURVE_BAD = (
    *_EVERY_BAD,
    BadInput("three classes", *_bad("multiclass format is not supported", y_true=np.arange(3), y_score=np.zeros(3))),
    BadInput("words and no pos_label", *_bad("pos_label is not specified", y_true=np.array(["a", "b"]))),
    BadInput("labels 1 and 2 and no pos_label", *_bad("pos_label is not specified", y_true=np.array([1, 2]))),
    BadInput("an indicator matrix",
             *_bad("multilabel-indicator", y_true=np.eye(2, dtype=int), y_score=np.zeros((2, 2)))),
)  # fmt: skip


def _of_one(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """An area is a mean of 0, 1/2 and 1, a rate a part of 1."""
    return (1.0,) * len(outputs)


def _of_curve(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """Rates are parts of 1; thresholds are scores, handed on as they are."""
    return 1.0, 1.0, np.where(np.isfinite(outputs[2]), np.abs(outputs[2]), 1.0)


def _value(call: Any, inputs: Inputs, **changed: Any) -> Any:
    return call({**inputs, **changed})[0]


def _stretched(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    return _value(call, inputs, y_score=8 * inputs["y_score"]), _value(call, inputs), 1.0


def _shuffled(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    order = np.random.default_rng(7).permutation(len(inputs["y_true"]))
    moved = {k: v[order] if isinstance(v, np.ndarray) else v for k, v in inputs.items()}
    return call(moved)[0], _value(call, inputs), 1.0


def _turned(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    return _value(call, inputs, y_score=-inputs["y_score"]), 1 - _value(call, inputs), 1.0


def _repeated(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    """A row of weight k, and the row k times."""
    times = inputs["sample_weight"].astype(np.int64)
    rows = {k: np.repeat(v, times, axis=0) for k, v in inputs.items() if k != "sample_weight"}
    return call(rows)[0], _value(call, inputs), 1.0


def _separated(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    """A level of its own for each group changes no pair within a group."""
    moved = inputs["y_score"] + (64 * inputs["groups"]).astype(inputs["y_score"].dtype)
    return _value(call, inputs, y_score=moved), _value(call, inputs), 1.0


def _laws(make: Make) -> tuple[Law, ...]:
    return (
        Law("an increasing map changes nothing",
            {"en": "scores stretched by 8 give the same", "zh": "得分都乘以 8，结果不变"}, make, _stretched),
        Law("the order of the rows changes nothing",
            {"en": "shuffled rows give the same", "zh": "打乱行序，结果不变"}, make, _shuffled),
        Law("turned round",
            {"en": "the area of -scores is 1 minus that of the scores", "zh": "得分取负，面积变为 1 减原值"},
            make, _turned),
    )  # fmt: skip


def _quarters(rng: np.random.Generator, y: Any) -> Any:
    """Scores to which 64 may be added without rounding."""
    return rng.integers(-8, 9, y.size) / 4


def _work(n: int, dtype: Any = np.float32, **more: Callable[[np.random.Generator], Any]) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        y = _labels(rng, n, 0.3)
        return {
            "y_true": y,
            "y_score": (y + rng.standard_normal(n)).astype(dtype),
            **{k: f(rng) for k, f in more.items()},
        }

    return make


_SPELLINGS = {
    "y_true": ("y_true", "y", "labels", "label", "target", "targets", "actual", "truth"),
    "y_score": ("y_score", "scores", "score", "y_pred", "pred", "preds", "prob", "probs", "predictions"),
    "sample_weight": ("sample_weight", "weights", "weight", "sample_weights"),
}
_COMMON: dict[str, Any] = {
    "block": "auc",
    "differentiable": (),
    "vjp": None,
    "gradient_scale": None,
    "gradient_accuracy": 0.0,
    "result_dtype": DOUBLE,
}

SPECS = (
    Spec(
        name="roc_auc_score",
        titles={"en": "AUC", "zh": "AUC（ROC 曲线下面积）"},
        summary={
            "en": "the share of pairs of a positive and a negative that the scores rank rightly",
            "zh": "正负样本对中，得分把次序排对的比例",
        },
        formula="P(s+ > s-) + P(s+ = s-) / 2",
        signature=("y_true", "y_score"),
        reference=textbook.roc_auc_score,
        scale=_of_one,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        accuracy=2.0,
        laws=_laws(_drawn(40, _quarters))[:3],
        aliases={"roc_auc_score": ("roc_auc_score", "roc_auc", "auc", "auc_score", "auroc"), **_SPELLINGS},
        workloads=(
            Workload("1e5 rows", _work(10**5)),
            Workload("1e6 rows", _work(10**6)),
            Workload("1e6 rows, float64", _work(10**6, np.float64)),
            Workload("1e6 rows, weighted", _work(10**6, sample_weight=lambda rng: rng.random(10**6, np.float32))),
            Workload("1e7 rows", _work(10**7)),
        ),
        **_COMMON,
    ),
    Spec(
        name="grouped_roc_auc_score",
        titles={"en": "Grouped AUC", "zh": "分组 AUC（GAUC）"},
        summary={
            "en": "AUC within each user's or request's rows, averaged over the groups",
            "zh": "在每个用户或每次请求内部计算 AUC，再对各组求平均",
        },
        formula="sum over groups of share x AUC / sum of shares; groups of one class are left out",
        signature=("y_true", "y_score", "groups"),
        reference=textbook.grouped_roc_auc_score,
        scale=_of_one,
        cases=GROUPED_CASES,
        bad_inputs=GROUPED_BAD,
        mutants=mutants.GROUPED_MUTANTS,
        accuracy=2.0,
        laws=(
            *_laws(_in_groups(80, 6, scores=_quarters)),
            Law("a weight is a number of rows",
                {"en": "a row of weight k counts as k rows", "zh": "权重为 k 的一行等于 k 行"},
                _in_groups(80, 6, scores=_quarters, weights=_whole), _repeated),
            Law("a level for each group changes nothing",
                {"en": "scores moved by a number for each group give the same", "zh": "每组得分各加一个数，结果不变"},
                _in_groups(80, 6, scores=_quarters), _separated),
        ),
        aliases={
            "grouped_roc_auc_score": ("grouped_roc_auc_score", "gauc", "group_auc", "grouped_auc", "cal_group_auc"),
            "groups": ("groups", "group", "user_id", "user_ids", "users", "query_id", "qid"),
            **_SPELLINGS,
        },
        workloads=(
            Workload("1e5 rows, 1e3 groups", _work(10**5, groups=lambda rng: rng.integers(0, 10**3, 10**5))),
            Workload("1e7 rows, 1e5 groups", _work(10**7, groups=lambda rng: rng.integers(0, 10**5, 10**7))),
        ),
        output_names=("value", "n_groups", "n_skipped"),
        **_COMMON,
    ),
    Spec(
        name="roc_curve",
        titles={"en": "ROC curve", "zh": "ROC 曲线"},
        summary={
            "en": "the false and true positive rate at each threshold, from the highest score down",
            "zh": "阈值从最高的得分往下走时，各处的假正率和真正率",
        },
        formula="fpr(t) = P(s- >= t), tpr(t) = P(s+ >= t)",
        signature=("y_true", "y_score"),
        reference=textbook.roc_curve,
        scale=_of_curve,
        cases=CURVE_CASES,
        bad_inputs=CURVE_BAD,
        mutants=mutants.CURVE_MUTANTS,
        accuracy=2.0,
        laws=_laws(_drawn(40, _quarters))[:2],
        aliases={"roc_curve": ("roc_curve", "roc", "compute_roc"), **_SPELLINGS},
        workloads=(Workload("1e6 rows", _work(10**6)),),
        output_names=("fpr", "tpr", "thresholds"),
        **_COMMON,
    ),
)  # fmt: skip
