"""A Judgement as one HTML page that needs nothing else, and as a part of a notebook."""

from __future__ import annotations

import html
import io
import zlib
from functools import partial
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from barehand.core.arrays import MissingBackend
from barehand.judge.report import pictures, source, values, words
from barehand.judge.report.pictures import COLOURS, Picture
from barehand.judge.report.words import MARKS, Language
from barehand.judge.verdicts import GRADES, Judgement

_MOST_PICTURES = 80  # a picture takes a twentieth of a second and 20 kB: a folder of hundreds shows the first
_OTHERS = 8  # failed checks that are named besides the first


def write_page(path: Path, judgement: Judgement, lang: Language = "en") -> None:
    """The page as a file."""
    if find_spec("jinja2") is None:
        raise MissingBackend("check: --html needs jinja2: pip install 'barehand[lab]'")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_render("page.html.j2", judgement, lang), encoding="utf-8")


def fragment(judgement: Judgement, lang: Language = "en") -> str:
    """What a notebook shows of it: the same without the page around; plain text where jinja2 is missing."""
    if find_spec("jinja2") is not None:
        return _render("judgement.html.j2", judgement, lang)
    from rich.console import Console

    from barehand.judge.report.terminal import show

    shown = io.StringIO()
    show(judgement, Console(file=shown, width=100), lang)
    return f"<pre>{html.escape(shown.getvalue())}</pre>"


def _render(template: str, judgement: Judgement, lang: Language) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("barehand.judge.report", "templates")
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=loader)
    page.filters["readable"] = words.readable
    page.globals.update(
        word=lambda key, *values: words.word(key, lang, *values),
        title=partial(words.title, lang=lang),
        where=lambda item: words.where(item, judgement, lang),
        name=words.name,
        shown=values.shown,
        side_by_side=values.side_by_side,
        lines=source.lines,
        suspects=source.suspects,
        colours=COLOURS,
    )
    # Several judgements may stand in one notebook: ids are kept apart by what they are about.
    key = f"b{zlib.crc32(repr(judgement.items).encode(errors='backslashreplace')):08x}"
    return page.get_template(template).render(
        key=key,
        judgement=judgement,
        lang=lang,
        style=files("barehand.judge.report").joinpath("templates", "style.css").read_text(encoding="utf-8"),
        summary=words.summary(judgement, lang),
        footing=words.footing(judgement, lang),
        marks=MARKS,
        grades=GRADES,
        others=_OTHERS,
        pictures=_pictures(judgement, key),
    )


def _pictures(judgement: Judgement, key: str) -> dict[tuple[str, int], Picture]:
    """("case" or "speed", item) -> the picture; those of failures first, none without matplotlib."""
    if find_spec("matplotlib") is None:
        return {}
    found: dict[tuple[str, int], Picture | None] = {}
    worst_first = sorted(enumerate(judgement.items), key=lambda pair: pair[1].passed)
    for i, item in worst_first:
        if len(found) < _MOST_PICTURES and item.failures:
            found["case", i] = pictures.failing_case(item.failures[0], f"{key}c{i}")
        if len(found) < _MOST_PICTURES and item.curves:
            found["speed", i] = pictures.speeds(item.curves, f"{key}s{i}")
    return {key: picture for key, picture in found.items() if picture}
