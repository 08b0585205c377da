"""Which parameter takes which role: by name where names tell, by place where they do not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, permutations

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")


def words(name: str) -> tuple[str, ...]:
    """A name's words in lower case: `posScores_1` is pos, scores, 1."""
    return tuple(w.lower() for w in _WORDS.findall(name))


def _bare(name: str) -> str:
    return name.strip("_").replace("_", "").lower()


def by_name(parameters: Sequence[str], roles: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The parameters whose names are a role's, one role each: the whole name first, then a name that holds it."""
    found: dict[str, str] = {}

    def free(role: str) -> bool:
        return role not in found.values()

    # An exact spelling before one that differs in case: in attention Q is not q's neighbour but q itself.
    for same in (lambda p, n: p == n, lambda p, n: _bare(p) == _bare(n), _holds):
        for p in parameters:
            if p in found:
                continue
            for role, spellings in roles.items():
                if free(role) and any(same(p, n) for n in (role, *spellings)):
                    found[p] = role
                    break
    return found


def _holds(parameter: str, name: str) -> bool:
    """Whether the parameter's name has the words of a longer name in it; one letter tells nothing."""
    theirs, wanted = words(parameter), words(name)
    if not wanted or all(len(w) < 3 for w in wanted):
        return False
    return any(theirs[i : i + len(wanted)] == wanted for i in range(len(theirs)))


def bindings(
    required: Sequence[str], optional: Sequence[str], needed: Sequence[str], roles: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, str]]:
    """Parameter -> role, likeliest first; `needed` are the roles that a call cannot do without.

    What names leave open goes by place, and then in other orders.
    """
    named = by_name([*required, *optional], roles)
    unknown = [p for p in required if p not in named]
    missing = [r for r in needed if r not in named.values()]
    others = [r for r in roles if r not in needed and r not in named.values()]
    if len(unknown) < len(missing):
        unknown = [*unknown, *(p for p in optional if p not in named)][: len(missing)]
        if len(unknown) < len(missing):
            return
    seen = set()
    for order in islice(permutations([*missing, *others[: len(unknown) - len(missing)]], len(unknown)), 6):
        if order not in seen:
            seen.add(order)
            yield {**named, **dict(zip(unknown, order, strict=True))}
