"""Focal loss over classes: digits, half of which are hardly ever seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from barehand import vjp
from barehand.demo import inputs, models
from barehand.demo.measure import Array
from barehand.demo.outcome import Found
from barehand.demo.rules import SGD, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GAMMA = 2.0
_SEEN = 6  # images of each rare digit, 0 to 4


def visit(context: Context) -> Found:
    """The same linear classifier under three losses, judged by the mean recall of the ten digits."""
    digits = inputs.digits(context)
    kept = np.ones(len(digits.y), bool)
    for digit in range(5):
        kept[np.flatnonzero(digits.y == digit)[_SEEN:]] = False
    x, y = digits.x[kept], digits.y[kept]
    counts = np.bincount(y)
    alpha = (counts.mean() / counts).astype(np.float32)  # a rare digit's images count for more
    start = [np.zeros((64, 10), np.float32), np.zeros(10, np.float32)]

    def focal(z: Array, y: Array) -> Any:
        return vjp.softmax_focal_loss(z, y, alpha=alpha, gamma=_GAMMA, with_value=True)

    def torch_focal(z: Any, y: Any) -> Any:
        import torch

        log_p = z.log_softmax(-1).gather(1, y[:, None])[:, 0]
        return -(torch.from_numpy(alpha)[y] * (1 - log_p.exp()) ** _GAMMA * log_p).mean()

    def recall(params: Params) -> Array:
        read = (digits.x_held @ params[0] + params[1]).argmax(axis=1)
        return np.array([np.mean(read[digits.y_held == digit] == digit) for digit in range(10)])

    def judge(params: Params) -> float:
        return float(recall(params).mean())

    def rare(params: Params) -> float:
        return float(recall(params)[:5].mean())

    epochs = [[(x, y)]] * 200
    trained = train(
        start, models.linear(focal), epochs, SGD(lr=1.0, momentum=0.9), peer=models.torch_linear(torch_focal)
    )
    entropy, weighted = (
        train(start, models.linear(pull), epochs, SGD(lr=0.5, momentum=0.9))
        for pull in (
            lambda z, y: vjp.cross_entropy(z, y, with_value=True),
            lambda z, y: vjp.cross_entropy(z, y, weight=alpha, with_value=True),
        )
    )

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import MUTED, OURS, PEER

        ax = figure.subplots()
        bars = (
            ("cross-entropy", entropy, PEER),
            ("focal", trained, OURS),
            ("cross-entropy, weighted", weighted, MUTED),
        )
        for place, (label, run, colour) in enumerate(bars):
            ax.bar(np.arange(10) + (place - 1) * 0.27, recall(run.params), 0.25, color=colour, label=label)
        names = [f"{digit}\n{count} seen" for digit, count in enumerate(counts)]
        ax.set(title="recall of each digit, images held out", xticks=range(10), xticklabels=names, ylim=(0, 1))
        figure.legend(*ax.get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=3)

    fewest = int(np.bincount(digits.y_held).min())
    return Found(
        measure=f"mean recall, {len(digits.y_held)} images held out",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge, one_flip=1 / (10 * fewest)),
        seen=f"Of the digits 0 to 4 only {_SEEN} images each were kept, and they weigh more in the focal loss. It "
        f"recalls {rare(trained.params):.0%} of those held out, cross-entropy {rare(entropy.params):.0%}, and "
        f"cross-entropy with the same weights {rare(weighted.params):.0%}.",
        baseline=("cross-entropy", judge(entropy.params)),
        picture=draw,
    )


STOP = Stop("focal", ("softmax_focal_loss",), "rare digits", "digits, 5 of 10 rare", visit, needs=("sklearn",))
