"""What the pairwise margin loss must do, on which inputs, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.pairwise_margin import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Convention, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]
EACH: Inputs = {"reduction": "none"}


def _triplets(*shape: int, size: float = 0.5, **options: Any) -> Make:
    """Rows of which some are nearer to the negative than the margin asks, and some are not."""

    def make(rng: np.random.Generator) -> Inputs:
        anchor, positive, negative = size * rng.standard_normal((3, *shape))
        return {"anchor": anchor, "positive": positive, "negative": negative, **options}

    return make


def _around(nearer: float, farther: float, **options: Any) -> Make:
    """Positives and negatives about so far from the anchor."""

    def make(rng: np.random.Generator) -> Inputs:
        anchor, to_p, to_n = rng.standard_normal((3, 12, 4))
        return {"anchor": anchor, "positive": anchor + nearer * to_p, "negative": anchor + farther * to_n, **options}

    return make


def _given(anchor: Any, positive: Any, negative: Any, **options: Any) -> Make:
    return lambda rng: {
        "anchor": np.array(anchor),
        "positive": np.array(positive),
        "negative": np.array(negative),
        **options,
    }


def _equal(**same_as: str) -> Make:
    """Five triplets, the first three with, for instance, positive = anchor; the margin keeps all of them open."""

    def make(rng: np.random.Generator) -> Inputs:
        inputs: Inputs = {k: 0.5 * rng.standard_normal((5, 3)) for k in ("anchor", "positive", "negative")}
        for name, other in same_as.items():
            inputs[name][:3] = inputs[other][:3]
        return {**inputs, "margin": 8.0, **EACH}

    return make


def _apart(size: float, **options: Any) -> Make:
    """Rows 5 and 10 times `size` from the anchor, either of them the positive; beside them an ordinary triplet."""
    near, far, plain = np.array([3.0, -4.0]) * size, np.array([6.0, 8.0]) * size, np.array([1.5, 2.0])
    positive, negative = np.stack([near, far, far, 2 * plain]), np.stack([far, near, -far, plain])
    return _given(np.zeros((4, 2)), positive, negative, **options, **EACH)


def _far_from_origin(rng: np.random.Generator) -> Inputs:
    """Every number is a multiple of 1/256 near 1000, so that the differences are exact in float32."""
    anchor = 1000 + rng.integers(-64, 65, (8, 4)) / 256
    to_p, to_n = rng.integers(-4, 5, (2, 8, 4)) / 256
    return {"anchor": anchor, "positive": anchor + to_p, "negative": anchor + to_n, "margin": 0.0625, **EACH}


def _nan(rng: np.random.Generator) -> Inputs:
    inputs = _triplets(6, 3, **EACH)(rng)
    inputs["anchor"][0, 1] = inputs["positive"][2, 0] = inputs["negative"][4, 2] = np.nan
    return inputs


CASES = (
    Case("triplets", "a formula that is plainly wrong", _triplets(12, 4)),
    Case("the sum", "the mean for the sum", _triplets(12, 4, reduction="sum")),
    Case("each loss", "a reduction ignored", _triplets(12, 4, **EACH)),
    Case("some rows shut", "the mean over the active rows only", _triplets(12, 4, margin=0.125)),
    Case("all rows shut", "no hinge, or 0/0 where no row is active", _around(0.125, 4.0, margin=0.25)),
    Case("all rows shut, each loss", "no hinge", _around(0.125, 4.0, margin=0.25, **EACH)),
    Case("no row shut", "positive and negative exchanged", _around(2.0, 0.25)),
    Case("a margin of 2.5", "a margin fixed at 1", _triplets(12, 4, margin=2.5, **EACH)),
    Case("a margin of 0", "a falsy margin taken for none", _triplets(12, 4, margin=0.0, **EACH)),
    Case("a negative margin", "the margin with the wrong sign", _triplets(12, 4, margin=-0.25, **EACH)),
    Case(
        "exactly at the hinge's edge",
        "a gradient where the loss is 0",
        _given(
            np.zeros((3, 2)),
            [[3.0, 4.0], [-3.0, 4.0], [6.0, 8.0]],
            [[6.0, 8.0], [8.0, 6.0], [4.0, -3.0]],
            margin=5.0,
            **EACH,
        ),
        "stability",
    ),
    Case("positive and anchor the same", "the root's slope at 0 is infinite", _equal(positive="anchor"), "stability"),
    Case("negative and anchor the same", "the root's slope at 0 is infinite", _equal(negative="anchor"), "stability"),
    Case(
        "all three the same",
        "the root's slope at 0 is infinite",
        _equal(positive="anchor", negative="anchor"),
        "stability",
    ),
    Case("positive and negative the same", "a gradient that is left over", _equal(positive="negative")),
    Case("differences of 1e-25", "squares that underflow", _apart(1e-25), "stability", dtypes=FULL),
    Case("differences of 1e-200", "squares that underflow", _apart(1e-200), "stability", dtypes=(DOUBLE,)),
    Case("differences of 1e25", "squares that overflow, inf minus inf", _apart(1e25), "stability", dtypes=FULL),
    Case(
        "one difference of 1e-25, one of 1",
        "squares that underflow on one side",
        _given([[0.0, 0.0]] * 2, [[3e-25, 4e-25], [0.5, 0.25]], [[0.5, 0.25], [3e-25, 4e-25]], **EACH),
        "stability",
        dtypes=FULL,
    ),
    Case("far from the origin", "|a|² + |b|² - 2ab", _far_from_origin, "stability", dtypes=FULL),
    Case("several batch axes", "the mean over the first axis alone", _triplets(2, 3, 4)),
    Case("several batch axes, each loss", "a shape lost", _triplets(2, 3, 4, **EACH)),
    Case("a batch axis of one", "an axis dropped", _triplets(5, 1, 4, **EACH)),
    Case(
        "one triplet without a batch axis",
        "an axis assumed",
        _given([0.5, 0.25, 0.0], [0.25, 0.0, 0.5], [1.0, 0.5, 0.0]),
        "generality",
    ),
    Case("one feature", "an axis of length 1", _triplets(12, 1)),
    Case("long rows", "a sum that loses digits", _triplets(4, 5000, size=0.01), dtypes=FULL),
    Case("many rows", "a sum that loses digits", _triplets(4000, 3), dtypes=FULL),
    Case("nan in a row", "nan hidden, or in other rows", _nan, "stability", gradient=False),
    Case(
        "integers",
        "integer arithmetic",
        _given([[1, 2], [3, 4]], [[0, 2], [7, 5]], [[3, 2], [3, 5]], margin=3),
        "generality",
        dtypes=(DOUBLE,),
    ),
    Case(
        "unsigned integers",
        "1 - 2 is 255",
        lambda rng: {
            "anchor": np.array([[1, 2], [3, 4]], np.uint8),
            "positive": np.array([[2, 0], [3, 9]], np.uint8),
            "negative": np.array([[1, 3], [5, 4]], np.uint8),
        },
        "generality",
        dtypes=(DOUBLE,),
    ),
    Case("no rows", "the mean of nothing", _given(*[np.empty((0, 4))] * 3), "generality"),
    Case("no features", "the distance of nothing", _given(*[np.empty((2, 0))] * 3, **EACH), "generality"),
)


def _bad(says: str, error: type[Exception] = ValueError, **changed: Any) -> tuple[Any, ...]:
    given: Inputs = {"anchor": np.zeros((3, 2)), "positive": np.ones((3, 2)), "negative": -np.ones((3, 2)), **changed}
    return lambda: given, error, says


BAD_INPUTS = (
    BadInput(
        "other numbers of rows", *_bad(r"anchor has shape \(3, 2\) and positive \(4, 2\)", positive=np.zeros((4, 2)))
    ),
    BadInput("other numbers of features", *_bad(r"negative \(3, 5\)", negative=np.zeros((3, 5)))),
    BadInput("several negatives", *_bad("nothing is broadcast", negative=np.zeros((3, 4, 2)))),
    BadInput("one anchor for all", *_bad("nothing is broadcast", anchor=np.zeros(2))),
    BadInput("single numbers", *_bad("embeddings need an axis of features", anchor=1.0, positive=2.0, negative=3.0)),
    BadInput("complex rows", *_bad("dtype complex128", TypeError, anchor=np.zeros((3, 2), complex))),
    BadInput("words for rows", *_bad("pass real numbers", TypeError, negative=np.array([["a", "b"]] * 3))),
    BadInput("a margin of nan", *_bad("margin is nan; use a finite number", margin=np.nan)),
    BadInput("an infinite margin", *_bad("margin is inf", margin=np.inf)),
    BadInput("a margin for each row", *_bad("margin must be a number", TypeError, margin=np.ones(3))),
    BadInput("an unknown reduction", *_bad("reduction is 'average'; use 'mean', 'sum' or 'none'", reduction="average")),
)


@np.errstate(all="ignore")
def _unit(inputs: Inputs, other: str) -> tuple[Any, Any]:
    """The distance from the anchor, and the sizes of the unit vector's entries."""
    difference = np.asarray(inputs["anchor"]) - inputs[other]
    d = np.linalg.norm(difference.astype(np.longdouble), axis=-1).astype(difference.dtype)
    return d, np.abs(difference) / np.where(d == 0, 1, d)[..., None]


def _sizes(inputs: Inputs) -> Any:
    return _unit(inputs, "positive")[0] + _unit(inputs, "negative")[0] + abs(inputs.get("margin", 1.0))


@np.errstate(all="ignore")
def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """Two distances and the margin are added up; squared distances are greater, and so is their loss."""
    sizes, reduction = _sizes(inputs), inputs.get("reduction", "mean")
    added = sizes if reduction == "none" else sizes.sum() / ((sizes.size or 1) if reduction == "mean" else 1)
    return (np.maximum(added, np.abs(outputs[0])),)


def _gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    """Each entry of a unit vector is right to a few eps of itself, since a - b is exact to half an eps."""
    (d, to_p), (_, to_n) = _unit(inputs, "positive"), _unit(inputs, "negative")
    g = np.abs(np.asarray(cotangent))[..., None] / ((d.size or 1) if inputs.get("reduction", "mean") == "mean" else 1)
    return g * (to_p + to_n), g * to_p, g * to_n


def _quarters(rng: np.random.Generator) -> Inputs:
    """Adding 64 to these rows is exact in every type."""
    anchor, positive, negative = rng.integers(-8, 9, (3, 10, 3)) / 4
    return {"anchor": anchor, "positive": positive, "negative": negative, "reduction": "none"}


def _moved(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    step = inputs["anchor"].dtype.type(64) * np.array([1, -1, 0], inputs["anchor"].dtype)
    moved = {k: v if k == "reduction" else v + step for k, v in inputs.items()}
    return call(moved)[0], call(inputs)[0], _sizes(inputs)


def _exchanged(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    """With a margin that no distance reaches, both hinges are open."""
    wide = {**inputs, "margin": 64.0}
    other = {**wide, "positive": inputs["negative"], "negative": inputs["positive"]}
    total = call(wide)[0] + call(other)[0]
    return total, np.full_like(total, 128), 2 * _sizes(wide)


def _squared(anchor: Any, positive: Any, negative: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    a = np.multiply(anchor, 1.0)
    to_p, to_n = (((a - x).astype(np.longdouble) ** 2).sum(axis=-1) for x in (positive, negative))
    losses = np.maximum(to_p - to_n + margin, 0).astype(a.dtype)
    return losses if reduction == "none" else losses.sum() / ((losses.size or 1) if reduction == "mean" else 1)


def _squared_vjp(
    anchor: Any, positive: Any, negative: Any, *, margin: float = 1.0, reduction: str = "mean", cotangent: Any = 1.0
) -> Any:
    open_hinge = _squared(anchor, positive, negative, margin=margin, reduction="none") > 0
    g = 2 * np.asarray(cotangent) * open_hinge / ((open_hinge.size or 1) if reduction == "mean" else 1)
    anchor, positive, negative = (np.multiply(x, 1.0) for x in (anchor, positive, negative))
    g = g[..., None].astype(anchor.dtype)
    return g * (negative - positive), -g * (anchor - positive), g * (anchor - negative)


def _work(rows: int) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        anchor, positive, negative = rng.standard_normal((3, rows, 128), np.float32) / 16
        return {"anchor": anchor, "positive": positive, "negative": negative, "margin": 0.25}

    return make


SPECS = (
    Spec(
        name="pairwise_margin_loss",
        block="pairwise_margin",
        titles={"en": "Pairwise margin loss", "zh": "成对间隔损失"},
        summary={
            "en": "asks each anchor to be nearer to its positive than to its negative, by a margin",
            "zh": "要求锚点到正样本比到负样本近，且至少近一个间隔",
        },
        formula="max(d(a, p) - d(a, n) + margin, 0),  d the Euclidean distance",
        signature=("anchor", "positive", "negative"),
        differentiable=("anchor", "positive", "negative"),
        reference=textbook.pairwise_margin_loss,
        vjp=textbook.pairwise_margin_loss_vjp,
        scale=_scale,
        gradient_scale=_gradient_scale,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        accuracy=2.0,
        gradient_accuracy=4.0,
        laws=(
            Law(
                "a shift changes nothing",
                {"en": "moving all three by one vector changes nothing", "zh": "三者同加一个向量，损失不变"},
                _quarters,
                _moved,
            ),
            Law(
                "roles exchanged",
                {
                    "en": "where both hinges are open, the loss and that of the roles exchanged add up to two margins",
                    "zh": "两者的 hinge 都未关闭时，原损失与正负互换后的损失之和等于两倍 margin",
                },
                _quarters,
                _exchanged,
            ),
        ),
        conventions=(
            Convention(
                "squared distances",
                {
                    "en": "the distances are squared, as by Schroff, Kalenichenko and Philbin (2015), equation 3.",
                    "zh": "用距离的平方，如 Schroff、Kalenichenko 与 Philbin 2015 年论文的式 3。",
                },
                _squared,
                _squared_vjp,
            ),
        ),
        aliases={
            "pairwise_margin_loss": (
                "pairwise_margin_loss",
                "pairwise_margin",
                "triplet_loss",
                "triplet_margin_loss",
                "TripletLoss",
                "two_tower_loss",
            ),
            "anchor": ("anchor", "anchors", "a", "query", "user", "x"),
            "positive": ("positive", "positives", "pos", "p", "positive_item"),
            "negative": ("negative", "negatives", "neg", "n", "negative_item"),
            "margin": ("margin", "m", "alpha"),
            "reduction": ("reduction",),
        },
        workloads=(
            Workload("65536x128 value and gradient", _work(65536), gradient=True),
            Workload("32x128 value and gradient", _work(32), gradient=True),
        ),
    ),
)
