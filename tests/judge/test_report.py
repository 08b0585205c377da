"""What the judge shows: complete, in both languages, strict for programs, and safe with whatever text code brings."""

from __future__ import annotations

import io
import json
import re
import string
import sys
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from threading import Event, Thread
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from barehand.cli import app
from barehand.judge import blocks, watch
from barehand.judge.report import page, terminal, words
from barehand.judge.report.json import schema, to_json
from barehand.judge.report.junit import to_junit
from barehand.judge.report.source import suspects
from barehand.judge.report.values import shown, side_by_side
from barehand.judge.sources import TargetError
from barehand.judge.verdicts import GRADES, Curve, Failure, Graded, Item, Judgement, Mistake

PASS = {grade: Graded("pass", 12, 12) for grade in GRADES}
SOURCE = "def softmax(x):\n    e = np.exp(x)\n    return e / e.sum(-1, keepdims=True)\n"
OVERFLOW = Failure(
    "case: large scores",
    "stability",
    "float32",
    "the result is not finite",
    {"x": np.array([[1000.0, 0.0, 1.0]], np.float32), "axis": -1, "mask": None},
    np.array([[1.0, 0.0, 0.0]]),
    np.array([[np.nan, 0.0, 0.0]], np.float32),
)
WRONG = Item(
    "softmax",
    "my_softmax",
    1,
    5,
    "my_softmax(x)",
    "fail",
    {**PASS, "stability": Graded("fail", 3, 5, "overflows"), "gradient": Graded("unverified", reason="NumPy has none")},
    mistakes=(Mistake("no maximum subtracted", "Subtract the largest score first.", "e = np.exp(x)"),),
    failures=(OVERFLOW, replace(OVERFLOW, check="case: minus infinity")),
    path="nb.ipynb",
    source=SOURCE,
    curves=(Curve("yours", (64, 512), (2e-5, 8e-5)), Curve("barehand", (64, 512), (3e-6, 7e-6))),
    seconds=0.5,
)
RIGHT = Item(
    "layer_norm", "LayerNorm", 2, 1, "LayerNorm(n)(x)", "pass", PASS, path="nb.ipynb", source="class LayerNorm: ..."
)
BROKEN = Item("adam", "Adam", 3, 1, "", "error", error="SyntaxError: invalid syntax", path="nb.ipynb")
ITEMS = (WRONG, RIGHT, BROKEN)
HOSTILE = "\x1b[31mred\x1b[0m \x00 \ud800 [bold]b[/] <script>alert(1)</script> & \u202e"


def judgement(*items: Item, **more: Any) -> Judgement:
    return Judgement("nb.ipynb", 7, ("seccomp: no network",), items, **more)


def hostile() -> Judgement:
    text = HOSTILE
    failure = replace(OVERFLOW, check=text, message=text, inputs={text: text}, got=[text, {text: object()}])
    mistake = Mistake(text, text, text)
    grades = {**PASS, "stability": Graded("fail", 0, 1, text)}
    item = replace(
        WRONG,
        object=text,
        adapter=text,
        grades=grades,
        convention=(text,),
        mistakes=(mistake,),
        failures=(failure, failure),
        error=text,
        path=text,
        source=text,
    )
    return Judgement(text, 7, (text,), (item, replace(item, verdict="error")), (text,))


def printed(told: Judgement, width: int = 100, lang: words.Language = "en", colour: bool = False) -> str:
    out = io.StringIO()
    terminal.show(told, Console(file=out, width=width, force_terminal=colour), lang)
    return out.getvalue()


def html(told: Judgement, folder: Path, lang: words.Language = "en") -> str:
    page.write_page(folder / "new" / "page.html", told, lang)
    return (folder / "new" / "page.html").read_text(encoding="utf-8")


class Checked(HTMLParser):
    """Fails on what is not closed in order, and keeps tags and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "path", "use", "image"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "input", "path", "use", "image"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if self.open[-1:] != ["style"] else ""


# Words


def test_words_are_in_both_languages_with_the_same_places() -> None:
    for key, both in words.WORDS.items():
        places = [[p[1] for p in string.Formatter().parse(both[lang]) if p[1] is not None] for lang in ("en", "zh")]
        assert places[0] == places[1], key


def test_every_word_is_used() -> None:
    folder = Path(words.__file__).parent
    code = "\n".join(p.read_text() for p in [*folder.rglob("*.py"), *folder.rglob("*.j2"), *folder.parent.glob("*.py")])
    code = code.replace((folder / "words.py").read_text().partition("def word(")[0], "")
    spoken = {*GRADES, *(f"column {g}" for g in GRADES), "pass", "fail", "error", "unverified"}
    assert {k for k in words.WORDS if f'"{k}"' not in code and f"'{k}'" not in code} <= spoken | {"textbook"}


def test_every_block_has_a_title() -> None:
    for block in blocks.SPECS_OF:
        assert words.title(block, "zh")
        assert words.title(block, "en") != block
    assert words.title("no such block", "en") == "no such block"


def test_a_judgement_in_one_line() -> None:
    assert repr(judgement(*ITEMS)) == (
        "<Judgement my_softmax: fail, no maximum subtracted; LayerNorm: pass; Adam: error, SyntaxError: invalid syntax>"
    )
    assert repr(judgement()) == "<Judgement of nothing>"


# Values


def stars(value: Any) -> list[tuple[int, int]]:
    return [(i, j) for i, row in enumerate(value.rows) for j, cell in enumerate(row) if cell.wrong]


def test_differing_entries_are_marked_and_rounding_is_not() -> None:
    expected = np.array([[1.0, 2.0], [3.0, 4.0]])
    got = (expected * (1 + 1e-7)).astype(np.float32)
    got[1, 0] = 3.5
    left, right = side_by_side(expected, got)
    assert stars(left) == stars(right) == [(1, 0)]
    assert right.caption == "float32 (2, 2)"


def test_entries_that_differ_look_different() -> None:
    left, right = side_by_side(np.array([1.0]), np.array([1.0 + 3e-14]))
    assert left.rows[0][0].wrong
    assert left.rows[0][0].text != right.rows[0][0].text


def test_a_large_array_is_cut_around_the_first_wrong_entry() -> None:
    expected = np.zeros((4, 50, 70))
    got = expected.copy()
    got[2, 30, 40] = 1
    left, right = side_by_side(expected, got)
    assert left.caption == "float64 (4, 50, 70) → (200, 70)[127:133, 37:43]"
    assert stars(right) == [(3, 3)]
    assert (len(left.rows), len(left.rows[0])) == (6, 6)


def test_nan_and_infinity_differ_from_numbers_and_agree_with_themselves() -> None:
    inf, nan = np.inf, np.nan
    left, _ = side_by_side(np.array([1.0, nan, inf, -inf]), np.array([nan, nan, inf, inf]))
    assert stars(left) == [(0, 0), (0, 3)]


@pytest.mark.parametrize(
    ("value", "texts", "caption"),
    [
        (3, ["3"], "int64"),
        (True, ["True"], "bool"),
        (np.zeros((0, 3)), ["[]"], "float64 (0, 3)"),
        ([1, 2], ["1", "2"], "int64 (2,)"),
        ("mean", ["'mean'"], "str"),
        ([[1], [1, 2]], ["[[1], [1, 2]]"], "list"),
        (None, ["None"], ""),
        ("x" * 1000, ["'" + "x" * 299 + "…"], "str"),
    ],
    ids=lambda v: type(v).__name__,
)
def test_any_value_can_be_shown(value: object, texts: list[str], caption: str) -> None:
    found = shown(value)
    assert [cell.text for row in found.rows for cell in row] == texts
    assert found.caption == caption


def test_records_of_tensors_and_of_other_things() -> None:
    @dataclass
    class Tensor:
        array: Any

    @dataclass
    class Other:
        type_name: str
        text: str

    assert shown(Tensor(np.ones(2, np.float32))).caption == "float32 (2,)"
    left, right = side_by_side(np.ones(2), Other("Liar", "<Liar>"))
    assert (right.caption, right.rows[0][0].text) == ("Liar", "<Liar>")
    assert not stars(left)


def test_different_shapes_are_shown_without_marks() -> None:
    left, right = side_by_side(np.ones((2, 1)), np.ones(2))
    assert not stars(left)
    assert not stars(right)


# The terminal


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_says_it_all_within_its_width(lang: words.Language, width: int) -> None:
    text = printed(judgement(*ITEMS, notes=("cell 9: a helper",)), width, lang)
    lines = text.splitlines()
    assert all(words_width(line.rstrip()) <= width for line in lines)
    assert [line.split()[:2] for line in lines[1:4]] == [["✗", "my_softmax"], ["✓", "LayerNorm"], ["!", "Adam"]]
    assert re.findall("[✓✗–]", lines[1].partition("1:5")[2]) == ["✓", "✗", "–", "✓", "✓"]
    first = ("no maximum subtracted", "Subtract the largest score first.", "6 │     e = np.exp(x)", "1000", "nan*")
    besides = ("my_softmax(x)", "minus infinity", "SyntaxError", "cell 9: a helper", "seccomp", "NumPy has none")
    for part in (*first, *besides):
        assert part in text, part
    assert "mask" not in text
    assert words.word("seed", lang) + " 7" in lines[-1]


def words_width(line: str) -> int:
    from rich.cells import cell_len

    return cell_len(line)


def test_what_passes_as_expected_takes_one_line() -> None:
    assert "LayerNorm(n)" not in printed(judgement(RIGHT))
    assert "eps within the root" in printed(judgement(replace(RIGHT, convention=("eps within the root",))))
    slow = replace(RIGHT, grades={**PASS, "speed": Graded("fail", 0, 1, "grows with the square")})
    assert "speed: grows with the square" in printed(judgement(slow))


def test_what_only_lowers_the_mark_takes_a_line_each() -> None:
    failures = tuple(replace(OVERFLOW, check=f"case: {n}", grade="generality") for n in ("bools", "no rows"))
    text = printed(judgement(replace(RIGHT, failures=failures, adapter="f(x)")))
    assert "✗ generality: bools [float32]: the result is not finite" in text
    assert "no rows" not in text
    assert "nan*" not in text


def test_a_remark_on_what_was_judged_is_no_error() -> None:
    text = printed(judgement(replace(WRONG, error="line 2: `_init_` is no constructor")))
    assert "\n  line 2: `_init_` is no constructor" in text
    assert "could not be judged" not in text
    assert "could not be judged: SyntaxError" in printed(judgement(BROKEN))


def test_the_line_that_is_probably_wrong_is_found_by_text_or_number() -> None:
    assert suspects(WRONG) == {6: "    e = np.exp(x)"}
    by_number = replace(WRONG, mistakes=(Mistake("m", "a", "line 7: return e"),))
    assert list(suspects(by_number)) == [7]
    assert not suspects(replace(WRONG, mistakes=(Mistake("m", "a"),)))


def test_files_are_named_where_there_are_several() -> None:
    one, other = replace(RIGHT, cell=None, line=3, path="a/b.py"), replace(RIGHT, cell=None, path="c.py")
    assert words.where(one, judgement(one, other), "en") == "b.py:3"
    assert words.where(one, judgement(one), "en") == "line 3"


def test_nothing_judged_says_so() -> None:
    assert "Nothing was judged." in printed(judgement())


# Hostile text


def test_hostile_text_cannot_steer_the_terminal() -> None:
    text = printed(hostile(), colour=True)
    assert not re.search("\x1b(?!\\[[\\d;]*m)|\x00|\u202e", text)
    assert "\x1b[31mred" not in text
    assert "[bold]b[/]" in text


def test_hostile_text_stays_text_on_the_page(tmp_path: Path) -> None:
    found = Checked(html(hostile(), tmp_path))
    assert "script" not in {tag for tag, _ in found.tags}
    assert "<script>alert(1)</script>" in found.text


def test_hostile_text_keeps_xml_and_json_well_formed() -> None:
    assert len(ET.fromstring(to_junit(hostile()))) == 2
    document = to_json(hostile())
    jsonschema.validate(document, schema())
    json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


# JSON


def test_json_has_the_layout_of_version_1() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    document = to_json(judgement(*ITEMS))
    jsonschema.validate(document, schema())
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    first = document["items"][0]
    assert first["failing_case"]["got"] == [["nan", 0.0, 0.0]]
    assert first["failing_case"]["inputs"] == {"x": [[1000.0, 0.0, 1.0]], "axis": -1, "mask": None}
    assert first["grades"]["stability"] == {"verdict": "fail", "passed": 3, "total": 5, "reason": "overflows"}
    assert first["mistakes"] == [{"id": "no maximum subtracted", "message": "Subtract the largest score first."}]
    assert document["items"][1]["failing_case"] is None
    assert {g["reason"] for g in document["items"][2]["grades"].values()} == {"SyntaxError: invalid syntax"}


@pytest.mark.parametrize("spoilt", [{"version": 2}, {"items": [{}]}, {"seed": "7"}, {"more": 1}])
def test_the_schema_refuses_other_layouts(spoilt: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(to_json(judgement(*ITEMS)) | spoilt, schema())


def test_the_schema_knows_every_block() -> None:
    assert schema()["$defs"]["item"]["properties"]["block"]["enum"] == list(blocks.SPECS_OF)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.float32(np.inf), "inf"),
        (-np.inf, "-inf"),
        (np.array([True]), [True]),
        (np.longdouble(0.5), 0.5),
        (np.arange(3), [0, 1, 2]),
        ((np.ones(1), [1, "a"]), [[1.0], [1, "a"]]),
        ({"w": np.zeros(1)}, {"w": [0.0]}),
        (np.zeros((100, 100)), {"dtype": "float64", "shape": [100, 100], "first": [0.0] * 64}),
        (1j, "1j"),
    ],
    ids=str,
)
def test_values_in_json(value: object, told: object) -> None:
    document = to_json(judgement(replace(WRONG, failures=(replace(OVERFLOW, got=value),))))
    jsonschema.validate(document, schema())
    found = document["items"][0]["failing_case"]["got"]
    assert found == told
    assert json.loads(json.dumps(found, allow_nan=False)) == told


# JUnit


def test_junit_has_a_case_for_each_grade() -> None:
    root = ET.fromstring(to_junit(judgement(*ITEMS)))
    assert [root.get(k) for k in ("tests", "failures", "errors", "skipped")] == ["15", "1", "5", "1"]
    case = root.find("testsuite/testcase[@name='stability']")
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "overflows"
    assert "no maximum subtracted" in str(failure.text)
    assert case.get("classname") == "softmax.my_softmax"
    assert [s.get("tests") for s in root] == ["5", "5", "5"]


# The page


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_needs_nothing_else_and_says_it_all(lang: words.Language, tmp_path: Path) -> None:
    text = html(judgement(*ITEMS, notes=("cell 9: a helper",)), tmp_path, lang)
    found = Checked(text)
    assert ("html", {"lang": "zh-CN" if lang == "zh" else "en"}) in found.tags
    assert not {tag for tag, _ in found.tags} & {"script", "link", "img", "iframe"}
    assert not re.search(r"https?://(?!www\.w3\.org)|@import|url\((?!#)", text)
    for part in (words.word("expected", lang), "no maximum subtracted", "nan", "my_softmax(x)", "cell 9: a helper",
                 "seccomp: no network", "minus infinity"):  # fmt: skip
        assert part in found.text, part
    assert re.search(r"<mark>\s+e = np\.exp\(x\)</mark>", text)
    pictures = [attrs for tag, attrs in found.tags if tag == "div" and attrs.get("role") == "img"]
    assert len(pictures) == text.count("<svg") == 2
    assert all(p["aria-label"] for p in pictures)
    ids = [attrs["id"] for _, attrs in found.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))


def test_a_matrix_becomes_heat_maps_and_a_single_number_no_picture(tmp_path: Path) -> None:
    matrix = replace(OVERFLOW, expected=np.eye(3), got=np.where(np.eye(3), np.nan, 1.0))
    item = replace(WRONG, failures=(matrix,), curves=())
    assert words.word("apart", "en") in html(judgement(item), tmp_path)
    number = replace(WRONG, failures=(replace(OVERFLOW, expected=np.array(1.0), got=np.array(2.0)),), curves=())
    assert "<svg" not in html(judgement(number), tmp_path)


def test_hundreds_of_items_have_a_limited_number_of_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_MOST_PICTURES", 3)
    text = html(judgement(*[RIGHT] * 150, *[WRONG] * 150), tmp_path)
    assert text.count("<svg") == 3
    assert text.count('class="card item') == 300
    assert len(text) < 2_000_000


def test_without_matplotlib_there_are_no_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "find_spec", lambda name: None if name == "matplotlib" else True)
    assert "<svg" not in html(judgement(*ITEMS), tmp_path)


def test_without_jinja2_a_notebook_shows_text_and_a_page_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    assert judgement(*ITEMS)._repr_html_().startswith("<pre>")
    with pytest.raises(ImportError, match="needs jinja2"):
        html(judgement(*ITEMS), tmp_path)


def test_two_judgements_in_a_notebook_keep_their_ids_apart() -> None:
    ids = [set(re.findall(r'\bid="([^"]+)"', judgement(item)._repr_html_())) for item in (WRONG, RIGHT)]
    assert ids[0]
    assert ids[1]
    assert not ids[0] & ids[1]


# Watching


def test_a_save_fixes_breaks_leaves_and_removes() -> None:
    fixed = replace(WRONG, verdict="pass")
    before = judgement(WRONG, RIGHT, BROKEN, replace(RIGHT, object="old"))
    after = judgement(fixed, replace(RIGHT, verdict="fail"), BROKEN)
    found = [(change, item.object) for change, item in watch.changes(before, after)]
    assert found == [("fixed", "my_softmax"), ("broken", "LayerNorm"), ("still", "Adam"), ("gone", "old")]


def test_a_save_is_judged_and_a_broken_file_is_survived(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    file, out, stop = tmp_path / "a.py", io.StringIO(), Event()
    file.write_text("1")
    rounds: list[int] = []

    def once() -> Judgement:
        rounds.append(1)
        if len(rounds) == 2:
            raise TargetError("a.py: the file is empty")
        return judgement(WRONG if len(rounds) == 1 else replace(WRONG, verdict="pass"))

    def save() -> None:
        while len(rounds) < 3 and not stop.wait(0.15):
            file.write_text(f"{len(rounds)}")
        stop.wait(0.3)
        stop.set()

    writer = Thread(target=save)
    writer.start()
    last = watch.watch(f"{file}:f", once, Console(file=out, width=100), "en", stop)
    writer.join()
    assert last.passed
    assert "the file is empty" in out.getvalue()
    assert "✓ fixed: my_softmax" in out.getvalue()


def test_a_module_cannot_be_watched() -> None:
    with pytest.raises(TargetError, match="--watch looks at a file"):
        watch.watched("numpy.linalg:norm")


# The command


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The judge's place is taken: the target names the items; calls are kept."""
    from barehand.judge import check

    calls: list[dict[str, Any]] = []

    def judge(target: str, *, progress: Any, **options: Any) -> Judgement:
        calls.append({"target": target, **options})
        progress("my_softmax", 0, 1)
        if target == "missing":
            raise TargetError("missing: there is no such file or folder")
        return judgement(*{"right": (RIGHT,), "wrong": ITEMS, "broken": (BROKEN,), "nothing": ()}[target])

    monkeypatch.setattr(check, "judge", judge)
    monkeypatch.setattr(check, "listing", lambda target, as_: [("f", "softmax", "line 1", "f(x)")])
    return calls


@pytest.mark.parametrize(
    ("target", "status"), [("right", 0), ("wrong", 1), ("broken", 2), ("nothing", 2), ("missing", 2)]
)
def test_exit_status(target: str, status: int, judged: object) -> None:
    done = CliRunner().invoke(app, ["check", target])
    assert done.exit_code == status
    if target == "missing":
        assert done.stderr == "barehand check: missing: there is no such file or folder\n"


def test_the_options_reach_the_judge(judged: list[dict[str, Any]]) -> None:
    CliRunner().invoke(app, ["check", "right", "--as", "softmax", "--seed", "3", "--lang", "zh", "--no-speed"])
    assert judged == [{"target": "right", "as_": "softmax", "seed": 3, "lang": "zh", "timed": False}]


def test_json_is_alone_on_standard_output(judged: object) -> None:
    done = CliRunner().invoke(app, ["check", "wrong", "--json", "-"])
    jsonschema.validate(json.loads(done.stdout), schema())
    assert "no maximum subtracted" in done.stderr
    assert done.exit_code == 1


def test_reports_are_written(judged: object, tmp_path: Path) -> None:
    files = {kind: str(tmp_path / f"deep/report.{kind}") for kind in ("html", "junit")}
    CliRunner().invoke(app, ["check", "wrong", *(w for k, f in files.items() for w in (f"--{k}", f))])
    assert "my_softmax" in Path(files["html"]).read_text()
    assert ET.parse(files["junit"]).getroot().get("tests") == "15"


def test_the_list_names_what_is_recognised(judged: object) -> None:
    done = CliRunner().invoke(app, ["check", "right", "--list", "--lang", "zh"])
    assert done.exit_code == 0
    assert "f(x)" in done.stdout
    assert "调用方式" in done.stdout


def test_no_target_is_refused() -> None:
    done = CliRunner().invoke(app, ["check"])
    assert done.exit_code == 2
    assert "nothing to judge" in done.stderr


def test_watching_needs_its_library(monkeypatch: pytest.MonkeyPatch, judged: object) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    done = CliRunner().invoke(app, ["check", "right", "--watch"])
    assert done.exit_code == 2
    assert "needs watchfiles" in done.stderr
