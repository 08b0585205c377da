"""Layer norm: a regression network, and rows whose mean is far larger than their spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import barehand as bh
from barehand import vjp
from barehand.demo import inputs
from barehand.demo.measure import Array
from barehand.demo.outcome import Found
from barehand.demo.rules import SGD, Params
from barehand.demo.stop import Context, Stop, installed
from barehand.demo.training import shuffled, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HIDDEN = 16
_OFFSETS = 10.0 ** np.arange(0, 6.1, 0.5)


def _gradients(params: Params, x: Array, y: Array) -> tuple[float, tuple[Array, ...]]:
    """Linear, layer norm, tanh, linear, mean squared error."""
    W, weight, bias, w2, b2 = params
    h = x @ W
    a = np.tanh(bh.layer_norm(h, weight, bias))
    error = a @ w2 + b2 - y
    dz = error * np.float32(2 / len(y))
    dh, dweight, dbias = vjp.layer_norm(h, weight, bias, cotangent=dz[:, None] * w2 * (1 - a * a))
    return float(np.mean(error * error)), (x.T @ dh, dweight, dbias, a.T @ dz, dz.sum(keepdims=True))


def _torch_loss(params: Any, x: Any, y: Any) -> Any:
    from torch.nn.functional import layer_norm, mse_loss

    W, weight, bias, w2, b2 = params
    return mse_loss(layer_norm(x @ W, (_HIDDEN,), weight, bias).tanh() @ w2 + b2, y)


def _worst(norm: Any, x: Array) -> list[float]:
    """The largest error of `norm` on x plus each offset, against the textbook in float64 on the same float32 rows."""
    from barehand.textbook import layer_norm

    rows = [(x + offset).astype(np.float32) for offset in _OFFSETS]
    return [float(np.abs(norm(row) - layer_norm(row.astype(np.float64))).max()) for row in rows]


def visit(context: Context) -> Found:
    """Train, judge by the explained variance, and measure both libraries far from zero."""
    from sklearn.linear_model import LinearRegression

    patients = inputs.diabetes(context)
    centre, spread = patients.x.mean(axis=0), patients.x.std(axis=0)
    x, x_held = (patients.x - centre) / spread, (patients.x_held - centre) / spread
    y, y_held = ((t - patients.y.mean()) / patients.y.std() for t in (patients.y, patients.y_held))
    rng, k = context.rng(), _HIDDEN
    W = rng.standard_normal((x.shape[1], k), np.float32) / np.float32(np.sqrt(x.shape[1]))
    w2 = rng.standard_normal(k, np.float32) / np.float32(10 * np.sqrt(k))
    start = [W, np.ones(k, np.float32), np.zeros(k, np.float32), w2, np.zeros(1, np.float32)]
    epochs = shuffled(rng, len(x), 32, 40, x, y)

    def judge(params: Params) -> float:
        W, weight, bias, w2, b2 = params
        missed = np.tanh(bh.layer_norm(x_held @ W, weight, bias)) @ w2 + b2 - y_held
        return float(1 - np.mean(missed**2, dtype=np.float64) / np.var(y_held, dtype=np.float64))

    trained = train(start, _gradients, epochs, SGD(0.002, momentum=0.9), peer=_torch_loss, watch=judge)
    straight = float(LinearRegression().fit(x, y).score(x_held, y_held))
    errors = {"barehand": _worst(bh.layer_norm, x_held)}
    if installed("torch"):
        import torch

        errors["torch"] = _worst(lambda r: torch.layer_norm(torch.from_numpy(r), r.shape[1:]).numpy(), x_held)

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import OURS, PEER, curve

        left, right = figure.subplots(1, 2)
        curve(left, "explained variance, held out", {"network": trained.watched}, {"a straight line": straight})
        for (name, values), colour in zip(errors.items(), (OURS, PEER), strict=False):
            right.plot(_OFFSETS, values, "o-", color=colour, label=name, markersize=4)
        right.set(
            xscale="log", yscale="log", xlabel="added to every measurement", title="largest error of float32 layer norm"
        )
        right.legend(fontsize=8)

    far = f"; 1e6 away from zero ours is still within {errors['barehand'][-1]:.0e}"
    return Found(
        measure=f"explained variance, {len(x_held)} patients held out",
        result=judge(trained.params),
        seconds=trained.seconds,
        timed=f"{trained.steps} steps",
        comparison=trained.compare("torch", judge),
        seen="On the left, how much of the disease's progress in a year the network explains. On the right, what "
        f"rounding costs when a row's mean grows and its spread does not, against the textbook in float64{far}.",
        baseline=("linear regression", straight),
        picture=draw,
    )


STOP = Stop("layer_norm", ("layer_norm",), "a regression", "diabetes", visit, needs=("sklearn",))
