"""Each kind of block has its own way of being called; this finds it, and dresses the code for the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from barehand.core.spec import Spec
from barehand.judge.adapt.adapter import Remote, expressible
from barehand.judge.adapt.attention import search_attention
from barehand.judge.adapt.estimators import search_regression
from barehand.judge.adapt.optimizers import search_adam
from barehand.judge.adapt.search import Fit, search
from barehand.judge.child import Session
from barehand.judge.grading import Candidate
from barehand.judge.pieces import Piece

__all__ = ["Fit", "candidate_of", "fit"]

_LOOSE = 1e6  # eps; beyond that, many mistakes look the same
_SEARCH = {
    "multi_head_attention": search_attention,
    "self_attention": search_attention,
    "Adam": search_adam,
    "LinearRegression": search_regression,
    "LogisticRegression": search_regression,
}


def fit(piece: Piece, specs: Sequence[Spec], session: Session) -> Fit | None:
    """The best way to call the piece as one of the specs; None where no call can be made up."""
    best: Fit | None = None
    for spec in specs:
        found = _SEARCH.get(spec.name, search)(piece, spec, session)
        if found is not None and (best is None or found.score > best.score + 1e-9):
            best = found
        if best is not None and best.score >= 1:
            break
    return best


def candidate_of(found: Fit, session: Session) -> tuple[Spec, Candidate, Remote]:
    """The spec with the inputs that the code can take, and the code as a candidate for the engine."""
    adapter = found.adapter
    remote = adapter.remote(session)
    spec = adapter.spec
    laws = tuple(law for law in spec.laws if adapter.keeps_laws(law))
    vjp = remote.vjp if spec.vjp is not None and adapter.differentiates else None
    return (
        replace(spec, cases=expressible(adapter, spec.cases), laws=laws),
        Candidate(
            adapter.name,
            remote.function,
            vjp,
            dtypes=found.dtypes,
            names_mistakes=spec.tolerance < _LOOSE,
        ),
        remote,
    )
