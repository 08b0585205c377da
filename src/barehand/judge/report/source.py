"""Where in the code a mistake probably is."""

from __future__ import annotations

import re

from barehand.judge.report.words import readable
from barehand.judge.verdicts import Item


def lines(item: Item) -> list[tuple[int, str]]:
    """The definition's text with the numbers that its lines have in the cell or file."""
    return list(enumerate(readable(item.source).splitlines(), item.line))


def suspects(item: Item) -> dict[int, str]:
    """Line number -> text, for the lines that mistakes point at: "line 7", "line 7: e = exp(x)", or the text alone."""
    pointed = [readable(mistake.where).strip() for mistake in item.mistakes if mistake.where.strip()]
    numbers = {int(found[1]) for found in (re.match(r"line (\d+)\b", where) for where in pointed) if found}
    return {number: text for number, text in lines(item) if number in numbers or text.strip() in pointed}
