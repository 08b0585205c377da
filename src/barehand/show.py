"""`barehand list` and `barehand show`: what blocks there are, and one of them on a page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from barehand import textbook
from barehand.blocks import homes, public, specs
from barehand.core.spec import Spec

Language = Literal["en", "zh"]

_WORDS = {
    "formula": {"en": "Formula", "zh": "公式"},
    "textbook": {"en": "As on paper", "zh": "教科书写法"},
    "mistakes": {"en": "What goes wrong by hand", "zh": "手写时常见的错误"},
    "mistake": {"en": "Mistake", "zh": "错误"},
    "advice": {"en": "Advice", "zh": "建议"},
    "function": {"en": "Function", "zh": "函数"},
    "does": {"en": "What it does", "zh": "作用"},
    "title": {"en": "Name", "zh": "名称"},
    "lesson": {"en": "Lesson", "zh": "讲解"},
}


def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "", word.lower())


def find(name: str) -> Spec:
    """A spec by its function's name, its block's, a title in either language, or another spelling people use."""
    known = specs()
    spellings: dict[str, Spec] = {}
    for spec in known.values():
        for spelling in (spec.name, spec.block, *spec.titles.values(), *spec.aliases.get(spec.name, ())):
            spellings.setdefault(_plain(spelling), spec)
    if _plain(name) in spellings:
        return spellings[_plain(name)]
    near = get_close_matches(_plain(name), spellings, n=1)
    hint = f"did you mean {spellings[near[0]].name}?" if near else f"use one of {', '.join(known)}"
    raise ValueError(f"show: no block is called {name!r}; {hint}")


def overview(language: Language) -> Table:
    """All blocks, a line each."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for word in ("function", "title", "does"):
        table.add_column(_WORDS[word][language], overflow="fold", no_wrap=word == "function")
    for spec in specs().values():
        table.add_row(_address(spec), Text(spec.titles[language]), Text(spec.summary[language]))
    return table


def page(spec: Spec, language: Language, *, lesson: bool = False) -> RenderableType:
    """The formula, the textbook with its gradient, and the typical mistakes; with `lesson`, the whole lesson."""
    title = Text(f"{spec.titles[language]}  ", style="bold").append(_address(spec), style="dim")
    signature = _signature(public(spec.name))
    parts: list[RenderableType] = [
        Panel(Group(title, Text(spec.summary[language])), border_style="cyan"),
        Rule(_WORDS["formula"][language], align="left", style="cyan"),
        Text(spec.formula),
        Text(f"{spec.name}{signature}", style="dim"),
        Rule(_WORDS["textbook"][language], align="left", style="cyan"),
        Syntax(_source(spec), "python", theme="ansi_dark", background_color="default", word_wrap=True),
        Rule(_WORDS["mistakes"][language], align="left", style="cyan"),
        _mistakes(spec, language),
    ]
    if lesson:
        text = files("barehand").joinpath("blocks", spec.block, f"lesson.{language}.md").read_text(encoding="utf-8")
        parts += [Rule(_WORDS["lesson"][language], align="left", style="cyan"), Markdown(_formulas_as_code(text))]
    return Group(*parts)


def _address(spec: Spec) -> str:
    """Where a user finds it."""
    return f"barehand.linear_model.{spec.name}" if spec.name in homes("estimator") else f"barehand.{spec.name}"


def _signature(function: Callable[..., Any]) -> str:
    """The arguments and their defaults, without types."""
    full = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in full.parameters.values()]
    return str(full.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def _source(spec: Spec) -> str:
    """The textbook's function, what it calls in its own file, and its gradient; the whole file of a class."""
    module = inspect.getmodule(getattr(textbook, spec.name))
    assert module is not None
    if spec.drive is not None:
        return inspect.getsource(module)
    functions = dict(inspect.getmembers(module, inspect.isfunction))
    wanted = [spec.name, *([f"{spec.name}_vjp"] if spec.vjp else [])]
    for name in wanted:
        wanted += [w for w in functions if w in functions[name].__code__.co_names and w not in wanted]
    ordered = sorted(wanted, key=lambda n: functions[n].__code__.co_firstlineno)
    return "\n\n".join(inspect.getsource(functions[n]).rstrip() for n in ordered)


def _formulas_as_code(lesson: str) -> str:
    """LaTeX between dollars as code: Markdown would take its backslashes and underscores for its own."""
    lesson = re.sub(r"\$\$(.+?)\$\$", lambda m: f"\n```latex\n{m[1].strip()}\n```\n", lesson, flags=re.DOTALL)
    return re.sub(r"\$([^$]+?)\$", lambda m: f"`{' '.join(m[1].split())}`", lesson)


def _mistakes(spec: Spec, language: Language) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, show_header=language == "en")
    if language == "en":
        table.add_column(_WORDS["mistake"][language], style="yellow", ratio=1)
    table.add_column(_WORDS["advice"][language], ratio=2)
    for mutant in spec.mutants:
        advice = mutant.advice[language]
        # As Text: "E[x]" would be read as markup.
        table.add_row(*((Text(mutant.name), Text(advice)) if language == "en" else (Text(f"• {advice}"),)))
    return table
