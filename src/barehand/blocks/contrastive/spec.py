"""What the contrastive loss must do, on which inputs, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.contrastive import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Convention, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]
EACH: Inputs = {"reduction": "none"}


def _pairs(*shape: int, labels: Any = np.int64, size: float = 0.3, **options: Any) -> Make:
    """Rows whose distance is about size sqrt(2 n); labels of both kinds."""

    def make(rng: np.random.Generator) -> Inputs:
        x1, x2 = size * rng.standard_normal((2, *shape))
        same = np.arange(np.prod(shape[:-1], dtype=int)).reshape(shape[:-1]) % 2
        return {"x1": x1, "x2": x2, "same": same.astype(labels), **options}

    return make


def _only(label: int, **options: Any) -> Make:
    return lambda rng: {**_pairs(12, 4, **options)(rng), "same": np.full(12, label)}


def _soft(rng: np.random.Generator) -> Inputs:
    return {**_pairs(12, 4, **EACH)(rng), "same": rng.random(12)}


def _given(x1: Any, x2: Any, same: Any, **options: Any) -> Make:
    return lambda rng: {"x1": np.array(x1), "x2": np.array(x2), "same": np.array(same), **options}


def _apart(size: float) -> Make:
    """Rows 5, 10 and 2.5 times `size` apart, similar and not."""
    rows = np.array([[3.0, 4.0], [-6.0, 8.0], [1.5, -2.0]] * 2) * size
    return _given(np.zeros((6, 2)), rows, [1, 1, 1, 0, 0, 0], **EACH)


def _far_from_origin(rng: np.random.Generator) -> Inputs:
    """Every number is a multiple of 1/256 near 1000, so that the differences are exact in float32."""
    x1 = 1000 + rng.integers(-64, 65, (8, 4)) / 256
    return {"x1": x1, "x2": x1 + rng.integers(-4, 5, (8, 4)) / 256, "same": np.arange(8) % 2, **EACH}


def _identical(*labels: float) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        x = rng.standard_normal((len(labels) + 2, 3))
        other = x.copy()
        other[-2:] += 0.25  # two ordinary pairs beside them
        return {"x1": x, "x2": other, "same": np.array([*labels, 1, 0]), **EACH}

    return make


def _nan(rng: np.random.Generator) -> Inputs:
    inputs = _pairs(6, 3, **EACH)(rng)
    inputs["x1"][0, 1] = inputs["x2"][3, 0] = np.nan
    return inputs


CASES = (
    Case("similar and dissimilar pairs", "a formula that is plainly wrong", _pairs(12, 4)),
    Case("the sum", "the mean for the sum", _pairs(12, 4, reduction="sum")),
    Case("each loss", "a reduction ignored", _pairs(12, 4, **EACH)),
    Case("similar pairs only", "the labels reversed, a distance not squared", _only(1)),
    Case("dissimilar pairs only", "the labels reversed, margin - d² for (margin - d)²", _only(0)),
    Case("a margin of 2.5", "a margin fixed at 1, a squared margin", _pairs(12, 4, margin=2.5, **EACH)),
    Case("a margin of 0", "a falsy margin taken for none", _pairs(12, 4, margin=0.0, **EACH)),
    Case("farther apart than the margin", "no hinge", _pairs(12, 4, size=2.0, margin=0.5, **EACH)),
    Case(
        "exactly the margin apart",
        "a gradient at the hinge's edge",
        _given(np.zeros((3, 2)), [[3.0, 4.0], [-3.0, 4.0], [6.0, 8.0]], [0, 1, 0], margin=5.0, **EACH),
        "stability",
    ),
    Case("identical rows, similar", "the root's slope at 0 is infinite, times 0 nan", _identical(1, 1), "stability"),
    Case("identical rows, dissimilar", "the root's slope at 0 is infinite", _identical(0, 0), "stability"),
    Case("identical rows, a share of each", "the root's slope at 0 is infinite", _identical(0.5, 0.25), "stability"),
    Case("soft labels", "labels compared with 1", _soft),
    Case("true and false", "bools not taken as labels", _pairs(12, 4, labels=bool)),
    Case("labels as bytes", "unsigned integers", _pairs(12, 4, labels=np.uint8)),
    Case("labels as floats", "floats not taken as labels", _pairs(12, 4, labels=float)),
    Case("differences of 1e-25", "squares that underflow", _apart(1e-25), "stability", dtypes=FULL),
    Case("differences of 1e-200", "squares that underflow", _apart(1e-200), "stability", dtypes=(DOUBLE,)),
    Case("differences of 1e25", "squares that overflow, 0 times infinity", _apart(1e25), "stability", dtypes=FULL),
    Case("far from the origin", "|a|² + |b|² - 2ab", _far_from_origin, "stability", dtypes=FULL),
    Case("several batch axes", "the mean over the first axis alone", _pairs(2, 3, 4)),
    Case("several batch axes, each loss", "a shape lost", _pairs(2, 3, 4, **EACH)),
    Case(
        "one pair without a batch axis", "an axis assumed", _given([0.5, 0.25, 0.0], [0.25, 0.0, 0.5], 0), "generality"
    ),
    Case("one feature", "an axis of length 1", _pairs(12, 1)),
    Case("long rows", "a sum that loses digits", _pairs(4, 5000, size=0.01, margin=2.0, **EACH), dtypes=FULL),
    Case("many pairs", "a sum that loses digits", _pairs(4000, 3), dtypes=FULL),
    Case("nan in a row", "nan hidden, or in other rows", _nan, "stability"),
    Case(
        "integers",
        "integer arithmetic",
        _given([[1, 2], [3, 4]], [[0, 2], [3, 5]], [1, 0], margin=3),
        "generality",
        dtypes=(DOUBLE,),
    ),
    Case(
        "unsigned integers",
        "1 - 2 is 255",
        lambda rng: {
            "x1": np.array([[1, 2], [3, 4]], np.uint8),
            "x2": np.array([[2, 0], [3, 9]], np.uint8),
            "same": np.array([1, 0]),
            "margin": 7.0,
        },
        "generality",
        dtypes=(DOUBLE,),
    ),
    Case("no pairs", "the mean of nothing", _given(np.empty((0, 4)), np.empty((0, 4)), np.empty(0)), "generality"),
    Case(
        "no features",
        "the distance of nothing",
        _given(np.empty((2, 0)), np.empty((2, 0)), [1, 0], **EACH),
        "generality",
    ),
)


def _bad(says: str, error: type[Exception] = ValueError, **changed: Any) -> tuple[Any, ...]:
    given: Inputs = {"x1": np.zeros((3, 2)), "x2": np.ones((3, 2)), "same": np.array([0, 1, 0]), **changed}
    return lambda: given, error, says


BAD_INPUTS = (
    BadInput("other numbers of rows", *_bad(r"x1 has shape \(3, 2\) and x2 \(4, 2\)", x2=np.zeros((4, 2)))),
    BadInput("one row against many", *_bad("nothing is broadcast", x2=np.zeros((1, 2)))),
    BadInput("labels as a column", *_bad(r"same has shape \(3, 1\)", same=np.zeros((3, 1)))),
    BadInput("a label for each feature", *_bad("give one label a pair", same=np.zeros((3, 2)))),
    BadInput("one label for all", *_bad(r"same has shape \(\)", same=1)),
    BadInput("a label of 2", *_bad("same holds 2", same=np.array([0, 1, 2]))),
    BadInput("a label of -1", *_bad("same holds -1", same=np.array([1, -1, 1]))),
    BadInput("a label of nan", *_bad("same holds nan", same=np.array([0.0, np.nan, 1.0]))),
    BadInput("a negative margin", *_bad("margin is -1.0; use a finite number at least 0", margin=-1.0)),
    BadInput("an infinite margin", *_bad("margin is inf", margin=np.inf)),
    BadInput("a margin for each pair", *_bad("margin must be a number", TypeError, margin=np.ones(3))),
    BadInput("single numbers", *_bad("embeddings need an axis of features", x1=1.0, x2=2.0, same=1)),
    BadInput("complex rows", *_bad("dtype complex128", TypeError, x1=np.zeros((3, 2), complex))),
    BadInput("an unknown reduction", *_bad("reduction is 'average'; use 'mean', 'sum' or 'none'", reduction="average")),
)


@np.errstate(all="ignore")
def _pieces(inputs: Inputs) -> tuple[Any, Any, Any, Any]:
    """The difference, the distance, the labels, and what a dissimilar pair's margin - d is made of.

    Beyond the margin the loss is 0 whatever the distance, so that no more than two margins are added up.
    """
    difference = np.asarray(inputs["x1"]) - inputs["x2"]
    d = np.linalg.norm(difference.astype(np.longdouble), axis=-1).astype(difference.dtype)
    margin = inputs.get("margin", 1.0)
    return difference, d, np.asarray(inputs["same"], difference.dtype), margin + np.minimum(d, margin)


@np.errstate(all="ignore")
def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """An error of one eps in d moves d² by 2 d² eps, and (margin - d)² by the rounding of margin and d."""
    _, d, same, lack = _pieces(inputs)
    sizes = np.where(same > 0, same * d**2, 0) + (1 - same) * lack**2
    reduction = inputs.get("reduction", "mean")
    return (sizes if reduction == "none" else sizes.sum() / ((sizes.size or 1) if reduction == "mean" else 1),)


@np.errstate(all="ignore")
def _gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    """The two terms of each entry; a - b is exact to half an eps of itself."""
    difference, d, same, lack = _pieces(inputs)
    g = 2 * np.abs(np.asarray(cotangent)) / ((d.size or 1) if inputs.get("reduction", "mean") == "mean" else 1)
    unit = difference / np.where(d == 0, 1, d)[..., None]
    size = (g * same)[..., None] * np.abs(difference) + (g * (1 - same) * lack)[..., None] * np.abs(unit)
    return size, size


def _quarters(rng: np.random.Generator) -> Inputs:
    """Adding 64 to these rows is exact in every type."""
    x1, x2 = rng.integers(-8, 9, (2, 10, 3)) / 4
    return {"x1": x1, "x2": x2, "same": np.arange(10) % 2, "margin": 4.0, "reduction": "none"}


def _exchanged(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    return call({**inputs, "x1": inputs["x2"], "x2": inputs["x1"]})[0], call(inputs)[0], _scale(inputs, ())[0]


def _moved(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    step = inputs["x1"].dtype.type(64) * np.array([1, -1, 0], inputs["x1"].dtype)
    moved = {**inputs, "x1": inputs["x1"] + step, "x2": inputs["x2"] + step}
    return call(moved)[0], call(inputs)[0], _scale(inputs, ())[0]


def _halved(*args: Any, **options: Any) -> Any:
    loss = textbook.contrastive_loss(*args, **options)
    return loss * np.asarray(0.5, loss.dtype)


def _work(rows: int) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        x1, x2 = rng.standard_normal((2, rows, 128), np.float32) / 16
        return {"x1": x1, "x2": x2, "same": rng.integers(0, 2, rows)}

    return make


SPECS = (
    Spec(
        name="contrastive_loss",
        block="contrastive",
        titles={"en": "Contrastive loss", "zh": "对比损失"},
        summary={
            "en": "pulls similar pairs together and pushes dissimilar pairs a margin apart",
            "zh": "把相似对拉近，把不相似对推开到一个间隔以外",
        },
        formula="same d² + (1 - same) max(margin - d, 0)²,  d = ||x1 - x2||",
        signature=("x1", "x2", "same"),
        differentiable=("x1", "x2"),
        reference=textbook.contrastive_loss,
        vjp=textbook.contrastive_loss_vjp,
        scale=_scale,
        gradient_scale=_gradient_scale,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        accuracy=4.0,
        gradient_accuracy=4.0,
        laws=(
            Law(
                "the sides exchanged",
                {"en": "the loss is symmetric in x1 and x2", "zh": "x1 与 x2 互换，损失不变"},
                _quarters,
                _exchanged,
            ),
            Law(
                "a shift changes nothing",
                {"en": "moving both sides by one vector changes nothing", "zh": "两侧同加一个向量，损失不变"},
                _quarters,
                _moved,
            ),
        ),
        conventions=(
            Convention(
                "a factor of 1/2",
                {
                    "en": "both terms are halved, as by Hadsell, Chopra and LeCun (2006), equation 4.",
                    "zh": "两项都乘 1/2，如 Hadsell、Chopra 与 LeCun 2006 年论文的式 4。",
                },
                _halved,
                lambda *args, **options: tuple(g / 2 for g in textbook.contrastive_loss_vjp(*args, **options)),
            ),
        ),
        aliases={
            "contrastive_loss": ("contrastive_loss", "contrastive", "ContrastiveLoss", "siamese_loss", "pair_loss"),
            "x1": ("x1", "output1", "out1", "emb1", "embedding1", "embeddings1", "z1", "a", "anchor", "left"),
            "x2": ("x2", "output2", "out2", "emb2", "embedding2", "embeddings2", "z2", "b", "other", "right"),
            "same": ("same", "label", "labels", "target", "targets", "y", "similar", "is_same"),
            "margin": ("margin", "m", "margin_value"),
            "reduction": ("reduction",),
        },
        workloads=(
            Workload("65536x128 value and gradient", _work(65536), gradient=True),
            Workload("32x128 value and gradient", _work(32), gradient=True),
        ),
    ),
)
