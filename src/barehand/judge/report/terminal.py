"""A Judgement on the terminal: a line an item, then what each failure is about."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from barehand.judge.report.source import suspects
from barehand.judge.report.values import Shown, shown, side_by_side
from barehand.judge.report.words import MARKS, Language, footing, name, readable, summary, title, where, word
from barehand.judge.verdicts import GRADES, Failure, Item, Judgement

COLOURS = {"pass": "green", "fail": "red", "error": "magenta", "unverified": "yellow"}
_OTHERS = 5  # failed checks that are named besides the first


def show(judgement: Judgement, console: Console, lang: Language = "en") -> None:
    """Print the whole report."""
    if judgement.items:
        console.print(table(judgement, lang))
        console.print()
    for item in judgement.items:
        parts = [*_details(item, lang, console.width)]
        if parts:
            console.print(_heading(item, judgement, lang))
            console.print(Padding(Group(*parts), (0, 0, 1, 2)))
    if judgement.notes:
        console.print(Text(word("notes", lang), style="bold"))
        for note in judgement.notes:
            console.print(Text(f"  • {readable(note)}"))
    console.print(Text(summary(judgement, lang), style=f"bold {'green' if judgement.passed else 'red'}"))
    console.print(Text(footing(judgement, lang), style="dim"))


def table(judgement: Judgement, lang: Language) -> Table:
    """A line an item with its five grades."""
    lines = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    lines.add_column("", no_wrap=True)
    lines.add_column(word("definition", lang))  # these two give way where the terminal is narrow
    lines.add_column(word("block", lang))
    lines.add_column(word("where", lang), no_wrap=True)
    for grade in GRADES:
        lines.add_column(word(f"column {grade}", lang), justify="center", no_wrap=True)
    for item in judgement.items:
        verdicts = (item.grades[g].verdict if g in item.grades else "unverified" for g in GRADES)
        lines.add_row(
            _mark(item.verdict),
            Text(readable(item.object), style="bold", no_wrap=True, overflow="ellipsis"),
            Text(title(item.block, lang), no_wrap=True, overflow="ellipsis"),
            Text(_end(where(item, judgement, lang), 20), style="dim"),
            *map(_mark, verdicts),
        )
    return lines


def _end(text: str, most: int) -> str:
    """The last characters: of a file and a line the line matters."""
    return text if len(text) <= most else f"…{text[1 - most :]}"


def failures_only(judgement: Judgement, lang: Language, width: int = 100) -> Group:
    """What does not pass, without the table: for a test's report."""
    items = [item for item in judgement.items if not item.passed]
    return Group(*(p for item in items for p in (_heading(item, judgement, lang), *_details(item, lang, width))))


def _mark(verdict: str) -> Text:
    return Text(MARKS[verdict], style=f"bold {COLOURS[verdict]}")


def _heading(item: Item, judgement: Judgement, lang: Language) -> Rule:
    place = f"  {title(item.block, lang)} · {where(item, judgement, lang)}"
    return Rule(
        Text.assemble(_mark(item.verdict), f" {readable(item.object)}", (place, "dim")), align="left", style="dim"
    )


def _details(item: Item, lang: Language, width: int) -> Iterator[RenderableType]:
    """What is to be said of an item beyond its line; nothing, where all is well and as expected."""
    if item.error:
        judged = item.verdict != "error"  # then it is a remark
        head = "" if judged else f"{word('error', lang)}: "
        yield Text(f"{head}{readable(item.error)}", style=COLOURS["unverified" if judged else "error"])
    for mistake in item.mistakes:
        yield Text.assemble((f"{word('mistake', lang)}: ", "red"), (readable(mistake.id), "bold red"))
        yield Text(readable(mistake.message))
    yield from _suspects(item, lang)
    if item.passed:  # what lowers the mark, in a line each; the page has the rest
        yield from (_check(failure, lang) for failure in {f.grade: f for f in reversed(item.failures)}.values())
    elif item.failures:
        yield from _failure(item.failures[0], lang, width)
        yield from _others(item, lang)
    yield from _reasons(item, lang)
    if item.convention:
        yield _labelled("convention", "; ".join(item.convention), lang)
    if item.adapter and (item.convention or not item.passed):
        yield _labelled("adapter", item.adapter, lang)


def _reasons(item: Item, lang: Language) -> Iterator[RenderableType]:
    """Why grades are no passes, where no failure has said it; grades of one reason together."""
    told = {failure.grade for failure in item.failures}
    reasons: dict[tuple[str, str], list[str]] = {}
    for grade, graded in item.grades.items():
        open_only = item.passed and graded.verdict == "unverified"  # as the line in the table shows
        if graded.verdict != "pass" and grade not in told and not open_only and item.verdict != "error":
            reasons.setdefault((graded.verdict, graded.reason), []).append(word(grade, lang))
    for (verdict, reason), grades in reasons.items():
        head = f"{MARKS[verdict]} {', '.join(grades)}"
        said = f": {readable(reason)}" if reason and reason != item.error else ""
        yield Text.assemble((head, COLOURS[verdict]), said)


def _labelled(key: str, text: str, lang: Language) -> Text:
    return Text.assemble((f"{word(key, lang)}: ", "dim"), readable(text))


def _suspects(item: Item, lang: Language) -> Iterator[RenderableType]:
    found = suspects(item)
    if found:
        yield Text(f"{word('probably', lang)}:", style="dim")
    for number, text in found.items():
        yield Text.assemble((f"{number:>6} │ ", "dim"), (text, "bold yellow"))


def _failure(failure: Failure, lang: Language, width: int) -> Iterator[RenderableType]:
    yield _check(failure, lang)
    inputs = {name: value for name, value in failure.inputs.items() if value is not None}
    if inputs:
        yield Text(f"{word('failing', lang)}:", style="dim")
    for argument, value in inputs.items():
        yield Padding(_input(readable(argument), shown(value)), (0, 0, 0, 2))
    if failure.expected is not None or failure.got is not None:
        expected, got = side_by_side(failure.expected, failure.got)
        pair = _value(word("expected", lang), expected, "green"), _value(word("got", lang), got)
        yield Padding(_pair(*pair, width), (0, 2))


def _input(label: str, value: Shown) -> Text:
    """An option in a line; an array as a table."""
    if len(value.rows) == 1 and len(value.rows[0]) == 1:
        return Text.assemble((label, "bold"), " = ", value.rows[0][0].text)
    return _value(label, value)


def _others(item: Item, lang: Language) -> Iterator[RenderableType]:
    """The failed checks after the first, named."""
    rest = item.failures[1:]
    if rest:
        yield Text(f"{word('failed', lang)}:", style="dim")
    for failure in rest[:_OTHERS]:
        yield Padding(_check(failure, lang), (0, 0, 0, 2))
    if len(rest) > _OTHERS:
        yield Text(f"  {word('more', lang, len(rest) - _OTHERS)}", style="dim")


def _check(failure: Failure, lang: Language) -> Text:
    """Which check it is, in which precision, and what was wrong."""
    kind = f" [{failure.dtype}]" if failure.dtype else ""
    told = ": ".join(filter(None, (f"{name(failure)}{kind}", failure.message)))
    return Text.assemble((f"✗ {word(failure.grade, lang)}: ", "red"), readable(told))


def _value(label: str, value: Shown, colour: str = "red") -> Text:
    """A name, the caption, and the numbers below; wrong entries bear a star, which outlives a loss of colour."""
    text = Text.assemble((label, "bold"), (f"  {value.caption}", "dim"), no_wrap=True, overflow="ellipsis")
    width = max((len(cell.text) for row in value.rows for cell in row), default=0)
    for row in value.rows:
        text.append("\n")
        for cell in row:
            text.append(" " * (width - len(cell.text) + 2))
            text.append(f"{cell.text}*" if cell.wrong else f"{cell.text} ", f"bold {colour}" if cell.wrong else "")
    return text


def _pair(left: Text, right: Text, width: int) -> RenderableType:
    """Side by side where both fit, else one under the other."""
    if sum(max(line.cell_len for line in text.split()) for text in (left, right)) + 10 > width:
        return Group(left, right)
    grid = Table.grid(padding=(0, 4, 0, 0))
    grid.add_row(left, right)
    return grid
