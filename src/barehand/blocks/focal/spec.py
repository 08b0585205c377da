"""What the focal losses must do, on which inputs, and how right they must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.focal import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Convention, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]


# Binary. Logits stay within ±3.5 except where a case is about large ones: there 1 - p_t keeps its digits anyhow.


def _mixed(*shape: int, **options: Any) -> Make:
    return lambda rng: {"logits": rng.uniform(-3.5, 3.5, shape), "target": rng.integers(0, 2, shape), **options}


def _only(label: int, **options: Any) -> Make:
    return lambda rng: {"logits": rng.uniform(-3.5, 3.5, 30), "target": np.full(30, label), **options}


def _labels(kind: Any) -> Make:
    return lambda rng: {**_mixed(30)(rng), "target": rng.integers(0, 2, 30).astype(kind), "reduction": "none"}


def _soft(rng: np.random.Generator) -> Inputs:
    return {"logits": rng.uniform(-3.5, 3.5, 30), "target": rng.random(30), "reduction": "none"}


def _given(logits: Any, target: Any, **options: Any) -> Make:
    return lambda rng: {"logits": np.array(logits), "target": np.array(target), **options}


def _probabilities(**options: Any) -> Make:
    return lambda rng: {
        "logits": rng.uniform(0.1, 0.9, 30),
        "target": rng.integers(0, 2, 30),
        "from_probabilities": True,
        **options,
    }


EACH: Inputs = {"reduction": "none"}
EASY, EASY_LABELS = [6.0, 16.0, 17.0, 40.0, -6.0, -16.0, -40.0], [1, 1, 1, 1, 0, 0, 0]

BINARY_CASES = (
    Case("mixed labels", "a formula that is plainly wrong", _mixed(40)),
    Case("mixed labels, the sum", "the mean for the sum", _mixed(40, reduction="sum")),
    Case("mixed labels, each loss", "a reduction ignored", _mixed(40, **EACH)),
    Case("negatives only", "alpha on both classes", _only(0)),
    Case("positives only", "alpha inverted", _only(1)),
    Case("alpha 0.8", "alpha fixed at 0.25", _mixed(30, alpha=0.8, **EACH)),
    Case("alpha 0", "a falsy alpha taken for none", _mixed(30, alpha=0.0, **EACH)),
    Case("alpha for each label", "a pair of alphas not taken", _mixed(30, alpha=(0.9, 0.3), **EACH)),
    Case("no alpha", "None not taken", _mixed(30, alpha=None, **EACH)),
    Case("gamma 0", "0 to the power 0, or alpha forgotten", _mixed(30, alpha=0.5, gamma=0.0, **EACH)),
    Case("gamma 0.5", "gamma as a factor, or fixed at 2", _mixed(30, gamma=0.5, **EACH)),
    Case("gamma 1", "gamma fixed at 2", _mixed(30, gamma=1.0)),
    Case("gamma 3", "gamma as a factor, or fixed at 2", _mixed(30, gamma=3.0, **EACH)),
    Case("soft labels", "labels compared with 1", _soft),
    Case("easy examples", "1 - p_t by subtraction", _given(EASY, EASY_LABELS, **EACH), "stability", dtypes=FULL),
    Case(
        "gamma 0.5 from logit 17 on",
        "a gradient with q to the power gamma - 1, infinite where q is 0",
        _given([17.0, 25.0, 60.0, 100.0, 1000.0, -1000.0, 1.0], [1, 1, 1, 1, 1, 0, 0], gamma=0.5, **EACH),
        "stability",
        dtypes=FULL,
    ),
    Case("wrong by 100", "the logarithm of 0", _given([100.0, -100.0], [0, 1], **EACH), "stability"),
    Case(
        "logits of ±1000, right and wrong",
        "an exponential that overflows, 0 times infinity",
        _given([1000.0, -1000.0, 1000.0, -1000.0], [0, 1, 1, 0], **EACH),
        "stability",
    ),
    Case("wrong by 1e30", "overflow on the way", _given([1e30, -1e30], [0, 1], **EACH), "stability", dtypes=FULL),
    Case("nan logits", "nan hidden", _given([np.nan, 1.0, np.nan], [1, 1, 0], **EACH), "stability"),
    Case("probabilities", "the sigmoid of probabilities", _probabilities()),
    Case("probabilities, each loss", "the sigmoid of probabilities", _probabilities(gamma=1.5, alpha=None, **EACH)),
    Case(
        "probabilities and soft labels",
        "labels compared with 1",
        lambda rng: {**_probabilities(**EACH)(rng), "target": rng.random(30)},
    ),
    Case(
        "probabilities of 0 and 1",
        "0 times log 0, or a loss that is not infinite",
        _given([0.0, 1.0, 0.0, 1.0], [0, 1, 1, 0], from_probabilities=True, **EACH),
        "stability",
    ),
    Case("many labels a row", "the mean over rows alone", _mixed(8, 5)),
    Case("many labels a row, each loss", "a shape lost", _mixed(8, 5, **EACH)),
    Case("true and false", "bools not taken as labels", _labels(bool)),
    Case("labels as bytes", "1 - 2t in unsigned integers", _labels(np.uint8)),
    Case("labels as floats", "floats not taken as labels", _labels(float)),
    Case("a large vector", "a sum that loses digits", _mixed(20000), dtypes=FULL),
    Case("integers", "integer arithmetic", _given([1, -2, 3, 0], [1, 0, 0, 1], **EACH), "generality", dtypes=(DOUBLE,)),
    Case("one number", "an array without axes", _given(0.75, 1), "generality"),
    Case(
        "no elements", "the mean of nothing", lambda rng: {"logits": np.empty(0), "target": np.empty(0)}, "generality"
    ),
    Case(
        "no elements, each loss",
        "an empty array",
        lambda rng: {"logits": np.empty((0, 3)), "target": np.empty((0, 3)), "reduction": "none"},
        "generality",
    ),
)


def _bad(says: str, error: type[Exception] = ValueError, **changed: Any) -> tuple[Any, ...]:
    return lambda: {"logits": np.zeros(3), "target": np.array([0, 1, 0]), **changed}, error, says


BINARY_BAD = (
    BadInput("a label of 2", *_bad("target holds 2", target=np.array([0, 2, 1]))),
    BadInput("a label of -1", *_bad("target holds -1", target=np.array([1, -1, 1]))),
    BadInput("a label of 1.5", *_bad("target holds 1.5", target=np.array([1.0, 1.5, 0.0]))),
    BadInput("a label of nan", *_bad("target holds nan", target=np.array([0.0, np.nan, 1.0]))),
    BadInput(
        "a label of nan, for probabilities",
        *_bad("target holds nan", target=np.array([0.0, np.nan, 1.0]), from_probabilities=True),
    ),
    BadInput("words for labels", *_bad("target has dtype", TypeError, target=np.array(["a", "b", "c"]))),
    BadInput("labels as a column", *_bad(r"shape \(3,\) and target \(3, 1\)", target=np.zeros((3, 1)))),
    BadInput("one label for all", *_bad("nothing is broadcast", target=1)),
    BadInput("complex logits", *_bad("dtype complex128", TypeError, logits=np.zeros(3, complex))),
    BadInput("gamma of -1", *_bad("gamma is -1.0; use a finite number from 0 to 1e", gamma=-1.0)),
    BadInput("gamma of nan", *_bad("gamma is nan", gamma=np.nan)),
    BadInput("gamma a word", *_bad("gamma must be a number", TypeError, gamma="two")),
    BadInput("alpha of 1.5", *_bad("alpha is 1.5; use a finite number from 0 to 1", alpha=1.5)),
    BadInput("alpha below 0 in a pair", *_bad("alpha is -0.5", alpha=(1.0, -0.5))),
    BadInput("three alphas", *_bad(r"alpha is \(0.1, 0.2, 0.7\); give a number, a pair", alpha=(0.1, 0.2, 0.7))),
    BadInput("an unknown reduction", *_bad("reduction is 'average'", reduction="average")),
    BadInput(
        "a probability of 1.2",
        *_bad("logits holds 1.2", logits=np.array([0.5, 1.2, 0.0]), from_probabilities=True),
    ),
    BadInput(
        "a probability of nan",
        *_bad("logits holds nan", logits=np.array([0.5, np.nan, 0.0]), from_probabilities=True),
    ),
)


def _reduced(sizes: Any, reduction: str, count: float) -> Any:
    """What was added up in a sum of terms of these sizes."""
    return sizes if reduction == "none" else np.sum(sizes) / ((count or 1) if reduction == "mean" else 1)


@np.errstate(all="ignore")
def _binary_sizes(inputs: Inputs) -> tuple[Any, Any]:
    """The size of each loss and of each slope.

    An error of one eps in q = 1 - p_t moves its logarithm by as much, and q^gamma by gamma eps; gamma |log q| is what
    the exponent is rounded at. The cross-entropy and q itself are sums of positive terms.
    """
    v, gamma, alpha = np.asarray(inputs["logits"]), inputs.get("gamma", 2.0), inputs.get("alpha", 0.25)
    t, given = np.asarray(inputs["target"], v.dtype), inputs.get("from_probabilities", False)
    o = 1 - t
    ce = textbook.focal_loss(v, t, alpha=None, gamma=0.0, reduction="none", from_probabilities=given)
    p, r = (v, 1 - v) if given else (1 / (1 + np.exp(-v)), 1 / (1 + np.exp(v)))
    q = p * o + r * t
    pos, neg = (1, 1) if alpha is None else alpha if np.ndim(alpha) else (alpha, 1 - alpha)
    weight = (pos * t + neg * o) * q**gamma * (1 + gamma * np.abs(np.log(np.where(q > 0, q, 1))))
    bend = np.where(q > 0, gamma * ce * (1 if given else p * r) / np.where(q > 0, q, 1), 0)
    straight = np.where(o > 0, o / r, 0) + np.where(t > 0, t / p, 0) if given else q
    return tuple(np.where(weight > 0, weight * size, 0 * v) for size in (ce, straight + bend))  # type: ignore[return-value]


def _binary_scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    losses, _ = _binary_sizes(inputs)
    return (_reduced(losses, inputs.get("reduction", "mean"), losses.size),)


def _binary_gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    _, slopes = _binary_sizes(inputs)
    return (np.abs(cotangent) * slopes / ((slopes.size or 1) if inputs.get("reduction", "mean") == "mean" else 1),)


def _half_of_cross_entropy(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    half = call({**inputs, "gamma": 0.0, "alpha": 0.5, "reduction": "none"})[0]
    v = inputs["logits"].astype(np.longdouble)
    right = np.logaddexp(0, np.where(inputs["target"] == 1, -v, v)) / 2
    return half, right, right


def _labels_exchanged(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    there = call({**inputs, "alpha": 0.75, "reduction": "none"})[0]
    back = {"logits": -inputs["logits"], "target": 1 - inputs["target"], "alpha": 0.25, "reduction": "none"}
    return there, call(back)[0], np.abs(there) * 9


def _both(*args: Any, alpha: Any = 0.25, **options: Any) -> Any:
    pair = (alpha, alpha) if alpha is not None and np.ndim(alpha) == 0 else alpha
    return textbook.focal_loss(*args, alpha=pair, **options)


def _both_vjp(*args: Any, alpha: Any = 0.25, **options: Any) -> Any:
    pair = (alpha, alpha) if alpha is not None and np.ndim(alpha) == 0 else alpha
    return textbook.focal_loss_vjp(*args, alpha=pair, **options)


def _work(n: int) -> Make:
    return lambda rng: {
        "logits": 3 * rng.standard_normal(n, np.float32) - 2,
        "target": (rng.random(n, np.float32) < 0.1).astype(np.float32),
    }


_OPTIONS = {
    "target": ("target", "targets", "labels", "label", "y", "y_true"),
    "alpha": ("alpha", "alpha_t", "weight", "class_weights"),
    "gamma": ("gamma", "focusing", "focus"),
    "reduction": ("reduction",),
}
_LOGITS = ("logits", "inputs", "input", "x", "z", "scores", "pred", "preds", "predictions", "y_pred", "outputs")

BINARY = Spec(
    name="focal_loss",
    block="focal",
    titles={"en": "Focal loss", "zh": "Focal 损失"},
    summary={
        "en": "binary cross-entropy in which easy examples count little",
        "zh": "让易分样本占很小权重的二元交叉熵",
    },
    formula="alpha_t (1 - p_t)^gamma (-log p_t),  p = sigmoid(logit),  p_t = p for label 1 and 1 - p for label 0",
    signature=("logits", "target"),
    differentiable=("logits",),
    reference=textbook.focal_loss,
    vjp=textbook.focal_loss_vjp,
    scale=_binary_scale,
    gradient_scale=_binary_gradient_scale,
    cases=BINARY_CASES,
    bad_inputs=BINARY_BAD,
    mutants=mutants.BINARY,
    accuracy=8.0,
    gradient_accuracy=8.0,
    laws=(
        Law(
            "half of the binary cross-entropy",
            {
                "en": "with gamma 0 and alpha 0.5 the loss is half of the binary cross-entropy",
                "zh": "gamma 为 0、alpha 为 0.5 时，损失是二元交叉熵的一半",
            },
            _mixed(40),
            _half_of_cross_entropy,
        ),
        Law(
            "labels exchanged",
            {
                "en": "logits negated, labels exchanged, 1 - alpha for alpha: the same loss",
                "zh": "logits 取负、标签互换、alpha 换成 1 - alpha，损失不变",
            },
            _mixed(40),
            _labels_exchanged,
        ),
    ),
    conventions=(
        Convention(
            "alpha on both classes",
            {
                "en": "alpha weighs negatives too, in place of 1 - alpha (Lin et al. 2017, equation 5, has 1 - alpha).",
                "zh": "负样本也乘 alpha，而不是 1 - alpha（Lin 等 2017 年的式 5 用 1 - alpha）。",
            },
            _both,
            _both_vjp,
        ),
    ),
    aliases={
        "focal_loss": ("focal_loss", "sigmoid_focal_loss", "binary_focal_loss", "focal", "focal_loss_with_logits"),
        "logits": _LOGITS,
        "from_probabilities": ("from_probabilities", "probabilities", "from_probs"),
        **_OPTIONS,
    },
    workloads=(
        Workload("1e7 value and gradient", _work(10**7), gradient=True),
        Workload("1e6 value", _work(10**6)),
    ),
)


# Classes. Logits stay within ±1.5 except where a case is about large ones.


def _rows(*shape: int, axis: int = -1, **options: Any) -> Make:
    """Logits of this shape, and a class for every row along `axis`."""
    rows = tuple(np.delete(shape, axis))
    return lambda rng: {
        "logits": rng.uniform(-1.5, 1.5, shape),
        "target": rng.integers(0, shape[axis], rows),
        **({} if axis == -1 else {"axis": axis}),
        **options,
    }


def _ignoring(index: int, **options: Any) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        target = rng.integers(0, 4, 12)
        target[[0, 5, 6]] = index
        return {"logits": rng.uniform(-1.5, 1.5, (12, 4)), "target": target, "ignore_index": index, **options}

    return make


def _default_ignored(rng: np.random.Generator) -> Inputs:
    inputs = _ignoring(-100)(rng)
    del inputs["ignore_index"]
    return inputs


def _nan_ignored(rng: np.random.Generator) -> Inputs:
    inputs = _ignoring(-100)(rng)
    inputs["logits"][0] = np.nan
    return inputs


def _weighed(**options: Any) -> Make:
    return lambda rng: {**_rows(12, 5)(rng), "alpha": np.array([0.25, 0.5, 2.0, 0.0, 1.0]), **options}


CLASS_CASES = (
    Case("a matrix", "a formula that is plainly wrong", _rows(12, 5)),
    Case("a matrix, the sum", "the mean for the sum", _rows(12, 5, reduction="sum")),
    Case("a matrix, each loss", "a reduction ignored", _rows(12, 5, **EACH)),
    Case("the class axis in the middle", "the axis ignored", _rows(4, 3, 2, axis=1, **EACH)),
    Case("the class axis first", "the axis ignored", _rows(3, 4, 2, axis=0)),
    Case("alpha for each class", "alpha not gathered by class", _weighed()),
    Case("alpha for each class, each loss", "alpha not gathered by class", _weighed(**EACH)),
    Case("one alpha for all", "a number for alpha not taken", _rows(12, 5, alpha=0.25)),
    Case("gamma 0", "0 to the power 0", _rows(12, 5, gamma=0.0, **EACH)),
    Case("gamma 0.5", "gamma as a factor, or fixed at 2", _rows(12, 5, gamma=0.5, **EACH)),
    Case("gamma 1", "gamma fixed at 2", _rows(12, 5, gamma=1.0)),
    Case("gamma 3", "gamma as a factor, or fixed at 2", _rows(12, 5, gamma=3.0, **EACH)),
    Case("rows to ignore", "the mean over all rows, or a class of -100", _default_ignored),
    Case("rows to ignore, each loss", "the wrong rows left out", _ignoring(-1, **EACH)),
    Case("a class to ignore", "an ignore_index that is a class", _ignoring(2)),
    Case("rows to ignore and alpha", "a mean over the wrong rows", lambda rng: {**_weighed()(rng), "ignore_index": 4}),
    Case("nan in a row to ignore", "0 times nan", _nan_ignored, "stability"),
    Case("all ignored", "the mean of nothing is 0/0", _given([[1.0, 2.0], [0.5, 0.0]], [-100, -100]), "stability"),
    Case(
        "confident rows",
        "1 - p_t by subtraction",
        _given([[40.0, 0.0, 1.0], [0.0, 20.0, -3.0], [-1.0, 0.5, 12.0]], [0, 1, 2], **EACH),
        "stability",
        dtypes=FULL,
    ),
    Case(
        "confident rows, gamma 0.5",
        "a gradient with q to the power gamma - 1, infinite where q is 0",
        _given([[40.0, 0.0, 1.0], [0.0, 300.0, -3.0], [0.0, 0.0, 1000.0]], [0, 1, 2], gamma=0.5, **EACH),
        "stability",
        dtypes=FULL,
    ),
    Case(
        "wrong by 1000",
        "the logarithm of a softmax that is 0",
        _given([[1000.0, 0.0], [-1000.0, 0.0]], [1, 0], **EACH),
        "stability",
    ),
    Case(
        "rows around +1000 and -1000 together",
        "no maximum subtracted, or one for all rows",
        lambda rng: {
            "logits": rng.integers(-3, 4, (2, 6)) / 2 + np.array([[1000.0], [-1000.0]]),
            "target": rng.integers(0, 6, 2),
            "reduction": "none",
        },
        "stability",
    ),
    Case("a class of -inf", "0 times infinity", _given([[0.0, -np.inf, 1.0]], [0], **EACH), "stability"),
    Case(
        "the target's class at -inf",
        "p_t log p_t as 0 times infinity",
        _given([[0.0, -np.inf, 1.0], [0.5, 0.0, 1.0]], [1, 0], **EACH),
        "stability",
    ),
    Case(
        "nan and +inf",
        "nan hidden",
        _given([[np.nan, 0.0, 1.0], [0.0, np.inf, 1.0], [0.5, 0.0, 1.0]], [1, 0, 2], **EACH),
        "stability",
        gradient=False,
    ),
    Case("long rows", "a sum that loses digits", _rows(3, 5000, **EACH), dtypes=FULL),
    Case("many rows", "a sum that loses digits", _rows(4000, 3), dtypes=FULL),
    Case(
        "labels as bytes",
        "a label type not taken",
        lambda rng: {**_rows(6, 3)(rng), "target": np.arange(6, dtype=np.uint8) % 3},
    ),
    Case("integers", "integer arithmetic", _given([[1, 2, 3], [2, 0, 1]], [0, 1]), "generality", dtypes=(DOUBLE,)),
    Case("one class", "nothing left besides the target", _given([[2.0], [-1.0]], [0, 0], **EACH), "generality"),
    Case("one row without a batch axis", "an axis assumed", _given([1.0, 0.5, -1.0], 1), "generality"),
    Case(
        "no rows",
        "the mean of nothing",
        lambda rng: {"logits": np.empty((0, 3)), "target": np.empty(0, np.int64)},
        "generality",
    ),
)


def _bad_class(says: str, error: type[Exception] = ValueError, **changed: Any) -> tuple[Any, ...]:
    return lambda: {"logits": np.zeros((2, 3)), "target": np.array([0, 1]), **changed}, error, says


CLASS_BAD = (
    BadInput(
        "a class of 3", *_bad_class(r"target holds 3 at \(1,\), not a class from 0 to 2", target=np.array([0, 3]))
    ),
    BadInput("a class of -1", *_bad_class("target holds -1", target=np.array([-1, 0]))),
    BadInput(
        "floating targets", *_bad_class("target has dtype float64; give class indices", TypeError, target=np.zeros(2))
    ),
    BadInput("a target for each logit", *_bad_class(r"target has shape \(2, 3\)", target=np.zeros((2, 3), int))),
    BadInput("targets as a column", *_bad_class(r"target has shape \(2, 1\)", target=np.zeros((2, 1), int))),
    BadInput("axis too large", *_bad_class(r"axis 2 does not exist in x of shape \(2, 3\); use -2 to 1", axis=2)),
    BadInput("a single number", *_bad_class("logits is a single number", logits=1.0, target=0)),
    BadInput("complex logits", *_bad_class("dtype complex128", TypeError, logits=np.zeros((2, 3), complex))),
    BadInput("two alphas for three classes", *_bad_class("one a class", alpha=np.array([0.25, 0.75]))),
    BadInput("alpha of -1", *_bad_class("alpha is -1.0", alpha=-1.0)),
    BadInput("gamma of -1", *_bad_class("gamma is -1.0; use a finite number from 0 to 1e", gamma=-1.0)),
    BadInput("an unknown reduction", *_bad_class("reduction is 'average'", reduction="average")),
)


@np.errstate(all="ignore")
def _class_sizes(inputs: Inputs) -> tuple[Any, Any, float]:
    """The size of each loss and of each slope (classes last), and the number of rows not ignored.

    An error of one eps in a score's distance to the maximum moves p_j by p_j |log p_j|; `off` is what that makes in
    1 - p_t, which is the sum of the other classes' p_j.
    """
    gamma, alpha, axis = inputs.get("gamma", 2.0), inputs.get("alpha"), inputs.get("axis", -1)
    x = np.moveaxis(np.asarray(inputs["logits"]), axis, -1)
    kept = np.asarray(inputs["target"]) != inputs.get("ignore_index", -100)
    t = np.where(kept, inputs["target"], 0)
    own = np.eye(x.shape[-1], dtype=bool)[t]
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    size = p * (1 + np.abs(np.log(np.where(p > 0, p, 1))))
    q, off = np.where(own, 0, p).sum(axis=-1), np.where(own, 0, size).sum(axis=-1)
    nll = textbook.softmax_focal_loss(np.where(x == -np.inf, -1e30, x), t, gamma=0.0, reduction="none")
    rough = np.where(q > 0, off / np.where(q > 0, q, 1), 1)
    weight = np.where(kept, 1 if alpha is None else np.broadcast_to(alpha, x.shape[-1:])[t], 0) * q**gamma
    bend = gamma * np.where(q > 0, nll / np.where(q > 0, q, 1), 1) * (1 - q)
    losses = weight * (nll * (1 + gamma * rough) + off)
    slopes = (weight * (1 + bend))[..., None] * (
        np.where(own, off[..., None], size) + np.where(own, q[..., None], p) * ((1 + gamma) * rough)[..., None]
    )
    clean = np.where(kept, losses, 0), np.where(kept[..., None], slopes, 0)
    return *clean, float(np.count_nonzero(kept))


def _class_scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    losses, _, kept = _class_sizes(inputs)
    return (_reduced(losses, inputs.get("reduction", "mean"), kept),)


def _class_gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    _, slopes, kept = _class_sizes(inputs)
    g = np.abs(np.asarray(cotangent))[..., None] / ((kept or 1) if inputs.get("reduction", "mean") == "mean" else 1)
    return (np.moveaxis(g * slopes, -1, inputs.get("axis", -1)),)


def _quarters(rng: np.random.Generator) -> Inputs:
    """Adding 64 to these logits is exact in every type."""
    return {"logits": rng.integers(-8, 9, (12, 5)) / 4, "target": rng.integers(0, 5, 12), "reduction": "none"}


def _cross_entropy(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    x, t = inputs["logits"].astype(np.longdouble), inputs["target"]
    right = np.log(np.exp(x - x[np.arange(len(t)), t][:, None]).sum(axis=-1))
    return call({**inputs, "gamma": 0.0})[0], right, 1 + right


def _shifted(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    moved = call({**inputs, "logits": inputs["logits"] + inputs["logits"].dtype.type(64)})[0]
    return moved, call(inputs)[0], 1.0


def _class_work(rng: np.random.Generator) -> Inputs:
    return {"logits": rng.standard_normal((8192, 1000), np.float32), "target": rng.integers(0, 1000, 8192)}


CLASSES = Spec(
    name="softmax_focal_loss",
    block="focal",
    titles={"en": "Focal loss over classes", "zh": "多类 Focal 损失"},
    summary={
        "en": "cross-entropy over classes in which rows that are right already count little",
        "zh": "让已分对的行占很小权重的多类交叉熵",
    },
    formula="alpha_t (1 - p_t)^gamma (-log p_t),  p = softmax(logits),  t the row's class",
    signature=("logits", "target"),
    differentiable=("logits",),
    reference=textbook.softmax_focal_loss,
    vjp=textbook.softmax_focal_loss_vjp,
    scale=_class_scale,
    gradient_scale=_class_gradient_scale,
    cases=CLASS_CASES,
    bad_inputs=CLASS_BAD,
    mutants=mutants.CLASSES,
    accuracy=2.0,
    gradient_accuracy=2.0,
    laws=(
        Law(
            "gamma 0 is cross-entropy",
            {"en": "with gamma 0 the loss is cross-entropy", "zh": "gamma 为 0 时就是交叉熵"},
            _quarters,
            _cross_entropy,
        ),
        Law(
            "a shift changes nothing",
            {
                "en": "adding one number to all logits of a row changes nothing",
                "zh": "一行 logits 同加一个数，损失不变",
            },
            _quarters,
            _shifted,
        ),
    ),
    aliases={
        "softmax_focal_loss": (
            "softmax_focal_loss",
            "multiclass_focal_loss",
            "categorical_focal_loss",
            "multi_class_focal_loss",
        ),
        "logits": _LOGITS,
        "axis": ("axis", "dim"),
        "ignore_index": ("ignore_index", "ignore_label", "ignore"),
        **_OPTIONS,
    },
    workloads=(Workload("8192x1000 value and gradient", _class_work, gradient=True),),
)

SPECS = (BINARY, CLASSES)
