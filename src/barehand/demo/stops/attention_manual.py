"""Attention as a search: pages of a manual that look for their other half."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import barehand as bh
from barehand.demo.manual import Manual, manual
from barehand.demo.measure import EPS, Array, in_turns
from barehand.demo.outcome import Check, Comparison, Found
from barehand.demo.stop import Context, Stop, installed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VOCABULARY, _DIMENSIONS, _REACH = 1500, 60, 4
_SHORTEST = 300  # words on a page
_SCALE = 40.0  # vectors have length 1
_SENTENCE = "if the iterator raises an exception the else clause is not executed and the loop terminates"


def _vectors(manual: Manual) -> Array:
    """A vector of length 1 for each word, from the words that it occurs beside.

    The singular vectors of the positive pointwise mutual information, with the frequencies of contexts to the power of
    3/4, after O. Levy, Y. Goldberg and I. Dagan (2015), TACL 3, 211-225.
    """
    beside = np.zeros((_VOCABULARY, _VOCABULARY))
    for page in manual.pages:
        for k in range(1, _REACH + 1):
            np.add.at(beside, (page[:-k], page[k:]), 1)
    beside += beside.T
    words = beside.sum(axis=1)
    contexts = words**0.75 / np.sum(words**0.75)
    gain = np.log(np.maximum(beside, 1e-9) / (words[:, None] * contexts))
    left, sizes, _ = np.linalg.svd(np.maximum(gain, 0))
    found = left[:, :_DIMENSIONS] * np.sqrt(sizes[:_DIMENSIONS])
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def _halves(manual: Manual, vectors: Array) -> tuple[list[str], Array, Array]:
    """Titles, and a vector for the first and for the second half of each long page: words that few pages have count."""
    pages_with = np.mean([np.isin(np.arange(_VOCABULARY), page) for page in manual.pages], axis=0)
    weighted = vectors * -np.log(pages_with)[:, None]
    long = [i for i, page in enumerate(manual.pages) if len(page) > _SHORTEST]
    halves = [np.array_split(manual.pages[i], 2) for i in long]
    first, second = (np.array([weighted[half[k]].sum(axis=0) for half in halves]) for k in (0, 1))
    first, second = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (first, second))
    centre = first.mean(axis=0)
    parts = ((v - centre).astype(np.float32) for v in (first, second))
    return [manual.titles[i] for i in long], *parts


def visit(context: Context) -> Found:
    """Second halves ask, first halves are the keys, and the values are the pages themselves."""
    pages = manual(_VOCABULARY)
    vectors = _vectors(pages)
    titles, keys, queries = _halves(pages, vectors)
    values = np.eye(len(titles), dtype=np.float32)

    def judge(weights: Array) -> float:
        return float(np.mean(weights.argmax(axis=1) == np.arange(len(titles))))

    calls = [lambda: bh.attention(queries, keys, values, scale=_SCALE)]
    if installed("torch"):
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        q, k, v = (torch.from_numpy(a)[None] for a in (queries, keys, values))
        calls.append(lambda: scaled_dot_product_attention(q, k, v, scale=_SCALE)[0].numpy())
    (found, *theirs), (seconds, *their_seconds) = in_turns(calls)
    comparison = None
    if theirs:
        largest = float(_SCALE * np.max(np.linalg.norm(queries, axis=1)) * np.max(np.linalg.norm(keys, axis=1)))
        gap = float(np.abs(found - theirs[0]).max())
        because = (
            f"on either side a score of up to {largest:.0f} may be off by 2 eps of it, a weight by a quarter of that"
        )
        check = Check("values", gap, largest * EPS, because)
        comparison = Comparison("torch", judge(theirs[0]), their_seconds[0], (check,))
    sentence = _SENTENCE.split()
    x = vectors[[pages.vocabulary.index(word) for word in sentence]]
    others = ~np.eye(len(x), dtype=bool)
    _, weights = bh.attention(x, x, x, mask=others, scale=10.0, return_weights=True)

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import heat

        figure.set_figheight(4.2)
        left, right = figure.subplots(1, 2)
        heat(left, "what a word attends to, itself masked", weights, sentence, sentence)
        heat(right, "second halves (rows) and first halves", found, titles, titles, 6)

    return Found(
        measure=f"halves found, of {len(titles)} pages",
        result=judge(found),
        seconds=seconds,
        timed=f"a call on {len(titles)} x {len(titles)}",
        comparison=comparison,
        seen="Words are vectors that were made of nothing but which words stand beside them in Python's own reference "
        "pages. On the left the words of a sentence attend to each other. On the right the second half of each long "
        "page looks for the first halves by the average of its words; pages on one subject find each other.",
        baseline=("by chance", 1 / len(titles)),
        picture=draw,
    )


STOP = Stop("attention", ("attention",), "pages find their other half", "Python's manual", visit)
