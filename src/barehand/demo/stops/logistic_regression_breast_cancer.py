"""Logistic regression: the way of five solvers to one minimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from barehand.demo import inputs
from barehand.demo.measure import in_turns
from barehand.demo.outcome import Check, Comparison, Found
from barehand.demo.stop import Context, Stop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_C = 1.0
_STEPS = 200
_SOLVERS = ("gd", "sgd", "adam", "lbfgs", "newton")


def visit(context: Context) -> Found:
    """The default solver beside scikit-learn's Newton; then each of ours, and how near it comes by the step."""
    from sklearn.linear_model import LogisticRegression as Peer

    from barehand.linear_model import LogisticRegression

    tumours = inputs.breast_cancer(context)
    centre, spread = tumours.x.mean(axis=0, dtype=np.float64), tumours.x.std(axis=0, dtype=np.float64)
    x, x_held = (tumours.x - centre) / spread, (tumours.x_held - centre) / spread
    calls = [
        lambda: LogisticRegression(C=_C).fit(x, tumours.y),
        lambda: Peer(C=_C, solver="newton-cholesky", tol=1e-10).fit(x, tumours.y),
    ]
    (model, other), (seconds, their_seconds) = in_turns(calls)
    # A function whose curvature is at least m, at a point where it is d above its minimum, has that minimum within
    # sqrt(2 d / m). The penalty alone curves by 1 / (C n), and the solver promises d = tol².
    gap = float(np.linalg.norm(model.coef_ - other.coef_))
    results = [float(m.score(x_held, tumours.y_held)) for m in (model, other)]
    bend = 1 / (_C * len(x))
    because = f"the loss is within tol² = {model.tol**2:.0e} of its minimum and curves by at least 1/(C n) = {bend:.1e}"
    one = 1 / len(x_held)
    checks = (
        Check("weights", gap, model.tol * float(np.sqrt(2 / bend)), because),
        Check("figure", abs(results[0] - results[1]), one, "one tumour on the boundary"),
    )
    best = LogisticRegression(C=_C, solver="newton", tol=1e-12).fit(x, tumours.y).loss_curve_[-1]
    options: dict[str, Any] = {"C": _C, "max_iter": _STEPS, "tol": 0, "random_state": context.seed}
    paths = {s: np.asarray(LogisticRegression(solver=s, **options).fit(x, tumours.y).loss_curve_) for s in _SOLVERS}

    def draw(figure: Figure) -> None:
        from barehand.demo.pictures import GOOD, MUTED, OURS, PEER

        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        for (name, path), colour in zip(paths.items(), (MUTED, GOOD, PEER, "#7a5cc7", OURS), strict=True):
            left.plot(np.maximum(path - best, 1e-16), color=colour, label=name)
        left.set(xscale="symlog", yscale="log", xlabel="step (sgd, adam: pass over the rows)", ylim=(1e-16, 2))
        left.set_title("loss above its minimum")
        left.legend(fontsize=8)
        p = model.predict_proba(x_held)[:, 1]
        for value, label, colour in ((0, "malignant", PEER), (1, "benign", OURS)):
            right.hist(p[tumours.y_held == value], bins=np.linspace(0, 1, 26), color=colour, alpha=0.8, label=label)
        right.set(xlabel="probability of being benign", yscale="log", title="tumours held out")
        right.legend(fontsize=8, loc="upper center")

    return Found(
        measure=f"accuracy, {len(x_held)} tumours held out",
        result=results[0],
        seconds=seconds,
        timed=f"a fit on {x.shape[0]} x {x.shape[1]}",
        comparison=Comparison("scikit-learn", results[1], their_seconds, checks),
        seen=f"{x.shape[1]} measurements in standard deviations. All solvers go to one minimum. Newton's steps "
        f"know the curvature, and {model.n_iter_} of them are enough; L-BFGS learns it on the way; plain descent "
        "knows none.",
        baseline=("the commoner kind", float(max(np.mean(tumours.y_held), 1 - np.mean(tumours.y_held)))),
        picture=draw,
    )


STOP = Stop(
    "logistic_regression",
    ("LogisticRegression",),
    "five ways to a minimum",
    "breast cancer",
    visit,
    needs=("sklearn",),
)
