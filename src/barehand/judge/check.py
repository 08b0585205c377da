"""Judging a target: read it, recognise what it defines, find out how it is called, examine it, and say so."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from barehand.blocks import specs
from barehand.core.spec import HALF, Spec
from barehand.judge.adapt.kinds import Fit, candidate_of, fit
from barehand.judge.aliases import claims
from barehand.judge.blocks import SPECS_OF
from barehand.judge.child import Program, Session, Stopped, TheirError, Workshop
from barehand.judge.grading import Finding, Report, examine
from barehand.judge.intake import Broken, Intake, Piece, read
from barehand.judge.leniency import eased, promises_all, regrade
from barehand.judge.pieces import joined
from barehand.judge.recognise import backward_of, recognise_all
from barehand.judge.shrink import shrink
from barehand.judge.speed import speed
from barehand.judge.verdicts import DECISIVE, GRADES, Curve, Failure, Graded, Item, Judgement, Mistake
from barehand.judge.words import said, where

Progress = Callable[[str, int, int], None]
_FAILURES = 5  # shown of each item


@dataclass(frozen=True)
class _Task:
    piece: Piece
    block: str


def judge(
    target: str | Intake,
    *,
    as_: str | None = None,
    seed: int | None = None,
    lang: str = "en",
    progress: Progress | None = None,
    timed: bool = True,
    workshop: Workshop | None = None,
) -> Judgement:
    """Judge everything that a target defines. Raises TargetError where there is nothing to read."""
    if as_ is not None and as_ not in SPECS_OF:
        raise ValueError(f"check: {as_!r} is no block; use {', '.join(SPECS_OF)}")
    intake = target if isinstance(target, Intake) else read(target)
    seed = secrets.randbelow(2**31) if seed is None else seed
    tasks, notes = _tasks(intake, as_)
    items = [_broken(b, as_) for b in intake.broken]
    if not tasks:
        return Judgement(intake.target, seed, (), tuple(i for i in items if i is not None), tuple(notes))
    torch = any(t.piece.library == "torch" for t in tasks)
    shop = workshop or Workshop(torch=torch, path=[intake.folder] if intake.folder else [])
    try:
        for place, task in enumerate(tasks):
            if progress is not None:
                progress(task.piece.name, place, len(tasks))
            items.append(_judged(task, shop, seed, lang, timed))
        active = shop.active
    finally:
        if workshop is None:
            shop.close()
    if progress is not None:
        progress("", len(tasks), len(tasks))
    found = sorted((i for i in items if i is not None), key=lambda i: (i.path, i.cell or 0, i.line))
    return Judgement(intake.target, seed, active, tuple(found), tuple(notes))


def check(obj: Any, as_: str | None = None, *, seed: int | None = None) -> Judgement:
    """Judge something written by hand: which checks it passes, and which mistake it is where it does not.

    Args:
        obj: a function, a class or an instance of one, torch's modules and optimizers included; or, as text, a path to
            a notebook, a Python file or a folder, `file.py:name`, or `package.module:name`.
        as_: the block that it is, such as "softmax" or "multi_head_attention", where its name does not tell.
        seed: of the random inputs; a new one each time where it is left out. The result bears it.

    Returns:
        A Judgement: `passed`, and `items`, one a definition, each with a verdict and five grades. A notebook shows it
        as a page.

    Raises:
        TargetError: there is nothing to read, or nothing that can be judged by itself. It is a ValueError.
        ValueError: `as_` is no block.

    Edge cases: the code runs in a child process, and what it does there cannot change its mark; what crashes, hangs or
    asks for too much is a verdict. Code whose docstring says "same contract as barehand" is held to all of the
    contract; other code to what every right version must do.

    Cost: about a second a definition, and a second or two to start.

    Source: the blocks' specs, which name theirs.

    >>> def softmax(x):
    ...     e = np.exp(x)
    ...     return e / e.sum(-1, keepdims=True)
    >>> check("examples/handwritten.ipynb").passed  # doctest: +SKIP
    False
    """
    from barehand.judge.objects import intake_of

    return judge(obj if isinstance(obj, str) else intake_of(obj), as_=as_, seed=seed)


def listing(target: str | Intake, as_: str | None = None) -> list[tuple[str, str, str, str]]:
    """What was recognised: object, block, where it stands, and how it would be called."""
    intake = target if isinstance(target, Intake) else read(target)
    tasks, _ = _tasks(intake, as_)
    rows = []
    torch = any(t.piece.library == "torch" for t in tasks)
    with Workshop(torch=torch, path=[intake.folder] if intake.folder else []) as shop:
        for task in tasks:
            place = f"cell {task.piece.cell}, line {task.piece.line}" if task.piece.cell else f"line {task.piece.line}"
            try:
                with shop.session(_program(task.piece)) as session:
                    found = fit(task.piece, _specs(task.block), session)
                called = found.adapter.says() if found else "no way to call it was found"
            except (Stopped, TheirError) as error:
                called = str(error)
            rows.append((task.piece.name, task.block, place, called))
    return rows


def _program(piece: Piece) -> Program:
    """What is loaded first; a script is run when its data is there."""
    return Program("" if piece.kind == "script" else piece.source, piece.path)


def _tasks(intake: Intake, as_: str | None) -> tuple[list[_Task], list[str]]:
    """What to judge: pieces that are one of the blocks, and no helper of another."""
    found = recognise_all(intake.pieces)
    pairs = [(piece, backward_of(piece, intake.pieces), as_ or guess.block) for piece, guess in found]
    tasks = [_Task(joined(piece, back) if back else piece, block) for piece, back, block in pairs]
    if as_ is not None and not tasks:
        tasks = [_Task(piece, as_) for piece in intake.pieces[-1:]]
    judged = {id(p) for piece, back, _ in pairs for p in (piece, back)} | {id(t.piece) for t in tasks}
    notes = [f"{p.name}: not one of the blocks" for p in intake.pieces if id(p) not in judged and p.kind != "script"]
    return tasks, notes


def _specs(block: str) -> list[Spec]:
    known = specs()
    return [known[name] for name in SPECS_OF[block]]


def _broken(broken: Broken, as_: str | None) -> Item | None:
    words = " ".join([f"line {broken.line}: {broken.message}", *([f"({broken.hint})"] if broken.hint else [])])
    block = as_ or _block_in(broken.name) or _block_in(broken.heading)
    if block is None:
        return None
    return Item(
        block,
        broken.name,
        broken.cell,
        broken.line,
        "",
        "error",
        _nothing(broken.message),
        error=words,
        path=broken.path,
    )


def _block_in(text: str) -> str | None:
    """The block that a name or heading speaks of."""
    found = claims(text)
    return found if found in SPECS_OF else None


def _nothing(reason: str) -> dict[str, Graded]:
    return {grade: Graded("unverified", reason=reason) for grade in GRADES}


def _judged(task: _Task, shop: Workshop, seed: int, lang: str, timed: bool) -> Item:
    start, piece = time.perf_counter(), task.piece
    blank = Item(task.block, piece.name, piece.cell, piece.line, "", "error", path=piece.path, source=piece.own)
    try:
        with shop.session(_program(piece)) as session:
            item = _examined(task, blank, session, seed, lang, timed)
    except TheirError as error:
        place = f"line {piece.place(error.line)[1]}: " if error.line else ""
        item = replace(
            blank,
            grades=_nothing("it does not run"),
            error=" ".join([f"{place}{error.type}: {error.message}", *piece.hints]),
        )
    except Stopped as stop:
        item = replace(blank, grades=_nothing(stop.reason), error=stop.reason)
    except Exception as fault:  # ours: it must not cost the others their verdict
        words = f"the judge could not follow it ({type(fault).__name__}: {fault}); please report this"
        item = replace(blank, grades=_nothing(words), error=words)
    return replace(item, seconds=time.perf_counter() - start)


def _examined(task: _Task, blank: Item, session: Session, seed: int, lang: str, timed: bool) -> Item:
    piece = task.piece
    found = fit(piece, _specs(task.block), session)
    if found is None or found.score <= 0:
        why = found.trouble if found else "no way to call it was found"
        words = " ".join([why or "no way to call it gave a result", *piece.hints])
        adapter = found.adapter.says() if found else ""
        verdict: Any = "fail" if found else "unverified"
        graded = _nothing("no call gave a result")
        if found:
            graded["correctness"] = Graded("fail", 0, 1, words)
        return replace(blank, adapter=adapter, verdict=verdict, grades=graded, error=words)
    spec, candidate, remote = candidate_of(found, session)
    full = promises_all(piece.docs)
    form = getattr(found.adapter, "form", None)
    cases = spec.cases if full else eased(spec, spec.cases, form.plain if form else None)
    spec = replace(spec, cases=cases)
    half = len(found.dtypes) > 1 and spec.drive is None and spec.block != "iou"  # areas leave float16's range
    half = half and (form is None or form.half)
    kinds = (*found.dtypes, HALF) if half else found.dtypes
    again = candidate.regrade
    if not full:
        again = regrade(spec, _missed_by_peers(spec), torch=found.adapter.arrays == "torch")
    candidate = replace(candidate, dtypes=kinds, regrade=again)
    report = examine(spec, candidate, seed=seed)
    if getattr(found.adapter, "guessed", False) and ("case", "correctness") not in report.kinds:
        words = f"how it is called could not be found out: {found.adapter.says()} gives something else"
        return replace(blank, verdict="unverified", grades=_nothing(words), error=words)
    grades = _grades(report, candidate.vjp is not None, spec, remote.notes)
    curves: tuple[Curve, ...] = ()
    grades["speed"] = Graded("unverified", reason="not asked for")
    if timed:
        grades["speed"], curves = speed(spec, found.adapter, remote, seed)
    conventions = _conventions(report, found, spec, lang)
    decisive = [f for f in report.findings if f.grade in DECISIVE]
    smallest = sorted(decisive, key=_size)
    shown = [*smallest, *(f for f in report.findings if f.grade not in DECISIVE)][:_FAILURES]
    if shown and report.convention is None:
        shown[0] = shrink(spec, candidate, shown[0], seed)
    mistakes = _mistakes(report, piece, lang, bool(decisive))
    shown_right = bool({("case", "correctness"), ("law", "correctness")} & report.kinds)
    if not decisive and not shown_right:
        grades["correctness"] = Graded("unverified", reason="none of its plain inputs could be put to it")
    verdict = "fail" if decisive else "pass" if shown_right else "unverified"
    broken = said(report.convention, piece.docs) if report.convention else None
    if broken:
        verdict = "fail"
        grades["correctness"] = replace(grades["correctness"], verdict="fail", reason=broken)
    return replace(
        blank, adapter=found.adapter.says(), verdict=verdict, grades={g: grades[g] for g in GRADES},
        convention=conventions, mistakes=mistakes, failures=tuple(map(_failure, shown)), curves=curves,
        error=" ".join(piece.hints) if decisive else "",
    )  # fmt: skip


def _missed_by_peers(spec: Spec) -> frozenset[str]:
    """Cases that libraries in wide use get wrong or cannot do."""
    found = import_module(f"barehand.blocks.{spec.block}.peers").PEERS.get(spec.name, ())
    return frozenset(name for peer in found for name in peer.defects)


def _grades(report: Report, has_gradient: bool, spec: Spec, notes: set[str]) -> dict[str, Graded]:
    grades: dict[str, Graded] = {}
    for grade in GRADES[:4]:
        failed = [f for f in report.findings if f.grade == grade]
        passed = report.tally.get(grade, 0)
        extra = sorted(notes) if grade == "generality" else []
        total = passed + len(failed) + len(extra)
        if failed or extra:
            first = f"{failed[0].check} [{failed[0].dtype}]: {failed[0].message}" if failed else extra[0]
            grades[grade] = Graded("fail", passed, total, first)
        elif total:
            grades[grade] = Graded("pass", passed, total)
        else:
            grades[grade] = Graded("unverified", reason=_why_not(grade, has_gradient, spec))
    return grades


def _why_not(grade: str, has_gradient: bool, spec: Spec) -> str:
    if grade != "gradient":
        return "no check of this kind applies to it"
    return (
        "it has no gradient"
        if spec.vjp is None
        else "nothing in it computes the gradient"
        if not has_gradient
        else "no check applies"
    )


def _conventions(report: Report, found: Fit, spec: Spec, lang: str) -> tuple[str, ...]:
    named = [c for c in spec.conventions if c.name == report.convention]
    words = [f"{c.name}: {c.statement[lang]}" for c in named]
    if found.adapter.form_says:
        words.append(found.adapter.form_says)
    usual = {"reduction": "mean", "offset": 0, "box_format": "xyxy", "kind": "iou"}
    words += [f"{k}={v!r}" for k, v in found.adapter.pins.items() if k in usual and v != usual[k]]
    return tuple(words)


def _mistakes(report: Report, piece: Piece, lang: str, failed: bool) -> tuple[Mistake, ...]:
    mutant = report.behaves_like
    if mutant is None or not failed:
        return ()
    return (Mistake(mutant.name, mutant.advice[lang], where(mutant.name, report.spec.name, piece)),)


def _size(finding: Finding) -> int:
    """How much there is to look at; values before gradients, which need a cotangent as well."""
    size = sum(v.size for v in finding.inputs.values() if isinstance(v, np.ndarray))
    return size + (10**6 if finding.check.startswith("gradient") else 0)


def _failure(f: Finding) -> Failure:
    inputs = {k: np.asarray(v) if isinstance(v, np.ndarray) else v for k, v in f.inputs.items()}
    return Failure(f.check, f.grade, f.dtype, f.message, inputs, f.expected, f.got)
