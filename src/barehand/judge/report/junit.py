"""A Judgement as JUnit's XML, which continuous integration reads: a suite an item, a case a grade."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from barehand.judge.report.words import Language, name, readable, title, where, word
from barehand.judge.verdicts import DECISIVE, GRADES, Graded, Item, Judgement


def to_junit(judgement: Judgement, lang: Language = "en") -> str:
    """The document as text."""
    suites = ET.Element("testsuites", name=f"barehand check {readable(judgement.target)}")
    for item in judgement.items:
        suites.append(_suite(item, judgement, lang))
    for count in ("tests", "failures", "errors", "skipped"):
        suites.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    suites.set("time", f"{sum(item.seconds for item in judgement.items):.3f}")
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def write_junit(path: Path, judgement: Judgement, lang: Language = "en") -> None:
    """The document as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_junit(judgement, lang), encoding="utf-8")


def _suite(item: Item, judgement: Judgement, lang: Language) -> ET.Element:
    place = where(item, judgement, lang)
    suite = ET.Element("testsuite", name=f"{title(item.block, lang)}: {readable(item.object)} ({place})")
    properties = ET.SubElement(suite, "properties")
    told = {
        "seed": str(judgement.seed),
        "sandbox": ", ".join(judgement.sandbox),
        "adapter": item.adapter,
        "convention": "; ".join(item.convention),
    }
    for key, value in told.items():
        ET.SubElement(properties, "property", name=key, value=readable(value))
    for i, grade in enumerate(GRADES):
        case = ET.SubElement(suite, "testcase", name=grade, classname=f"{item.block}.{readable(item.object)}")
        case.set("time", f"{item.seconds if i == 0 else 0.0:.3f}")
        if item.path:
            case.set("file", readable(item.path))
        case.set("line", str(item.line))
        _outcome(case, item, grade, lang)
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(GRADES)))
    suite.set("time", f"{item.seconds:.3f}")
    return suite


def _outcome(case: ET.Element, item: Item, grade: str, lang: Language) -> None:
    """What JUnit knows besides a pass: an error where the code cannot run, a failure, and what was left out."""
    graded = item.grades.get(grade, Graded("unverified"))
    if item.verdict == "error":
        message = readable(item.error) or word("error", lang)
        ET.SubElement(case, "error", message=message, type="error")
    elif graded.verdict == "fail":
        message = readable(graded.reason) or word("fail", lang)
        kind = "decides" if grade in DECISIVE else "lowers the mark"
        ET.SubElement(case, "failure", message=message, type=kind).text = _explained(item, grade, lang)
    elif graded.verdict == "unverified":
        ET.SubElement(case, "skipped", message=readable(graded.reason) or word("unverified", lang))


def _explained(item: Item, grade: str, lang: Language) -> str:
    failures = (f"{name(f)} [{f.dtype}]: {f.message}" for f in item.failures if f.grade == grade)
    mistakes = (f"{word('mistake', lang)}: {m.id}. {m.message}" for m in item.mistakes)
    return readable("\n".join([*failures, *mistakes]))
