"""One engine: run a spec against any callable, and say what failed, on which input, and which mistake it looks like.

Everything is compared with the textbook in a wider type, in eps of what was added up. Nothing stops at the first
failure.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from barehand.core.compare import error_in_eps
from barehand.core.spec import (
    DOUBLE,
    EVERY,
    FULL,
    Array,
    Case,
    Convention,
    Forged,
    Inputs,
    Mutant,
    Outputs,
    Spec,
    cast,
    wider,
)


class Inexpressible(Exception):  # noqa: N818 - it is no error
    """An input that the candidate has no way to take; it is not held against it."""


class Raised(Exception):  # noqa: N818 - theirs, not ours
    """What the candidate's code raised elsewhere, in words; `stopped` where it had to be ended."""

    def __init__(self, words: str, *, stopped: bool = False) -> None:
        super().__init__(words)
        self.stopped = stopped


class Overwritten(Raised):
    """The candidate changes what it was given."""


@dataclass(frozen=True)
class Candidate:
    """Code under examination: a function with the spec's arguments, and its gradient where there is one."""

    name: str
    function: Callable[..., Any] | Forged
    vjp: Callable[..., Any] | None = None
    dtypes: tuple[np.dtype[Any], ...] = EVERY
    strict: bool = False  # hold it to what our kernels promise, rather than to what a right program may lose
    regrade: Callable[[Finding], Finding] = lambda finding: finding  # how much a failure weighs for this one
    names_mistakes: bool = True  # whether its values tell one mistake from another


@dataclass(frozen=True)
class Finding:
    """One check that failed."""

    check: str  # "case: ...", "gradient: ...", "law: ..." or "contract: ..."
    grade: str
    dtype: str
    message: str
    error: float = np.inf  # in eps of what was added up
    inputs: Inputs = field(default_factory=dict)
    expected: Any = None
    got: Any = None
    raised: bool = False
    place: int = 0  # of the result that is wrong, among several


@dataclass(frozen=True)
class Report:
    """The outcome of an examination."""

    spec: Spec
    candidate: Candidate
    passed: tuple[str, ...]
    findings: tuple[Finding, ...]
    behaves_like: Mutant | None = None
    convention: str | None = None
    worst: dict[str, float] = field(default_factory=dict)  # check -> largest error seen, in eps
    tally: dict[str, int] = field(default_factory=dict)  # grade -> checks passed
    kinds: frozenset[tuple[str, str]] = frozenset()  # of checks that passed: case or law, say, and grade

    @property
    def accepted(self) -> bool:
        """Whether nothing failed that makes an answer wrong; generality only lowers the mark."""
        return not any(f.grade in ("correctness", "stability", "gradient") for f in self.findings)


def _generator(seed: int, *words: str) -> np.random.Generator:
    """The same input for the same case and seed, whatever else is run."""
    return np.random.default_rng([seed, zlib.crc32("/".join(words).encode())])


def _locked(array: Array) -> Array:
    array.setflags(write=False)
    return array


def _read_only(inputs: Inputs, writes: Sequence[str]) -> Inputs:
    for name, value in inputs.items():
        if isinstance(value, np.ndarray) and name not in writes:
            _locked(value)
    return inputs


def _strided(inputs: Inputs) -> Inputs:
    """The same values at every other place of a larger array."""

    def spread(value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.ndim == 0:
            return value
        wide = np.zeros((*value.shape[:-1], 2 * value.shape[-1]), value.dtype)
        wide[..., ::2] = value
        return wide[..., ::2]

    return {k: spread(v) for k, v in inputs.items()}


def _result_dtype(spec: Spec, inputs: Inputs, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Floating inputs keep their type, unless the spec says otherwise; without any, the result is float64."""
    if spec.result_dtype is not None:
        return spec.result_dtype
    floating = any(isinstance(v, np.ndarray) and v.dtype.kind == "f" for v in inputs.values())
    return dtype if floating else DOUBLE


def _widened(spec: Spec, inputs: Inputs, dtype: np.dtype[Any]) -> Inputs:
    """The inputs in the precision of the reference; integer data become floating as they do at every door."""
    return {
        k: v.astype(wider(dtype))
        if isinstance(v, np.ndarray) and v.dtype.kind in "iub" and k in spec.differentiable
        else v
        for k, v in cast(inputs, wider(dtype)).items()
    }


def _expected(spec: Spec, function: Callable[..., Any] | Forged, inputs: Inputs, dtype: np.dtype[Any]) -> Outputs:
    with np.errstate(all="ignore"):
        return spec.run(function, _widened(spec, inputs, dtype))


class _Examination:
    """One candidate, one spec, one seed: collects findings as the checks run."""

    def __init__(self, spec: Spec, candidate: Candidate, seed: int, reference: Callable[..., Any]) -> None:
        self.spec, self.candidate, self.seed, self.reference = spec, candidate, seed, reference
        self.findings: list[Finding] = []
        self.passed: list[str] = []
        self.worst: dict[str, float] = {}
        self.tally: dict[str, int] = {}
        self.kinds: set[tuple[str, str]] = set()

    # What is compared, and how

    def judge(
        self, finding: Finding, got: Outputs, expected: Outputs, scales: Outputs, bound: float, dtype: Any
    ) -> None:
        """Record the comparison of results with what was expected; `finding` says which check this is."""
        label = f"{finding.check} [{finding.dtype}]"
        if len(got) != len(expected):
            message = f"gives {len(got)} results where {len(expected)} are expected"
            self.findings.append(replace(finding, message=message, got=got, expected=expected))
            return
        for place, (g, e, scale) in enumerate(zip(got, expected, scales, strict=True)):
            problem, error = _difference(g, np.asarray(e), scale, dtype)
            self.worst[label] = max(self.worst.get(label, 0.0), error)
            if problem is None and error > bound:
                problem = f"is off by {error:.3g} eps of what was added up, more than {bound:g}"
            if problem is not None:
                message = f"result {place + 1} {problem}" if len(expected) > 1 else f"the result {problem}"
                self.findings.append(replace(finding, message=message, error=error, got=g, expected=e, place=place))
                return
        self.passes(finding, label)

    def passes(self, finding: Finding, label: str) -> None:
        """Record a check that passed."""
        self.passed.append(label)
        grade = self.candidate.regrade(finding).grade
        self.tally[grade] = self.tally.get(grade, 0) + 1
        self.kinds.add((finding.check.partition(": ")[0], grade))

    def attempt(self, finding: Finding, call: Callable[[], Any]) -> Any:
        """Run the candidate's code; what it raises is a finding."""
        try:
            with np.errstate(all="ignore"):
                return call()
        except Inexpressible:
            return None
        except Exception as error:  # whatever somebody's code raises is a result of the examination
            message = str(error) if isinstance(error, Raised) else f"raises {type(error).__name__}: {error}"
            self.findings.append(replace(finding, message=message, raised=True))
            return None

    def bound(self, promised: float) -> float:
        return promised if self.candidate.strict else self.spec.tolerance

    # The checks

    def inputs(self, case: Case, dtype: np.dtype[Any]) -> Inputs:
        made = cast(case.make(_generator(self.seed, self.spec.name, case.name)), dtype)
        return _read_only(made, self.spec.writes)

    def value(self, case: Case, dtype: np.dtype[Any]) -> None:
        spec, inputs = self.spec, self.inputs(case, dtype)
        finding = Finding(f"case: {case.name}", case.grade, str(dtype), "", inputs=inputs)
        expected = _expected(spec, self.reference, inputs, dtype)
        with np.errstate(all="ignore"):
            scales = spec.scale(_widened(spec, inputs, dtype), expected)
        got = self.attempt(finding, lambda: spec.run(self.candidate.function, inputs))
        if got is not None:
            self.judge(finding, got, expected, scales, self.bound(spec.accuracy), _result_dtype(spec, inputs, dtype))

    def gradient(self, case: Case, dtype: np.dtype[Any]) -> None:
        spec, inputs = self.spec, self.inputs(case, dtype)
        assert spec.vjp is not None
        assert spec.gradient_scale is not None
        assert self.candidate.vjp is not None
        vjp = self.candidate.vjp
        finding = Finding(f"gradient: {case.name}", "gradient", str(dtype), "", inputs=inputs)
        results = spec.results(_expected(spec, spec.reference, inputs, dtype), inputs)
        kind = _result_dtype(spec, inputs, dtype)
        rng = _generator(self.seed, "cotangent", case.name)
        narrow = [_locked(rng.standard_normal(np.shape(r)).astype(kind)) for r in results]
        exact = [g.astype(wider(dtype)) for g in narrow]
        # One result has one cotangent, several have a tuple of them.
        cotangent, wide_cotangent = (gs[0] if len(results) == 1 else tuple(gs) for gs in (narrow, exact))
        wide = _widened(spec, inputs, dtype)
        with np.errstate(all="ignore"):
            expected = spec.pull_back(spec.vjp, wide, wide_cotangent)
            scales = spec.gradient_scale(wide, wide_cotangent, expected)
        got = self.attempt(finding, lambda: spec.pull_back(vjp, inputs, cotangent))
        if got is not None:
            self.judge(finding, got, expected, scales, self.bound(spec.gradient_accuracy), kind)

    def laws(self, dtype: np.dtype[Any]) -> None:
        for law in self.spec.laws:
            inputs = cast(law.make(_generator(self.seed, self.spec.name, law.name)), dtype)
            finding = Finding(f"law: {law.name}", "correctness", str(dtype), "", inputs=inputs)

            def call(changed: Inputs) -> Outputs:
                return self.spec.run(self.candidate.function, changed)

            sides = self.attempt(finding, lambda law=law, inputs=inputs: law.sides(call, inputs))  # type: ignore[misc]
            if sides is None:
                continue
            left, right, scale = sides
            kind = self.spec.result_dtype or dtype
            try:
                one, other = np.asarray(left, kind), np.asarray(right, wider(kind))
            except (TypeError, ValueError):
                self.findings.append(replace(finding, message=f"gives a {type(left).__name__}, no numbers", got=left))
                continue
            self.judge(
                finding,
                (one,),
                (other,),
                (scale,),
                2 * self.bound(self.spec.accuracy),
                kind,
            )

    def contract(self, case: Case, dtype: np.dtype[Any]) -> None:
        """Inputs unchanged, the same answer twice, and the same answer from strided views."""
        spec, inputs = self.spec, self.inputs(case, dtype)
        before = {k: v.copy() for k, v in inputs.items() if isinstance(v, np.ndarray)}
        finding = Finding("contract: ", "generality", str(dtype), "", inputs=inputs)
        writable = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in inputs.items()}
        name = replace(finding, check=f"contract: called twice, {case.name}")
        first = self.attempt(name, lambda: spec.run(self.candidate.function, writable))
        if first is None:
            return
        if not all(type(a) in (float, int, bool, np.ndarray) or isinstance(a, np.generic) for a in first):
            return  # which the value of the case has shown already
        first = tuple(np.array(a) for a in first)
        kind = next((a.dtype for a in first if a.dtype.kind == "f"), first[0].dtype)
        again = self.attempt(name, lambda: spec.run(self.candidate.function, writable))
        if again is not None:
            self.judge(name, again, first, (1.0,) * len(first), 0.0, kind)
        name = replace(finding, check=f"contract: inputs unchanged, {case.name}", grade="correctness")
        changed = [
            k
            for k, v in before.items()
            if k not in spec.writes and not np.array_equal(v, writable[k], equal_nan=v.dtype.kind == "f")
        ]
        if changed:
            self.findings.append(replace(name, message=f"modifies its argument {', '.join(changed)}"))
        else:
            self.passes(name, name.check)
        name = replace(finding, check=f"contract: strided views, {case.name}")
        spread = self.attempt(name, lambda: spec.run(self.candidate.function, _strided(inputs)))
        if spread is not None:
            with np.errstate(all="ignore"):
                scales = spec.scale(_widened(spec, inputs, dtype), _expected(spec, self.reference, inputs, dtype))
            if len(scales) != len(first):  # which the value of the case has shown already
                return
            wide = tuple(a.astype(wider(dtype)) if a.dtype.kind == "f" else a for a in first)
            self.judge(name, spread, wide, scales, 2 * self.bound(spec.accuracy), kind)

    def run(self, cases: Sequence[Case]) -> None:
        dtypes = self.candidate.dtypes
        for case in cases:
            for dtype in (d for d in case.dtypes if d in dtypes):
                self.value(case, dtype)
        if self.spec.vjp is not None and self.candidate.vjp is not None:
            for case in (c for c in cases if c.gradient):
                for dtype in (d for d in case.dtypes if d in dtypes and d in FULL):
                    self.gradient(case, dtype)
        for dtype in (d for d in FULL if d in dtypes):
            self.laws(dtype)
        for case in cases[:2]:
            fitting = [d for d in (*FULL, *EVERY) if d in dtypes and d in case.dtypes]
            if fitting:
                self.contract(case, fitting[0])


def _difference(got: Any, expected: Array, scale: Any, dtype: np.dtype[Any]) -> tuple[str | None, float]:
    """Why `got` cannot be compared with `expected` at all, and else how far apart they are."""
    if type(got) in (float, int, bool):
        got = np.asarray(got)
    if type(got) is not np.ndarray and not isinstance(got, np.generic):
        return f"is a {type(got).__name__}, not a NumPy array or number", np.inf
    if got.shape != expected.shape:
        return f"has shape {got.shape}, not {expected.shape}", np.inf
    if np.ndim(scale) and np.shape(scale) != expected.shape:  # a law's sides agree in a shape that is wrong
        return f"has shape {got.shape}, not {np.shape(scale)}", np.inf
    if expected.dtype.kind in "iub":
        if got.dtype.kind not in "iub":
            return f"has dtype {got.dtype}, not an integer type", np.inf
        return (None, 0.0) if np.array_equal(got, expected) else ("is another", np.inf)
    if got.dtype != dtype:
        return f"has dtype {got.dtype}, not {dtype}", np.inf
    return None, float(np.max(error_in_eps(np.asarray(got), expected, scale, dtype), initial=0.0))


def examine(spec: Spec, candidate: Candidate, *, seed: int = 0, only: Callable[[Case], bool] | None = None) -> Report:
    """Run every check of the spec on the candidate; try the declared conventions where its values differ."""
    cases = [c for c in spec.cases if only is None or only(c)]
    examination = _Examination(spec, candidate, seed, spec.reference)
    examination.run(cases)
    report = _report(examination)
    if report.accepted:
        return report
    for convention in spec.conventions:
        variant = _variant(spec, convention)
        other = _Examination(variant, candidate, seed, convention.reference)
        other.run(cases)
        if _report(other).accepted:
            return replace(_report(other), spec=spec, candidate=candidate, convention=convention.name)
    return replace(report, behaves_like=_behaves_like(examination, spec))


def probe(
    spec: Spec, candidate: Candidate, case: Case, dtype: np.dtype[Any], gradient: bool, seed: int
) -> Finding | None:
    """One check by itself; what it finds."""
    examination = _Examination(spec, candidate, seed, spec.reference)
    (examination.gradient if gradient else examination.value)(case, dtype)
    return examination.findings[0] if examination.findings else None


def _variant(spec: Spec, convention: Convention) -> Spec:
    """The spec as the convention has it; the scale of its gradient is at least the gradient's own size."""

    def gradient_scale(inputs: Inputs, cotangent: Array, expected: Outputs) -> Outputs:
        assert spec.gradient_scale is not None
        usual = spec.gradient_scale(inputs, cotangent, expected)
        return tuple(np.maximum(s, np.abs(e)) for s, e in zip(usual, expected, strict=True))

    return replace(spec, reference=convention.reference, vjp=convention.vjp, gradient_scale=gradient_scale, laws=())


def _report(examination: _Examination) -> Report:
    return Report(
        examination.spec,
        examination.candidate,
        tuple(examination.passed),
        tuple(map(examination.candidate.regrade, examination.findings)),
        worst=examination.worst,
        tally=examination.tally,
        kinds=frozenset(examination.kinds),
    )


def _behaves_like(examination: _Examination, spec: Spec) -> Mutant | None:
    """The known mistake whose outputs match the candidate's nearly wherever the candidate is wrong."""
    if not examination.candidate.names_mistakes:
        return None
    findings = [*map(examination.candidate.regrade, examination.findings)]
    wrong = [f for f in findings if f.check.startswith("case: ") and f.grade != "generality" and not f.raised]
    if not wrong:
        return _same_gradient_mistake(examination, spec)
    wrong = sorted((f for f in wrong if _size(f) < _LARGE), key=_size) or wrong
    if all(
        isinstance(f.got, np.ndarray) and f.got.dtype.kind == "b" for f in wrong
    ):  # a few yes and no tell no mistake from another
        return None
    shares = [(_share(spec, mutant, wrong), mutant) for mutant in spec.mutants if mutant.function is not None]
    share, likest = max(shares, key=lambda pair: pair[0])  # of equals the first
    return likest if share else None


_LARGE = 4000  # numbers of a finding that is compared only where there are no smaller ones
_ALIKE = 0.8  # of the wrong results: a mistake seldom comes alone


def _share(spec: Spec, mutant: Mutant, wrong: Sequence[Finding]) -> float:
    """How much of what is wrong the mutant gives as well; 0 for too little."""
    misses, most = 0, (1 - _ALIKE) * len(wrong)
    for finding in wrong:
        misses += not _same_mistake(spec, mutant, finding)
        if misses > most:
            return 0.0
    return 1 - misses / len(wrong)


def _size(finding: Finding) -> int:
    return sum(v.size for v in finding.inputs.values() if isinstance(v, np.ndarray))


def _same_mistake(spec: Spec, mutant: Mutant, finding: Finding) -> bool:
    assert mutant.function is not None
    dtype = np.dtype(finding.dtype)
    try:
        with np.errstate(all="ignore"):
            theirs = spec.run(mutant.function, finding.inputs)
            scales = spec.scale(_widened(spec, finding.inputs, dtype), theirs)
    except Exception:
        return False
    if finding.place >= min(len(theirs), len(scales)):
        return False
    return _agree(theirs[finding.place], finding.got, scales[finding.place], dtype, spec)


def _same_gradient_mistake(examination: _Examination, spec: Spec) -> Mutant | None:
    findings = map(examination.candidate.regrade, examination.findings)
    wrong = [f for f in findings if f.grade == "gradient" and not f.raised]
    cases = [c for c in spec.cases if c.gradient]
    for mutant in spec.mutants:
        if mutant.vjp is None or not wrong:
            continue
        other = _Examination(spec, Candidate(mutant.name, spec.reference, mutant.vjp), examination.seed, spec.reference)
        other.run(cases)
        theirs = {(f.check, f.dtype): f.got for f in other.findings if f.grade == "gradient"}
        if all(_agree(f.got, theirs.get((f.check, f.dtype)), 1.0, np.dtype(f.dtype), spec) for f in wrong):
            return mutant
    return None


def _agree(a: Any, b: Any, scale: Any, dtype: np.dtype[Any], spec: Spec) -> bool:
    if a is None or b is None or not isinstance(b, np.ndarray | np.generic | int | float) or np.shape(a) != np.shape(b):
        return False
    wide = np.asarray(a, wider(dtype))
    if np.ndim(scale) and np.shape(scale) != wide.shape:  # both are wrong in the same shape
        scale = 1.0
    size = np.maximum(np.abs(wide), np.where(np.isfinite(scale), scale, 0))
    return bool(np.all(error_in_eps(np.asarray(b), wide, size, dtype) <= spec.tolerance))


def differences(report: Report) -> Iterator[str]:
    """A line for each finding, for people and for failing tests."""
    for f in report.findings:
        yield f"{report.candidate.name}: {f.check} [{f.dtype}] {f.message}"
