"""IPython's own syntax in a cell: magics, shell lines and questions become blank lines, so that Python remains."""

from __future__ import annotations

import re

from barehand.judge.reading.syntax import is_python

_CELL = re.compile(r"\s*%%(\w+)")
_PYTHON_CELLS = {
    "barehand",
    "time",
    "timeit",
    "capture",
    "prun",
    "python",
    "python3",
}  # what is below the line is Python
_LINE = re.compile(r"^[ \t]*(?:%{1,2}[A-Za-z_]|!{1,2}\s*\S|\?{1,2}\w)")
_QUESTION = re.compile(r"^[ \t]*[\w.]+\?{1,2}[ \t]*$")
_ASSIGNED = re.compile(r"^([ \t]*[\w, ]+=)[ \t]*(?:!|%[A-Za-z_]).*$")
_RUN = re.compile(r"^[ \t]*%run[ \t]+(?:-\w+[ \t]+)*(\S+)", re.MULTILINE)


def blank(text: str) -> tuple[str, str]:
    """The cell without magics and with all its lines; and the file that `%run` names."""
    magic = _CELL.match(text)
    if magic and not text.lstrip().startswith("%% "):
        if magic[1] not in _PYTHON_CELLS:
            return "", ""  # a shell script, LaTeX, HTML ...
        first = text.index("%%")
        text = text[:first] + re.sub(r"^.*", "", text[first:], count=1)
    if is_python(text):
        return text, ""
    run = _RUN.search(text)
    lines, inside = [], False
    for line in text.split("\n"):
        if inside or _LINE.match(line) or _QUESTION.match(line):
            indent = line[: len(line) - len(line.lstrip())]
            inside = line.rstrip().endswith("\\")
            lines.append(f"{indent}pass" if indent and not inside else "")
        else:
            lines.append(_ASSIGNED.sub(r"\1 None", line))
    return "\n".join(lines), run[1] if run else ""
