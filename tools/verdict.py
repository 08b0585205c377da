"""Write into README.md and README.zh-CN.md what the judge says of one definition of the notebook; `--check` compares.

The seed is fixed and nothing is timed, so the same code gives the same words.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from barehand.judge.check import judge
from barehand.judge.report.terminal import show
from barehand.judge.report.words import MARKS, Language, summary, word
from barehand.judge.verdicts import Judgement

ROOT = Path(__file__).parents[1]
FILES: dict[Language, Path] = {"en": ROOT / "README.md", "zh": ROOT / "README.zh-CN.md"}
NOTEBOOK, SHOWN = "examples/handwritten.ipynb", "BPRLoss"
BEGIN, END = "<!-- judge -->\n", "<!-- /judge -->"


def judged(target: str, language: Language) -> Judgement:
    """What the judge says, the same every time."""
    return judge(str(ROOT / target), seed=0, lang=language, timed=False)


def excerpt(whole: Judgement, language: Language) -> str:
    """The command, a definition up to its smallest failing input, and how many of all pass."""
    shown = io.StringIO()
    show(judged(f"{NOTEBOOK}:{SHOWN}", language), Console(file=shown, width=80), language)
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{MARKS['fail']} {SHOWN}  ") and "·" in line)
    end = lines.index(f"  {word('failed', language)}:", start)
    command = f"$ barehand check {NOTEBOOK} --seed 0" + ("" if language == "en" else f" --lang {language}")
    return "\n".join(["```", command, "...", *lines[start:end], "...", summary(whole, language), "```", ""])


def filled(whole: Judgement, language: Language) -> str:
    """The README with its excerpt replaced."""
    before, rest = FILES[language].read_text(encoding="utf-8").split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}{excerpt(whole, language)}{END}{after}"


def main() -> int:
    """Write or check both files."""
    stale, whole = 0, judged(NOTEBOOK, "en")
    for language, file in FILES.items():
        text = filled(whole, language)
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
        elif text != file.read_text(encoding="utf-8"):
            print(f"{file.name} is stale; run `python tools/verdict.py`")
            stale += 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
