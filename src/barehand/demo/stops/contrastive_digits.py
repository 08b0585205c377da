"""Contrastive loss: a map of the digits on which equal ones lie together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from barehand import vjp
from barehand.demo import inputs
from barehand.demo.descent import Batch
from barehand.demo.measure import Array
from barehand.demo.outcome import Found
from barehand.demo.rules import SGD, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HIDDEN, _PAIRS, _MARGIN = 64, 256, 2.0


def _embed(params: Params, x: Array) -> tuple[Array, Array]:
    W, b, W2 = params
    a = np.tanh(x @ W + b)
    return a, a @ W2


def _gradients(params: Params, x: Array, same: Array) -> tuple[float, tuple[Array, ...]]:
    """The first half of the rows of x against the second half: linear, tanh, linear, contrastive loss."""
    a, z = _embed(params, x)
    loss, (dz1, dz2) = vjp.contrastive_loss(*np.split(z, 2), same, margin=_MARGIN, with_value=True)
    dz = np.concatenate((dz1, dz2))
    dh = (dz @ params[2].T) * (1 - a * a)
    return loss, (x.T @ dh, dh.sum(axis=0), a.T @ dz)


def _torch_loss(params: Any, x: Any, same: Any) -> Any:
    from torch.linalg import vector_norm

    W, b, W2 = params
    x1, x2 = ((x @ W + b).tanh() @ W2).chunk(2)
    d = vector_norm(x1 - x2, dim=1)
    return (same * d**2 + (1 - same) * (_MARGIN - d).clamp(min=0) ** 2).mean()


def _pairs(rng: np.random.Generator, x: Array, y: Array, batches: int) -> list[Batch]:
    """Every other pair is of one digit, for otherwise nine in ten would not be."""
    by_digit, counts = np.argsort(y, kind="stable"), np.bincount(y)
    first_of = np.cumsum(counts) - counts
    made: list[Batch] = []
    for _ in range(batches):
        first, second = rng.integers(0, len(y), (2, _PAIRS))
        digit = y[first[::2]]
        second[::2] = by_digit[first_of[digit] + rng.integers(0, counts[digit])]
        alike = y[first] == y[second]
        made.append((x[np.concatenate((first, second))], alike.astype(np.float32)))
    return made


def _neighbours(known: Array, labels: Array, asked: Array, truth: Array, k: int = 5) -> float:
    """The accuracy of a vote of the k nearest."""
    distance = ((asked[:, None] - known) ** 2).sum(axis=2)
    nearest = labels[np.argpartition(distance, k, axis=1)[:, :k]]
    votes = (nearest[:, :, None] == np.arange(10)).sum(axis=1)
    return float(np.mean(votes.argmax(axis=1) == truth))


def visit(context: Context) -> Found:
    """Learn the map from pairs, judge it by the neighbours of images held out, beside the principal components."""
    digits = inputs.digits(context)
    rng = context.rng()
    W, W2 = (rng.standard_normal(s, np.float32) / np.float32(np.sqrt(s[0])) for s in ((64, _HIDDEN), (_HIDDEN, 2)))
    epochs = [_pairs(rng, digits.x, digits.y, 20) for _ in range(40)]
    rule = SGD(lr=0.05, momentum=0.9)

    def judge(params: Params) -> float:
        known, asked = _embed(params, digits.x)[1], _embed(params, digits.x_held)[1]
        return _neighbours(known, digits.y, asked, digits.y_held)

    trained = train([W, np.zeros(_HIDDEN, np.float32), W2], _gradients, epochs, rule, peer=_torch_loss)
    axes_of_pca = np.linalg.svd(digits.x - digits.x.mean(axis=0), full_matrices=False)[2][:2].T
    flat = _neighbours(digits.x @ axes_of_pca, digits.y, digits.x_held @ axes_of_pca, digits.y_held)
    maps = {
        "two principal components": digits.x_held @ axes_of_pca,
        "learnt from pairs": _embed(trained.params, digits.x_held)[1],
    }

    def draw(figure: Figure) -> None:
        from matplotlib import colormaps

        figure.set_figheight(4.0)
        for ax, (title, z) in zip(figure.subplots(1, 2), maps.items(), strict=True):
            for digit in range(10):
                mine = z[digits.y_held == digit]
                colour = colormaps["tab10"](digit)
                ax.scatter(*mine.T, s=9, color=colour, alpha=0.7, linewidths=0)
                ax.annotate(
                    f"{digit}", np.median(mine, axis=0), fontsize=13, fontweight="bold", ha="center", va="center"
                )
            ax.set(title=f"{title} (images held out)", xticks=[], yticks=[], frame_on=False)

    return Found(
        measure=f"accuracy, {len(digits.x_held)} images held out, by 5 neighbours on the map",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge, one_flip=1 / len(digits.x_held)),
        seen="Two numbers an image, learnt from nothing but which pairs show the same digit. A number on the map is "
        "at the middle of that digit's images.",
        baseline=("two principal components", flat),
        picture=draw,
    )


STOP = Stop("contrastive", ("contrastive_loss",), "a map of digits", "digits, in pairs", visit, needs=("sklearn",))
