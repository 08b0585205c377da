"""What the BPR loss must do, on which inputs, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.bpr import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]
EACH: Inputs = {"reduction": "none"}


def _pairs(*shape: int, **options: Any) -> Make:
    return lambda rng: {
        "positive_scores": 1.5 * rng.standard_normal(shape),
        "negative_scores": 1.5 * rng.standard_normal(shape),
        **options,
    }


def _several(*shape: int, **options: Any) -> Make:
    """The last axis counts the negatives of each positive."""
    return lambda rng: {
        "positive_scores": np.asarray(1.5 * rng.standard_normal(shape[:-1])),
        "negative_scores": 1.5 * rng.standard_normal(shape),
        **options,
    }


def _given(positive: Any, negative: Any, **options: Any) -> Make:
    return lambda rng: {"positive_scores": np.array(positive), "negative_scores": np.array(negative), **options}


def _apart(*differences: float, **options: Any) -> Make:
    """Pairs whose positive scores higher by these numbers."""
    half = np.array(differences) / 2
    return _given(half, -half, **options)


CASES = (
    Case("pairs", "a formula that is plainly wrong", _pairs(30)),
    Case("pairs, the sum", "the mean for the sum", _pairs(30, reduction="sum")),
    Case("pairs, each loss", "a reduction ignored", _pairs(30, **EACH)),
    Case("a matrix of pairs", "the mean over rows alone", _pairs(6, 5)),
    Case("a matrix of pairs, each loss", "a shape lost", _pairs(6, 5, **EACH)),
    Case("equal scores", "a tie that costs nothing", _given([1.0, -2.0, 0.0], [1.0, -2.0, 0.0], **EACH)),
    Case(
        "several negatives", "(N,) broadcast against (N, K), a gradient not summed over the negatives", _several(7, 4)
    ),
    Case("several negatives, each loss", "negatives averaged first", _several(7, 4, **EACH)),
    Case("several negatives, as many as positives", "the wrong axis in silence", _several(5, 5)),
    Case("several negatives of a matrix", "an axis in the wrong place", _several(3, 4, 2, reduction="sum")),
    Case("one negative a positive, as a column", "(N,) against (N, 1) is N x N", _several(9, 1)),
    Case("several negatives of one number", "an array without axes", _several(4)),
    Case(
        "wrong by 200", "log(sigmoid(z)) is -inf, an epsilon caps the loss", _apart(-200.0, -30.0, **EACH), "stability"
    ),
    Case("wrong by 200, the mean", "a gradient of 0 for the worst pairs", _apart(-200.0, -100.0, 3.0), "stability"),
    Case(
        "right by 20 and 200",
        "1 plus a small number",
        _apart(20.0, 40.0, 80.0, 200.0, **EACH),
        "stability",
        dtypes=FULL,
    ),
    Case("wrong and right by 1e4", "exp overflows", _apart(1e4, -1e4, **EACH), "stability"),
    Case(
        "scores of 1e38",
        "overflow on the way",
        _given([1e38, -1e38, 1e38], [-1e38, 1e38, 1e38], **EACH),
        "stability",
        dtypes=FULL,
    ),
    Case(
        "infinitely far apart",
        "0 times infinity",
        _given([np.inf, -np.inf, 0.0, 0.0, 1.0], [0.0, 0.0, -np.inf, np.inf, 2.0], **EACH),
        "stability",
    ),
    Case(
        "nan, and inf on both sides",
        "nan hidden",
        _given([np.nan, 1.0, np.inf, 1.0], [1.0, np.nan, np.inf, 2.0], **EACH),
        "stability",
    ),
    Case("a large vector", "a sum that loses digits", _pairs(4200), dtypes=FULL),
    Case("many negatives", "a gradient whose sum loses digits", _several(3, 5000), dtypes=FULL),
    Case("integers", "integer arithmetic", _given([3, -1, 2], [1, 1, 2]), "generality", dtypes=(DOUBLE,)),
    Case(
        "unsigned integers",
        "1 - 2 is 255",
        lambda rng: {"positive_scores": np.array([1, 7], np.uint8), "negative_scores": np.array([2, 3], np.uint8)},
        "generality",
        dtypes=(DOUBLE,),
    ),
    Case("one pair of numbers", "an array without axes", _given(0.5, 1.25), "generality"),
    Case("no pairs", "the mean of nothing", _given(np.empty(0), np.empty(0)), "generality"),
    Case("no negatives", "the sum of nothing", _given(np.zeros(3), np.empty((3, 0)), **EACH), "generality"),
)


def _bad(says: str, error: type[Exception] = ValueError, **changed: Any) -> tuple[Any, ...]:
    return lambda: {"positive_scores": np.zeros(3), "negative_scores": np.zeros(3), **changed}, error, says


BAD_INPUTS = (
    BadInput("other lengths", *_bad(r"shape \(3,\) and negative_scores \(4,\)", negative_scores=np.zeros(4))),
    BadInput("positives as a column", *_bad(r"shape \(3, 1\)", positive_scores=np.zeros((3, 1)))),
    BadInput("negatives of other rows", *_bad(r"negatives of shape \(3, 'k'\)", negative_scores=np.zeros((4, 2)))),
    BadInput("negatives first", *_bad("nothing is broadcast", negative_scores=np.zeros((2, 3)))),
    BadInput("two more axes", *_bad("nothing is broadcast", negative_scores=np.zeros((3, 2, 2)))),
    BadInput("one negative for all", *_bad("nothing is broadcast", negative_scores=0.5)),
    BadInput("complex scores", *_bad("dtype complex128", TypeError, positive_scores=np.zeros(3, complex))),
    BadInput("words for scores", *_bad("pass real numbers", TypeError, negative_scores=np.array(["a", "b", "c"]))),
    BadInput("ragged negatives", *_bad("not a regular array", negative_scores=[[1.0], [1.0, 2.0], [3.0]])),
    BadInput("an unknown reduction", *_bad("reduction is 'average'; use 'mean', 'sum' or 'none'", reduction="average")),
)


def _margins(inputs: Inputs) -> Any:
    p, n = np.asarray(inputs["positive_scores"]), np.asarray(inputs["negative_scores"])
    return (p[..., None] if n.ndim > p.ndim else p) - n


def _reduced(sizes: Any, inputs: Inputs) -> Any:
    reduction = inputs.get("reduction", "mean")
    return sizes if reduction == "none" else sizes.sum() / ((sizes.size or 1) if reduction == "mean" else 1)


@np.errstate(all="ignore")
def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """An error of one eps in the difference moves the loss by |z| sigmoid(-z)."""
    z = _margins(inputs)
    sizes = np.logaddexp(0, -z) + np.abs(z) / (1 + np.exp(z))
    return (_reduced(np.where(np.isfinite(z), sizes, 0), inputs),)


@np.errstate(all="ignore")
def _gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    z = _margins(inputs)
    slopes = (1 + np.abs(z) / (1 + np.exp(-z))) / (1 + np.exp(z))
    mean = inputs.get("reduction", "mean") == "mean"
    sizes = np.abs(cotangent) * np.where(np.isfinite(z), slopes, 1) / ((z.size or 1) if mean else 1)
    return (sizes.sum(axis=-1) if z.ndim > np.ndim(inputs["positive_scores"]) else sizes), sizes


def _quarters(rng: np.random.Generator) -> Inputs:
    """Adding 64 to these scores is exact in every type."""
    p, n = rng.integers(-16, 17, 12) / 4, rng.integers(-16, 17, 12) / 4
    return {"positive_scores": p, "negative_scores": n, "reduction": "none"}


def _shifted(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    moved = {k: v if k == "reduction" else v + v.dtype.type(64) for k, v in inputs.items()}
    still = call(inputs)[0]
    return call(moved)[0], still, still


def _exchanged(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    """log sigmoid(z) - log sigmoid(-z) = z."""
    p, n = inputs["positive_scores"], inputs["negative_scores"]
    there = call(inputs)[0]
    back = call({"positive_scores": n, "negative_scores": p, "reduction": "none"})[0]
    return back - there, p - n, np.abs(there) + np.abs(back)


def _work(n: int) -> Make:
    return lambda rng: {
        "positive_scores": 1 + rng.standard_normal(n, np.float32),
        "negative_scores": rng.standard_normal(n, np.float32),
    }


SPECS = (
    Spec(
        name="bpr_loss",
        block="bpr",
        titles={"en": "BPR loss", "zh": "BPR 损失"},
        summary={
            "en": "how far each positive is from scoring above its negatives",
            "zh": "衡量正样本的得分离高过负样本还差多少",
        },
        formula="-log sigmoid(z) = max(-z, 0) + log(1 + exp(-|z|)),  z = p - n",
        signature=("positive_scores", "negative_scores"),
        differentiable=("positive_scores", "negative_scores"),
        reference=textbook.bpr_loss,
        vjp=textbook.bpr_loss_vjp,
        scale=_scale,
        gradient_scale=_gradient_scale,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        accuracy=4.0,
        gradient_accuracy=4.0,
        laws=(
            Law(
                "a shift changes nothing",
                {"en": "adding one number to all scores changes nothing", "zh": "所有得分同加一个数，损失不变"},
                _quarters,
                _shifted,
            ),
            Law(
                "roles exchanged",
                {
                    "en": "the loss with positive and negative exchanged is greater by p - n",
                    "zh": "正负互换后，损失增加 p - n",
                },
                _quarters,
                _exchanged,
            ),
        ),
        aliases={
            "bpr_loss": ("bpr_loss", "bpr", "BPRLoss", "bayesian_personalized_ranking", "pairwise_logistic_loss"),
            "positive_scores": ("positive_scores", "pos_scores", "pos_score", "positive", "pos", "p", "x_ui", "yui"),
            "negative_scores": ("negative_scores", "neg_scores", "neg_score", "negative", "neg", "n", "x_uj", "yuj"),
            "reduction": ("reduction",),
        },
        workloads=(
            Workload("1e7 value and gradient", _work(10**7), gradient=True),
            Workload("1e6 value", _work(10**6)),
        ),
    ),
)
