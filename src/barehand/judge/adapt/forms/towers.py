"""Two-tower losses: from embeddings, scores or distances.

Scores that stand for given distances, and embeddings whose products are given scores, keep the spec's values.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from barehand.core.spec import Array, Inputs
from barehand.judge.adapt.forms.form import MOST_ROWS, Form, arguments, of_one_vector, unchanged
from barehand.judge.adapt.names import words
from barehand.judge.pieces import Piece

_USER = ("user", "users", "user_emb", "user_embedding", "u", "query", "q", "anchor", "anchors", "user_vec", "a")

_POSITIVE = (
    "positive", "positives", "pos", "p", "pos_item", "pos_emb", "item_pos", "positive_item", "pos_score", "pos_scores",
    "positive_score", "positive_scores", "s_pos", "d_pos", "dist_pos", "pos_dist", "i", "pos_items", "d_ap", "sp",
)  # fmt: skip

_NEGATIVE = (
    "negative", "negatives", "neg", "n", "neg_item", "neg_emb", "item_neg", "negative_item", "neg_score", "neg_scores",
    "negative_score", "negative_scores", "s_neg", "d_neg", "dist_neg", "neg_dist", "j", "neg_items", "d_an", "sn",
)  # fmt: skip


def _user(scores: Array) -> Array:
    """The user (1/2, 1/2, 0), for each score."""
    return np.stack([np.full_like(scores, 0.5), np.full_like(scores, 0.5), np.zeros_like(scores)], -1)


def _item(scores: Array) -> Array:
    """Items (s, s, 0), whose product with the user is the score s."""
    return np.stack([scores, scores, np.zeros_like(scores)], -1)


def _score(gradient: Array) -> Array:
    """The gradient of a score, from that of its item."""
    return np.asarray(gradient[..., 0] + gradient[..., 1])


def _float_vectors(*names: str) -> Callable[[Inputs], Inputs | None]:
    def restate(inputs: Inputs) -> Inputs | None:
        given = [inputs[n] for n in names]
        fits = all(v.ndim == 1 and v.dtype.kind == "f" and np.isfinite(v).all() for v in given)
        return inputs if fits and len({v.shape for v in given}) == 1 else None

    return restate


def _tables(inputs: Inputs) -> Inputs:
    """Scores as tables of embeddings: user i with items i and n + i."""
    p, n = inputs["positive_scores"], inputs["negative_scores"]
    count = len(p)
    return {
        **inputs,
        "user": np.arange(count),
        "pos_item": np.arange(count),
        "neg_item": np.arange(count, 2 * count),
        "user_table": _user(p),
        "item_table": np.concatenate([_item(p), _item(n)]),
        "n_users": count,
        "n_items": 2 * count,
        "width": 3,
    }


def _pull_tables(g: dict[str, Array], i: Inputs) -> dict[str, Array]:
    p, n = np.split(_score(g["item_table"]), 2)
    return {"positive_scores": p, "negative_scores": n}


_TABLES = {
    "user_table": ("user", "users", "user_emb", "user_embedding", "user_factors", "P", "U", "user_embeddings"),
    "item_table": ("item", "items", "item_emb", "item_embedding", "item_factors", "Q", "V", "item_embeddings"),
}

_COUNTS = {
    "n_users": ("num_users", "n_users", "user_num", "users"),
    "n_items": ("num_items", "n_items", "item_num", "items"),
    "width": ("factors", "dim", "embedding_dim", "k", "embed_dim", "n_factors", "latent_dim", "d", "emb_dim"),
}

# In words or in code: a positive meets a row of negatives.
_SEVERAL = re.compile(
    r"neg\w*\W{1,4}(?:scores?\W+)?(?:of )?(?:shape )?[\[(]\s*\w+\s*,\s*(?!1\b)\w+\s*[\])]"
    r"|(?:several|multiple|K|多个) ?neg\w*|多个负"
    r"|pos\w*(?:\.unsqueeze\((?:1|-1)\)|\[(?::|\.\.\.), ?None\]|\.(?:view|reshape)\(-1, ?1\))",
    re.IGNORECASE,
)


def _several(piece: Piece) -> bool:
    return _SEVERAL.search(piece.own) is not None


def _a_row_each(inputs: Inputs) -> Inputs | None:
    return inputs if inputs["negative_scores"].ndim == inputs["positive_scores"].ndim + 1 == 2 else None


BPR = (
    Form(suits=lambda piece: not _several(piece)),
    Form("several negatives for each positive", restate=_a_row_each, suits=_several, plain=lambda i: True),
    Form(
        "takes embeddings of users and items",
        restate=_float_vectors("positive_scores", "negative_scores"),
        dress=lambda i: {
            **i,
            "user": _user(i["positive_scores"]),
            "positive": _item(i["positive_scores"]),
            "negative": _item(i["negative_scores"]),
        },
        takes={"user": _USER, "positive": _POSITIVE, "negative": _NEGATIVE},
        pull=lambda g, i: {"positive_scores": _score(g["positive"]), "negative_scores": _score(g["negative"])},
    ),
    Form(
        "holds tables of embeddings",
        restate=_float_vectors("positive_scores", "negative_scores"),
        dress=_tables,
        takes={"user": _USER, "pos_item": _POSITIVE, "neg_item": _NEGATIVE},
        pull=_pull_tables,
        sources=("item_table",),
        held=_TABLES,
        extras=_COUNTS,
    ),
)


def _length(v: Array) -> Array:
    size = np.max(np.abs(v), axis=-1, keepdims=True, initial=0.0)
    unit = np.where((size > 0) & np.isfinite(size), size, 1).astype(v.dtype)
    squares: Array = ((v / unit) ** 2).sum(-1)
    return np.asarray(np.sqrt(squares) * unit[..., 0])


def _chained(a: Array, b: Array, g: Array) -> Array:
    """The gradient for a of |a - b| with cotangent g; 0 where they meet."""
    d = _length(a - b)[..., None]
    return np.asarray(np.where(d == 0, 0, (a - b) / np.where(d == 0, 1, d) * g[..., None]), a.dtype)


def _pull_margin(sign: float) -> Callable[[dict[str, Array], Inputs], dict[str, Array]]:
    def pull(g: dict[str, Array], i: Inputs) -> dict[str, Array]:
        a, p, n = i["anchor"], i["positive"], i["negative"]
        to_p, to_n = (sign * g[k].reshape(a.shape[:-1]) for k in ("pos_value", "neg_value"))
        return {
            "anchor": _chained(a, p, to_p) + _chained(a, n, to_n),
            "positive": _chained(p, a, to_p),
            "negative": _chained(n, a, to_n),
        }

    return pull


def _floating(*names: str) -> Callable[[Inputs], Inputs | None]:
    def restate(inputs: Inputs) -> Inputs | None:
        return inputs if all(inputs[n].dtype.kind == "f" for n in names) else None

    return restate


_THREE = _floating("anchor", "positive", "negative")


def _apart(inputs: Inputs, sign: float) -> tuple[Array, Array]:
    a = inputs["anchor"]
    return sign * _length(a - inputs["positive"]), sign * _length(a - inputs["negative"])


def _dots(inputs: Inputs) -> Inputs:
    p, n = _apart(inputs, -1.0)
    return {**inputs, "user": _user(p), "pos_item": _item(p), "neg_item": _item(n)}


def _values(sign: float) -> Callable[[Inputs], Inputs]:
    def dress(inputs: Inputs) -> Inputs:
        p, n = _apart(inputs, sign)
        return {**inputs, "pos_value": p, "neg_value": n}

    return dress


def _embedded(inputs: Inputs) -> Inputs | None:
    vectors = [inputs[k] for k in ("anchor", "positive", "negative")]
    return inputs if all(v.ndim == 2 and v.dtype.kind == "f" and v.shape == vectors[0].shape for v in vectors) else None


def _looked_up(inputs: Inputs) -> Inputs:
    """The three embeddings in tables: user i with items i and n + i."""
    n = len(inputs["anchor"])
    return {
        **inputs,
        "user": np.arange(n),
        "pos_item": np.arange(n),
        "neg_item": np.arange(n, 2 * n),
        "user_table": inputs["anchor"],
        "item_table": np.concatenate([inputs["positive"], inputs["negative"]]),
        "n_users": n,
        "n_items": 2 * n,
        "width": inputs["anchor"].shape[1],
    }


def _pull_looked_up(g: dict[str, Array], i: Inputs) -> dict[str, Array]:
    p, n = np.split(g["item_table"], 2)
    return {"anchor": g["user_table"], "positive": p, "negative": n}


def _one_row(*names: str) -> Callable[[Inputs], Inputs | None]:
    """The rows of a small batch of these vectors, one at a time, each with its loss."""

    def restate(inputs: Inputs) -> Inputs | None:
        vectors = [inputs[n] for n in names]
        small = all(v.ndim in (1, 2) and v.dtype.kind == "f" and 0 < v.size <= MOST_ROWS for v in vectors)
        return {**inputs, "reduction": "none"} if small and len({v.shape for v in vectors}) == 1 else None

    return restate


def _named(*parts: str) -> Callable[[Piece], bool]:
    """Whether an argument's name holds one of these words."""
    return lambda piece: any(set(words(p.name)) & set(parts) for p in arguments(piece))


_OF_DISTANCES = _named("dist", "dists", "distance", "distances", "d")
_OF_SCORES = _named("score", "scores", "sim", "sims", "similarity", "logit", "logits", "s", "sp", "sn")

MARGIN = (
    Form(),
    Form(
        "takes scores",
        suits=lambda piece: not _OF_DISTANCES(piece),
        restate=_THREE,
        dress=_values(-1.0),
        takes={"pos_value": _POSITIVE, "neg_value": _NEGATIVE},
        pull=_pull_margin(-1.0),
    ),
    Form(
        "takes distances",
        suits=lambda piece: not _OF_SCORES(piece),
        restate=_THREE,
        dress=_values(1.0),
        takes={"pos_value": _POSITIVE, "neg_value": _NEGATIVE},
        pull=_pull_margin(1.0),
    ),
    Form(
        "scores embeddings by their product",
        restate=_THREE,
        dress=_dots,
        takes={"user": _USER, "pos_item": _POSITIVE, "neg_item": _NEGATIVE},
        pull=lambda g, i: _pull_margin(-1.0)(
            {"pos_value": _score(g["pos_item"]), "neg_value": _score(g["neg_item"])}, i
        ),
    ),
    Form(
        "holds tables of embeddings",
        restate=_embedded,
        dress=_looked_up,
        takes={"user": _USER, "pos_item": _POSITIVE, "neg_item": _NEGATIVE},
        pull=_pull_looked_up,
        sources=("user_table", "item_table"),
        held=_TABLES,
        extras=_COUNTS,
    ),
    Form(
        "takes the three in one argument",
        restate=_THREE,
        dress=lambda i: {
            **i,
            "three": (i["anchor"], i["positive"], i["negative"]),
            "unused": np.zeros(len(i["anchor"])),
        },
        takes={
            "unused": ("y_true", "labels", "_"),
            "three": ("y_pred", "embeddings", "triplet", "triplets", "outputs"),
        },
        suits=_named("pred", "embeddings", "triplet", "triplets"),
    ),
    Form(
        "takes scores, of which the first is to be the higher",
        restate=_THREE,
        dress=lambda i: {**_values(-1.0)(i), "order": np.ones(i["anchor"].shape[:-1], i["anchor"].dtype)},
        takes={
            "pos_value": ("x1", "input1", "s1", "score1"),
            "neg_value": ("x2", "input2", "s2", "score2"),
            "order": ("y", "target", "targets", "label"),
        },
        pull=_pull_margin(-1.0),
        sources=("pos_value", "neg_value"),
        suits=lambda piece: {"y", "target"} & {p.name for p in arguments(piece)} != set(),
    ),
    Form(
        "takes one triplet",
        restate=_one_row("anchor", "positive", "negative"),
        suits=of_one_vector,
        pins={"reduction": "none"},
        each=True,
    ),
)

_SAME = ("same", "label", "labels", "y", "target", "targets", "similar", "is_same", "is_similar")


def _other_label(inputs: Inputs) -> Inputs:
    same = np.asarray(inputs["same"])
    return {**inputs, "same": 1 - same if same.dtype.kind in "iuf" else ~same}


def _distance(flip: bool) -> Callable[[Inputs], Inputs]:
    def dress(inputs: Inputs) -> Inputs:
        found = _other_label(inputs) if flip else inputs
        return {**found, "distance": _length(inputs["x1"] - inputs["x2"])}

    return dress


def _signed(inputs: Inputs) -> Inputs:
    return {**inputs, "same": 2 * np.asarray(inputs["same"]) - 1}


def _pull_distance(g: dict[str, Array], i: Inputs) -> dict[str, Array]:
    to = g["distance"].reshape(i["x1"].shape[:-1])
    return {"x1": _chained(i["x1"], i["x2"], to), "x2": _chained(i["x2"], i["x1"], to)}


_DISTANCE = {"distance": ("distance", "distances", "d", "dist", "euclidean_distance", "D"), "same": _SAME}

_HARD = lambda i: i if np.isin(np.asarray(i["same"]), (0, 1)).all() else None  # noqa: E731 - a label that is one of two


# What follows a 1, or what is followed by a 0, in words on labels: "1 if the pair is similar", "y=0 表示不相似".
_ONE, _ZERO = (
    rf"(?<![\w.-]){digit}\s*(?:[:=]|->|→|if|means|for|is|when|表示|代表|为|是)*\s*(?:if |for )?(?:the |a )?(?:pairs? )?"
    r"(?:of )?(?:samples? )?(?:is |are )?"
    for digit in "10"
)
_ALIKE = r"(?:\b(?:similar|same|positive|genuine|match\w*)\b|(?<!不)相似|同类|正样本)"
_UNLIKE = r"(?:\b(?:dissimilar|different|negative|impost\w*)\b|不相似|不同类|异类|负样本)"
_SAYS_SIMILAR = re.compile(rf"{_ONE}{_ALIKE}|{_ZERO}{_UNLIKE}", re.IGNORECASE)
_SAYS_DISSIMILAR = re.compile(rf"{_ONE}{_UNLIKE}|{_ZERO}{_ALIKE}", re.IGNORECASE)


def _leaves_labels_open(piece: Piece) -> bool:
    """Whether neither an argument's name nor the code's own words say that 1 means similar."""
    names = {p.name for p in arguments(piece)}
    return not names & {"same", "is_same", "similar", "is_similar"} and not _SAYS_SIMILAR.search(piece.docs)


def _labels_may_be_ours(piece: Piece) -> bool:
    """Whether the code's own words do not say that 1 means dissimilar."""
    return not _SAYS_DISSIMILAR.search(piece.docs) or bool(_SAYS_SIMILAR.search(piece.docs))


CONTRASTIVE = (
    Form(suits=_labels_may_be_ours),
    Form("label 1 means dissimilar", dress=_other_label, suits=_leaves_labels_open),
    Form("labels are 1 and -1", restate=_HARD, dress=_signed),
    Form(
        "takes the distance",
        suits=_labels_may_be_ours,
        restate=_floating("x1", "x2"),
        dress=_distance(False),
        takes=_DISTANCE,
        pull=_pull_distance,
    ),
    Form(
        "takes the distance; label 1 means dissimilar",
        suits=_leaves_labels_open,
        restate=_floating("x1", "x2"),
        dress=_distance(True),
        takes=_DISTANCE,
        pull=_pull_distance,
    ),
    *(
        Form(f"takes one pair{says}", _one_row("x1", "x2"), dress, suits=suits, pins={"reduction": "none"}, each=True)
        for says, dress, suits in (
            ("", unchanged, lambda p: of_one_vector(p) and _labels_may_be_ours(p)),
            ("; label 1 means dissimilar", _other_label, lambda p: of_one_vector(p) and _leaves_labels_open(p)),
        )
    ),
)
