"""AUC from labels and scores, or from the scores of each class."""

from __future__ import annotations

import numpy as np

from barehand.core.spec import Inputs
from barehand.judge.adapt.forms.form import Form
from barehand.judge.adapt.names import words
from barehand.judge.pieces import Piece

_POSITIVE, _NEGATIVE = {"pos", "positive", "positives"}, {"neg", "negative", "negatives"}


def _two_classes(inputs: Inputs) -> Inputs | None:
    y, score = np.asarray(inputs["y_true"]), np.asarray(inputs["y_score"])
    plain = y.ndim == 1 == score.ndim and y.dtype.kind in "iu" and {*np.unique(y)} == {0, 1} and score.dtype.kind == "f"
    return inputs if plain and "sample_weight" not in inputs else None


def _by_class(piece: Piece) -> bool:
    """Whether the scores of either class go by themselves."""
    names = [set(words(p.name)) for p in piece.parameters if p.default is None]
    return any(n & _POSITIVE for n in names) and any(n & _NEGATIVE for n in names)


RANKED = (
    Form(suits=lambda piece: not _by_class(piece)),
    Form(
        "takes the scores of each class",
        _two_classes,
        lambda i: {**i, "pos": i["y_score"][i["y_true"] == 1], "neg": i["y_score"][i["y_true"] == 0]},
        takes={
            "pos": ("pos_scores", "positive_scores", "positives", "pos"),
            "neg": ("neg_scores", "negative_scores", "negatives", "neg"),
        },
        suits=_by_class,
    ),
)
