"""Multi-head attention: the missing word of a manual, from its neighbours on both sides."""

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

_VOCABULARY, _LENGTH, _SIZE, _HEADS = 500, 9, 32, 4
_EPOCHS, _BATCH = 3, 256
_MIDDLE = _LENGTH // 2
_SEEN = np.arange(_LENGTH) != _MIDDLE


def _read(params: Params, words: Array) -> tuple[Array, Array, bh.AttentionWeights]:
    """The vector of the gap, which asks; a vector for each word at its place; the projections."""
    E, P, *projections, _ = params
    return P[_MIDDLE : _MIDDLE + 1], E[words] + P, bh.AttentionWeights(*projections)


def _gradients(params: Params, words: Array, missing: Array) -> tuple[float, Moves]:
    """The logits of the missing word are products with the vectors of all words, plus how common a word is."""
    E, b = params[0], params[-1]
    gap, x, weights = _read(params, words)
    options: dict[str, Any] = {"num_heads": _HEADS, "mask": _SEEN}
    found = bh.multi_head_attention(gap, x, x, weights, **options)[:, 0]
    loss, (dz,) = vjp.cross_entropy(found @ E.T + b, missing, with_value=True)
    dgap, dkey, dvalue, slopes = vjp.multi_head_attention(gap, x, x, weights, **options, cotangent=(dz @ E)[:, None])
    dx = dkey + dvalue
    dE = dz.T @ found + models.scatter(words.ravel(), dx.reshape(-1, _SIZE), len(E))
    dP = dx.sum(axis=0)
    dP[_MIDDLE] += dgap[0]
    return loss, (dE, dP, *slopes[:4], dz.sum(axis=0))


def _torch_loss(params: Any, words: Any, missing: Any) -> Any:
    """torch puts the sequence first, holds the three projections in one piece, and hides where its mask is True."""
    import torch
    from torch.nn.functional import cross_entropy, embedding, multi_head_attention_forward

    E, P, q, k, v, o, b = params
    x = (embedding(words, E) + P).transpose(0, 1)
    gap = P[_MIDDLE].expand(1, len(words), _SIZE)
    hidden = torch.from_numpy(~_SEEN).expand(len(words), _LENGTH)
    found, _ = multi_head_attention_forward(
        *(gap, x, x, _SIZE, _HEADS, torch.cat((q, k, v)), None, None, None, False, 0.0, o, None),
        key_padding_mask=hidden,
        need_weights=False,
    )
    return cross_entropy(found[0] @ E.T + b, missing)


def visit(context: Context) -> Found:
    """A loop of Adam over vjp.multi_head_attention; judged by the perplexity on pages held out."""
    pages = manual(_VOCABULARY)
    rng = context.rng()
    learnt, held = (pages.windows(_LENGTH, 4, held=h) for h in (False, True))
    sizes = [(0.1, (_VOCABULARY, _SIZE)), (0.1, (_LENGTH, _SIZE)), *[(0.2, (_SIZE, _SIZE))] * 4]
    start = [(scale * rng.standard_normal(shape)).astype(np.float32) for scale, shape in sizes]
    start.append(np.log(pages.shares).astype(np.float32))
    epochs = shuffled(rng, len(learnt), _BATCH, _EPOCHS, learnt, learnt[:, _MIDDLE])

    def attend(params: Params) -> tuple[Array, Array]:
        """The logits of the words held out, and the weights of the heads."""
        gap, x, weights = _read(params, held)
        found, looked = bh.multi_head_attention(gap, x, x, weights, num_heads=_HEADS, mask=_SEEN, return_weights=True)
        return found[:, 0] @ params[0].T + params[-1], looked[:, :, 0]

    def judge(params: Params) -> float:
        logits = attend(params)[0].astype(np.float64)
        return float(np.exp(bh.cross_entropy(logits, held[:, _MIDDLE])))

    trained = train(start, _gradients, epochs, Adam(lr=0.01, decay=1e-5), peer=_torch_loss)
    pairs = float(np.exp(-np.mean(np.log(pages.follows()[held[:, _MIDDLE - 1], held[:, _MIDDLE]]))))
    logits, looked = attend(trained.params)
    guesses = logits.argmax(axis=1)
    right = guesses == held[:, _MIDDLE]
    clear = right & np.all(held != _VOCABULARY - 1, axis=1) & (held[:, _MIDDLE] > 50)  # no small words, no gaps
    shown = np.flatnonzero(clear)[:: max(1, clear.sum() // 4)][:4]

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import heat

        figure.set_figheight(1.9)
        heads = [f"head {h + 1}" for h in range(_HEADS)]
        for ax, i in zip(figure.subplots(1, 4), shown, strict=False):
            words = pages.read(held[i])
            words[_MIDDLE] = "?"
            heat(ax, f"? = {pages.vocabulary[guesses[i]]}", looked[i], heads if ax is figure.axes[0] else [], words)

    return Found(
        measure=f"perplexity, {len(held):,} words held out",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge),
        seen=f"One word of nine is missing, and {_HEADS} heads look at its neighbours, each in its own way. On pages "
        f"held out they find {np.mean(right):.0%} of the missing words. Below, how much each head looks at each word "
        "in four places where they are right.",
        baseline=("from the word before alone, counted", pairs),
        picture=draw,
    )


STOP = Stop("attention", ("multi_head_attention",), "the missing word", "Python's manual", visit)
