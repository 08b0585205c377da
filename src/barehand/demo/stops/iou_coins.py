"""IoU as something to climb: boxes that slide from the middle of a photo onto its coins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import barehand as bh
from barehand import vjp
from barehand.demo import coins
from barehand.demo.descent import Gradients
from barehand.demo.measure import Array
from barehand.demo.outcome import Found
from barehand.demo.rules import Adam, Params
from barehand.demo.stop import Context, Stop
from barehand.demo.training import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEPS = 180
_RATE = 3.0  # pixels
_KINDS = {"iou": "IoU", "giou": "GIoU", "diou": "DIoU", "ciou": "CIoU"}


def _gradients(kind: str) -> Gradients:
    """The mean over the coins of 1 - IoU."""

    def gradients(params: Params, boxes: Array) -> tuple[float, tuple[Array]]:
        share = np.full(len(boxes), -1 / len(boxes))
        values, (slope, _) = vjp.iou(params[0], boxes, kind=kind, cotangent=share, with_value=True)
        return float(1 - values.mean()), (slope,)

    return gradients


def _torch_loss(params: Any, boxes: Any) -> Any:
    """1 - CIoU from its definition."""
    from torch import atan2, maximum, minimum, pi

    def area(size: Any) -> Any:
        return size.prod(-1)

    low1, high1, low2, high2 = params[0][:, :2], params[0][:, 2:], boxes[:, :2], boxes[:, 2:]
    size1, size2 = (high1 - low1).clamp(min=0), (high2 - low2).clamp(min=0)
    common = area((minimum(high1, high2) - maximum(low1, low2)).clamp(min=0))
    iou = common / (area(size1) + area(size2) - common)
    diagonal = (maximum(high1, high2) - minimum(low1, low2)).square().sum(-1)
    apart = ((low1 + high1 - low2 - high2) / 2).square().sum(-1)
    v = 4 / pi**2 * (atan2(*size2.unbind(-1)) - atan2(*size1.unbind(-1))).square()
    return (1 - iou + apart / diagonal + v * v / (1 - iou + v)).mean()


def visit(context: Context) -> Found:
    """Adam over vjp.iou on the corners of 24 boxes, for each kind of IoU; judged by the plain IoU."""
    boxes = coins.coins()
    height, width = coins.photo().shape
    half = np.mean(boxes[:, 2:] - boxes[:, :2]) / 2
    start = np.tile([width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half], (len(boxes), 1))
    path: list[Array] = []

    def judge(params: Params) -> float:
        return float(bh.iou(params[0], boxes).mean())

    def follow(params: Params) -> float:
        path.append(params[0].copy())
        return judge(params)

    epochs = [[(boxes,)]] * _STEPS
    others = {k: train([start], _gradients(k), epochs, Adam(_RATE), watch=judge) for k in ("iou", "giou", "diou")}
    trained = train([start], _gradients("ciou"), epochs, Adam(_RATE), peer=_torch_loss, watch=follow)
    reached = {name: run.watched for name, run in {"ciou": trained, **others}.items()}

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import GOOD, MUTED, OURS, PEER

        figure.set_figheight(3.4)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
        for kind, colour in zip(_KINDS, (MUTED, GOOD, PEER, OURS), strict=True):
            left.plot(range(1, _STEPS + 1), reached[kind], color=colour, label=_KINDS[kind])
        left.set(xlabel="step", title="mean IoU of box and coin, by what is climbed", ylim=(0, 1.02))
        left.legend(fontsize=8)
        coins.show(right, "the way of each box's centre under CIoU")
        centres = (np.array([start, *path])[..., :2] + np.array([start, *path])[..., 2:]) / 2
        right.plot(*centres.transpose(2, 0, 1), color=OURS, linewidth=1)
        coins.outline(right, trained.params[0], PEER)

    return Found(
        measure=f"mean IoU, {len(boxes)} boxes and their coins",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge),
        seen=f"{len(boxes)} equal boxes start in the middle, each with a coin to go to. Climbing the IoU, a box that "
        "does not touch its coin never moves, for there its slope is zero. GIoU looks at the smallest box around both, "
        "DIoU at how far the centres are apart, and CIoU at the shape, too: these find the way from anywhere.",
        baseline=("climbing the IoU itself", others["iou"].watched[-1]),
        picture=draw,
    )


STOP = Stop("iou", ("iou",), "boxes that find their coins", "a photo of coins", visit, needs=("skimage",))
