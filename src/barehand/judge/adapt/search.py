"""Which adapter fits: the likeliest that agrees with the textbook on a few ordinary inputs, or comes nearest."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

import numpy as np

from barehand.core.compare import error_in_eps
from barehand.core.spec import DOUBLE, SINGLE, Array, Case, Forged, Inputs, Spec, cast, wider
from barehand.judge.adapt.adapter import Adapter, defaults, wanted_dtype
from barehand.judge.adapt.by_hand import beside, in_the_result, leaves_result, of_object
from barehand.judge.adapt.forms import CONSTANTS, DERIVED, FORMS, NUMBERS, OPEN, PLAIN, WORDS, Form
from barehand.judge.adapt.names import bindings, by_name
from barehand.judge.child import Session, Stopped, TheirError
from barehand.judge.grading import Inexpressible, Overwritten, Raised
from barehand.judge.leniency import promises_all
from barehand.judge.pieces import Parameter, Piece

_LIBRARY: Mapping[str, Any] = {"numpy": "numpy", "torch": "torch", "list": "python"}
_MOST = 400  # adapters tried
_PROBES = 6
_AGAIN = 6
_STOPS = 2
_METHODS = ("forward", "__call__", "call", "apply", "loss", "transform", "update", "add", "compute")
_AFTER = ("compute", "result", "value", "score")  # what gives the result of a metric that was told first
_MODULES = ("Module", "_Loss", "_WeightedLoss", "LayerNorm", "_BatchNorm")
_RIGHT, _NEAR, _RUNS, _RAISES = 1.0, 0.6, 0.1, 0.0


@dataclass(frozen=True)
class Fit:
    """The adapter chosen, how well it agreed, and the types in which the code computes."""

    adapter: Adapter
    score: float
    dtypes: tuple[np.dtype[Any], ...] = ()
    trouble: str = ""  # what the code raised where nothing ran


def search(piece: Piece, spec: Spec, session: Session) -> Fit | None:
    """The best adapter for a function or a class with a forward pass."""
    usual = {"numpy": "numpy", "torch": "torch", "python": "numpy"}[piece.library]
    tried, best = Tried(spec, session), None
    for arrays in dict.fromkeys([usual, "numpy", "torch", "list"]):
        ways = islice(candidates(replace(piece, library=_LIBRARY[arrays]), spec, session), _MOST)
        best = best_of((replace(a, arrays=arrays) for a in ways), tried, best)
        if tried.stops >= _STOPS or (best is not None and best.score >= _NEAR):
            break
    return best if best is None else replace(best, adapter=_without_rows(best.adapter, spec, session))


def _without_rows(adapter: Adapter, spec: Spec, session: Session) -> Adapter:
    """A loss may know a mean and a sum, and no loss for each row."""
    if "reduction" not in {*adapter.call.values(), *(adapter.construct or {}).values()}:
        return adapter
    case = next((c for c in spec.cases if c.make(np.random.default_rng(0)).get("reduction") == "none"), None)
    inputs = adapter.restated(case.make(np.random.default_rng(0))) if case else None
    if inputs is None:
        return adapter
    try:
        found = np.ndim(spec.run(adapter.remote(session).function, inputs)[0])
    except (Inexpressible, Raised):
        found = 0
    return adapter if found else replace(adapter, never={"reduction": ("none",)})


def best_of(adapters: Iterable[Any], tried: Tried, best: Fit | None = None) -> Fit | None:
    """The first adapter that agrees with the textbook, or else the one that comes nearest.

    Where none comes near, those that ran are compared once more, with the known mistakes: the one that makes one of
    them is likelier to be meant than one that makes no sense.
    """
    ran: list[Any] = []
    for adapter in adapters:
        if tried.stops >= _STOPS:  # what hangs or dies will not be called in every way there is
            break
        found = tried.score(adapter)
        if found is None:
            continue
        if found.score > 0:
            ran.append(adapter)
        if best is None or found.score > best.score + 1e-9:
            best = found
            if best.score >= _RIGHT:
                return best
    if best is None or best.score < _NEAR:
        tried.mistakes = True
        for adapter in ran[: _AGAIN if tried.stops < _STOPS else 0]:
            found = tried.score(adapter)
            if found is not None and (best is None or found.score > best.score + 1e-9):
                best = found
        tried.mistakes = False
    return best


def literals(text: str) -> list[float]:
    """The numbers that stand in the code, by which it may settle an option."""
    try:
        nodes = ast.walk(ast.parse(text))
    except (SyntaxError, ValueError):
        return []
    constants: list[Any] = [n.value for n in nodes if isinstance(n, ast.Constant)]
    numbers = {v for v in constants if type(v) in (int, float)}
    return sorted(float(n) for n in numbers if 0 < n < 1e6)


def names_of(parameters: Sequence[Parameter]) -> tuple[list[str], list[str]]:
    """The parameters that must be given, and those that may be."""
    usual = [p for p in parameters if p.kind in ("positional", "keyword")]
    return [p.name for p in usual if p.default is None], [p.name for p in usual if p.default is not None]


def is_module(piece: Piece) -> bool:
    """Whether the class is torch's kind of module."""
    return piece.kind == "class" and any(b.split(".")[-1] in _MODULES for b in piece.bases)


def _roles(spec: Spec, form: Form) -> tuple[list[str], dict[str, Sequence[str]]]:
    """The roles that a call needs in this form, and all of them with their spellings."""
    usual = defaults(spec)
    needed = list(form.takes) if form.takes is not None else [r for r in spec.signature if r not in usual]
    roles: dict[str, Sequence[str]] = dict(form.takes or {})
    if form.takes is None:
        roles |= {r: spec.aliases.get(r, ()) for r in spec.signature}
    roles |= {r: spec.aliases.get(r, ()) for r in usual if r not in roles}
    roles |= {r: names for r, (_, names) in DERIVED.get(spec.name, {}).items()}
    roles |= {r: names for r, (_, names) in CONSTANTS.items()}
    roles |= form.extras
    return needed, roles


def _open(piece: Piece, spec: Spec, taken: set[str], form: Form) -> Iterator[dict[str, Any]]:
    """Values for the options that the call leaves open: the usual ones first."""
    numbers = literals(piece.own) + literals(piece.source)
    choices: dict[str, list[Any]] = {}
    for option, values in OPEN.get(spec.name, {}).items():
        if option not in taken and option not in form.pins:
            more = [n for n in dict.fromkeys(numbers) if n not in values] if option in NUMBERS else []
            documented = _documented(piece) if option == "box_format" else ()
            choices[option] = [*(documented or values), *(n for n in more if _likely(option, n))]
    ranked = product(*([(i, k, v) for i, v in enumerate(vs)] for k, vs in choices.items()))
    for combination in sorted(ranked, key=lambda c: sum(i for i, _, _ in c)):
        yield {k: v for _, k, v in combination}


_BOX_FORMATS = {
    "xyxy": r"x_?1\W+y_?1\W+x_?2\W+y_?2|x_?min\W+y_?min\W+x_?max\W+y_?max|left\W+top\W+right\W+bottom",
    "cxcywh": r"\b(c_?x|x_?c|cent(?:er|re)_?x|x_?cent(?:er|re))\W+\w+\W+w(?:idth)?\W+h(?:eight)?\b",
    "xywh": r"\bx_?1?\W+y_?1?\W+w(?:idth)?\W+h(?:eight)?\b",
}


def _documented(piece: Piece) -> tuple[str, ...]:
    """The format of boxes that the code's own words name, if it is one."""
    named = tuple(f for f, pattern in _BOX_FORMATS.items() if re.search(pattern, piece.docs, re.IGNORECASE))
    return named if len(named) == 1 else ()


def _likely(option: str, number: float) -> bool:
    return {"eps": number < 1e-2, "momentum": number < 1, "alpha": number <= 1}.get(option, True)


def candidates(piece: Piece, spec: Spec, session: Session) -> Iterator[Adapter]:
    """Ways to call the piece, the likeliest first."""
    forms = FORMS.get(spec.name, (Form(),))
    for form in forms[:1] if promises_all(piece.docs) else forms:
        if not form.suits(piece):
            continue
        needed, roles = _roles(spec, form)
        roles = {r: s for r, s in roles.items() if r not in WORDS or _speaks(piece, WORDS[r])}
        for adapter in _bound(piece, spec, form, needed, roles, session):
            for pins in _open(piece, spec, adapter.taken, form):
                yield replace(adapter, pins=pins)


def _speaks(piece: Piece, options: Sequence[str]) -> bool:
    """Whether our words for an option stand in the code; its own words for the same are settled by its default."""
    return any(f'"{w}"' in piece.source or f"'{w}'" in piece.source for w in options) or "import" in piece.own


def _bound(
    piece: Piece, spec: Spec, form: Form, needed: list[str], roles: Mapping[str, Sequence[str]], session: Session
) -> Iterator[Adapter]:
    if piece.kind == "function":
        for call in bindings(*names_of(piece.parameters), needed, roles):
            theirs = piece.library != "torch" or piece.gradient is not None
            by_hand = beside(piece, spec, call) or in_the_result(piece, spec) if theirs else None
            yield Adapter(spec, piece.name, form, call, by_hand=by_hand, guessed=_guessed(piece, call, needed, roles))
        return
    methods = {m.name: m for m in piece.methods}
    method = next((m for m in _METHODS if m in methods), None)
    if method is None and not is_module(piece):
        return
    after = next((n for n in _AFTER if n in methods), None) if method in ("update", "add") else None
    required, optional = names_of(piece.parameters)
    options = {r: s for r, s in roles.items() if r not in spec.signature and r not in (form.takes or {})}
    # Parameters and statistics may be given to it too; a flag such as `bias=True` is none of them.
    settled = {p.name for p in piece.parameters if p.default not in (None, "None")}
    arrays = {r: s for r, s in roles.items() if r in spec.signature and r not in needed}
    # The first thing a constructor wants is a size, where the block has one.
    new = {p: "size" for p in required[:1] if "size" in roles and by_name([p], {"size": roles["size"]})}
    new |= by_name(
        [p for p in (*required, *optional) if p not in new], {k: v for k, v in options.items() if k != "size"}
    )
    new |= by_name([p for p in (*required, *optional) if p not in new and p not in settled], arrays)
    for p in required:
        if p not in new and "size" in roles and "size" not in new.values():
            new[p] = "size"
    for p in optional:
        if p not in new and "size" in roles and "size" not in new.values() and by_name([p], {"size": roles["size"]}):
            new[p] = "size"
    if form.extras and any(p not in new for p in required):
        new |= by_name([p for p in required if p not in new], form.extras)
    if any(p not in new for p in required):
        return
    called = names_of(methods[method].parameters) if method is not None else ([*needed], [])
    for call in bindings(*called, needed, {r: s for r, s in roles.items() if r not in new.values()}):
        itself = method == "__call__" or (method == "forward" and is_module(piece))
        adapter = Adapter(
            spec,
            piece.name,
            form,
            call,
            construct=new,
            after=after,
            leaves=leaves_result(piece, method or ""),
            method=None if itself else method,
            module=is_module(piece),
            arrays=piece.library,
        )
        attributes = _attributes(adapter, roles, session)
        back = methods.get("backward") if piece.library != "torch" else None
        by_hand = of_object(piece, spec, back, attributes) if back else None
        yield replace(adapter, attributes=attributes, by_hand=by_hand)


def _guessed(piece: Piece, call: Mapping[str, str], needed: list[str], roles: Mapping[str, Sequence[str]]) -> bool:
    """Whether several arguments, or one for no part of the block, go by their place alone."""
    named = by_name([p.name for p in piece.parameters], roles)
    placed = [role for parameter, role in call.items() if parameter not in named]
    return len(placed) > 1 or any(role not in needed for role in placed)


def _attributes(adapter: Adapter, roles: Mapping[str, Sequence[str]], session: Session) -> dict[str, str]:
    """The arrays of an object that are the block's parameters, by their names."""
    spec = adapter.spec
    usual = defaults(spec)
    candidates = {r: roles[r] for r in (*(r for r in spec.signature if r in usual), *spec.writes) if r in roles}
    candidates |= adapter.form.held
    if not candidates:
        return {}
    made = (c.make(np.random.default_rng(0)) for c in spec.cases if c.grade == "correctness")
    bare = (adapter.restated({**inputs, **dict.fromkeys(candidates)}) for inputs in made)
    inputs = next((i for i in bare if i is not None), None)
    if inputs is None:
        return {}
    *before, _ = adapter.steps(inputs)
    wanted: list[dict[str, Any]] = [
        {"do": "params", "of": {"var": "m"}, "to": "p"},
        {"do": "return", "values": [{"var": "p"}]},
    ]
    try:
        found = session.run([*before, *wanted])[0]
    except (TheirError, Stopped):
        return {}
    more = {"weight": ("a", "a_2", "alpha"), "bias": ("b", "b_2")}
    free = {r: (*s, *more.get(r, ())) for r, s in candidates.items() if r not in adapter.call.values()}
    return by_name([str(p) for p in found], free)


class Tried:
    """Scores adapters on the spec's ordinary cases; references are computed once for each input."""

    def __init__(self, spec: Spec, session: Session) -> None:
        self.spec, self.session = spec, session
        self.plain: Callable[[Inputs], bool] = PLAIN.get(spec.name, lambda i: True)
        made = [(c, c.make(np.random.default_rng(1))) for c in spec.cases if c.grade == "correctness"]
        self.masks = any(i.get("mask") is not None for _, i in made)
        self.cases = sorted(made, key=lambda m: not self.plain(m[1]))  # the plain ones first
        self.known: dict[Any, list[Array]] = {}
        self.stops = 0  # how often the code had to be ended
        self.mistakes = False  # whether to compare with known mistakes too, once nothing right was found

    def score(self, adapter: Any) -> Fit | None:
        """How well the adapter agrees: 1 where it does on all."""
        shares: list[float] = []
        kinds: set[np.dtype[Any]] = {DOUBLE, SINGLE}
        trouble, masked = "", False
        plain = adapter.form.plain or self.plain if hasattr(adapter, "form") else self.plain
        for case, made in self.cases:
            inputs = adapter.restated(made)
            if inputs is None or len(shares) >= _PROBES or (shares and not plain(inputs)):
                continue
            adapter, share, kind, raised = self._probe(adapter, case, inputs, kinds)
            trouble, masked = trouble or raised, masked or inputs.get("mask") is not None
            shares.append(share)
            if kind == SINGLE:
                kinds = {SINGLE}
            if len(shares) == 1 and share < _NEAR:
                break
        if not shares:
            return None
        total = sum(shares) / len(shares) if min(shares) >= _NEAR else 0.5 * sum(shares) / _PROBES
        if (
            "mask" in getattr(adapter, "call", {}).values() and not masked and self.masks
        ):  # it would be judged without its masks
            total *= 0.2
        return Fit(adapter, total, tuple(k for k in (SINGLE, DOUBLE) if k in kinds), trouble)

    def _probe(
        self, adapter: Adapter, case: Case, made: Inputs, kinds: set[np.dtype[Any]]
    ) -> tuple[Adapter, float, np.dtype[Any], str]:
        kind = DOUBLE if DOUBLE in kinds and DOUBLE in case.dtypes else SINGLE
        inputs = cast(made, kind)
        for v in inputs.values():
            if isinstance(v, np.ndarray):
                v.setflags(write=False)  # what is compared afterwards is what went in
        remote = adapter.remote(self.session)
        try:
            outputs = self.spec.run(remote.function, inputs)
        except Inexpressible:
            return adapter, _RAISES, kind, ""
        except Overwritten as error:
            return adapter, _NEAR, kind, str(error)
        except Raised as error:
            self.stops += error.stopped
            if kind == DOUBLE and "dtype" in str(error):  # a module that computes in float32 alone
                again = self._probe(adapter, case, made, {SINGLE})
                return again if again[1] > _RUNS else (adapter, _RAISES, kind, str(error))
            return adapter, _RAISES, kind, str(error)
        except Exception as error:  # what came back cannot be put into the spec's terms
            return adapter, _RAISES, kind, str(error)
        share = self._agreement(case, inputs, outputs, kind)
        written = sum(inputs.get(k) is not None for k in self.spec.writes)
        if share <= _RUNS and adapter.item is None and len(outputs) > 1 + written:
            first = replace(adapter, item=0)
            return self._probe(first, case, made, kinds)
        if share < _RIGHT and kind == DOUBLE and any("float32 for float64" in n for n in remote.notes):
            again = self._probe(adapter, case, made, {SINGLE})
            if again[1] > share:
                return again
        return adapter, share, kind, ""

    def _agreement(self, case: Case, inputs: Inputs, outputs: Any, kind: np.dtype[Any]) -> float:
        best = _RUNS
        kind = wanted_dtype(self.spec, inputs) if self.spec.result_dtype is None else kind
        for discount, expected in self._expected(case, inputs):
            if len(expected) != len(outputs):
                continue
            pairs = list(zip(outputs, expected, strict=True))
            if any(np.shape(g) != np.shape(e) for g, e in pairs):
                continue
            scale = [np.maximum(np.abs(e), np.max(np.abs(e), initial=0.0, where=np.isfinite(e))) for _, e in pairs]
            if any(np.asarray(g).dtype.kind not in "fiub" for g, _ in pairs):
                continue
            with np.errstate(all="ignore"):
                errors = [
                    float(np.max(error_in_eps(np.asarray(g, kind), np.asarray(e), s, kind), initial=0.0))
                    for (g, e), s in zip(pairs, scale, strict=True)
                ]
            worst = max(errors)
            if worst <= self.spec.tolerance:
                best = max(best, _RIGHT - discount)
            elif worst * np.finfo(kind).eps < 1e-3:
                best = max(best, _NEAR + 0.1 / (1 + worst * np.finfo(kind).eps * 1e6) - discount)
        return best

    def _expected(self, case: Case, inputs: Inputs) -> Iterator[tuple[float, list[Array]]]:
        """What the textbook makes of the inputs, then each convention, then each known mistake."""
        kind = next((v.dtype for v in inputs.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"), DOUBLE)
        wide = cast(inputs, wider(kind))
        sources: list[tuple[float, Any]] = [(0.0, self.spec.reference)]
        sources += [(0.05, c.reference) for c in self.spec.conventions]
        if self.mistakes:
            wrong = (m.function for m in self.spec.mutants)
            sources += [(0.2, f) for f in wrong if f is not None and not isinstance(f, Forged)]
        for place, (discount, function) in enumerate(sources):
            key = (case.name, str(kind), place, _key(inputs))
            if key not in self.known:
                try:
                    with np.errstate(all="ignore"):
                        self.known[key] = [np.asarray(a) for a in self.spec.run(function, wide)]
                except Exception:  # a mutant that cannot take this input
                    self.known[key] = []
            if self.known[key]:
                yield discount, self.known[key]


def _key(inputs: Inputs) -> Any:
    return tuple(
        (k, v.tobytes() if isinstance(v, np.ndarray) and v.dtype != object else repr(v)) for k, v in inputs.items()
    )
