"""What Adam must do, along which trajectories, and how right it must be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from barehand.blocks.adam import mutants, textbook
from barehand.core.spec import FULL, BadInput, Case, Convention, Inputs, Law, Outputs, Spec, Workload

Make = Callable[[np.random.Generator], Inputs]

# Inputs: p0, p1, ... are the parameters; g0, g1, ... their gradients, one a step along the first axis. `absent` lists
# (step, parameter) pairs without a gradient, `marks` the steps after which the parameters are looked at. All else is an
# option of the optimizer.


def _split(inputs: Inputs) -> tuple[list[Any], list[Any], Inputs]:
    """Copies of the parameters, their gradients, and the optimizer's options."""
    n = sum(k[0] == "p" and k[1:].isdecimal() for k in inputs)
    names = {f"{kind}{i}" for kind in "pg" for i in range(n)} | {"absent", "marks"}
    options = {k: v for k, v in inputs.items() if k not in names}
    return [inputs[f"p{i}"].copy() for i in range(n)], [inputs[f"g{i}"] for i in range(n)], options


def _grads(inputs: Inputs, gs: Sequence[Any], t: int) -> list[Any]:
    absent = inputs.get("absent", ())
    return [None if (t, i) in absent else np.asarray(g[t]) for i, g in enumerate(gs)]


def _drive(spec: Spec, optimizer: Callable[..., Any], inputs: Inputs) -> Outputs:
    """Each parameter at the marked steps, one after another along the first axis."""
    params, gs, options = _split(inputs)
    steps = len(gs[0])
    marks = inputs.get("marks", tuple(range(steps)))
    o = optimizer(params, **options)
    seen: list[list[Any]] = [[] for _ in params]
    for t in range(steps):
        o.step(_grads(inputs, gs, t))
        if t in marks:
            for p, path in zip(params, seen, strict=True):
                path.append(p.copy())
    return tuple(np.stack(path) for path in seen)


def _session(optimizer: Callable[..., Any], inputs: Inputs) -> Callable[[], Any]:
    """One step of many."""
    params, gs, options = _split(inputs)
    o = optimizer(params, **options)
    return lambda: o.step(_grads(inputs, gs, 0))


@np.errstate(all="ignore")
def _scale(inputs: Inputs, outputs: Outputs) -> Outputs:
    """All that was added up: each step's length, and every number stored on the way, in the root of squares.

    A parameter is rounded once a step. These errors are independent, so they grow as the root of the sum of squares.
    """
    params, gs, options = _split(inputs)
    steps = len(gs[0])
    marks = inputs.get("marks", tuple(range(steps)))
    o = textbook.Adam(params, **options)
    squares, lengths = [p**2 for p in params], [np.zeros_like(p) for p in params]
    seen: list[list[Any]] = [[] for _ in params]
    for t in range(steps):
        before = [p.copy() for p in params]
        o.step(_grads(inputs, gs, t))
        for i, (p, old) in enumerate(zip(params, before, strict=True)):
            squares[i] += p**2
            lengths[i] += np.abs(p - old)
            if t in marks:
                seen[i].append(np.sqrt(squares[i]) + lengths[i])
    return tuple(np.stack(path) for path in seen)


def _path(steps: int, *shapes: tuple[int, ...], size: float = 1.0, bias: float = 0.3, **options: Any) -> Make:
    """Parameters of these shapes, under gradients with a trend."""

    def make(rng: np.random.Generator) -> Inputs:
        params = {f"p{i}": np.asarray(rng.standard_normal(s)) for i, s in enumerate(shapes)}
        grads = {
            f"g{i}": size * (rng.standard_normal((steps, *s)) + bias * rng.standard_normal(s))
            for i, s in enumerate(shapes)
        }
        return {**params, **grads, "lr": 0.01, **options}

    return make


def _shrinking(rng: np.random.Generator) -> Inputs:
    """Gradients that die away: the largest second moment and the last one part."""
    made = _path(20, (6,))(rng)
    return {**made, "g0": made["g0"] * (0.5 ** np.arange(20))[:, None], "amsgrad": True}


def _swinging(**options: Any) -> Make:
    """Gradients now large, now tiny: what stays of an old mean is small beside what goes."""

    def make(rng: np.random.Generator) -> Inputs:
        made = _path(8, (6,), **options)(rng)
        sizes = np.array([7.0, 1e-4, 3e-2, 5.0, 1e-3, 1e-4, 2.0, 1e-3])
        return {"p0": np.zeros(6), "g0": made["g0"] * sizes[:, None], **options, "lr": 0.01}

    return make


def _fixed(p: Any, g: Any, **options: Any) -> Make:
    return lambda rng: {"p0": np.array(p), "g0": np.array(g), **options}


LAST: Inputs = {"marks": (0, 9, 99, 199, 999)}
DECAY: Inputs = {**LAST, "weight_decay": 0.05, "decoupled": True}

CASES = (
    Case("ten steps", "no bias correction, 1 - beta for 1 - beta^t", _path(10, (7,))),
    Case("one step", "a first step that is not lr long", _path(1, (5,))),
    Case("a matrix and a vector", "state shared, a step counted once a parameter", _path(6, (3, 4), (4,))),
    Case("two of one shape", "state shared between parameters", _path(6, (5,), (5,))),
    Case("betas of 0.5 and 0.9", "betas ignored", _path(10, (6,), betas=(0.5, 0.9))),
    Case("betas of 0", "0 to the power of t", _path(4, (6,), betas=(0.0, 0.0))),
    Case(
        "gradients of very different sizes, betas of 0",
        "old + (new - old) for new",
        _swinging(betas=(0.0, 0.0)),
        dtypes=FULL,
    ),
    Case(
        "gradients of very different sizes, betas near 0",
        "beta lost in 1 - beta",
        _swinging(betas=(1e-3, 1e-6)),
        dtypes=FULL,
    ),
    Case(
        "gradients of very different sizes, small betas",
        "old + (new - old) for new",
        _swinging(betas=(0.3, 0.2)),
        dtypes=FULL,
    ),
    Case("another learning rate", "lr ignored", _path(5, (6,), lr=0.3)),
    Case("gradients of 1e-8", "epsilon inside the root", _path(6, (6,), size=1e-8), dtypes=FULL),
    Case("a large epsilon", "epsilon added before the correction", _path(6, (6,), eps=0.5)),
    Case("weight decay", "decoupled decay for L2", _path(8, (6,), weight_decay=0.4)),
    Case("decoupled decay", "L2 for decoupled decay", _path(8, (6,), weight_decay=2.0, decoupled=True)),
    Case("amsgrad", "the largest second moment forgotten", _shrinking),
    Case("maximize", "a sign", _path(5, (6,), maximize=True)),
    Case("maximize with decay", "decay that pushes outward", _path(5, (6,), maximize=True, weight_decay=0.5)),
    Case(
        "a gradient of None",
        "zeros in its place; a step counted for a parameter that took none",
        _path(6, (4,), (3,), absent=((1, 0), (2, 0), (0, 1))),
    ),
    Case("a number", "an array without axes", _path(4, ())),
    Case("no numbers", "an empty array", _path(3, (0,), (2,))),
    Case("zero gradients", "0 / 0", _fixed([1.0, -2.0], np.zeros((5, 2))), "stability"),
    Case("zero gradients, epsilon 0", "0 / 0", _fixed([1.0, -2.0], np.zeros((5, 2)), eps=0.0), "stability"),
    Case("gradients of 1e15", "squares that overflow", _path(6, (6,), size=1e15), "stability", dtypes=FULL),
    Case("nan in one gradient", "nan hidden, or spread", _fixed([1.0, 2.0], [[np.nan, 1.0], [1, 1]]), "stability"),
    Case("a thousand steps", "errors that pile up", _path(1000, (12,), **LAST), dtypes=FULL),
    Case(
        "two hundred steps of decay",
        "a rounded factor applied again and again",
        _path(200, (12,), **DECAY),
        dtypes=FULL,
    ),
    Case("two hundred steps of amsgrad", "errors that pile up", _path(200, (12,), amsgrad=True, **LAST), dtypes=FULL),
)


class _EpsilonHat(textbook.Adam):
    """The order that the paper proposes at the end of its section 2."""

    def step(self, grads: Sequence[Any]) -> None:
        eps = self.eps
        for i, g in enumerate(grads):
            if g is not None:
                self.eps = eps / (1 - self.betas[1] ** (self.t[i] + 1)) ** 0.5
                super().step([g if k == i else None for k in range(len(grads))])
        self.eps = eps


class _UnscaledDecay(textbook.Adam):
    """Decoupled decay as in the paper's algorithm with its schedule left at 1: not multiplied by lr."""

    def step(self, grads: Sequence[Any]) -> None:
        decay = self.weight_decay
        if self.decoupled and self.lr:
            self.weight_decay = decay / self.lr
        super().step(grads)
        self.weight_decay = decay


CONVENTIONS = (
    Convention(
        "epsilon beside the uncorrected root",
        {
            "en": "eps is added to sqrt(v) before the correction, as at the end of the paper's section 2.",
            "zh": "eps 加在未修正的 sqrt(v) 上，即论文第 2 节末尾的写法。",
        },
        _EpsilonHat,
    ),
    Convention(
        "decoupled decay without lr",
        {
            "en": "Decoupled decay takes off weight_decay p, not lr weight_decay p, as in the AdamW paper.",
            "zh": "解耦衰减减去 weight_decay * p，不乘 lr，即 AdamW 论文的写法。",
        },
        _UnscaledDecay,
    ),
)


def _bad(says: str, error: type[Exception] = ValueError, **changes: Any) -> tuple[Any, type[Exception], str]:
    base: Inputs = {"p0": np.zeros(3), "g0": np.zeros((1, 3))}
    return (lambda: {**base, **changes}), error, says


BAD_INPUTS = (
    BadInput("a gradient of another shape", *_bad(r"grads\[0\] has shape \(4,\)", g0=np.zeros((1, 4)))),
    BadInput("a complex gradient", *_bad("dtype complex128", TypeError, g0=np.zeros((1, 3), complex))),
    BadInput("whole numbers for parameters", *_bad("dtype int64", TypeError, p0=np.zeros(3, int))),
    BadInput("a negative lr", *_bad("lr is -0.1; use a finite number at least 0", lr=-0.1)),
    BadInput("nan for lr", *_bad("lr is nan", lr=np.nan)),
    BadInput("a negative eps", *_bad("eps is -1", eps=-1)),
    BadInput("a beta of 1", *_bad("never learns", betas=(0.9, 1.0))),
    BadInput("a beta above 1", *_bad(r"betas\[1\] is 1.5", betas=(0.9, 1.5))),
    BadInput("one beta", *_bad("betas is 0.9; give two numbers", betas=0.9)),
    BadInput("a negative decay", *_bad("weight_decay is -0.1", weight_decay=-0.1)),
    BadInput("a word for eps", *_bad("eps must be a number, not 'small'", TypeError, eps="small")),
)


def _moderate(rng: np.random.Generator) -> Inputs:
    return _path(12, (5,), eps=0.0)(rng)


def _rescaled(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    """Eight times the gradients: exactly the same steps."""
    left = call({**inputs, "g0": inputs["g0"] * inputs["g0"].dtype.type(8)})[0]
    right = call(inputs)[0]
    return left, right, np.abs(right) + 1


def _turned(call: Any, inputs: Inputs) -> tuple[Any, Any, Any]:
    up = call({**inputs, "g0": -inputs["g0"], "maximize": True})[0]
    down = call(inputs)[0]
    return up, down, np.abs(down) + 1


def _work(*shapes: tuple[int, ...]) -> Make:
    def make(rng: np.random.Generator) -> Inputs:
        params = {f"p{i}": rng.standard_normal(s, np.float32) for i, s in enumerate(shapes)}
        return params | {f"g{i}": rng.standard_normal((1, *s), np.float32) for i, s in enumerate(shapes)}

    return make


SPECS = (
    Spec(
        name="Adam",
        block="adam",
        titles={"en": "Adam", "zh": "Adam 优化器"},
        summary={
            "en": "gradient steps scaled, number by number, to the size of recent gradients",
            "zh": "按近期梯度的大小逐个缩放的梯度下降",
        },
        formula="p -= lr m̂ / (sqrt(v̂) + eps),  m̂ = m / (1 - beta1^t),  v̂ = v / (1 - beta2^t)",
        signature=(),
        differentiable=(),
        reference=textbook.Adam,
        vjp=None,
        scale=_scale,
        gradient_scale=None,
        cases=CASES,
        bad_inputs=BAD_INPUTS,
        mutants=mutants.MUTANTS,
        conventions=CONVENTIONS,
        accuracy=4.0,
        gradient_accuracy=0.0,
        laws=(
            Law(
                "the size of the gradients does not matter",
                {
                    "en": "with eps = 0, gradients eight times as large make the same steps",
                    "zh": "eps = 0 时，梯度放大 8 倍，轨迹不变",
                },
                _moderate,
                _rescaled,
            ),
            Law(
                "climbing is descending the negative",
                {
                    "en": "maximize with -g makes the steps of minimising with g",
                    "zh": "对 -g 求最大与对 g 求最小的轨迹相同",
                },
                _moderate,
                _turned,
            ),
        ),
        aliases={
            "Adam": ("Adam", "adam", "AdamOptimizer", "adam_optimizer", "adam_update", "adam_step", "AdamW"),
            "params": ("params", "parameters", "w", "weights", "theta"),
            "lr": ("lr", "learning_rate", "alpha", "eta", "step_size"),
            "betas": ("betas", "beta1", "beta2", "beta_1", "beta_2", "b1", "b2"),
            "eps": ("eps", "epsilon"),
            "weight_decay": ("weight_decay", "wd"),
        },
        workloads=(
            Workload("1e7", _work((10**7,))),
            Workload("64 layers of 256x256", _work(*[(256, 256)] * 64)),
        ),
        output_names=("parameter",),
        drive=_drive,
        session=_session,
    ),
)
