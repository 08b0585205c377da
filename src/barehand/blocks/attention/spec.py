"""What attention must do, on which inputs, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.attention import mutants, textbook
from barehand.blocks.attention.weights import AttentionWeights
from barehand.core.spec import DOUBLE, FULL, BadInput, Case, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]
LEFT: Inputs = {"causal": "top_left"}
RIGHT: Inputs = {"causal": "bottom_right"}
BOTH: Inputs = {"return_weights": True}


# Queries, keys and values


def _drawn(q: Any = (2, 5, 4), k: Any = (2, 7, 4), v: Any = (2, 7, 6), size: float = 1.0, **options: Any) -> Make:
    """Normal numbers; queries, keys and widths differ in number unless said, so that nothing fits by chance."""
    return lambda rng: {
        "query": size * rng.standard_normal(q),
        "key": size * rng.standard_normal(k),
        "value": rng.standard_normal(v),
        **{name: value(rng) if callable(value) else value for name, value in options.items()},
    }


def _some(*shape: int) -> Callable[[np.random.Generator], Any]:
    """A boolean mask that leaves each query the first key at least, and hides one from each."""

    def make(rng: np.random.Generator) -> Any:
        keep = rng.random(shape) < 0.6
        keep[..., 0], keep[..., -1] = True, False
        return keep

    return make


def _padding(*lengths: int, keys: int = 7) -> Any:
    return (np.arange(keys) < np.array(lengths)[:, None])[:, None, :]


EMPTY_ROWS = np.array([[1, 1, 0, 1, 0, 1, 1], [0] * 7, [1] * 7, [0] * 7, [0, 0, 0, 0, 0, 0, 1]], bool)


def _spoiled(make: Make, spoil: Callable[[Inputs], None]) -> Make:
    """The inputs with something in them that must not be touched."""

    def spoiled(rng: np.random.Generator) -> Inputs:
        inputs = make(rng)
        spoil(inputs)
        return inputs

    return spoiled


def _padding_of_nan(inputs: Inputs) -> None:
    inputs["key"][0, 4:] = np.nan
    inputs["value"][0, 4:] = np.nan
    inputs["value"][1, 6, 2], inputs["key"][1, 6] = np.inf, -np.inf


def _nan_in_sight(inputs: Inputs) -> None:
    inputs["value"][0, 2, 3] = np.nan
    inputs["value"][1, 6] = np.inf
    inputs["key"][0, 5] = np.nan


def _nan_ahead(inputs: Inputs) -> None:
    inputs["key"][:, 4] = np.nan
    inputs["value"][:, 4:] = np.nan


def _best_hidden(rng: np.random.Generator) -> Inputs:
    """The hidden keys score highest by far, and all that is visible scores some -50."""
    inputs = _drawn()(rng)
    inputs["query"] = 1 + np.abs(inputs["query"])
    inputs["key"] = -10 - np.abs(inputs["key"])
    inputs["key"][:, 4:] *= -1
    return {**inputs, "mask": _padding(4, 4)}


def _integers(rng: np.random.Generator) -> Inputs:
    return {
        "query": rng.integers(-2, 3, (3, 4)),
        "key": rng.integers(-2, 3, (5, 4)),
        "value": rng.integers(0, 9, (5, 2)).astype(np.uint8),
    }


CASES = (
    Case("queries, keys and values", "a root of the wrong width, a softmax over the queries", _drawn()),
    Case("one matrix each", "a batch axis taken for granted", _drawn((5, 4), (7, 4), (7, 6))),
    Case("the weights too", "weights that are not what was averaged with", _drawn(**BOTH)),
    Case("a scale of its own", "the scale ignored, applied twice or forgotten in the gradient", _drawn(scale=1.3)),
    Case("a negative scale", "a scale taken out of the maximum", _drawn(scale=-0.7)),
    Case("a boolean mask", "the mask inverted, or applied after the softmax", _drawn(mask=_some(2, 5, 7))),
    Case("a boolean mask, the weights too", "hidden weights that are not 0", _drawn(mask=_some(5, 7), **BOTH)),
    Case(
        "a floating mask",
        "a mask of numbers taken for a boolean one",
        _drawn(mask=lambda rng: rng.standard_normal((5, 7))),
    ),
    Case(
        "a floating mask of -inf",
        "-inf times 0",
        _drawn(mask=lambda rng: np.where(rng.random((2, 5, 7)) < 0.7, rng.standard_normal((5, 7)), -np.inf)),
    ),
    Case("padded keys", "a mask broadcast along the wrong axis", _drawn(mask=_padding(7, 3))),
    Case(
        "queries with nothing to attend to",
        "nan for an empty row, or an average of what is hidden",
        _drawn(mask=EMPTY_ROWS),
        "stability",
    ),
    Case(
        "nothing to attend to, the weights too",
        "weights of 1/n for an empty row",
        _drawn(mask=EMPTY_ROWS, **BOTH),
        "stability",
    ),
    Case(
        "nan and inf in padded keys",
        "0 times nan",
        _spoiled(_drawn(mask=_padding(4, 6)), _padding_of_nan),
        "stability",
    ),
    Case(
        "nan and inf behind a floating mask",
        "nan minus infinity",
        _spoiled(_drawn(mask=np.where(_padding(4, 6), 0.0, -np.inf)), _padding_of_nan),
        "stability",
    ),
    Case(
        "nan and inf that some may see",
        "nan hidden, or spread to queries that do not see it",
        _spoiled(_drawn(mask=EMPTY_ROWS), _nan_in_sight),
        "stability",
        gradient=False,
    ),
    Case(
        "causal",
        "the future in sight, or the query's own key not",
        _drawn((2, 6, 4), (2, 6, 4), (2, 6, 3), causal=True),
    ),
    Case("causal from the top left", "the other corner", _drawn(**LEFT)),
    Case("causal from the bottom right", "the other corner", _drawn(**RIGHT)),
    Case(
        "causal from the bottom right, too few keys",
        "queries before the first key",
        _drawn((2, 7, 4), (2, 5, 4), (2, 5, 6), **RIGHT),
        "stability",
    ),
    Case("causal and masked", "one mask in place of the other", _drawn(mask=_some(5, 7), **LEFT)),
    Case(
        "nan in the future",
        "nan that travels back in time",
        _spoiled(_drawn((2, 4, 4), (2, 6, 4), (2, 6, 3), **LEFT), _nan_ahead),
        "stability",
    ),
    Case("scores of 100", "exp overflows", _drawn(size=14.0), "stability"),
    Case("scores of 1e4", "exp overflows by far", _drawn(size=100.0), "stability", dtypes=FULL),
    Case("the best keys are hidden", "a fill of -10 in place of -inf", _best_hidden, "stability"),
    Case(
        "broadcast heads", "a gradient not summed over what was broadcast", _drawn((2, 3, 5, 4), (2, 1, 7, 4), (7, 6))
    ),
    Case(
        "many small heads", "heads mixed up", _drawn((5, 4, 3, 2), (5, 4, 4, 2), (5, 4, 4, 3), mask=_some(5, 1, 3, 4))
    ),
    Case("integers", "integer arithmetic", _integers, "generality", dtypes=(DOUBLE,)),
    Case("one query and one key", "a mean of one", _drawn((1, 1), (1, 1), (1, 1)), "generality"),
    Case("no queries", "an empty result", _drawn((2, 0, 4), (2, 7, 4), (2, 7, 6)), "generality"),
    Case("no keys", "a maximum of nothing", _drawn((2, 5, 4), (2, 0, 4), (2, 0, 6)), "generality"),
    Case("no width", "1/sqrt(0)", _drawn((2, 5, 0), (2, 7, 0), (2, 7, 6)), "generality"),
)


# A weight below float32's smallest normal number may be taken for 0: in eps of float32 so much is missing.
FLUSHED = 1e-31


def _size(x: Any) -> Any:
    """|x|, with 0 for what is not finite: such an entry makes its result nan or touches nothing."""
    x = np.multiply(x, 1.0)
    return np.where(np.isfinite(x), np.abs(x), 0)


def _times(weights: Any, rows: Any) -> Any:
    w = weights[..., None]
    return np.where(w == 0, 0, w * rows[..., None, :, :]).sum(axis=-2)


class _Sizes:
    """What a head's result and gradients are made of; aq, ak, av are the sizes of what q, k, v were added up from.

    A score is off by eps times a = scale aq ak + |mask|; its weight p by p (a + mean a), mean over the weights of its
    row; the result by sum p av and, since the errors of weights cancel against the row's mean, sum p a |v - o|.
    """

    def __init__(self, q: Any, k: Any, v: Any, aq: Any, ak: Any, av: Any, options: Inputs) -> None:
        given = {name: options.get(name) for name in ("mask", "scale")} | {"causal": options.get("causal", False)}
        with np.errstate(all="ignore"):
            self.o, self.p = textbook.attention(q, k, v, **given, return_weights=True)
        width = max(q.shape[-1], 1)
        self.scale = abs(width**-0.5 if given["scale"] is None else given["scale"])
        bias = 0.0 if given["mask"] is None or np.asarray(given["mask"]).dtype == bool else _size(given["mask"])
        a = self.scale * aq @ np.swapaxes(ak, -1, -2) + bias
        self.pa = np.where(self.p == 0, 0, self.p * a)
        self.relative = 1 + a + self.pa.sum(axis=-1, keepdims=True)
        self.aq, self.ak, self.av, self.v = aq, ak, av, v

    def weights(self) -> Any:
        """The sizes of the weights."""
        return self.p * self.relative + FLUSHED

    def result(self) -> Any:
        """The size of the result."""
        apart = np.abs(self.v[..., None, :, :] - self.o[..., :, None, :])
        w = self.pa[..., None]
        spread = np.where((w == 0) | ~np.isfinite(apart), 0, w * apart).sum(axis=-2)
        return _times(self.p + FLUSHED, self.av) + spread

    def gradients(self, g: Any, ag: Any, gp: Any) -> tuple[Any, Any, Any]:
        """For queries, keys and values, from the cotangents of result (of size ag) and weights."""
        dp = g @ np.swapaxes(np.where(np.isfinite(self.v), self.v, 0), -1, -2) + gp
        b = ag @ np.swapaxes(self.av, -1, -2) + np.abs(gp)
        p = np.broadcast_to(self.p, dp.shape)
        d = np.abs(dp - (p * dp).sum(axis=-1, keepdims=True))
        rows = ((p * b) + self.pa * d).sum(axis=-1, keepdims=True)
        e = self.scale * (p + FLUSHED) * (self.relative * d + b + rows)
        return (
            _times(e, self.ak),
            _times(np.swapaxes(e, -1, -2), self.aq),
            _times(np.swapaxes(np.broadcast_to(self.weights(), e.shape), -1, -2), ag),
        )


def _to(shape: Any, x: Any) -> Any:
    """Summed over the axes that were broadcast."""
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    return x.sum(axis=tuple(i for i, n in enumerate(shape) if n != x.shape[i]), keepdims=True)


def _single(inputs: Inputs) -> _Sizes:
    q, k, v = (np.multiply(inputs[n], 1.0) for n in ("query", "key", "value"))
    return _Sizes(q, k, v, _size(q), _size(k), _size(v), inputs)


def _scale(inputs: Inputs, expected: Outputs) -> Outputs:
    sizes = _single(inputs)
    return (
        (sizes.result(), np.broadcast_to(sizes.weights(), expected[1].shape))
        if len(expected) > 1
        else (sizes.result(),)
    )


def _gradient_scale(inputs: Inputs, cotangent: Any, expected: Outputs) -> Outputs:
    g, gp = cotangent if isinstance(cotangent, tuple) else (cotangent, np.zeros(()))
    found = _single(inputs).gradients(g, np.abs(g), gp)
    return tuple(_to(e.shape, s) for e, s in zip(expected, found, strict=True))


# Several heads


def _weights(rng: np.random.Generator, e: Any, heads: int, dk: int, dv: int, out: int, biases: str = "qkvo") -> Inputs:
    """Projections of inputs of the widths e to heads of dk and dv columns."""
    rows = {"q": (heads * dk, e[0]), "k": (heads * dk, e[1]), "v": (heads * dv, e[2]), "o": (out, heads * dv)}
    made = {f"w_{n}": rng.standard_normal(s) / np.sqrt(s[1]) for n, s in rows.items() if s[0]}
    return made | {f"b_{n}": 0.5 * rng.standard_normal(rows[n][0]) for n in biases if rows[n][0]}


def _heads(
    q: Any = (2, 5, 6), k: Any = (2, 7, 4), v: Any = (2, 7, 3), heads: int = 3, dk: int = 4, dv: int = 2, out: int = 5,
    biases: str = "qkvo", size: float = 1.0, **options: Any,
) -> Make:  # fmt: skip
    """Inputs for several heads; all widths differ unless said."""

    def make(rng: np.random.Generator) -> Inputs:
        parts = _drawn(q, k, v, size)(rng)
        given = {name: value(rng) if callable(value) else value for name, value in options.items()}
        w = _weights(rng, (q[-1], k[-1], v[-1]), heads, dk, dv, out, biases)
        return {**parts, **w, "num_heads": heads, **given}

    return make


def _square(**options: Any) -> Make:
    return _heads((2, 6, 6), (2, 6, 6), (2, 6, 6), 3, 2, 2, 6, **options)


HEADS = (
    Case("three heads", "heads cut or joined in the wrong order, a root of the wrong width", _heads()),
    Case("the weights of each head", "weights averaged over the heads", _heads(**BOTH)),
    Case("square weights", "weights taken as (in, out)", _square()),
    Case("as torch.nn.MultiheadAttention", "heads reshaped without a transpose", _heads(
        (2, 5, 8), (2, 7, 8), (2, 7, 8), 4, 2, 2, 8)),
    Case("without biases", "a bias of None", _square(biases="")),
    Case("a bias for values alone", "biases in the wrong place", _heads(biases="v")),
    Case("without an output projection", "a projection that is not there", _heads(out=0, biases="qkv")),
    Case("one head", "the axis of the heads", _heads(heads=1)),
    Case("one sequence, no batch", "a batch axis taken for granted", _heads((5, 6), (7, 4), (7, 3))),
    Case("a scale of its own", "the scale ignored", _heads(scale=0.9)),
    Case("a mask for all heads", "the mask inverted", _square(mask=_some(6, 6))),
    Case("a mask for each sequence, as many as heads", "sequences taken for heads", _heads(
        (3, 5, 6), (3, 7, 4), (3, 7, 3), mask=_some(3, 5, 7))),
    Case("a mask for each head", "heads taken for sequences", _heads(mask=_some(2, 3, 5, 7), **BOTH)),
    Case("a floating mask", "a mask of numbers taken for a boolean one", _heads(
        mask=lambda rng: rng.standard_normal((5, 7)))),
    Case("queries with nothing to attend to", "nan for an empty row, b_o forgotten", _heads(mask=EMPTY_ROWS),
         "stability"),
    Case("nan in padded keys", "0 times nan, also in the gradients of the weights", _spoiled(
        _heads(mask=_padding(4, 6)), _padding_of_nan), "stability"),
    Case("causal", "the future in sight", _square(causal=True)),
    Case("causal from the bottom right", "the other corner", _heads(**RIGHT)),
    Case("one key in sight, whatever its score", "a fill of -10 or -100 in place of -inf", _square(
        mask=np.eye(6, dtype=bool), size=20.0), "stability", dtypes=FULL),
    Case("scores of 1e4", "exp overflows", _heads(size=100.0), "stability", dtypes=FULL),
    Case("integers", "integer arithmetic", lambda rng: {
        **_integers(rng), **_weights(rng, (4, 4, 2), 2, 3, 2, 3), "num_heads": 2}, "generality", dtypes=(DOUBLE,)),
    Case("no sequences", "an empty result", _heads((0, 5, 6), (0, 7, 4), (0, 7, 3)), "generality"),
    Case("no keys", "a maximum of nothing", _heads((2, 5, 6), (2, 0, 4), (2, 0, 3)), "generality"),
)  # fmt: skip


class _SeveralSizes:
    """The same through the projections: a column of x W^T + b is made of |x| |W|^T + |b|."""

    def __init__(self, inputs: Inputs, parts: tuple[Any, Any, Any], heads: int) -> None:
        self.w = w = AttentionWeights(*(inputs.get(n) for n in AttentionWeights._fields))
        self.sizes = AttentionWeights(*(None if x is None else _size(x) for x in w))
        self.inputs = [_size(x) for x in parts]
        s, self.heads = self.sizes, heads
        with np.errstate(all="ignore"):
            exact = [textbook.linear(x, m, b) for x, (m, b) in zip(parts, self._ends(w), strict=True)]
            sized = [textbook.linear(x, m, b) for x, (m, b) in zip(self.inputs, self._ends(s), strict=True)]
        cut = [textbook.apart(x, heads) for x in (*exact, *sized)]
        self.shapes = [x.shape for x in cut[:3]]
        options = {**inputs, "mask": textbook.for_heads(inputs.get("mask"), *parts)}
        q, k, v, aq, ak, av = cut
        self.inner = _Sizes(q, k, v, aq, ak, av, options)

    @staticmethod
    def _ends(w: AttentionWeights) -> tuple[tuple[Any, Any], ...]:
        return (w.w_q, w.b_q), (w.w_k, w.b_k), (w.w_v, w.b_v)

    def result(self) -> Any:
        """The size of the result."""
        return textbook.linear(textbook.together(self.inner.result()), self.sizes.w_o, self.sizes.b_o)

    def gradients(self, g: Any, gp: Any) -> tuple[Any, ...]:
        """For the three inputs, then for the weights that were given."""
        side_by_side = textbook.together(self.inner.result())
        back = [textbook.linear_vjp(side_by_side, self.sizes.w_o, self.sizes.b_o, np.abs(g))]
        g_heads = g if self.w.w_o is None else g @ self.w.w_o
        found = self.inner.gradients(textbook.apart(g_heads, self.heads), textbook.apart(back[0][0], self.heads), gp)
        back += [
            textbook.linear_vjp(x, w, b, textbook.together(_to(shape, d)))
            for x, (w, b), d, shape in zip(self.inputs, self._ends(self.sizes), found, self.shapes, strict=True)
        ]
        o, q, k, v = back
        weights = (q[1], k[1], v[1], o[1], q[2], k[2], v[2], o[2])
        return q[0], k[0], v[0], *(x for x in weights if x is not None)


def _heads_sizes(inputs: Inputs) -> _SeveralSizes:
    q, k, v = (np.multiply(inputs[n], 1.0) for n in ("query", "key", "value"))
    return _SeveralSizes(inputs, (q, k, v), inputs["num_heads"])


def _heads_scale(inputs: Inputs, expected: Outputs) -> Outputs:
    sizes = _heads_sizes(inputs)
    return (sizes.result(), sizes.inner.weights())[: len(expected)]


def _heads_gradient_scale(inputs: Inputs, cotangent: Any, expected: Outputs) -> Outputs:
    g, gp = cotangent if isinstance(cotangent, tuple) else (cotangent, np.zeros(()))
    return _heads_sizes(inputs).gradients(g, gp)


# A sequence's attention to itself


def _itself(x: Any = (2, 6, 5), dk: int = 4, dv: int = 3, out: int = 7, biases: str = "qkvo", **options: Any) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        given = {name: value(rng) if callable(value) else value for name, value in options.items() if name != "size"}
        drawn = options.get("size", 1.0) * rng.standard_normal(x)
        return {"x": drawn, **_weights(rng, 3 * (x[-1],), 1, dk, dv, out, biases), **given}

    return make


def _padded_nan(inputs: Inputs) -> None:
    inputs["x"][0, 4:] = np.nan


PLACES = _padding(4, 6, keys=6)
ITSELF = (
    Case("one sequence's attention to itself", "a root of the wrong width, queries and keys exchanged", _itself()),
    Case("without an output projection", "a projection that is not there", _itself(out=0, biases="")),
    Case("one sequence, no batch", "a batch axis taken for granted", _itself((6, 5))),
    Case("the weights too", "an axis for the one head", _itself(**BOTH)),
    Case("a scale of its own", "the scale ignored", _itself(scale=0.9)),
    Case("a boolean mask", "the mask inverted", _itself(mask=_some(2, 6, 6))),
    Case("a floating mask", "a mask of numbers taken for a boolean one", _itself(
        mask=lambda rng: rng.standard_normal((6, 6)))),
    Case("causal", "the future in sight", _itself(causal=True)),
    Case("one place in sight, whatever its score", "a fill of -10 or -100 in place of -inf", _itself(
        mask=np.eye(6, 6, 1, dtype=bool) | np.eye(6, 6, -5, dtype=bool), size=20.0), "stability", dtypes=FULL),
    Case("places with nothing to attend to", "nan for an empty row", _itself(mask=np.tri(6, 6, -2, dtype=bool)),
         "stability"),
    Case("padding of nan", "0 times nan, also in the gradients of the weights", _spoiled(
        _itself(mask=PLACES & PLACES.swapaxes(-1, -2)), _padded_nan), "stability"),
    Case("scores of 1e4", "exp overflows", _itself(size=100.0), "stability", dtypes=FULL),
    Case("integers", "integer arithmetic", lambda rng: {
        "x": rng.integers(-3, 4, (5, 4)), **_weights(rng, (4, 4, 4), 1, 3, 2, 3)}, "generality", dtypes=(DOUBLE,)),
    Case("no places", "an empty result", _itself((2, 0, 5)), "generality"),
)  # fmt: skip


def _itself_sizes(inputs: Inputs) -> _SeveralSizes:
    x = np.multiply(inputs["x"], 1.0)
    return _SeveralSizes(inputs, (x, x, x), 1)


def _itself_scale(inputs: Inputs, expected: Outputs) -> Outputs:
    sizes = _itself_sizes(inputs)
    return (sizes.result(), sizes.inner.weights()[..., 0, :, :])[: len(expected)]


def _itself_gradient_scale(inputs: Inputs, cotangent: Any, expected: Outputs) -> Outputs:
    g, gp = (cotangent[0], cotangent[1][..., None, :, :]) if isinstance(cotangent, tuple) else (cotangent, np.zeros(()))
    q, k, v, *weights = _itself_sizes(inputs).gradients(g, gp)
    return (q + k + v, *weights)


# What must be refused


def _bad(make: Make, says: str, error: type[Exception] = ValueError, **changed: Any) -> tuple[Any, ...]:
    return lambda: make(np.random.default_rng(0)) | changed, error, says


_PLAIN, _MANY, _OWN = _drawn(), _heads(), _itself()
BAD = (
    BadInput("another width of the keys", *_bad(_PLAIN, "query has width 4 and key 3", key=np.ones((2, 7, 3)))),
    BadInput("fewer values than keys", *_bad(_PLAIN, "key has 7 rows and value 6", value=np.ones((2, 6, 6)))),
    BadInput("batches that do not broadcast", *_bad(_PLAIN, "do not broadcast", key=np.ones((3, 7, 4)))),
    BadInput("a vector", *_bad(_PLAIN, r"query has shape \(4,\)", query=np.ones(4))),
    BadInput("causal with other lengths", *_bad(_PLAIN, "use causal='top_left'", causal=True)),
    BadInput("another corner", *_bad(_PLAIN, "causal is 'top_right'", causal="top_right")),
    BadInput("an infinite scale", *_bad(_PLAIN, "scale is inf", scale=np.inf)),
    BadInput("a scale of text", *_bad(_PLAIN, "scale must be a number", TypeError, scale="1")),
    BadInput("a mask of integers", *_bad(_PLAIN, "mask has dtype int64", TypeError, mask=np.ones((5, 7), int))),
    BadInput("a mask of another shape", *_bad(_PLAIN, r"mask of shape \(7, 5\)", mask=np.ones((7, 5), bool))),
    BadInput(
        "complex queries", *_bad(_PLAIN, "query has dtype complex128", TypeError, query=np.ones((2, 5, 4), complex))
    ),
    BadInput("a masked array", *_bad(_PLAIN, "value is a masked array", TypeError, value=np.ma.ones((2, 7, 6)))),
)
BAD_HEADS = (
    BadInput("heads that divide nothing", *_bad(_MANY, "num_heads is 5", num_heads=5)),
    BadInput("no heads", *_bad(_MANY, "num_heads is 0", num_heads=0)),
    BadInput("half a head", *_bad(_MANY, "num_heads must be an integer", TypeError, num_heads=1.5)),
    BadInput("weights as (in, out)", *_bad(_MANY, "weights are \\(out, in\\)", w_q=np.ones((6, 12)))),
    BadInput("keys of another width than queries", *_bad(_MANY, "w_q has 12 rows and w_k 9", w_k=np.ones((9, 4)))),
    BadInput("an output of another width", *_bad(_MANY, "w_o has shape", w_o=np.ones((5, 7)))),
    BadInput("a bias of another length", *_bad(_MANY, "b_k has shape", b_k=np.ones(5))),
    BadInput("a flat weight", *_bad(_MANY, "w_v is of shape", w_v=np.ones(6))),
    BadInput("a mask of another shape", *_bad(_MANY, "mask of shape", mask=np.ones((4, 5, 7), bool))),
    BadInput("a vector", *_bad(_MANY, "value has shape", value=np.ones(3))),
    BadInput("causal with other lengths", *_bad(_MANY, "causal is True with 5 queries and 7 keys", causal=True)),
)
BAD_ITSELF = (
    BadInput("a vector", *_bad(_OWN, r"x has shape \(5,\)", x=np.ones(5))),
    BadInput("weights of another width", *_bad(_OWN, "w_k has shape", w_k=np.ones((4, 6)))),
    BadInput("a mask of another shape", *_bad(_OWN, "mask of shape", mask=np.ones((5, 6), bool))),
    BadInput("a bias without its matrix", *_bad(_itself(out=0, biases=""), "b_o is given", b_o=np.ones(3))),
)


# Laws


def _permuted(rng: np.random.Generator) -> Inputs:
    return _drawn(mask=_some(5, 7))(rng)


def _any_order(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    order = np.array([3, 1, 6, 0, 2, 5, 4])
    moved = {**inputs, "key": inputs["key"][:, order], "value": inputs["value"][:, order]}
    return call({**moved, "mask": inputs["mask"][:, order]})[0], call(inputs)[0], _scale(inputs, ())[0]


def _alike(rng: np.random.Generator) -> Inputs:
    inputs = _permuted(rng)
    return {**inputs, "value": np.repeat(inputs["value"][:, :1], 7, axis=1)}


def _what_all_say(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    return call(inputs)[0], np.broadcast_to(inputs["value"][:, :1], (2, 5, 6)), _scale(inputs, ())[0]


def _heads_in_any_order(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    """Three heads of two columns, the last first."""
    order = np.array([4, 5, 0, 1, 2, 3])
    moved = {n: inputs[n][order] for n in ("w_q", "w_k", "w_v", "b_q", "b_k", "b_v")}
    return call({**inputs, **moved, "w_o": inputs["w_o"][:, order]})[0], call(inputs)[0], _heads_scale(inputs, (0,))[0]


def _places_in_any_order(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    order = np.array([3, 1, 5, 0, 2, 4])
    moved = call({**inputs, "x": inputs["x"][:, order]})[0]
    return moved, call(inputs)[0][:, order], _itself_scale(inputs, (0,))[0][:, order]


# Sizes to time


def _work(*shape: int, **options: Any) -> Make:
    return lambda rng: {n: rng.standard_normal(shape, np.float32) for n in ("query", "key", "value")} | options


def _work_heads(n: int, length: int, width: int, heads: int) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        x = rng.standard_normal((n, length, width), np.float32)
        w = {f"w_{m}": rng.standard_normal((width, width), np.float32) / np.float32(width**0.5) for m in "qkvo"}
        return {"query": x, "key": x, "value": x, **w, "num_heads": heads}

    return make


def _work_itself(n: int, length: int, width: int, d: int) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        w = {f"w_{m}": rng.standard_normal((d, width), np.float32) / np.float32(width**0.5) for m in "qkv"}
        return {"x": rng.standard_normal((n, length, width), np.float32), **w}

    return make


_PARTS = {
    "query": ("query", "queries", "q", "Q"),
    "key": ("key", "keys", "k", "K"),
    "value": ("value", "values", "v", "V"),
}
_OPTIONS = {
    "mask": ("mask", "attn_mask", "attention_mask"),
    "causal": ("causal", "is_causal"),
    "scale": ("scale", "scaling", "temperature"),
    "return_weights": ("return_weights", "need_weights", "return_attention"),
}

SPECS = (
    Spec(
        name="attention",
        block="attention",
        titles={"en": "Attention", "zh": "注意力"},
        summary={
            "en": "each query's average of the values, weighted by how well it matches their keys",
            "zh": "每个查询按与各个键的匹配程度，对值取加权平均",
        },
        formula="softmax(Q K^T / sqrt(d)) V",
        signature=("query", "key", "value"),
        differentiable=("query", "key", "value"),
        reference=textbook.attention,
        vjp=textbook.attention_vjp,
        scale=_scale,
        gradient_scale=_gradient_scale,
        cases=CASES,
        bad_inputs=BAD,
        mutants=mutants.MUTANTS,
        accuracy=4.0,
        gradient_accuracy=4.0,
        laws=(
            Law(
                "keys in any order",
                {"en": "keys and values in another order change nothing", "zh": "键和值一起换序，结果不变"},
                _permuted,
                _any_order,
            ),
            Law(
                "weights sum to one",
                {
                    "en": "weights sum to 1: where all values are alike, the result is that value",
                    "zh": "权重之和为 1：所有值都相同时，结果就是那个值",
                },
                _alike,
                _what_all_say,
            ),
        ),
        aliases={
            "attention": ("attention", "scaled_dot_product_attention", "dot_product_attention", "sdpa", "attn"),
            **_PARTS,
            **_OPTIONS,
        },
        workloads=(
            Workload("8 x 8 x 1024 x 64", _work(8, 8, 1024, 64)),
            Workload("8 x 8 x 1024 x 64 causal", _work(8, 8, 1024, 64, causal=True)),
            Workload("8 x 8 x 1024 x 64 value and gradient", _work(8, 8, 1024, 64), gradient=True),
            Workload("64 x 8 x 32 x 32", _work(64, 8, 32, 32)),
        ),
        output_names=("result", "weights"),
    ),
    Spec(
        name="multi_head_attention",
        block="attention",
        titles={"en": "Multi-head attention", "zh": "多头注意力"},
        summary={
            "en": "several attentions side by side, each on projections of its own",
            "zh": "多个注意力头并列，各用自己的投影，再合并",
        },
        formula="[head_1 ... head_H] W_o^T + b_o,  head_h = attention(Q W_q,h^T, K W_k,h^T, V W_v,h^T)",
        signature=("query", "key", "value", "weights"),
        differentiable=("query", "key", "value", *AttentionWeights._fields),
        reference=textbook.multi_head_attention,
        vjp=textbook.multi_head_attention_vjp,
        scale=_heads_scale,
        gradient_scale=_heads_gradient_scale,
        cases=HEADS,
        bad_inputs=BAD_HEADS,
        mutants=mutants.SEVERAL,
        accuracy=4.0,
        gradient_accuracy=4.0,
        laws=(
            Law(
                "heads in any order",
                {
                    "en": "the heads have no order: with their weights moved, nothing changes",
                    "zh": "各头连同权重一起换序，结果不变",
                },
                _square(),
                _heads_in_any_order,
            ),
        ),
        bundles={"weights": AttentionWeights},
        aliases={
            "multi_head_attention": ("multi_head_attention", "multihead_attention", "MultiHeadAttention", "mha"),
            "weights": ("weights", "params", "parameters"),
            "num_heads": ("num_heads", "n_heads", "heads", "h", "nhead"),
            **_PARTS,
            **_OPTIONS,
        },
        workloads=(
            Workload("8 x 512 x 512, 8 heads", _work_heads(8, 512, 512, 8)),
            Workload("8 x 512 x 512, 8 heads, value and gradient", _work_heads(8, 512, 512, 8), gradient=True),
        ),
        output_names=("result", "weights"),
    ),
    Spec(
        name="self_attention",
        block="attention",
        titles={"en": "Self-attention", "zh": "自注意力"},
        summary={
            "en": "one head by which each place of a sequence looks at all others",
            "zh": "单头注意力：序列中每个位置关注其余位置",
        },
        formula="attention(x W_q^T, x W_k^T, x W_v^T) W_o^T",
        signature=("x", "weights"),
        differentiable=("x", *AttentionWeights._fields),
        reference=textbook.self_attention,
        vjp=textbook.self_attention_vjp,
        scale=_itself_scale,
        gradient_scale=_itself_gradient_scale,
        cases=ITSELF,
        bad_inputs=BAD_ITSELF,
        mutants=mutants.ITSELF,
        accuracy=4.0,
        gradient_accuracy=4.0,
        laws=(
            Law(
                "places in any order",
                {
                    "en": "without a mask the places have no order: they move along",
                    "zh": "没有掩码时，输入位置换序，输出随之换序",
                },
                _OWN,
                _places_in_any_order,
            ),
        ),
        bundles={"weights": AttentionWeights},
        aliases={
            "self_attention": ("self_attention", "SelfAttention", "single_head_attention", "selfattention"),
            "x": ("x", "inputs", "X", "sequence"),
            "weights": ("weights", "params", "parameters"),
            **_OPTIONS,
        },
        workloads=(
            Workload("8 x 1024 x 256 to 64", _work_itself(8, 1024, 256, 64)),
            Workload("8 x 1024 x 256 to 64, value and gradient", _work_itself(8, 1024, 256, 64), gradient=True),
        ),
        output_names=("result", "weights"),
    ),
)  # fmt: skip
