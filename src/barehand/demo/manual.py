"""The reference pages that come with Python, as `help("for")` shows them: a text that needs no download."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from barehand.demo.measure import Array
from barehand.demo.stop import MissingData

_WORD = re.compile(r"[a-z_]+|[.,:;()]")
_HELD = 6  # every sixth page is held out
REST = "…"  # stands for every word that is not in the vocabulary


@dataclass(frozen=True)
class Manual:
    """Pages as numbers of words; the last number is that of `REST`."""

    titles: list[str]
    pages: list[Array]
    vocabulary: list[str]

    def windows(self, length: int, step: int, *, held: bool) -> Array:
        """(n, length): stretches of the pages held out, or of the others, a new one every `step` words."""
        chosen = [page for i, page in enumerate(self.pages) if (i % _HELD == 0) is held]
        return np.array([p[i : i + length] for p in chosen for i in range(0, len(p) - length + 1, step)])

    @cached_property
    def shares(self) -> Array:
        """How often each word comes, with one added to each count."""
        words = np.concatenate([page for i, page in enumerate(self.pages) if i % _HELD])
        counts = np.bincount(words, minlength=len(self.vocabulary)) + 1.0
        return np.asarray(counts / counts.sum())

    def follows(self, weight: float = 10.0) -> Array:
        """(V, V): the probability of a word after another, counted, with the shares as a prior of that weight."""
        pairs = self.windows(2, 1, held=False)
        counts = np.zeros((len(self.vocabulary),) * 2)
        np.add.at(counts, tuple(pairs.T), 1)
        return np.asarray((counts + weight * self.shares) / (counts.sum(axis=1, keepdims=True) + weight))

    def read(self, numbers: Array) -> list[str]:
        """The words themselves."""
        return [self.vocabulary[n] for n in numbers]


def manual(size: int) -> Manual:
    """All pages, with the `size` most frequent words and marks as the vocabulary."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise MissingData(
            "Python's reference pages (pydoc_data) are not here: this Python was packed without"
        ) from None
    words = {title: _WORD.findall(text.lower()) for title, text in sorted(topics.items())}
    counts = Counter(w for page in words.values() for w in page)
    vocabulary = [w for w, _ in counts.most_common(size - 1)] + [REST]
    number = {w: i for i, w in enumerate(vocabulary)}
    pages = [np.array([number.get(w, size - 1) for w in page]) for page in words.values()]
    return Manual(list(words), pages, vocabulary)
