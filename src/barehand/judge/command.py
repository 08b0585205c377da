"""`barehand check`: judge what somebody wrote by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barehand.options import Json, Lang, Language, console, refuse, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from barehand.judge.verdicts import Judgement

Once = Callable[[], "Judgement"]


def check(
    target: Annotated[
        str, typer.Argument(help="A notebook, a .py file, a folder, file.py:function or package.module:function.")
    ] = "",
    as_: Annotated[str | None, typer.Option("--as", metavar="BLOCK", help="Take it for this block.")] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="Only say what is recognised, and how it is called.")
    ] = False,
    lang: Lang = Language.en,
    seed: Annotated[int | None, typer.Option(help="Of the random inputs; a new one each time if not given.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures.")] = None,
    json_to: Json = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit's XML, for continuous integration.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Judge again at every save, and say what changed.")] = False,
    no_speed: Annotated[bool, typer.Option("--no-speed", help="Leave the timing out.")] = False,
    self_test: Annotated[bool, typer.Option("--self-test", help="Judge known right and wrong programs.")] = False,
) -> None:
    """Say what is right and wrong in code written by hand, with the smallest input that proves it.

    Exit status: 0, all of it passes; 1, some of it fails; 2, it could not be judged.
    """
    shown = console(json_to)
    try:
        if self_test:
            raise typer.Exit(_self_test(shown))
        if not target:
            raise ValueError("check: nothing to judge; give a notebook, a file, a folder or module:function")
        if list_only:
            _list(target, as_, shown, lang)
            return

        def once() -> Judgement:
            judgement = _judged(target, as_, seed, lang, not no_speed, shown)
            _write(judgement, lang, html, json_to, junit)
            return judgement

        judgement = _watched(target, once, shown, lang) if watch else _told(once(), shown, lang)
    except (ValueError, OSError, ImportError) as problem:
        words = str(problem)
        raise refuse(ValueError(words if words.startswith("check: ") else f"check: {words}")) from None
    raise typer.Exit(judgement.exit_status)


def _judged(target: str, as_: str | None, seed: int | None, lang: Language, timed: bool, shown: Console) -> Judgement:
    """The judgement, with a bar while it is made."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from barehand.judge.check import judge

    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=shown, transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total)

        return judge(target, as_=as_, seed=seed, lang=lang.value, progress=progress, timed=timed)


def _told(judgement: Judgement, shown: Console, lang: Language) -> Judgement:
    from barehand.judge.report import terminal

    terminal.show(judgement, shown, lang.value)
    return judgement


def _write(judgement: Judgement, lang: Language, html: Path | None, json_to: str | None, junit: Path | None) -> None:
    """The files that are asked for."""
    if html is not None:
        from barehand.judge.report.page import write_page

        write_page(html, judgement, lang.value)
    if junit is not None:
        from barehand.judge.report.junit import write_junit

        write_junit(junit, judgement, lang.value)
    if json_to is not None:
        from barehand.judge.report.json import to_json

        write_json(json_to, to_json(judgement))


def _list(target: str, as_: str | None, shown: Console, lang: Language) -> None:
    from rich.table import Table
    from rich.text import Text

    from barehand.judge.check import listing
    from barehand.judge.report.words import readable, title, word

    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in ("definition", "block", "where", "adapter"):
        table.add_column(word(head, lang.value), overflow="fold")
    for name, block, place, called in listing(target, as_):
        table.add_row(*(Text(readable(words)) for words in (name, title(block, lang.value), place, called)))
    shown.print(table if table.row_count else Text(word("nothing", lang.value)))


def _watched(target: str, once: Once, shown: Console, lang: Language) -> Judgement:
    from barehand.judge.watch import watch

    return watch(target, once, shown, lang.value)


def _self_test(shown: Console) -> int:
    """0 where the judge accepts every right program and refuses every wrong one that comes with it."""
    from barehand.judge import selftest

    return 0 if selftest.run(shown) else 1
