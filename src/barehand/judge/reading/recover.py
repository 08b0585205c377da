"""Parsing that does not stop at the first syntax error: what is broken is cut out, the rest is kept."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from barehand.judge.reading.syntax import compiled

_CONTINUES = re.compile(r"(else|elif|except|finally|case)\b|[)\]}#]")
_NAMED = re.compile(r"^\s*(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)
_MOST_JOINED = 40  # chunks tried together: a string with lines at the margin is cut into as many
_MOST_ERRORS = 20


@dataclass(frozen=True)
class Error:
    """A stretch of lines that Python refuses."""

    name: str  # of the definition in it, or ""
    line: int
    message: str
    hint: str


def parse_what_parses(text: str) -> tuple[list[ast.stmt], list[Error]]:
    """The statements of a text, line numbers as in it; and what had to be left out."""
    try:
        return compiled(text), []
    except SyntaxError as problem:
        whole = problem
    chunks = _chunks(text.split("\n"))
    body: list[ast.stmt] = []
    errors: list[Error] = []
    at = 0
    while at < len(chunks):
        if len(errors) == _MOST_ERRORS:
            line = chunks[at][0] + 1
            errors.append(Error("", line, "SyntaxError: too many before this line", "is this a program in Python 3?"))
            break
        first, refused = chunks[at][0], None
        for until in range(at + 1, min(at + _MOST_JOINED, len(chunks)) + 1):
            lines = [line for _, part in chunks[at:until] for line in part]
            try:
                body += [ast.increment_lineno(node, first) for node in compiled("\n".join(lines))]
            except SyntaxError as problem:
                refused = refused or problem
            else:
                at = until
                break
        else:
            assert refused is not None
            errors.append(_error(refused, first, "\n".join(chunks[at][1])))
            at += 1
    return (body, errors) if errors else ([], [_error(whole, 0, text)])


def _chunks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """Lines cut where one starts at the margin, as (index of the first, lines); decorators stay with what follows."""
    found: list[tuple[int, list[str]]] = []
    decorated = False
    for at, line in enumerate(lines):
        starts = bool(line) and not line[0].isspace() and not _CONTINUES.match(line)
        if not found or (starts and not decorated):
            found.append((at, []))
        found[-1][1].append(line)
        if starts:
            decorated = line.startswith("@")
    return found


def _error(problem: SyntaxError, above: int, text: str) -> Error:
    name = _NAMED.search(text)
    line = above + (problem.lineno or 1)
    return Error(name[1] if name else "", line, f"{type(problem).__name__}: {problem.msg}", _cause(problem, text))


def _cause(problem: SyntaxError, text: str) -> str:
    message = problem.msg or ""
    if re.search("[，。：；（）【】“”‘’！？]", message) or re.search(r"\(U\+(FF|30|20)", message):
        return "a full-width character: type it with the English keyboard"
    if isinstance(problem, TabError) or "unindent" in message or "unexpected indent" in message:
        return "the indentation of this line fits no line above it; tabs and spaces may be mixed"
    if "Missing parentheses in call to 'print'" in message:
        return "this is Python 2; write print(...)"
    if "outside function" in message:
        return "this line is not inside its function: is it indented?"
    if "expected an indented block" in message:
        return "the body is missing, or not indented"
    line = text.split("\n")[min((problem.lineno or 1), text.count("\n") + 1) - 1].strip()
    return f"Python stops reading at: {line[:100]}" if line else "Python stops reading here"
