"""What cross-entropy must do, on which inputs, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.cross_entropy import mutants, textbook
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Convention, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]
_INF = np.inf


def _labels(rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> Any:
    return rng.integers(0, shape[axis], np.delete(shape, axis))


def _distribution(rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> Any:
    q = rng.uniform(0.05, 1, shape)
    return q / q.sum(axis=axis, keepdims=True)


def _indices(*shape: int, axis: int = -1, size: float = 3.0, **options: Any) -> Make:
    """Normal logits and class indices."""

    def make(rng: np.random.Generator) -> Inputs:
        x = size * rng.standard_normal(shape)
        return {"logits": x, "target": _labels(rng, shape, axis), "axis": axis, **options}

    return make


def _soft(*shape: int, axis: int = -1, **options: Any) -> Make:
    """Normal logits and probabilities."""

    def make(rng: np.random.Generator) -> Inputs:
        x = 3 * rng.standard_normal(shape)
        return {"logits": x, "target": _distribution(rng, shape, axis), "axis": axis, **options}

    return make


def _given(logits: Any, target: Any, **options: Any) -> Make:
    return lambda rng: {"logits": np.array(logits), "target": np.array(target), **options}


def _weighted(make: Make) -> Make:
    def made(rng: np.random.Generator) -> Inputs:
        inputs = make(rng)
        n = inputs["logits"].shape[inputs.get("axis", -1)]
        return inputs | {"weight": np.append(rng.uniform(0.2, 3, n - 1), 0.5)}

    return made


def _ignoring(make: Make, index: int | None = None) -> Make:
    """Every third row is ignored, by `index` where it is given."""

    def made(rng: np.random.Generator) -> Inputs:
        inputs = make(rng)
        target = inputs["target"].copy()
        target.reshape(-1)[::3] = -100 if index is None else index
        return inputs | {"target": target} | ({} if index is None else {"ignore_index": index})

    return made


def _probabilities(make: Make) -> Make:
    """The same with probabilities in place of logits."""

    def made(rng: np.random.Generator) -> Inputs:
        inputs = make(rng)
        p = _distribution(rng, inputs["logits"].shape, inputs.get("axis", -1))
        return inputs | {"logits": p, "from_probabilities": True}

    return made


def _hard_zeros(rng: np.random.Generator) -> Inputs:
    """Classes with probability 0 on both sides."""
    x, q = rng.standard_normal((4, 5)), rng.uniform(0.1, 1, (4, 5))
    x[0, 1], x[1, 2:], x[2, 0] = -_INF, -_INF, -_INF
    q[~np.isfinite(x)] = 0
    q[3, 2] = 0
    return {"logits": x, "target": q / q.sum(axis=-1, keepdims=True)}


def _classes_away(rng: np.random.Generator) -> Inputs:
    """Some classes are impossible, and none of them is a label."""
    x = rng.standard_normal((4, 5))
    x[:, 3], x[1, 4] = -_INF, -_INF
    return {"logits": x, "target": np.array([0, 1, 2, 4]), "reduction": "none"}


def _bad_row(rng: np.random.Generator) -> Inputs:
    x = rng.standard_normal((4, 5))
    x[1, 2], x[3, 0] = np.nan, _INF
    return {"logits": x, "target": np.array([0, 1, 2, 3]), "reduction": "none"}


def _empty(rng: np.random.Generator) -> Inputs:
    return {"logits": np.empty((0, 3)), "target": np.empty(0, np.int64)}


CASES = (
    Case("a matrix", "a formula that is plainly wrong", _indices(6, 5)),
    Case("the sum", "reduction ignored", _indices(6, 5, reduction="sum")),
    Case("each loss", "reduction ignored", _indices(6, 5, reduction="none")),
    Case("classes on axis 1 of three", "the class axis", _indices(4, 3, 5, axis=1)),
    Case("classes on axis 1 of four", "the class axis", _indices(2, 3, 4, 5, axis=1, reduction="none")),
    Case("classes on axis 0", "the class axis", _indices(3, 6, axis=0)),
    Case("probabilities on axis 1", "the class axis", _soft(4, 3, 5, axis=-2, reduction="none")),
    Case("class weights", "a mean divided by the number of rows", _weighted(_indices(8, 4))),
    Case("class weights, each loss", "class weights ignored", _weighted(_indices(8, 4, reduction="none"))),
    Case("class weights, the sum", "class weights ignored", _weighted(_indices(4, 3, 5, axis=1, reduction="sum"))),
    Case("rows ignored", "a mean over all rows", _ignoring(_indices(7, 4))),
    Case("rows ignored, each loss", "ignored rows that cost", _ignoring(_indices(7, 4, reduction="none"))),
    Case("class 1 ignored", "an ignore_index of one's own", _ignoring(_indices(7, 4), 1)),
    Case("-1 ignored", "an index that reads the last class", _ignoring(_indices(7, 4), -1)),
    Case("label smoothing", "smoothing ignored", _indices(6, 5, label_smoothing=0.1)),
    Case("label smoothing of 1", "smoothing ignored", _indices(6, 5, label_smoothing=1.0, reduction="sum")),
    Case(
        "weights, rows ignored and smoothing",
        "options that disturb each other",
        _ignoring(_weighted(_indices(9, 4, label_smoothing=0.2))),
    ),
    Case(
        "weights, rows ignored and smoothing on axis 1",
        "options that disturb each other",
        _ignoring(_weighted(_indices(3, 4, 5, axis=1, label_smoothing=0.2, reduction="none"))),
    ),
    Case("soft targets", "the largest probability taken for a label", _soft(6, 5)),
    Case("soft targets, each loss", "reduction ignored", _soft(6, 5, reduction="none")),
    Case(
        "soft targets with weights and smoothing",
        "options that disturb each other",
        _weighted(_soft(6, 5, label_smoothing=0.3)),
    ),
    Case("soft zeros at -inf", "0 times -inf", _hard_zeros, "stability"),
    Case("-inf in other classes", "0 times -inf", _classes_away, "stability"),
    Case("from probabilities", "a second softmax", _probabilities(_indices(6, 5))),
    Case("from probabilities, soft targets", "a second softmax", _probabilities(_soft(4, 3, 5, axis=1))),
    Case(
        "from probabilities, all options",
        "options that disturb each other",
        _probabilities(_ignoring(_weighted(_indices(9, 4, label_smoothing=0.2)))),
    ),
    Case(
        "from probabilities with zeros",
        "0 times -inf",
        _given([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], from_probabilities=True),
        "stability",
    ),
    Case(
        "probability 0 for the label",
        "a loss of inf capped",
        _given([[0.0, 1.0], [0.25, 0.75]], [0, 1], from_probabilities=True, reduction="none"),
        "stability",
    ),
    Case(
        "logits [1000, 0]",
        "an epsilon or a clamp inside the logarithm",
        _given([[1000.0, 0.0], [1000.0, 0.0], [-1000.0, -1001.0]], [1, 0, 1], reduction="none"),
        "stability",
    ),
    Case("logits [1000, 0], the mean", "exp without a shift", _given([[1000.0, 0.0], [0.0, 1.0]], [1, 0]), "stability"),
    Case("logits [0, 200], label 0", "the logarithm of softmax", _given([[0.0, 200.0]], [0]), "stability"),
    Case("logits of 1e4", "exp without a shift", _indices(4, 6, size=1e4), "stability", dtypes=FULL),
    # Sums of terms as large as 1 may be off by an eps, here as everywhere; that the loss of 2e-9 keeps all its digits
    # is a promise of our kernel alone, tested apart.
    Case(
        "confident rows",
        "a loss below 0, or nan",
        _given([[20.0, 0.0], [-5.0, 30.0]], [0, 1], reduction="none"),
        "stability",
    ),
    Case("all rows ignored", "0/0", _given([[1.0, 2.0], [3.0, 0.0]], [-100, -100]), "stability"),
    Case(
        "all rows ignored, with weights", "0/0", _given([[1.0, 2.0]], [-100], weight=np.array([1.0, 2.0])), "stability"
    ),
    Case("weights that are all zero", "0/0", _given([[1.0, 2.0]], [0], weight=np.array([0.0, 2.0])), "stability"),
    Case("nan and inf in their own rows", "a row that spoils the others", _bad_row, "stability"),
    # The textbook looks indices up in an identity matrix of classes x classes, which bounds the length of these rows.
    Case("long rows", "a sum that loses digits", _indices(3, 1100), dtypes=FULL),
    Case("long rows of soft targets", "a sum that loses digits", _soft(2, 20000, label_smoothing=0.1), dtypes=FULL),
    Case("long rows of probabilities", "a sum that loses digits", _probabilities(_soft(2, 20000)), dtypes=FULL),
    Case(
        "integers", "integer arithmetic", _given([[1, 2, 3], [400, -500, 390]], [2, 0]), "generality", dtypes=(DOUBLE,)
    ),
    Case("one class", "a loss that is not 0", _indices(4, 1), "generality"),
    Case("one row without a batch", "a batch axis required", _given([0.5, -1.0, 2.0], 1), "generality"),
    Case(
        "one row of soft targets",
        "a batch axis required",
        _given([0.5, -1.0], [0.25, 0.75], reduction="none"),
        "generality",
    ),
    Case("no rows", "0/0", _empty, "generality"),
)

_X, _T = np.zeros((2, 3)), np.array([0, 1])


def _bad(target: Any = _T, logits: Any = _X, **options: Any) -> Callable[[], Inputs]:
    return lambda: {"logits": logits, "target": target, **options}


_NEITHER = "not a class from 0 to 2 and not ignore_index=-100"
BAD_INPUTS = (
    BadInput("a label too large", _bad(np.array([0, 3])), ValueError, rf"target holds 3 at \(1,\), {_NEITHER}"),
    BadInput("a negative label", _bad(np.array([-1, 0])), ValueError, rf"target holds -1 at \(0,\), {_NEITHER}"),
    BadInput(
        "labels of another shape",
        _bad(np.array([[0], [1]])),
        ValueError,
        r"target has shape \(2, 1\), logits without their class axis \(2,\)",
    ),
    BadInput(
        "labels as floats", _bad(np.array([0.0, 1.0])), ValueError, r"floating target has shape \(2,\), logits \(2, 3\)"
    ),
    BadInput("labels with nan", _bad(np.array([0.0, np.nan])), ValueError, "or integer class indices"),
    BadInput(
        "probabilities of another shape",
        _bad(np.ones((2, 2))),
        ValueError,
        r"floating target has shape \(2, 2\), logits \(2, 3\)",
    ),
    BadInput(
        "a target of 1.5", _bad(np.full((2, 3), 1.5)), ValueError, "target holds 1.5; probabilities run from 0 to 1"
    ),
    BadInput(
        "a target of nan", _bad(np.full((2, 3), np.nan)), ValueError, "target holds nan; probabilities run from 0 to 1"
    ),
    BadInput(
        "a probability of -0.1",
        _bad(logits=np.full((2, 3), -0.1), from_probabilities=True),
        ValueError,
        "logits holds -0.1; probabilities run from 0 to 1",
    ),
    BadInput(
        "a negative weight",
        _bad(weight=np.array([1.0, -2.0, 1.0])),
        ValueError,
        "weight holds -2.0; class weights are finite and at least 0",
    ),
    BadInput(
        "a weight for every row", _bad(weight=np.ones(2)), ValueError, r"weight has shape \(2,\), there are 3 classes"
    ),
    BadInput(
        "an unknown reduction",
        _bad(reduction="average"),
        ValueError,
        "reduction is 'average'; use 'mean', 'sum' or 'none'",
    ),
    BadInput(
        "smoothing of 2",
        _bad(label_smoothing=2.0),
        ValueError,
        "label_smoothing is 2.0; use a finite number from 0 to 1",
    ),
    BadInput(
        "an ignore_index of None", _bad(ignore_index=None), TypeError, "ignore_index must be an integer, not None"
    ),
    BadInput(
        "one number", _bad(np.array(0), np.array(1.0)), ValueError, "logits is a single number; it needs a class axis"
    ),
    BadInput(
        "no classes",
        _bad(np.zeros(2, int), np.empty((2, 0))),
        ValueError,
        r"logits of shape \(2, 0\) have no classes along axis -1",
    ),
    BadInput("axis too large", _bad(axis=2), ValueError, "axis 2 does not exist"),
    BadInput("complex logits", _bad(logits=_X.astype(complex)), TypeError, "dtype complex128"),
    BadInput("words for labels", _bad(np.array(["a", "b"])), TypeError, "target has dtype"),
)


def _pieces(inputs: Inputs) -> tuple[Any, Any, Any, Any]:
    """log p, the shares a of each class, p, and each row's weight in the mean; classes last."""
    return textbook._pieces(
        inputs["logits"],
        inputs["target"],
        inputs.get("axis", -1),
        inputs.get("weight"),
        inputs.get("ignore_index", -100),
        inputs.get("label_smoothing", 0.0),
        inputs.get("from_probabilities", False),
    )


def _divisor(inputs: Inputs, kept: Any) -> Any:
    return (kept.sum() or 1) if inputs.get("reduction", "mean") == "mean" else 1


def _scale(inputs: Inputs, outputs: Outputs) -> tuple[Any, ...]:
    """-log p_j = (m - x_j) + log s, two terms of which the second is a logarithm of a number near 1 or above.

    Given probabilities are exact and their logarithms all of one sign: the loss itself is what was added up.
    """
    log_p, a, _, kept = _pieces(inputs)
    size = -log_p
    if not inputs.get("from_probabilities", False):
        x = np.moveaxis(inputs["logits"], inputs.get("axis", -1), -1)
        with np.errstate(invalid="ignore"):
            d = x.max(axis=-1, keepdims=True) - x
        size = d + np.maximum(np.log(np.exp(-d).sum(axis=-1, keepdims=True)), 1)
    rows = (a * np.where(a == 0, 0, size)).sum(axis=-1)
    if inputs.get("reduction", "mean") == "none":
        return (rows,)
    return (rows.sum() / _divisor(inputs, kept),)


def _gradient_scale(inputs: Inputs, cotangent: Any, gradients: Outputs) -> tuple[Any, ...]:
    """p sum(a) and a are subtracted; an error of one eps in -log p moves p by p (1 + |log p|)."""
    log_p, a, p, kept = _pieces(inputs)
    g = np.abs(np.asarray(cotangent))[..., None] / _divisor(inputs, kept)
    if inputs.get("from_probabilities", False):
        return (np.abs(gradients[0]),)
    size = p * (1 + np.where(p > 0, np.abs(log_p), 0)) * a.sum(axis=-1, keepdims=True) + a
    return (np.moveaxis(g * size, -1, inputs.get("axis", -1)),)


def _quarters(rng: np.random.Generator) -> Inputs:
    x = rng.integers(-40, 40, (5, 8)) / 4  # adding 64 to these is exact in every type
    return {"logits": x, "target": _labels(rng, (5, 8), -1), "reduction": "none"}


def _same_after_shift(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    still = call(inputs)[0]
    x = inputs["logits"]
    return call({**inputs, "logits": x + x.dtype.type(64)})[0], still, 1 + np.abs(still)


def _one_hot_is_its_index(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    x = inputs["logits"]
    one_hot = np.eye(x.shape[-1], dtype=x.dtype)[inputs["target"]]
    hard = call(inputs)[0]
    return call({**inputs, "target": one_hot, "label_smoothing": 0.0})[0], hard, 1 + np.abs(hard)


def _as_if_deleted(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    kept = inputs["target"] != -100
    fewer = {**inputs, "logits": inputs["logits"][kept], "target": inputs["target"][kept]}
    mean = call(fewer)[0]
    return call(inputs)[0], mean, 1 + np.abs(mean)


LAWS = (
    Law(
        "a shift changes nothing",
        {"en": "cross_entropy(x + c, t) = cross_entropy(x, t)", "zh": "cross_entropy(x + c, t) = cross_entropy(x, t)"},
        _quarters,
        _same_after_shift,
    ),
    Law(
        "a one-hot target is its index",
        {
            "en": "the probabilities onehot(t) cost what the index t costs",
            "zh": "目标写成 onehot(t) 与写成下标 t，损失相同",
        },
        _quarters,
        _one_hot_is_its_index,
    ),
    Law(
        "ignored rows might as well be deleted",
        {"en": "the mean is that of the rows kept", "zh": "平均值就是所保留各行的平均值"},
        _ignoring(_indices(8, 4)),
        _as_if_deleted,
    ),
)


def _smoothed_over_the_others(logits: Any, target: Any, *, label_smoothing: float = 0.0, **rest: Any) -> Any:
    """1 - e for the label and e / (n - 1) for each other class: the usual smoothing with e n / (n - 1)."""
    n = np.shape(logits)[rest.get("axis", -1)]
    return textbook.cross_entropy(logits, target, label_smoothing=label_smoothing * n / max(n - 1, 1), **rest)


def _smoothed_over_the_others_vjp(logits: Any, target: Any, *, label_smoothing: float = 0.0, **rest: Any) -> Any:
    n = np.shape(logits)[rest.get("axis", -1)]
    return textbook.cross_entropy_vjp(logits, target, label_smoothing=label_smoothing * n / max(n - 1, 1), **rest)


CONVENTIONS = (
    Convention(
        "smoothing over the other classes",
        {
            "en": "The label keeps 1 - e and the other n - 1 classes share e, as in Goodfellow, Bengio and Courville "
            "(2016), section 7.5.1; Szegedy et al. (2015) and PyTorch spread e over all n classes.",
            "zh": "标签类别保留 1 - e，其余 n - 1 类平分 e，见 Goodfellow、Bengio 与 Courville (2016) 第 7.5.1 节；"
            "Szegedy 等 (2015) 与 PyTorch 则把 e 平分给全部 n 类。",
        },
        _smoothed_over_the_others,
        _smoothed_over_the_others_vjp,
    ),
)


def _sized(rows: int, classes: int) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        return {"logits": rng.standard_normal((rows, classes), np.float32), "target": rng.integers(0, classes, rows)}

    return make


SPECS = (
    Spec(
        name="cross_entropy",
        block="cross_entropy",
        titles={"en": "Cross-entropy", "zh": "交叉熵"},
        summary={
            "en": "what the predicted distribution spends on the true class, in nats",
            "zh": "预测分布在真实类别上付出的代价，单位为奈特",
        },
        formula="loss = -sum_j w_j ((1 - e) q_j + e / n) log p_j,  p = softmax(logits)",
        signature=("logits", "target"),
        differentiable=("logits",),
        reference=textbook.cross_entropy,
        vjp=textbook.cross_entropy_vjp,
        scale=_scale,
        gradient_scale=_gradient_scale,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        accuracy=4.0,
        gradient_accuracy=8.0,
        laws=LAWS,
        conventions=CONVENTIONS,
        aliases={
            "cross_entropy": (
                "cross_entropy",
                "crossentropy",
                "cross_entropy_loss",
                "crossentropyloss",
                "ce_loss",
                "softmax_cross_entropy",
                "categorical_cross_entropy",
                "categorical_crossentropy",
                "sparse_categorical_crossentropy",
            ),
            "logits": ("logits", "input", "x", "scores", "y_pred", "pred", "preds", "predictions", "output", "outputs"),
            "target": ("target", "targets", "labels", "label", "y", "y_true"),
            "axis": ("axis", "dim"),
            "weight": ("weight", "weights", "class_weight", "class_weights"),
            "ignore_index": ("ignore_index",),
            "label_smoothing": ("label_smoothing", "smoothing"),
            "reduction": ("reduction",),
            "from_probabilities": ("from_probabilities", "from_probs"),
        },
        workloads=(
            Workload("32x128", _sized(32, 128)),
            Workload("8192x1000", _sized(8192, 1000)),
            Workload("8192x1000 value and gradient", _sized(8192, 1000), gradient=True),
            Workload("1024x50000 value and gradient", _sized(1024, 50000), gradient=True),
        ),
    ),
)
