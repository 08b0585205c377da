"""Log-softmax: how surprised an overconfident classifier is, and the temperature that cures it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import barehand as bh
from barehand import vjp
from barehand.demo import inputs, models
from barehand.demo.measure import Array
from barehand.demo.outcome import Found
from barehand.demo.rules import SGD, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KNOWN = 150  # images to learn from: few enough to learn by heart
_TEMPERATURES = np.geomspace(0.1, 100, 61)


def _likelihood(z: Array, y: Array) -> tuple[float, tuple[Array]]:
    """The mean of -log p_y: the cotangent of the log-softmax is -1/n at the right class."""
    chosen = np.zeros_like(z)
    chosen[np.arange(len(y)), y] = -1 / len(y)
    log_p, gradients = vjp.log_softmax(z, cotangent=chosen, with_value=True)
    return float(np.vdot(log_p, chosen)), gradients


def _torch_likelihood(z: Any, y: Any) -> Any:
    return -z.log_softmax(-1).gather(1, y[:, None]).mean()


def _perplexity(z: Array, y: Array, temperature: float) -> float:
    log_p = bh.log_softmax(z / np.float32(temperature))
    return float(np.exp(-np.mean(log_p[np.arange(len(y)), y], dtype=np.float64)))


def _best(z: Array, y: Array) -> float:
    return float(_TEMPERATURES[np.argmin([_perplexity(z, y, t) for t in _TEMPERATURES])])


def visit(context: Context) -> Found:
    """Learn 150 images by heart, set the temperature on half of those held out, judge by the other half."""
    digits = inputs.digits(context)
    x, y = 16 * digits.x[:_KNOWN], digits.y[:_KNOWN]
    start = [np.zeros((64, 10), np.float32), np.zeros(10, np.float32)]
    peer = models.torch_linear(_torch_likelihood)
    trained = train(start, models.linear(_likelihood), [[(x, y)]] * 200, SGD(lr=0.03, momentum=0.9), peer=peer)
    half = len(digits.y_held) // 2
    y_set, y_judge = digits.y_held[:half], digits.y_held[half:]

    def logits(params: Params) -> tuple[Array, Array]:
        z = 16 * digits.x_held @ params[0] + params[1]
        return z[:half], z[half:]

    def judge(params: Params) -> float:
        z_set, z_judge = logits(params)
        return _perplexity(z_judge, y_judge, _best(z_set, y_set))

    z_set, z_judge = logits(trained.params)
    best, before = _best(z_set, y_set), _perplexity(z_judge, y_judge, 1.0)
    lowest = [bh.softmax(z_judge / np.float32(t))[np.arange(len(y_judge)), y_judge].min() for t in _TEMPERATURES]
    lost = float(_TEMPERATURES[np.array(lowest) == 0].max(initial=0))  # up to here a probability is 0 in float32

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import MUTED, OURS, PEER

        ax = figure.subplots()
        values = [_perplexity(z_judge, y_judge, t) for t in _TEMPERATURES]
        ax.plot(_TEMPERATURES, values, color=OURS, label="by the log-softmax")
        ax.axvspan(
            _TEMPERATURES[0], lost, color=PEER, alpha=0.2, linewidth=0, label="by the log of a softmax: infinite"
        )
        ax.axvline(
            best, color=MUTED, linestyle="--", linewidth=1.2, label=f"temperature {best:.3g}, set on the other half"
        )
        ax.set(
            xscale="log", yscale="log", xlabel="temperature", title="perplexity of the images held out", ylim=(1, 1e9)
        )
        ax.legend(fontsize=8)

    return Found(
        measure=f"perplexity, {len(y_judge)} images held out",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge),
        seen=f"Trained on {_KNOWN} images until it knows them by heart, the classifier is too sure of itself. "
        f"Dividing its logits by {best:.3g} cures that. Below a temperature of {lost:.2g} the probability of some "
        "image's digit is 0 in float32, and its logarithm is lost; the log-softmax still knows how small it is.",
        baseline=("at temperature 1", before),
        picture=draw,
    )


STOP = Stop(
    "softmax",
    ("log_softmax",),
    "an overconfident classifier",
    f"{_KNOWN} digits",
    visit,
    needs=("sklearn",),
)
