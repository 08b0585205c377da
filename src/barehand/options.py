"""What the commands share: options of the same name, where their words go, and how they refuse."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console


class Language(StrEnum):
    """The languages that pages come in."""

    en = "en"
    zh = "zh"


Lang = Annotated[Language, typer.Option("--lang", help="The language of titles and advice.")]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the result as JSON, to a file or to - (standard output)."),
]


def console(json_to: str | None) -> Console:
    """For people: standard output, or standard error while standard output holds JSON."""
    return Console(stderr=json_to == "-")


def write_json(json_to: str | None, result: Any) -> None:
    """The result to a file or to standard output, if it is asked for."""
    if json_to == "-":
        json.dump(result, sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    elif json_to is not None:
        Path(json_to).write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def refuse(error: Exception) -> typer.Exit:
    """A clear line for people, and exit status 2: the command could not run."""
    Console(stderr=True).print(f"barehand {error}", style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(2)
