"""`barehand check --watch`: judge again at every save, and say what the save changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Literal

from rich.rule import Rule
from rich.text import Text

from barehand.core.arrays import MissingBackend
from barehand.judge.report import terminal
from barehand.judge.report.words import Language, readable, title, where, word
from barehand.judge.sources import SUFFIXES, TargetError
from barehand.judge.verdicts import Item, Judgement

if TYPE_CHECKING:
    from rich.console import Console

Change = Literal["fixed", "broken", "still", "gone"]
_MARKS = {"fixed": ("✓", "green"), "broken": ("✗", "bold red"), "still": ("✗", "red"), "gone": ("–", "dim")}


def changes(before: Judgement, after: Judgement) -> list[tuple[Change, Item]]:
    """What passes that did not, what no longer passes, what still does not, and what is no longer there."""
    earlier = {_key(item): item for item in before.items}
    found: list[tuple[Change, Item]] = []
    for item in after.items:
        previous = earlier.pop(_key(item), None)
        if item.passed:
            found += [("fixed", item)] if previous is not None and not previous.passed else []
        else:
            found.append(("still" if previous is not None and not previous.passed else "broken", item))
    return [*found, *(("gone", item) for item in earlier.values())]


def _key(item: Item) -> tuple[str, str, str]:
    return item.path, item.block, item.object


def watch(
    target: str, once: Callable[[], Judgement], console: Console, lang: Language, stop: Event | None = None
) -> Judgement:
    """Judge, wait for a save, judge again, until Ctrl-C or `stop`; gives the last judgement."""
    try:
        from watchfiles import watch as saves
    except ImportError:
        raise MissingBackend("check: --watch needs watchfiles: pip install 'barehand[lab]'") from None

    path = watched(target)
    judgement = once()
    terminal.show(judgement, console, lang)
    console.print(Text(word("watching", lang, readable(str(path))), style="dim"))
    # An editor may put another file in the place of the old one, so the folder around it is watched.
    folder, suffixes = (path, SUFFIXES) if path.is_dir() else (path.parent, (path.suffix,))

    def concerns(change: object, changed: str) -> bool:
        file = Path(changed)
        return file.suffix in suffixes and (path.is_dir() or file.name == path.name)

    try:
        for _ in saves(folder, watch_filter=concerns, recursive=path.is_dir(), stop_event=stop):
            console.print(Rule(style="dim"))
            try:
                later = once()
            except TargetError as problem:  # saved half-way
                console.print(Text(readable(str(problem)), style="red"))
                continue
            terminal.show(later, console, lang)
            _tell(judgement, later, console, lang)
            judgement = later
    except KeyboardInterrupt:
        pass
    return judgement


def watched(target: str) -> Path:
    """The file or folder behind a target."""
    path = Path(target) if Path(target).exists() else Path(target.rpartition(":")[0] or target)
    if not path.exists():
        raise TargetError(f"check: --watch looks at a file or a folder, and {target} is none; give one")
    return path.resolve()


def _tell(before: Judgement, after: Judgement, console: Console, lang: Language) -> None:
    for change, item in changes(before, after):
        mark, style = _MARKS[change]
        place = f"  {title(item.block, lang)} · {where(item, after, lang)}"
        line = Text.assemble((f"{mark} {word(change, lang)}: ", style), readable(item.object), (place, "dim"))
        console.print(line)
