"""The names that people give the fifteen blocks, in code and in headings, in English and Chinese."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from barehand.blocks import specs

# Block -> the spec that says its name, titles and usual spellings.
JUDGED = {
    "softmax": "softmax",
    "batch_norm": "batch_norm",
    "layer_norm": "layer_norm",
    "contrastive_loss": "contrastive_loss",
    "pairwise_margin_loss": "pairwise_margin_loss",
    "cross_entropy": "cross_entropy",
    "focal_loss": "focal_loss",
    "iou": "iou",
    "multi_head_attention": "multi_head_attention",
    "adam": "Adam",
    "roc_auc_score": "roc_auc_score",
    "bpr_loss": "bpr_loss",
    "linear_regression": "LinearRegression",
    "logistic_regression": "LogisticRegression",
    "self_attention": "self_attention",
}
OTHER = "other"  # something else, although it holds a block's name
RANKING, DESCENT, ATTENTION = "ranking", "descent", "attention"  # several blocks go by these

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z]|[^a-z]|$)|[A-Z]?[a-z]+|[A-Z]+|\d+[dD]\b|\d+|[\u4e00-\u9fff]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(files("barehand").joinpath("judge", "aliases.toml").read_text(encoding="utf-8"))


@cache
def word_list(name: str) -> frozenset[str]:
    """One of the lists of single words: empty, loose, helpers, brief."""
    return frozenset(_file()["words"][name])


def words(text: str) -> list[str]:
    """A name or a line of text in small words of one spelling; Chinese runs stay whole, numbers go."""
    text = re.sub(r"([GDCm]?)IoU", lambda m: f" {m[1].lower()}iou ", text).replace("InfoNCE", "info nce")
    spelled = _file()["spelled"]
    found = (w.lower() for w in _WORD.findall(text) if not w[0].isdigit())
    return [part for w in found for part in spelled.get(w, w).split()]


_WITH_GRADIENT = re.compile(r"_?(with|and)_?(grad(ient)?s?|backward)$", re.IGNORECASE)


@cache
def _table() -> dict[tuple[str, ...], str]:
    """Words in order -> what goes by them."""
    table: dict[tuple[str, ...], str] = {}
    known, more = specs(), _file()
    for block, name in JUDGED.items():
        spec = known[name]
        spellings = [spec.name, block, *spec.titles.values(), *spec.aliases.get(spec.name, ())]
        for spelling in (*spellings, *more[block].get("en", ()), *more[block].get("zh", ())):
            table.setdefault(tuple(words(spelling)), block)
    for several in (RANKING, DESCENT, ATTENTION, OTHER):
        for spelling in (*more[several].get("en", ()), *more[several].get("zh", ())):
            table[tuple(words(spelling))] = several
    return table


@cache
def _in_any_order() -> dict[frozenset[str], str]:
    """Names are turned about, as in `loss_focal`."""
    return {frozenset(key): block for key, block in _table().items() if len(key) > 1}


@cache
def _chinese() -> list[tuple[re.Pattern[str], str]]:
    """Chinese spellings, the longest first, with or without spaces in them."""
    keys = sorted((k for k in _table() if _CHINESE.search("".join(k))), key=lambda k: -len("".join(k)))
    return [(re.compile(r"\s*".join("".join(key)), re.IGNORECASE), _table()[key]) for key in keys]


def claims(name: str) -> str:
    """The block, or OTHER, RANKING, DESCENT or ATTENTION, that a name in code stands for; or ""."""
    table, all_words = _table(), words(_WITH_GRADIENT.sub("", name))
    empty, loose = word_list("empty"), word_list("loose")
    for dropped in (frozenset(), loose, empty - {"single"}, empty, empty | loose):
        rest = tuple(w for w in all_words if w not in dropped and len(w) > 1)
        found = table.get(rest) or _in_any_order().get(frozenset(rest), "")
        if rest and found:
            return found
    if not _CHINESE.search(name):
        return ""
    found_in_chinese = mentioned(name)
    return found_in_chinese.pop() if len(found_in_chinese) == 1 else ""


def mentioned(line: str) -> set[str]:
    """What a line of text names: blocks, and the other things of the table; each stretch of text counts once."""
    table, found = _table(), set()
    for spelling, block in _chinese():
        line, times = spelling.subn(" | ", line)
        if times:
            found.add(block)
    rest = words(line)
    longest = max(len(key) for key in table)
    at = 0
    while at < len(rest):
        for length in range(min(longest, len(rest) - at), 0, -1):
            key = tuple(rest[at : at + length])
            if key in table and not (length == 1 and key[0] in word_list("brief")):
                found.add(table[key])
                at += length
                break
        else:
            at += 1
    return found
