"""The words of every report, in English and in Chinese, once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from barehand.judge.verdicts import Failure, Item, Judgement

Language = Literal["en", "zh"]

MARKS = {"pass": "✓", "fail": "✗", "error": "!", "unverified": "–"}

WORDS = {
    # The five grades
    "correctness": {"en": "correctness", "zh": "正确性"},
    "stability": {"en": "stability", "zh": "稳定性"},
    "gradient": {"en": "gradient", "zh": "梯度"},
    "generality": {"en": "generality", "zh": "通用性"},
    "speed": {"en": "speed", "zh": "速度"},
    # and as heads of columns, of which five must fit into 80 characters
    "column correctness": {"en": "right", "zh": "正确"},
    "column stability": {"en": "stable", "zh": "稳定"},
    "column gradient": {"en": "gradient", "zh": "梯度"},
    "column generality": {"en": "general", "zh": "通用"},
    "column speed": {"en": "speed", "zh": "速度"},
    # Verdicts
    "pass": {"en": "pass", "zh": "通过"},
    "fail": {"en": "fail", "zh": "未通过"},
    "error": {"en": "could not be judged", "zh": "无法判定"},
    "unverified": {"en": "unverified", "zh": "未验证"},
    # Parts of a report
    "judgement": {"en": "barehand: the judgement", "zh": "barehand：评判结果"},
    "verdict": {"en": "verdict", "zh": "结论"},
    "definition": {"en": "definition", "zh": "定义"},
    "block": {"en": "block", "zh": "算法"},
    "where": {"en": "where", "zh": "位置"},
    "mistake": {"en": "mistake", "zh": "错误"},
    "probably": {"en": "probably here", "zh": "问题可能在这里"},
    "failing": {"en": "smallest failing input", "zh": "最小的出错输入"},
    "expected": {"en": "expected", "zh": "期望值"},
    "got": {"en": "got", "zh": "实际值"},
    "failed": {"en": "also failed", "zh": "同样未通过"},
    "convention": {"en": "convention", "zh": "约定"},
    "adapter": {"en": "called as", "zh": "调用方式"},
    "sandbox": {"en": "sandbox", "zh": "沙箱"},
    "seed": {"en": "seed", "zh": "随机种子"},
    "notes": {"en": "Seen and not judged", "zh": "看到但未评判"},
    "source": {"en": "The code", "zh": "代码"},
    "speeds": {"en": "Speed", "zh": "速度曲线"},
    "apart": {"en": "how far apart", "zh": "相差"},
    "axes": {"en": "seconds a call, by size", "zh": "每次调用的秒数，随规模变化"},
    "only failures": {"en": "Only what does not pass", "zh": "只看未通过的"},
    "nothing": {"en": "Nothing was judged.", "zh": "没有可评判的内容。"},
    "more": {"en": "and {} more", "zh": "另有 {} 项"},
    "yours": {"en": "yours", "zh": "你的"},
    "textbook": {"en": "textbook", "zh": "教科书写法"},
    "barehand": {"en": "barehand", "zh": "barehand"},
    # The difference that a save makes
    "fixed": {"en": "fixed", "zh": "已修好"},
    "broken": {"en": "broken", "zh": "新出错"},
    "still": {"en": "still failing", "zh": "仍未通过"},
    "gone": {"en": "gone", "zh": "已删除"},
    "watching": {"en": "Watching {}; Ctrl-C ends it.", "zh": "正在监视 {}；按 Ctrl-C 结束。"},
}


def word(key: str, lang: Language, *values: object) -> str:
    """The words for `key`, with values put in; a key that is none stands for itself."""
    return WORDS[key][lang].format(*values) if key in WORDS else key


def title(block: str, lang: Language) -> str:
    """What a block is called; its name where no spec has it."""
    from barehand.show import find

    try:
        return find(block).titles[lang]
    except ValueError:
        return block


# Control characters, lone surrogates, and marks that nobody sees or that turn the direction of writing.
_UNREADABLE = re.compile(
    r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def readable(text: str) -> str:
    """Somebody's text with escapes for what would steer a terminal, spoil XML or mislead the eye."""
    return _UNREADABLE.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), text.replace("\r\n", "\n"))


def name(failure: Failure) -> str:
    """The check's name; its kind is left out where the grade says it already."""
    return failure.check.removeprefix("case: ").removeprefix("gradient: ")


def where(item: Item, judgement: Judgement, lang: Language) -> str:
    """Cell and line of a notebook, line of a file; with the file's name where the target has several."""
    several = len({i.path for i in judgement.items}) > 1
    file = f"{readable(Path(item.path).name)}:" if several and item.path else ""
    if item.cell is not None:
        cell = "cell" if lang == "en" else "单元格"
        return f"{file} {cell} {item.cell}:{item.line}".strip()
    if file:
        return f"{file}{item.line}"
    return f"line {item.line}" if lang == "en" else f"第 {item.line} 行"


def summary(judgement: Judgement, lang: Language) -> str:
    """How many pass, fail, could not be judged or remain open, in one line."""
    if not judgement.items:
        return word("nothing", lang)
    found = [item.verdict for item in judgement.items]
    counts = ((found.count(v), word(v, lang)) for v in ("pass", "fail", "error", "unverified"))
    said = [f"{number} {name}" for number, name in counts if number]
    return ", ".join(said) if lang == "en" else "，".join(said)


def brief(judgement: Judgement) -> str:
    """Each item in a few words: what failed, by which mistake."""
    return "; ".join(_briefly(item) for item in judgement.items) or "of nothing"


def _briefly(item: Item) -> str:
    said = f"{readable(item.object)}: {item.verdict}"
    causes = [m.id for m in item.mistakes] or [f"{name(f)}: {f.message}" for f in item.failures[:1]] or [item.error]
    return f"{said}, {readable(causes[0])}" if causes[0] and not item.passed else said


def footing(judgement: Judgement, lang: Language) -> str:
    """What it takes to judge the same again: the seed, and the protections that were in force."""
    seed = f"{word('seed', lang)} {judgement.seed}"
    protections = readable(", ".join(judgement.sandbox))
    return f"{seed} · {word('sandbox', lang)}: {protections}" if protections else seed
