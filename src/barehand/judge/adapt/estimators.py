"""Linear and logistic regression as people write them: a function, a class, or a script that leaves w and b behind.

Plain descent is compared step for step; code that draws random rows or starts from random weights is compared where it
ends.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from barehand.core.spec import DOUBLE, Case, Inputs, Outputs, Spec
from barehand.judge.adapt.adapter import plain
from barehand.judge.adapt.names import by_name
from barehand.judge.adapt.paths import PathAdapter, Step, driven, value
from barehand.judge.adapt.search import Fit, Tried, best_of, is_module, literals, names_of
from barehand.judge.child import Session
from barehand.judge.grading import Overwritten
from barehand.judge.pieces import Piece

_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "learning_rate": ("learning_rate", "lr", "alpha", "eta", "eta0", "step_size", "rate"),
    "max_iter": ("max_iter", "n_iter", "n_iters", "n_iterations", "num_iterations", "iterations", "epochs", "num_iters",
                 "n_epochs", "num_epochs", "steps", "iters", "max_iters", "num_steps", "iteration"),
    "fit_intercept": ("fit_intercept", "intercept"),
    "sample_weight": ("sample_weight", "sample_weights"),
    "C": ("C",),
    "penalty": ("l2", "lambda_", "lam", "reg", "reg_lambda", "l2_penalty", "lambd", "regularization", "weight_decay"),
    "batch_size": ("batch_size", "batch"),
    "tol": ("tol", "tolerance"),
    "alpha": ("alpha",),  # a penalty, where the learning rate has a name of its own
    "quiet": ("verbose", "print_cost", "debug", "plot"),
}  # fmt: skip
_DATA: Mapping[str, tuple[str, ...]] = {
    "X": ("X", "x", "features", "data", "X_train", "x_train", "inputs", "A"),
    "y": ("y", "Y", "target", "targets", "labels", "y_train", "t"),
    "w0": ("w", "w_in", "w_init", "weights", "theta", "initial_theta", "w0", "beta", "coef", "theta_init", "params"),
    "b0": ("b", "b_in", "b_init", "bias", "b0", "intercept0"),
    "width": ("n_features", "in_features", "input_dim", "dim", "num_features", "d", "n_inputs", "input_size"),
}
_WEIGHTS = ("w", "W", "weights", "weight", "coef_", "coef", "theta", "w_", "beta", "coefficients", "linear.weight",
            "theta_", "params", "_w", "slope", "m", "fc.weight", "layer.weight", "weights_")  # fmt: skip
_INTERCEPT = ("b", "bias", "intercept_", "intercept", "b_", "w0", "linear.bias", "beta0", "_b", "c", "fc.bias",
              "layer.bias", "bias_")  # fmt: skip
_FITS = ("fit", "train", "train_model", "optimize")
# Signs of a path that is not plain descent's: chance, a starting point of its own, or a rate that changes.
_CHANCE = re.compile(
    r"random\.(?!seed|RandomState)\w+\(|\brand(n|int|om|perm)?\(|shuffle|permut|\bsamples?\(|choice\(|normal\(|uniform\("
    r"|Linear\(|Adam|momentum|decay|scheduler|\btol\b",
    re.IGNORECASE,
)
_PACE = {"learning_rate": 0.1, "max_iter": 1000}  # enough to come near the end from anywhere
_CLOSED = re.compile(r"\b(lstsq|pinv|inv|solve)\(")


def search_regression(piece: Piece, spec: Spec, session: Session) -> Fit | None:
    """The best way to fit the piece's model: along the path of plain descent, or else where it ends."""
    best: Fit | None = None
    ways = [(_of_paths(spec), "")]
    if _CHANCE.search(piece.source):
        ways.append((_of_ends(spec), "judged by where it ends"))
    if _CLOSED.search(piece.own):
        ways = [(_of_ends(spec), "solved at once")]
    for judged, says in ways:
        adapters: Iterator[PathAdapter] = _adapters(piece, judged)
        if _CLOSED.search(piece.own):  # it has no pace
            adapters = (replace(a, pins={**_PACE, **a.pins}) for a in adapters)
        told = (replace(a, form_says=", ".join(filter(None, [says, a.form_says]))) for a in adapters)
        best = best_of(told, Tried(judged, session), best)
        if best is not None and best.score >= 0.55:  # right, or a convention, or a known mistake
            break
    return best


# What is compared


def _model(candidate: Any, inputs: Inputs) -> Any:
    names = set(inspect.signature(candidate.__init__).parameters)
    options = {k: v for k, v in inputs.items() if k in names}
    model = candidate(**options)
    return model.fit(inputs["X"], inputs["y"], **{k: inputs[k] for k in ("sample_weight",) if k in inputs}) or model


def _learned(model: Any, inputs: Inputs) -> Outputs:
    """Weights and intercept, flat, and what is predicted for new rows."""
    predicted = model.predict(inputs["X_new"])
    if "C" in inspect.signature(type(model).__init__).parameters:
        predicted = np.asarray(predicted == model.classes_[-1])
    return np.asarray(model.coef_), np.asarray(model.intercept_), predicted


def _flat(outputs: Outputs) -> Outputs:
    w, b, predicted = outputs
    w = w if w.ndim == 1 or w.shape[0] > 1 else w[0]
    return w, np.asarray(b).reshape(-1)[0] if np.size(b) == 1 else np.asarray(b), predicted


def _drive(candidate: Any, inputs: Inputs) -> Outputs:
    return _flat(_learned(_model(candidate, inputs), inputs))


def _of_paths(spec: Spec) -> Spec:
    original, textbook = spec, spec.reference

    def scale(inputs: Inputs, outputs: Outputs) -> Outputs:
        assert original.drive is not None
        whole = original.drive(original, textbook, {k: v for k, v in inputs.items() if k != "predicts"})
        scales = original.scale(inputs, whole)
        w, b = (np.broadcast_to(np.asarray(s), np.shape(o)) for s, o in zip(scales, whole[:2], strict=False))
        last = scales[2] if outputs[2].dtype.kind == "f" else 1.0
        return (*_flat((w, b, None))[:2], last)

    return driven(spec, _drive, scale=scale, cases=tuple(c for c in spec.cases if not _odd(c)))


def _odd(case: Case) -> bool:
    """Labels that a version by hand does not take, and several outputs."""
    inputs = case.make(np.random.default_rng(0))
    y = np.asarray(inputs["y"])
    return (
        y.ndim > 1
        or y.dtype.kind in "UOb"
        or (y.dtype.kind == "i" and y.max() > 1 and "C" not in inputs and "rows" in case.name)
    )


def _of_ends(spec: Spec) -> Spec:
    """Data that a model fits exactly or to a known optimum, and steps enough to come near it from anywhere."""
    logistic = "C" in inspect.signature(spec.reference).parameters

    def make(rng: np.random.Generator) -> Inputs:
        X = rng.standard_normal((64, 3))
        z = X @ np.array([1.5, -1.0, 0.5]) + 0.75
        y = (rng.random(64) < 1 / (1 + np.exp(-z))).astype(np.int64) if logistic else z
        C: Inputs = {"C": np.inf} if logistic else {}
        return {"X": X, "y": y, "X_new": 3 * rng.standard_normal((5, 3)), **_PACE, **C}

    names = ("where it ends", "where it ends, other data", "where it ends, again")
    cases = tuple(Case(n, "a gradient that leads elsewhere", make, gradient=False, dtypes=(DOUBLE,)) for n in names)
    near = (0.25 if logistic else 0.02) / np.finfo(float).eps

    def scale(inputs: Inputs, outputs: Outputs) -> Outputs:
        w, _, predicted = outputs
        return np.max(np.abs(w)), 1.0, np.max(np.abs(predicted)) if predicted.dtype.kind == "f" else 1.0

    return driven(spec, _drive, cases=cases, scale=scale, tolerance=near, bad_inputs=())


# How it is called


def _adapters(piece: Piece, spec: Spec) -> Iterator[PathAdapter]:
    libraries = ("torch", "numpy") if piece.library == "torch" else ("numpy", "torch")
    for arrays in libraries:
        if piece.kind == "class":
            yield from _classes(piece, spec, arrays)
        elif piece.kind == "function":
            yield from _functions(piece, spec, arrays)
        elif arrays == "numpy":
            yield from _scripts(piece, spec)


def _pins(spec: Spec, taken: set[str]) -> dict[str, Any]:
    """What the code settles: most have no penalty."""
    logistic = "C" in inspect.signature(spec.reference).parameters
    return {"C": np.inf} if logistic and "C" not in taken else {}


_LABELS = {"": lambda y: y, "labels are -1 and 1": lambda y: 2 * y - 1}
_ONES = ("", "first", "last")  # where the intercept stands among the weights, if it is one of them


def _parts(inputs: Inputs, ones: str, arrays: str, column: bool, labels: str = "") -> dict[str, Any]:
    X, y = inputs["X"], inputs["y"]
    if labels and y.dtype.kind in "iuf":
        y = _LABELS[labels](y)
    if ones:
        parts = [np.ones((len(X), 1), X.dtype), X]
        X = np.concatenate(parts if ones == "first" else parts[::-1], 1)
    kind = X.dtype if X.dtype.kind == "f" else np.dtype(np.float64)
    label = y.astype(kind) if arrays == "torch" and y.dtype.kind in "iu" else y
    d = X.shape[1]
    return {
        "X": value(np.ascontiguousarray(X), arrays),
        "y": value(label.reshape(-1, 1) if column else label, arrays),
        "w0": value(np.zeros((d, 1) if column else d, kind), arrays),
        "b0": 0.0,
        "width": d,
        "penalty": 0.0,
        "batch_size": len(X),
        "tol": 0.0,
        "quiet": False,
        **{k: inputs[k] for k in ("learning_rate", "max_iter", "fit_intercept") if k in inputs},
        "alpha": inputs.get("alpha", 0.0),
        **({"C": inputs["C"]} if "C" in inputs else {}),
        **({"sample_weight": value(inputs["sample_weight"], arrays)} if "sample_weight" in inputs else {}),
    }


def _kwargs(parameters: Mapping[str, str], parts: Mapping[str, Any]) -> dict[str, Any]:
    return {p: parts[r] for p, r in parameters.items() if r in parts}


def _numbers(told: Any) -> Any:
    return np.asarray(plain(told), np.float64) if not isinstance(plain(told), np.ndarray) else plain(told)


def _read(w: Any, b: Any, ones: str, inputs: Inputs, predicted: Any = None, *, rows: bool = False) -> Outputs:
    """Weights, intercept and predictions, whatever their shapes; `rows` where each class has a row for certain."""
    w = np.asarray(_numbers(w))
    if w.size == inputs["X"].shape[1] + bool(ones):
        w = w.reshape(-1)
    if w.ndim == 2 and w.shape[1] == 2 and w.shape[0] == inputs["X"].shape[1]:  # a column a class: their difference
        w = w[:, 1] - w[:, 0]
        b = None if b is None else np.diff(np.asarray(_numbers(b)).reshape(-1))[0]
    kind = inputs["X"].dtype if inputs["X"].dtype.kind == "f" else np.float64
    columns = inputs["X"].shape[1]
    if w.ndim == 2 and w.shape[0] == columns and w.shape[1] > 2 and not (rows and w.shape[1] == columns):
        w = w.T  # a column a class, as a row
    elif w.ndim != 2 or w.shape[1] != columns or w.shape[0] == 1:
        w = w.reshape(-1)
    w = w.astype(kind if w.dtype.kind not in "f" else w.dtype)
    if ones:
        b, w = (w[0], w[1:]) if ones == "first" else (w[-1], w[:-1])
    elif b is None:
        b = w.dtype.type(0)
    if isinstance(b, (list, tuple)):
        b = b[0]
    b = np.asarray(_numbers(b)).reshape(-1)
    b = b[0] if b.size == 1 else b
    logistic = "C" in inputs
    if predicted is None:
        guess = (
            inputs["X_new"].astype(kind) @ w.astype(kind) + np.asarray(b, kind)
            if w.size == inputs["X_new"].shape[1]
            else w
        )
        return w, np.asarray(b, kind), (guess > 0) if logistic else guess
    shown = np.asarray(_numbers(predicted)).reshape(-1)
    if logistic and np.isin(shown, inputs["y"]).all():
        shown = np.asarray(shown == np.max(inputs["y"]))
    elif logistic:  # other labels, or probabilities
        shown = np.asarray(shown > (0.0 if np.any(shown < 0) else 0.5))
    return w, np.asarray(b, kind), shown


def _functions(piece: Piece, spec: Spec, arrays: str) -> Iterator[PathAdapter]:
    required, optional = names_of(piece.parameters)
    found = by_name([*required, *optional], {**_DATA, **_OPTIONS})
    unknown = [p for p in required if p not in found]
    missing = [r for r in ("X", "y", "learning_rate", "max_iter") if r not in found.values()]
    if len(unknown) > len(missing) or not {"X", "y"} <= {*found.values(), *missing}:
        return
    found |= dict(zip(unknown, missing, strict=False))
    taken = set(found.values())
    at = f"{piece.name}({', '.join(found)})"
    logistic = "C" in inspect.signature(spec.reference).parameters
    own = "b0" in taken or _OWN_INTERCEPT.search(piece.own) is not None
    for labels, ones, column in product(_LABELS if logistic else ("",), _ONES[:1] if own else _ONES, (False, True)):

        def program(inputs: Inputs, ones: str = ones, column: bool = column, labels: str = labels) -> list[Step]:
            kwargs = _kwargs(found, _parts(inputs, ones, arrays, column, labels))
            call: Step = {"do": "call", "to": "r", "function": {"name": piece.name}, "kwargs": kwargs}
            start = next((p for p, r in found.items() if r == "w0"), None)
            if start is None:
                return [{"do": "seed", "value": 0}, call, {"do": "return", "values": [{"var": "r"}]}]
            begun: Step = {"do": "put", "to": "begun", "value": kwargs[start]}
            call["kwargs"] = {**kwargs, start: {"var": "begun"}}
            return [
                {"do": "seed", "value": 0},
                begun,
                call,
                {"do": "return", "values": [{"var": "r"}, {"var": "begun"}]},
            ]

        def outcome(told: list[Any], inputs: Inputs, ones: str = ones) -> Outputs:
            result = told[0]
            if len(told) > 1 and np.any(np.asarray(plain(told[1])) != 0) and result is not None:
                raise Overwritten("overwrites the weights that it is given")
            if isinstance(result, dict):
                weights = next((result[k] for k in _WEIGHTS if k in result), None)
                return _read(weights, next((result[k] for k in _INTERCEPT if k in result), None), ones, inputs)
            if isinstance(result, (tuple, list)) and not np.isscalar(result[0]):
                inside = _inside(result[0], ones, inputs)
                return _read(result[0], result[1] if len(result) > 1 and not inside else None, inside, inputs)
            return _read(result, None, _inside(result, ones, inputs), inputs)

        words = [f"a column of ones {ones} in X" if ones else "", "y as a column" if column else "", labels]
        says = ", ".join(filter(None, [*words, _unpenalised(taken)]))
        yield PathAdapter(spec, piece.name, at, program, outcome, frozenset(taken), _pins(spec, taken), says, arrays)


_OWN_INTERCEPT = re.compile(r"return\s*\(?\s*\w+\s*,\s*(b|b0|w0|c|bias|intercept\w*|beta_?0|theta_?0)\b")


def _inside(weights: Any, ones: str, inputs: Inputs) -> str:
    """Where the intercept stands among the weights: as they were given, or first, of a column that the code adds."""
    more = np.size(plain(weights)) == inputs["X"].shape[1] + 1
    return (ones or "first") if more else ""


def _classes(piece: Piece, spec: Spec, arrays: str) -> Iterator[PathAdapter]:
    methods = {m.name: m for m in piece.methods}
    method = next((m for m in _FITS if m in methods), None)
    if method is None:
        return
    required, optional = names_of(piece.parameters)
    new = by_name([*required, *optional], {**_OPTIONS, "width": _DATA["width"]})
    for p in [p for p in required if p not in new]:
        if "width" in new.values():
            return
        new[p] = "width"
    needed, other = names_of(methods[method].parameters)
    call = by_name([*needed, *other], {**{k: _DATA[k] for k in ("X", "y")}, **_OPTIONS})
    unknown = [p for p in needed if p not in call]
    missing = [r for r in ("X", "y") if r not in call.values()]
    if len(unknown) > len(missing):
        return
    call |= dict(zip(unknown, missing, strict=False))
    taken = {*new.values(), *call.values()}
    at = f"{piece.name}({', '.join(new)}).{method}({', '.join(call)})"
    ask = next((m for m in ("predict", "__call__", "forward") if m in methods), None)
    names = [n for n in _WEIGHTS if _mentions(piece, n)], [n for n in _INTERCEPT if _mentions(piece, n)]
    logistic = "C" in inspect.signature(spec.reference).parameters
    for labels, (weights, intercept), column, ones, slower in product(
        _LABELS if logistic else ("",),
        product(names[0] or ["w"], names[1] or [""]),
        (False, True) if _asks_for_columns(piece) else (False,),
        _ONES[1:] if not names[1] else ("",),
        (1.0, 0.5) if logistic and "classes" in piece.own else (1.0,),
    ):

        def program(
            inputs: Inputs, weights: str = weights, intercept: str = intercept, column: bool = column,
            labels: str = labels, slower: float = slower,
        ) -> list[Step]:  # fmt: skip
            # With a column a class the difference of two columns moves twice as fast.
            paced = {**inputs, "learning_rate": slower * inputs["learning_rate"]}
            parts = _parts(paced, "", arrays, column, labels)
            kind = inputs["X"].dtype if inputs["X"].dtype.kind == "f" else np.dtype(np.float64)
            steps: list[Step] = [
                {"do": "seed", "value": 0},
                {"do": "call", "to": "m", "function": {"name": piece.name}, "kwargs": _kwargs(new, parts)},
                *([{"do": "dtype", "var": "m", "dtype": str(kind)}] if is_module(piece) else []),
                {"do": "call", "to": "_", "function": {"var": "m", "attr": method}, "kwargs": _kwargs(call, parts)},
                {"do": "get", "to": "w", "from": {"var": "m"}, "path": weights},
            ]
            told = [{"var": "w"}]
            if intercept:
                steps.append({"do": "get", "to": "b", "from": {"var": "m"}, "path": intercept})
                told.append({"var": "b"})
            if ask is not None:
                target = {"var": "m"} if ask != "predict" else {"var": "m", "attr": ask}
                rows = value(inputs["X_new"].astype(kind) if arrays == "torch" else inputs["X_new"], arrays)
                steps.append({"do": "call", "to": "p", "function": target, "args": [rows]})
                told.append({"var": "p"})
            return [*steps, {"do": "return", "values": told}]

        def outcome(
            told: list[Any], inputs: Inputs, weights: str = weights, intercept: str = intercept, ones: str = ones
        ) -> Outputs:
            predicted = told[-1] if ask is not None else None
            inside = "" if intercept else _inside(told[0], ones, inputs)
            bias = told[1] if intercept else None
            return _read(told[0], bias, inside, inputs, predicted, rows=weights.startswith("coef"))

        says = ", ".join(filter(None, ["y as a column" if column else "", labels, _unpenalised(taken)]))
        yield PathAdapter(spec, piece.name, at, program, outcome, frozenset(taken), _pins(spec, taken), says, arrays)


def _unpenalised(taken: set[str]) -> str:
    return "its penalty at 0, and so not examined" if "penalty" in taken else ""


def _mentions(piece: Piece, path: str) -> bool:
    return re.search(rf"self\.{re.escape(path.split('.')[0])}\b", piece.own) is not None


def _asks_for_columns(piece: Piece) -> bool:
    """Whether the code says that y is a column; else every row would meet every label in silence."""
    return re.search(r"column|\(n, ?1\)|\(m, ?1\)|-1, ?1\)|keepdims|unsqueeze", piece.own) is not None


def _scripts(piece: Piece, spec: Spec) -> Iterator[PathAdapter]:
    """A script computes with data set before it; how fast and how long stands in its own numbers."""
    left = _first(piece.assigns, _WEIGHTS), _first(piece.assigns, _INTERCEPT)
    names = by_name([*piece.reads], _DATA)
    if left[0] is None or not {"X", "y"} <= set(names.values()):
        return
    numbers = literals(piece.own)
    rates = _numbers_for(piece, "learning_rate") or [n for n in numbers if n < 2] or [0.01]
    whole = [n for n in numbers if n >= 2 and float(n).is_integer()]
    counts = [int(n) for n in _numbers_for(piece, "max_iter") or whole or [1]]
    widths = [None, *(int(n) for n in numbers if n in (1, 2, 3))]
    told = f"a script that reads {', '.join(piece.reads)} and leaves {', '.join(n for n in left if n)}"
    taken = set(by_name(piece.reads, _OPTIONS).values())
    given = {**names, **by_name([r for r in piece.reads if r not in names], _OPTIONS)}
    logistic = "C" in inspect.signature(spec.reference).parameters
    choices = product(rates, sorted(counts, reverse=True), widths, _ONES, (False, True), _LABELS if logistic else ("",))
    for rate, count, width, ones, column, labels in choices:

        def program(inputs: Inputs, ones: str = ones, column: bool = column, labels: str = labels) -> list[Step]:
            parts = _parts(inputs, ones, "numpy", column, labels)
            wanted: list[Step] = [
                {"do": "get", "to": f"o{i}", "from": {"name": n}, "path": ""} for i, n in enumerate(left) if n
            ]
            return [
                {"do": "seed", "value": 0},
                {"do": "exec", "source": piece.source, "with": _kwargs(given, parts)},
                *wanted,
                {"do": "return", "values": [{"var": w["to"]} for w in wanted]},
            ]

        def outcome(found: list[Any], inputs: Inputs, ones: str = ones) -> Outputs:
            return _read(found[0], found[1] if len(found) > 1 and not ones else None, ones, inputs)

        pins = {**_pins(spec, taken), "learning_rate": rate, "max_iter": count}
        says = ", ".join(filter(None, [f"a column of ones {ones} in X" if ones else "", labels]))
        yield PathAdapter(
            spec, piece.name, told, program, outcome, frozenset(taken), pins, says, restate=_tame(width),
        )  # fmt: skip


def _numbers_for(piece: Piece, role: str) -> list[float]:
    """The numbers that the script gives to what bears the role's name, or for the count of steps to `range`."""
    found = []
    for name, number in re.findall(r"^\s*(\w+)\s*=\s*([0-9.eE_-]+)\s*(?:#.*)?$", piece.own, re.MULTILINE):
        if by_name([name], {role: _OPTIONS[role]}):
            found.append(float(number))
    if role == "max_iter" and not found:
        found = [float(n) for n in re.findall(r"\brange\((\d+)\)", piece.own)]
    return found


def _tame(width: int | None) -> Any:
    """Inputs of ordinary size alone, since the script sets its own pace; with as many columns as it knows of."""

    def restate(inputs: Inputs) -> Inputs | None:
        X = inputs["X"]
        if X.dtype.kind != "f" or np.abs(X).max(initial=0.0) > 8 or "sample_weight" in inputs or len(X) < 12:
            return None
        if width is None:
            return inputs
        if X.shape[1] < width:
            return None
        return {**inputs, "X": X[:, :width].copy(), "X_new": inputs["X_new"][:, :width].copy()}

    return restate


def _first(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((w for w in wanted if w in names), None)
