"""Pairwise IoU: which of a hundred thousand boxes hold a coin, and whether their score knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import barehand as bh
from barehand.demo import coins
from barehand.demo.measure import EPS, Array, in_turns
from barehand.demo.outcome import Check, Comparison, Found
from barehand.demo.stop import Context, Stop, installed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEAST = 4.0  # the score of a candidate
_HIT = 0.5  # the customary IoU


def _torch_pairwise(boxes1: Array, boxes2: Array) -> Array:
    """The formula by broadcasting, as it is written where torchvision is not at hand."""
    import torch

    a, b = torch.from_numpy(boxes1)[:, None], torch.from_numpy(boxes2)
    common = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - common
    return np.asarray((common / union).numpy())


def visit(context: Context) -> Found:
    """Every candidate against every coin; a hit is a candidate with an IoU above one half."""
    truth, found = coins.coins().astype(np.float32), coins.candidates(_LEAST)
    order = np.argsort(-found.scores, kind="stable")
    boxes, scores = found.boxes[order], found.scores[order]
    best = len(boxes) // 100

    def judge(matrix: Array) -> float:
        return float(np.mean(matrix.max(axis=0)[:best] > _HIT))

    calls = [lambda: bh.pairwise_iou(truth, boxes)]
    if installed("torch"):
        calls.append(lambda: _torch_pairwise(truth, boxes))
    (matrix, *theirs), (seconds, *their_seconds) = in_turns(calls, repeat=5)
    comparison = None
    if theirs:
        gap = float(np.abs(matrix - theirs[0]).max())
        because = "corners are whole pixels, so areas are exact, and either side rounds one quotient of at most 1"
        comparison = Comparison("torch", judge(theirs[0]), their_seconds[0], (Check("values", gap, 2 * EPS, because),))
    overlap = matrix.max(axis=0)
    hits = overlap > _HIT

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import MUTED, OURS, shades

        left, right = figure.subplots(1, 2)
        counts, *edges = np.histogram2d(overlap, scores, bins=(60, 90))
        extent = (edges[1][0], edges[1][-1], edges[0][0], edges[0][-1])
        left.imshow(np.log1p(counts), cmap=shades(OURS), origin="lower", aspect="auto", extent=extent)
        left.axhline(_HIT, color=MUTED, linestyle="--", linewidth=1.2)
        left.set(xlabel="score", title="IoU with the nearest coin, by score")
        ranks = np.arange(1, len(hits) + 1)
        right.plot(ranks, np.cumsum(hits) / ranks, color=OURS)
        right.axhline(hits.mean(), color=MUTED, linestyle="--", linewidth=1.2, label="of all candidates")
        right.set(xscale="log", xlabel="candidates, best score first", title="share of hits", ylim=(0, 1.02))
        right.legend(fontsize=8, loc="lower left")

    return Found(
        measure=f"share of hits, best 1 % of {len(boxes):,} boxes",
        result=judge(matrix),
        seconds=seconds,
        timed=f"a call on {matrix.shape[0]} x {matrix.shape[1]:,}",
        comparison=comparison,
        seen="Every circle on the photo across which it gets lighter is a candidate, with a box around it and the "
        f"step in lightness for a score. A box whose IoU with a coin is above {_HIT} is a hit. The score tells hits "
        "well, and yet every coin has thousands.",
        baseline=("among all", float(hits.mean())),
        picture=draw,
    )


STOP = Stop("iou", ("pairwise_iou",), "which boxes hold a coin", "a photo of coins", visit, needs=("skimage",))
