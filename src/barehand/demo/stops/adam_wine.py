"""Adam: a rate of its own for every weight, where no single rate suits all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from barehand import vjp
from barehand.demo import inputs, models
from barehand.demo.measure import Array, accuracy
from barehand.demo.outcome import Found
from barehand.demo.rules import SGD, Adam, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEPS = 1000
_RATE = 0.01
_PLAIN = (1e-6, 1e-5, 1e-4)  # too slow; the best in steps of the root of ten; too fast
_STEP = models.linear(lambda z, y: vjp.cross_entropy(z, y, with_value=True))


def _torch_loss(z: Any, y: Any) -> Any:
    from torch.nn.functional import cross_entropy

    return cross_entropy(z, y)


def visit(context: Context) -> Found:
    """The same classifier under Adam and under plain gradient descent at three rates; all rows in every step.

    In float64, for what is compared is the rule: in float32 torch's beta2 is another number than 0.999.
    """
    wines = inputs.wine(context)
    measurements, growers = wines.x.shape[1], 3
    start = [np.zeros((measurements, growers)), np.zeros(growers)]
    epochs = [[(wines.x, wines.y)]] * _STEPS
    trained = train(start, _STEP, epochs, Adam(lr=_RATE), peer=models.torch_linear(_torch_loss))
    plain = {rate: train(start, _STEP, epochs, SGD(lr=rate)) for rate in _PLAIN}
    best = min(plain.values(), key=lambda run: run.losses[-1])

    def judge(params: Params) -> float:
        return accuracy(wines.x_held @ params[0] + params[1], wines.y_held)

    def swing(params: Params) -> Array:
        """How much a measurement matters: what a standard deviation of it moves the logits by, at the most."""
        return np.asarray(np.abs(params[0]).max(axis=1) * wines.x.std(axis=0))

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import MUTED, OURS, PEER

        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        steps = np.arange(1, _STEPS + 1)
        for (rate, run), style in zip(plain.items(), (":", "-", "-"), strict=True):
            look = {"color": PEER} if run is best else {"color": MUTED, "alpha": 0.7}
            left.plot(steps, run.losses, style, label=f"plain, rate {rate:.0e}", linewidth=1.2, **look)
        left.plot(steps, trained.losses, color=OURS, label="Adam")
        left.set(xscale="log", yscale="log", xlabel="step", title="cross-entropy of the wines learnt from")
        left.legend(fontsize=8)
        order, places = np.argsort(wines.x.std(axis=0)), np.arange(measurements)
        for run, label, colour, shift in ((trained, "Adam", OURS, -0.2), (best, "plain, its best", PEER, 0.2)):
            right.bar(places + shift, swing(run.params)[order], 0.4, color=colour, label=label)
        right.set(xticks=[], xlabel="measurement, by the size of its unit", title="how much it matters for the verdict")
        right.legend(fontsize=8)

    spread = wines.x.std(axis=0)
    return Found(
        measure=f"accuracy, {len(wines.y_held)} wines held out",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge, one_flip=1 / len(wines.y_held)),
        seen=f"The standard deviations of the {measurements} measurements go from {spread.min():.1g} to "
        f"{spread.max():.0f}. A rate that the largest can bear leaves the weights of all others at rest, and a larger "
        "one goes astray. Adam divides each weight's step by the size of its gradients, and uses them all.",
        baseline=("plain gradient descent at its best rate", judge(best.params)),
        picture=draw,
    )


STOP = Stop("adam", ("Adam",), "units a thousandfold apart", "wine", visit, needs=("sklearn",))
