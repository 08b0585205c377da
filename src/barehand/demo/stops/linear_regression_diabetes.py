"""Linear regression: the same line by least squares and by walking downhill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from barehand.demo import inputs
from barehand.demo.measure import Array, in_turns
from barehand.demo.outcome import Check, Comparison, Found
from barehand.demo.stop import Context, Stop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EPS = float(np.finfo(np.float64).eps)
_STEPS = 500


def _sensitivity(x: Array, y: Array, coefficients: Array) -> float:
    """How much larger than eps the relative error of the coefficients may become.

    2 k / cos t + k² tan t, with k the condition number and t the angle between y and what the line explains: G. Golub
    and C. Van Loan (2013), Matrix Computations, theorem 5.3.1.
    """
    x, y = x - x.mean(axis=0), y - y.mean()
    k = float(np.linalg.cond(x))
    sine = float(np.linalg.norm(y - x @ coefficients) / np.linalg.norm(y))
    cosine = np.sqrt(1 - sine**2)
    return float(2 * k / cosine + k**2 * sine / cosine)


def visit(context: Context) -> Found:
    """Exact, beside scikit-learn; and by gradient descent, in the measurements' own units and in a common one."""
    from sklearn import linear_model as theirs

    from barehand import linear_model as ours

    patients = inputs.diabetes(context)
    x, x_held, y, y_held = (a.astype(np.float64) for a in (patients.x, patients.x_held, patients.y, patients.y_held))

    def fit(library: Any) -> Any:
        return library.LinearRegression().fit(x, y)

    (model, other), (seconds, their_seconds) = in_turns([lambda: fit(ours), lambda: fit(theirs)])
    worst = _sensitivity(x, y, other.coef_)
    gap = float(np.linalg.norm(model.coef_ - other.coef_) / np.linalg.norm(other.coef_))
    results = [float(m.score(x_held, y_held)) for m in (model, other)]
    because = f"rounding may grow {worst:.0f}-fold, by the condition of the measurements"
    checks = (
        Check("weights", gap, worst * _EPS, because),
        Check("figure", abs(results[0] - results[1]), worst * _EPS, "the same"),
    )
    centre, spread = x.mean(axis=0), x.std(axis=0)
    paths = {
        "in their own units": ours.LinearRegression(solver="gd", max_iter=_STEPS, tol=0).fit(x, y),
        "in standard deviations": ours.LinearRegression(solver="gd", max_iter=_STEPS, tol=0).fit(
            (x - centre) / spread, y
        ),
    }
    least = float(np.mean((y - model.predict(x)) ** 2))
    predicted = model.predict(x_held)

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import MUTED, OURS, PEER

        left, right = figure.subplots(1, 2)
        left.scatter(y_held, predicted, s=12, color=OURS, alpha=0.7, linewidths=0)
        ends = (float(y_held.min()), float(y_held.max()))
        left.plot(ends, ends, color=MUTED, linestyle="--", linewidth=1.2)
        left.set(xlabel="progress of the disease", title="predicted, patients held out")
        for (label, path), colour in zip(paths.items(), (PEER, OURS), strict=True):
            right.plot(np.asarray(path.loss_curve_) - least, color=colour, label=label)
        right.set(xscale="symlog", yscale="log", xlabel="step", title="squared error above the least, by descent")
        right.legend(fontsize=8)

    raw, scaled = paths.values()
    slow, fast = float(raw.score(x_held, y_held)), float(scaled.score((x_held - centre) / spread, y_held))
    return Found(
        measure=f"explained variance, {len(x_held)} patients held out",
        result=results[0],
        seconds=seconds,
        timed=f"a fit on {x.shape[0]} x {x.shape[1]}",
        comparison=Comparison("scikit-learn", results[1], their_seconds, checks),
        seen=f"By default the fit is exact. After {_STEPS} steps of gradient descent the line explains {slow:.3f} of "
        f"the variance with the measurements as they were taken, and {fast:.3f} in standard deviations: one rate for "
        "all weights suits measurements of one size.",
        baseline=(f"after {_STEPS} steps of descent, own units", slow),
        picture=draw,
    )


STOP = Stop("linear_regression", ("LinearRegression",), "exact, and by descent", "diabetes", visit, needs=("sklearn",))
