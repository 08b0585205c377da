"""Non-maximum suppression: one box a coin out of thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import barehand as bh
from barehand.demo import coins
from barehand.demo.measure import Array, in_turns
from barehand.demo.outcome import Check, Comparison, Found
from barehand.demo.stop import Context, Stop, installed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEAST = 10.0  # the score of a candidate
_OVERLAP = 0.1  # coins lie side by side


def _torch_nms(boxes: Array, scores: Array) -> Array:
    """The greedy loop: keep the best of what is left, drop what overlaps it."""
    import torch

    b = torch.from_numpy(boxes)
    left = torch.argsort(torch.from_numpy(scores), descending=True, stable=True)
    area = (b[:, 2:] - b[:, :2]).prod(-1)
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        common = torch.minimum(b[best, 2:], b[left, 2:]) - torch.maximum(b[best, :2], b[left, :2])
        both = common.clamp(min=0).prod(-1)
        left = left[both / (area[best] + area[left] - both) <= _OVERLAP]
    return np.array(kept)


def visit(context: Context) -> Found:
    """Suppress the candidates, and judge what is kept by its IoU with the coins."""
    truth, found = coins.coins(), coins.candidates(_LEAST)

    def judge(kept: Array) -> float:
        return float(bh.pairwise_iou(truth, found.boxes[kept]).max(axis=1).mean())

    calls = [lambda: bh.nms(found.boxes, found.scores, iou_threshold=_OVERLAP)]
    if installed("torch"):
        calls.append(lambda: _torch_nms(found.boxes, found.scores))
    (kept, *theirs), (seconds, *their_seconds) = in_turns(calls)
    comparison = None
    if theirs:
        differ = float(len(np.setxor1d(kept, theirs[0])))
        check = Check(
            "boxes", differ, 0, "corners are whole pixels, so an overlap that is not the threshold is far from it"
        )
        comparison = Comparison("torch, in a loop", judge(theirs[0]), their_seconds[0], (check,))
    first = np.argsort(-found.scores, kind="stable")[: len(truth)]

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import OURS, PEER

        figure.set_figheight(3.5)
        left, right = figure.subplots(1, 2)
        coins.show(left, f"every 25th of {len(found.boxes):,} candidates")
        coins.outline(left, found.boxes[::25], PEER, 0.3)
        coins.show(right, f"the {len(kept)} that are kept")
        coins.outline(right, found.boxes[kept], OURS, 1.6)

    return Found(
        measure=f"mean IoU, {len(truth)} coins and the best box kept",
        result=judge(kept),
        seconds=seconds,
        timed=f"a call on {len(found.boxes):,} boxes",
        comparison=comparison,
        seen=f"Of {len(found.boxes):,} boxes {len(kept)} are kept, for {len(truth)} coins: from the best score down, "
        f"each unless its IoU with one kept before is above {_OVERLAP}. The {len(truth)} best scores alone would "
        f"crowd on {np.sum(bh.pairwise_iou(truth, found.boxes[first]).max(axis=1) > 0.5)} of the coins.",
        baseline=(f"with the {len(truth)} best scores", judge(first)),
        picture=draw,
    )


STOP = Stop("iou", ("nms", "pairwise_iou"), "one box a coin", "a photo of coins", visit, needs=("skimage",))
