"""Self-attention with one head: the next word of a manual, from all words before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import barehand as bh
from barehand import vjp
from barehand.demo import models
from barehand.demo.manual import manual
from barehand.demo.measure import Array
from barehand.demo.outcome import Found
from barehand.demo.rules import Adam, Moves, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import shuffled, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VOCABULARY, _LENGTH, _SIZE = 500, 16, 32
_EPOCHS, _BATCH = 3, 32


def _read(params: Params, words: Array) -> tuple[Array, bh.AttentionWeights, Array]:
    """A vector for each word at its place, and the same after looking back."""
    E, P, q, k, v, _ = params
    x, weights = E[words] + P, bh.AttentionWeights(q, k, v)
    return x, weights, x + bh.self_attention(x, weights, causal=True)


def _gradients(params: Params, words: Array, following: Array) -> tuple[float, Moves]:
    """The logits of the next word are products with the vectors of all words, plus how common a word is."""
    E, b = params[0], params[-1]
    x, weights, seen = _read(params, words)
    rows = seen.reshape(-1, _SIZE)
    loss, (dz,) = vjp.cross_entropy(rows @ E.T + b, following.ravel(), with_value=True)
    dseen = (dz @ E).reshape(x.shape)
    dx, slopes = vjp.self_attention(x, weights, causal=True, cotangent=dseen)
    dx = dx + dseen
    dE = dz.T @ rows + models.scatter(words.ravel(), dx.reshape(-1, _SIZE), len(E))
    return loss, (dE, dx.sum(axis=0), slopes.w_q, slopes.w_k, slopes.w_v, dz.sum(axis=0))


def _torch_loss(params: Any, words: Any, following: Any) -> Any:
    from torch.nn.functional import cross_entropy, embedding, scaled_dot_product_attention

    E, P, q, k, v, b = params
    x = embedding(words, E) + P
    seen = x + scaled_dot_product_attention(x @ q.T, x @ k.T, x @ v.T, is_causal=True)
    return cross_entropy((seen @ E.T + b).flatten(0, 1), following.flatten())


def visit(context: Context) -> Found:
    """A loop of Adam over vjp.self_attention; judged by the perplexity on pages held out."""
    pages = manual(_VOCABULARY)
    rng = context.rng()
    learnt, held = (pages.windows(_LENGTH + 1, _LENGTH, held=h) for h in (False, True))
    sizes = [(0.1, (_VOCABULARY, _SIZE)), (0.1, (_LENGTH, _SIZE)), *[(0.2, (_SIZE, _SIZE))] * 3]
    start = [(scale * rng.standard_normal(shape)).astype(np.float32) for scale, shape in sizes]
    start.append(np.log(pages.shares).astype(np.float32))
    epochs = shuffled(rng, len(learnt), _BATCH, _EPOCHS, learnt[:, :-1], learnt[:, 1:])

    def judge(params: Params) -> float:
        logits = (_read(params, held[:, :-1])[2] @ params[0].T + params[-1]).astype(np.float64)
        return float(np.exp(bh.cross_entropy(logits.reshape(-1, _VOCABULARY), held[:, 1:].ravel())))

    trained = train(start, _gradients, epochs, Adam(lr=0.01, decay=1e-5), peer=_torch_loss)
    pairs = float(np.exp(-np.mean(np.log(pages.follows()[held[:, :-1], held[:, 1:]]))))
    x, weights, _ = _read(trained.params, held[:, :-1])
    surest = bh.self_attention(x, weights, causal=True, return_weights=True)[1]
    shown = np.argsort(np.sum(held == _VOCABULARY - 1, axis=1), kind="stable")[[0, 1]]

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import heat

        figure.set_figheight(4.35)
        for ax, i in zip(figure.subplots(1, 2), shown, strict=True):
            words = pages.read(held[i, :-1])
            heat(ax, "where a word (row) looks back to", surest[i], words, words)

    return Found(
        measure=f"perplexity, {held[:, 1:].size:,} words held out",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge),
        seen="One head reads Python's reference pages and says which word comes next. In the pictures, from pages held "
        "out, the upper right half is empty: what follows is hidden.",
        baseline=("from the word before alone, counted", pairs),
        picture=draw,
    )


STOP = Stop("attention", ("self_attention",), "the next word", "Python's manual", visit)
