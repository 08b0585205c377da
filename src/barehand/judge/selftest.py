"""How often the judge is wrong: known right and wrong programs, judged as anybody's.

Right: the programs in `variants`, the textbooks, our own functions, and what libraries offer. Wrong: the programs in
`variants`, and every known mistake of every spec, under other names and in another order of arguments.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from barehand.blocks import specs
from barehand.judge.blocks import SPECS_OF
from barehand.judge.check import judge
from barehand.judge.child import Workshop
from barehand.judge.disguise import disguised
from barehand.judge.objects import intake_of
from barehand.judge.pieces import Intake
from barehand.judge.verdicts import Judgement

if TYPE_CHECKING:
    from rich.console import Console

VARIANTS = Path(__file__).parent / "variants"

# What libraries offer, as somebody's answer: block -> "module:name".
LIBRARIES: dict[str, tuple[str, ...]] = {
    "softmax": ("scipy.special:softmax", "torch.nn.functional:softmax", "torch.nn:Softmax"),
    "batch_norm": ("torch.nn.functional:batch_norm", "torch.nn:BatchNorm1d"),
    "layer_norm": ("torch.nn.functional:layer_norm", "torch.nn:LayerNorm"),
    "pairwise_margin_loss": ("barehand.nn:PairwiseMarginLoss",),
    "contrastive_loss": ("barehand.nn:ContrastiveLoss",),
    "cross_entropy": ("torch.nn.functional:cross_entropy", "torch.nn:CrossEntropyLoss"),
    "multi_head_attention": ("torch.nn:MultiheadAttention", "barehand.nn:MultiHeadAttention"),
    "adam": ("torch.optim:Adam", "barehand.optim:Adam"),
    "roc_auc_score": ("sklearn.metrics:roc_auc_score",),
    "bpr_loss": ("barehand.nn:BPRLoss",),
    "focal_loss": ("barehand.nn:FocalLoss",),
}

# Mistakes in what the judge does not look at: an estimator's losses on the way, and its probabilities.
UNSEEN = frozenset(
    {
        "the root of the loss",
        "the logarithm of a sigmoid",
        "probabilities clipped for the logarithm",
        "labels for probabilities",
    }
)

Kind = Literal["right", "wrong"]


@dataclass(frozen=True)
class Trial:
    """One program, and what the judge ought to say of it."""

    block: str
    name: str
    kind: Kind
    source: Intake | str  # an intake, or a path


@dataclass(frozen=True)
class Outcome:
    """What the judge said; `well` is whether that was right."""

    trial: Trial
    well: bool
    words: str = ""


def trials(blocks: Sequence[str] = ()) -> Iterator[Trial]:
    """Every program, block by block."""
    known = specs()
    for block in blocks or SPECS_OF:
        for kind in ("right", "wrong"):
            for path in sorted((VARIANTS / block / kind).glob("*.py")):
                yield Trial(block, path.stem, kind, str(path))
        spec = known[SPECS_OF[block][0]]
        yield Trial(block, "the textbook", "right", disguised(spec, "reference"))
        for place, mutant in enumerate(spec.mutants):
            if callable(mutant.function) and mutant.name not in UNSEEN:
                yield Trial(block, mutant.name, "wrong", disguised(spec, f"mutants[{place}].function"))
        yield from _libraries(block)


def _libraries(block: str) -> Iterator[Trial]:
    for place in LIBRARIES.get(block, ()):
        module, name = place.split(":")
        try:
            found = getattr(importlib.import_module(module), name)
        except ImportError:  # an extra that is not installed
            continue
        yield Trial(block, place.replace(":", "."), "right", intake_of(found))


def judged(trial: Trial, workshop: Workshop, seed: int = 0) -> Outcome:
    """Judge one program."""
    judgement = judge(trial.source, as_=trial.block, seed=seed, timed=False, workshop=workshop)
    accepted, words = _verdict(trial, judgement)
    return Outcome(trial, accepted == (trial.kind == "right"), words)


def _verdict(trial: Trial, judgement: Judgement) -> tuple[bool, str]:
    item = judgement.items[-1] if judgement.items else None
    if item is None:
        return False, "nothing was judged"
    words = item.failures[0].message if item.failures else item.error or item.verdict
    return item.verdict == "pass", f"{item.verdict}: {words}"


def run(console: Console, blocks: Sequence[str] = ()) -> bool:
    """Judge everything and print both rates, block by block; whether the judge was right every time."""
    from rich.progress import Progress
    from rich.table import Table

    found: list[Outcome] = []
    every = list(trials(blocks))
    with Workshop(torch=True) as workshop, Progress(console=console, transient=True) as bar:
        task = bar.add_task("", total=len(every))
        for trial in every:
            bar.update(task, description=f"{trial.block}: {trial.name}")
            found.append(judged(trial, workshop))
            bar.advance(task)
    table = Table("block", "wrong programs", "refused", "right programs", "refused by mistake", box=None)
    for block in blocks or SPECS_OF:
        here = [o for o in found if o.trial.block == block]
        wrong, right = ([o for o in here if o.trial.kind == kind] for kind in ("wrong", "right"))
        table.add_row(block, str(len(wrong)), _share(wrong, True), str(len(right)), _share(right, False))
    console.print(table)
    for outcome in found:
        if not outcome.well:
            said = "accepted" if outcome.trial.kind == "wrong" else outcome.words
            line = f"{outcome.trial.block}: {outcome.trial.name} ({outcome.trial.kind}): {said}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    return all(o.well for o in found)


def _share(outcomes: Sequence[Outcome], well: bool) -> str:
    if not outcomes:
        return "-"
    return f"{100 * sum(o.well == well for o in outcomes) / len(outcomes):.0f} %"
