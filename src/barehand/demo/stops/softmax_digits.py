"""Softmax: each image held out is read by a vote of the known ones, weighted by likeness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import barehand as bh
from barehand.demo import inputs
from barehand.demo.measure import EPS, Array, accuracy, in_turns
from barehand.demo.outcome import Check, Comparison, Found
from barehand.demo.stop import Context, Stop, installed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TEMPERATURE = 0.5  # in squared distance: the nearest known image is typically at 1.1, any known image at 9.4


def visit(context: Context) -> Found:
    """A softmax over squared distances, one row an image; draw the votes for the least decided one."""
    digits = inputs.digits(context)
    lengths = [(x * x).sum(axis=1) for x in (digits.x_held, digits.x)]
    scores = (2 * digits.x_held @ digits.x.T - lengths[0][:, None] - lengths[1]) / np.float32(_TEMPERATURE)
    classes = np.eye(10, dtype=np.float32)[digits.y]

    def judge(weights: Array) -> float:
        return accuracy(weights @ classes, digits.y_held)

    calls = [lambda: bh.softmax(scores)]
    if installed("torch"):
        import torch

        tensor = torch.from_numpy(scores)
        calls.append(lambda: torch.softmax(tensor, -1).numpy())
    (p, *theirs), (seconds, *their_seconds) = in_turns(calls)
    comparison = None
    if theirs:
        # Either side keeps a probability within 4 eps of p (1 + |log p|), which is at most 1.
        gap = float(np.abs(p - theirs[0]).max())
        check = Check("values", gap, 8 * EPS, "4 eps on either side of a number that is at most 1")
        comparison = Comparison("torch.softmax", judge(theirs[0]), their_seconds[0], (check,))
    votes = p @ classes
    least = int(np.argmin(votes.max(axis=1)))
    nearest = np.argsort(-p[least])[:7]
    one = float(np.mean(digits.y[scores.argmax(axis=1)] == digits.y_held))

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import OURS, image

        known, shares = figure.subfigures(1, 2, squeeze=False, width_ratios=(2.2, 1))[0]
        axes = known.subplots(2, 4).ravel()
        image(axes[0], digits.x_held[least], f"held out: a {digits.y_held[least]}")
        for i, ax in zip(nearest, axes[1:], strict=True):
            image(ax, digits.x[i], f"{digits.y[i]}, weight {p[least, i]:.2f}")
        ax = shares.subplots()
        ax.bar(range(10), votes[least], color=OURS)
        ax.set(title="its votes", xticks=range(10), xlabel="digit")

    return Found(
        measure=f"accuracy, {len(p)} images held out",
        result=judge(p),
        seconds=seconds,
        timed=f"a call on {p.shape[0]} x {p.shape[1]}",
        comparison=comparison,
        seen=f"Each image held out gives the {p.shape[1]:,} known ones weights that sum to one, and they vote. Below, "
        "the image on which they agree least.",
        baseline=("the nearest image alone", one),
        picture=draw,
    )


STOP = Stop("softmax", ("softmax",), "a vote weighted by likeness", "digits", visit, needs=("sklearn",))
