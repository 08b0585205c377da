"""Batch norm: a small network on measurements whose units differ by a factor of a million."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import barehand as bh
from barehand import vjp
from barehand.demo import inputs
from barehand.demo.measure import EPS, Array, accuracy
from barehand.demo.outcome import Check, Found
from barehand.demo.rules import SGD, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import shuffled, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HIDDEN = 16
_RATE = 0.02


def _gradients(params: Params, x: Array, y: Array) -> tuple[float, tuple[Array | None, ...]]:
    """Batch norm of the input, linear, batch norm, tanh, linear, cross-entropy."""
    mean, var, W, weight, bias, mean1, var1, W2, b2 = params
    u = bh.batch_norm(x, running_mean=mean, running_var=var)
    h = u @ W
    a = np.tanh(bh.batch_norm(h, weight, bias, running_mean=mean1, running_var=var1))
    loss, (dz,) = vjp.cross_entropy(a @ W2 + b2, y, with_value=True)
    dh, dweight, dbias = vjp.batch_norm(h, weight, bias, cotangent=(dz @ W2.T) * (1 - a * a))
    return loss, (None, None, u.T @ dh, dweight, dbias, None, None, a.T @ dz, dz.sum(axis=0))


def _torch_loss(params: Any, x: Any, y: Any) -> Any:
    from torch.nn.functional import batch_norm, cross_entropy

    mean, var, W, weight, bias, mean1, var1, W2, b2 = params
    u = batch_norm(x, mean.detach(), var.detach(), training=True)
    a = batch_norm(u @ W, mean1.detach(), var1.detach(), weight, bias, training=True).tanh()
    return cross_entropy(a @ W2 + b2, y)


def _logits(params: Params, x: Array) -> Any:
    """In evaluation the running statistics take the batch's place."""
    mean, var, W, weight, bias, mean1, var1, W2, b2 = params
    u = bh.batch_norm(x, running_mean=mean, running_var=var, training=False)
    h = bh.batch_norm(u @ W, weight, bias, running_mean=mean1, running_var=var1, training=False)
    return np.tanh(h) @ W2 + b2


def _without(params: Params, x: Array, y: Array) -> tuple[float, tuple[Array, ...]]:
    """The same network without batch norm."""
    W, b, W2, b2 = params
    a = np.tanh(x @ W + b)
    loss, (dz,) = vjp.cross_entropy(a @ W2 + b2, y, with_value=True)
    dh = (dz @ W2.T) * (1 - a * a)
    return loss, (x.T @ dh, dh.sum(axis=0), a.T @ dz, dz.sum(axis=0))


def visit(context: Context) -> Found:
    """With batch norm and without; judged with the running statistics."""
    tumours = inputs.breast_cancer(context)
    rng, n, k = context.rng(), tumours.x.shape[1], _HIDDEN
    W, W2 = (rng.standard_normal(shape, np.float32) / np.float32(np.sqrt(shape[0])) for shape in ((n, k), (k, 2)))
    zero, one = np.zeros(max(n, k), np.float32), np.ones(max(n, k), np.float32)
    start = [zero[:n], one[:n], W, one[:k], zero[:k], zero[:k], one[:k], W2, zero[:2]]
    epochs = shuffled(rng, len(tumours.x), 32, 30, tumours.x, tumours.y)

    def judge(params: Params) -> float:
        return accuracy(_logits(params, tumours.x_held), tumours.y_held)

    def judge_without(params: Params) -> float:
        W, b, W2, b2 = params
        return accuracy(np.tanh(tumours.x_held @ W + b) @ W2 + b2, tumours.y_held)

    rule = SGD(_RATE, momentum=0.9)
    trained = train(start, _gradients, epochs, rule, peer=_torch_loss, watch=judge)
    without = train([W, zero[:k], W2, zero[:2]], _without, epochs, rule, watch=judge_without)
    mean, var = trained.params[:2]
    comparison = trained.compare("torch", judge, one_flip=1 / len(tumours.x_held))
    if comparison is not None and trained.theirs is not None:
        gap = max(float(np.max(np.abs(trained.params[i] / trained.theirs[i] - 1))) for i in (0, 1, 6))
        check = Check("statistics", gap, trained.steps * EPS, f"each of {trained.steps} steps rounds them once more")
        comparison = replace(comparison, checks=(*comparison.checks, check))

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import OURS, PEER, curve

        left, middle, right = figure.subplots(1, 3, width_ratios=(1.5, 1, 1))
        lines = {"with batch norm": trained.watched, "without": without.watched}
        left.set_ylim(0, 1.02)
        curve(left, "accuracy, tumours held out", lines)
        for ax, x, title, colour in (
            (middle, tumours.x_held, "measurements as taken", PEER),
            (
                right,
                bh.batch_norm(tumours.x_held, running_mean=mean, running_var=var, training=False),
                "normalised",
                OURS,
            ),
        ):
            low, high = np.percentile(x, (5, 95), axis=0)
            ax.vlines(range(x.shape[1]), low, high, color=colour, linewidth=3)
            ax.set(title=title, xlabel="measurement")
        middle.set_yscale("symlog", linthresh=1e-3)

    return Found(
        measure=f"accuracy, {len(tumours.x_held)} tumours held out",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=comparison,
        seen=f"The standard deviations of the {n} measurements go from {tumours.x.std(axis=0).min():.1g} to "
        f"{tumours.x.std(axis=0).max():.0f}. With batch norm on the input and in the hidden layer the network learns "
        "from them as they are. The bars are the middle 90 % of each measurement, on tumours that the running "
        "statistics have not seen.",
        baseline=("the same network and rate without batch norm", without.watched[-1]),
        picture=draw,
    )


STOP = Stop(
    "batch_norm",
    ("batch_norm",),
    "units a millionfold apart",
    "breast cancer",
    visit,
    needs=("sklearn",),
)
