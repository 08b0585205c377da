"""A click model by logistic regression on the Open Bandit log, and what it says of impressions it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from barehand.demo import logs
from barehand.demo.measure import Array
from barehand.demo.stop import Context

FOLDS = 3


@dataclass(frozen=True)
class Scored:
    """The log, row by row: clicked or not, its fold, and its score by the model that has not seen its fold."""

    clicked: Array
    fold: Array
    scores: Array


@cache
def scored(context: Context) -> Scored:
    """Fit one model a fold, on the other folds; as many clicks in each."""
    from barehand.linear_model import LogisticRegression

    x, clicked = logs.clicks(context)
    rng = context.rng()
    fold = np.empty(len(x), np.int64)
    for value in (0, 1):
        rows = rng.permutation(np.flatnonzero(clicked == value))
        fold[rows] = np.arange(len(rows)) % FOLDS
    scores = np.empty(len(x))
    for k in range(FOLDS):
        model = LogisticRegression(C=1.0).fit(x[fold != k], clicked[fold != k])
        scores[fold == k] = model.decision_function(x[fold == k])
    return Scored(clicked, fold, scores)
