"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from barehand.demo import judging, words
from barehand.demo.outcome import Tour

_TONES = {"pass": "good", "fail": "bad", "error": "bad", "unverified": "soft"}


def _versions() -> str:
    found = []
    for library in ("barehand", "numpy", "torch", "scikit-learn", "scikit-image"):
        try:
            found.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def write_report(path: Path, tour: Tour) -> None:
    """Fill the template; every picture goes in as inline SVG."""
    from jinja2 import Environment, StrictUndefined

    from barehand.demo.pictures import svg
    from barehand.judge.report import words as judge_words
    from barehand.judge.verdicts import DECISIVE, GRADES

    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters.update(figure=words.figure, difference=words.difference, duration=words.duration, ratio=words.ratio)
    page.filters["readable"] = judge_words.readable
    page.globals.update(word=judge_words.word, title=judge_words.title, where=judge_words.where, name=judge_words.name)
    page.globals.update(verdicts=judge_words.summary, shown=judging.shown, command=judging.command)
    page.globals.update(marks=judge_words.MARKS, tones=_TONES, grades=GRADES, decisive=DECISIVE)
    template = page.from_string(files("barehand.demo").joinpath("report.html.j2").read_text(encoding="utf-8"))
    pictures = {
        i: svg(o.found.picture, f"p{i}") for i, o in enumerate(tour.outcomes) if o.found is not None and o.found.picture
    }
    html = template.render(
        outcomes=list(tour.outcomes),
        judged=tour.judged,
        pictures=pictures,
        summary=words.summary(tour.outcomes),
        no_peer=words.NO_PEER,
        verdict=words.verdict,
        durations=words.durations,
        versions=_versions(),
        machine=f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        day=date.today().isoformat(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html, encoding="utf-8")
