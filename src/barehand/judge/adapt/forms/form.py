"""One way in which people write a block, where it differs from ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from barehand.core.spec import Array, Inputs
from barehand.judge.pieces import Parameter, Piece

MOST_ROWS = 400  # numbers that are given row by row


def unchanged(inputs: Inputs) -> Inputs:
    """The inputs as they are."""
    return inputs


@dataclass(frozen=True)
class Form:
    """One way of taking the inputs; `takes` are its own roles, with their spellings, where they are not the spec's."""

    says: str = ""
    restate: Callable[[Inputs], Inputs | None] = unchanged  # None: such an input cannot be put so
    dress: Callable[[Inputs], Inputs] = unchanged
    takes: Mapping[str, tuple[str, ...]] | None = None
    # From the gradients of what was dressed to those of the spec's inputs; None where they are the same.
    pull: Callable[[dict[str, Array], Inputs], dict[str, Array]] | None = None
    pins: Mapping[str, Any] = field(default_factory=dict)  # options that this form settles
    sources: tuple[str, ...] | None = None  # the roles whose gradients `pull` needs, if not all of `takes`
    each: bool = False  # the code takes one row at a time
    plain: Callable[[Inputs], bool] | None = None  # the plain inputs in this form, where they are others
    held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # roles of arrays that an object holds
    suits: Callable[[Piece], bool] = lambda piece: True
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # roles that `dress` adds beside the spec's
    read: Callable[[Array, Inputs], Array] | None = None  # of a result in another shape, that in the spec's
    half: bool = True  # whether float16 has room for what is put so


def arguments(piece: Piece) -> tuple[Parameter, ...]:
    """The parameters of a function, or of a class and its methods."""
    return (*piece.parameters, *(p for m in piece.methods for p in m.parameters))


_ONE_VECTOR = re.compile(
    r"\b(?:1-?d|one-dimensional|(?:a|one|single) (?:vector|pair|triplet|sample|example)|feature vector)\b(?!s)"
    r"|一维|单个|一个(?:样本|向量)|一对",
    re.IGNORECASE,
)
_OF_NUMBERS = re.compile(r"(?:list|sequence|tuple|iterable)\[float(?:, \.\.\.)?\]", re.IGNORECASE)


def of_one_vector(piece: Piece) -> bool:
    """Whether the code's own words say that it takes one vector at a time, or its arithmetic is on single numbers."""
    annotated = any(_OF_NUMBERS.fullmatch((p.annotation or "").replace("typing.", "")) for p in piece.parameters[:1])
    return annotated or bool(_ONE_VECTOR.search(piece.docs)) or "math.exp(" in piece.own


_COLUMNS = re.compile(
    r"\b(?:each|every|per|by|down the) columns?\b|\bcolumn-?wise\b"
    r"|\b(?:along|over|down) (?:the )?(?:axis ?=? ?0|dim ?=? ?0|first (?:axis|dimension))\b"
    r"|\(\s*(?:n_?|num_?)?(?:class(?:es)?|categories|outputs?|units|y)\s*,"
    r"|\b(?:samples|examples) (?:are )?(?:in|as) columns\b|\bcolumns? (?:is|are) (?:an? |one )?(?:samples?|examples?)\b"
    r"|按列|每一?列|沿着? ?(?:第 ?0 ?轴|0 ?轴|axis ?=? ?0|第一维)",
    re.IGNORECASE,
)


def down_columns(piece: Piece) -> bool:
    """Whether the code's own words say that each column is a vector of its own."""
    return bool(_COLUMNS.search(piece.docs))
