"""Cross-entropy: a softmax classifier of digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import barehand as bh
from barehand import vjp
from barehand.demo import inputs, models
from barehand.demo.measure import accuracy
from barehand.demo.outcome import Found
from barehand.demo.rules import SGD, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import shuffled, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEP = models.linear(lambda z, y: vjp.cross_entropy(z, y, with_value=True))


def _torch_loss(z: Any, y: Any) -> Any:
    from torch.nn.functional import cross_entropy

    return cross_entropy(z, y)


def visit(context: Context) -> Found:
    """Train, judge by the images held out, draw what it has learnt to look at."""
    digits = inputs.digits(context)
    start = [np.zeros((64, 10), np.float32), np.zeros(10, np.float32)]
    epochs = shuffled(context.rng(), len(digits.x), 64, 40, digits.x, digits.y)
    trained = train(start, _STEP, epochs, SGD(lr=0.1, momentum=0.9), peer=models.torch_linear(_torch_loss))

    def judge(params: Params) -> float:
        return accuracy(digits.x_held @ params[0] + params[1], digits.y_held)

    W, b = trained.params
    z = digits.x_held @ W + b
    p = bh.softmax(z)
    sure = p.max(axis=1)
    loss = bh.cross_entropy(z, digits.y_held)
    hits = p.argmax(axis=1) == digits.y_held
    worst = [i for i in np.argsort(-sure) if not hits[i]][:5]

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import image

        weights, doubts = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.15, 1))[:, 0]
        for k, ax in enumerate(weights.subplots(1, 10)):
            image(ax, W[:, k], f"{k}", signed=True)
        weights.suptitle("the weights of each digit: blue pixels speak for it, orange ones against")
        for ax in (axes := doubts.subplots(1, 5)):
            ax.set_axis_off()
        for i, ax in zip(worst, axes, strict=False):
            image(ax, digits.x_held[i], f"{digits.y_held[i]} read as {p[i].argmax()}, p = {sure[i]:.2f}")
        doubts.suptitle("its most confident mistakes")

    return Found(
        measure=f"accuracy, {len(z)} images held out",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge, one_flip=1 / len(z)),
        seen=f"One linear layer. It misreads {np.sum(~hits)} of the {len(z)} images held out, at a mean cross-entropy "
        f"of {loss:.3f} nats. The probabilities below are the softmax of its logits.",
        picture=draw,
    )


STOP = Stop(
    "cross_entropy",
    ("cross_entropy", "softmax"),
    "a softmax classifier",
    "digits",
    visit,
    needs=("sklearn",),
)
