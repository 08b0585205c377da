"""The tour: what it skips and why, that a wrong result is noticed, what it does with the judge, and that its report
needs nothing else."""

from __future__ import annotations

import io
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

import barehand
from barehand import demo, vjp
from barehand.blocks import BLOCKS
from barehand.cli import app
from barehand.demo import coins, judging, logs, models, rules, tour, words
from barehand.demo.judging import Judged
from barehand.demo.manual import manual
from barehand.demo.outcome import Check, Comparison, Found, Outcome
from barehand.demo.stop import Context, Stop
from barehand.demo.stops import (
    adam_wine,
    attention_manual,
    bpr_movielens,
    cross_entropy_digits,
    focal_clicks,
    nms_coins,
    softmax_digits,
)
from barehand.demo.table import print_table
from barehand.demo.training import train

FAST = [softmax_digits.STOP, cross_entropy_digits.STOP]


def take(stops: list[Stop], report: Path, **options: Any) -> tuple[list[Outcome], str]:
    """The outcomes, and what the console showed."""
    shown = io.StringIO()
    tour = demo.run(report, console=Console(file=shown, width=120), stops=stops, judge=False, **options)
    return list(tour.outcomes), shown.getvalue()


def made_up(check: Check) -> Outcome:
    comparison = Comparison("a peer", 0.5, 2.0, (check,))
    found = Found("accuracy, held out", 0.5, 1.0, "a call", comparison, "Nothing.")
    return Outcome(Stop("softmax", ("softmax",), "made up", "numbers", lambda context: found), found)


def test_the_table_is_whole_on_a_terminal_of_80_columns() -> None:
    comparison = Comparison("scikit-learn", 0.5416, 1.2345, (Check("statistics", 6e-7, 1e-5, "rounding"),))
    found = Found("explained variance, held out", 58.7777, 0.717, "a call", comparison, "Nothing.")
    outcomes = [
        Outcome(Stop(s.block, s.functions, s.title, s.input, lambda context: found), found) for s in tour.all_stops()
    ]
    shown = io.StringIO()
    print_table(outcomes, Console(file=shown, width=80), 1.0)
    assert shown.getvalue().count("6e-07 statistics") == len(outcomes)
    assert shown.getvalue().count("0.717 / 1.23 s\n") == len(outcomes)
    assert all(f"\n{s.functions[0]} " in shown.getvalue() for s in tour.all_stops())


def test_every_public_function_has_a_stop() -> None:
    assert {name for names in BLOCKS.values() for name in names} == {f for s in tour.all_stops() for f in s.functions}


def test_stops_come_in_the_order_of_the_blocks() -> None:
    blocks = [stop.block for stop in tour.all_stops()]
    assert blocks == sorted(blocks, key=list(BLOCKS).index)


@pytest.mark.parametrize(
    ("stop", "library", "says"),
    [
        (softmax_digits.STOP, "sklearn", "needs scikit-learn: pip install 'barehand[sklearn]'"),
        (bpr_movielens.STOP, "pyarrow", "needs pyarrow: pip install 'barehand[scale]'"),
        (focal_clicks.STOP, "sklearn", "needs scikit-learn: pip install 'barehand[sklearn]'"),
        (nms_coins.STOP, "skimage", "needs scikit-image: pip install 'barehand[lab]'"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_missing_library_skips_the_stop(stop: Stop, library: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if library == "sklearn":
        pytest.importorskip("pyarrow", reason="otherwise that is what is missing first")
    monkeypatch.setitem(sys.modules, library, None)
    outcome = tour.visit(stop, Context())
    assert outcome.skipped == says
    assert outcome.agrees
    assert outcome.found is None


@pytest.mark.parametrize("stop", [bpr_movielens.STOP, focal_clicks.STOP], ids=lambda s: s.block)
def test_missing_data_skips_the_stop(stop: Stop, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the stop needs it before the data")
    pytest.importorskip("sklearn", reason="the stop needs it before the data")
    elsewhere, nowhere = (tour.visit(stop, Context(data=data)).skipped for data in (tmp_path, None))
    assert f"is not in {tmp_path}: put the project's examples/data here or pass --data" in elsewhere
    assert "is not here: put the project's examples/data here or pass --data" in nowhere


def test_a_python_without_its_manual_skips_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    assert "pydoc_data" in tour.visit(attention_manual.STOP, Context()).skipped


def test_a_skipped_stop_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    outcomes, shown = take(FAST, tmp_path / "report.html")
    assert all(outcome.skipped for outcome in outcomes)
    assert shown.count("needs scikit-learn") == 2
    assert "2 skipped" in shown


def test_without_torch_there_is_no_comparison(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the stop reads scikit-learn's digits")
    monkeypatch.setitem(sys.modules, "torch", None)
    outcomes, shown = take(FAST, tmp_path / "report.html")
    assert all(outcome.agrees and outcome.found and outcome.found.comparison is None for outcome in outcomes)
    assert "torch is not installed" in shown


def test_without_jinja2_the_table_is_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    _, shown = take([made_up(Check("values", 0.0, 1.0, "")).stop], tmp_path / "report.html")
    assert "No report: it needs jinja2: pip install 'barehand[lab]'" in shown
    assert "0.5000" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("difference", "agrees"), [(0.0, True), (1e-6, True), (2e-6, False), (np.nan, False)])
def test_a_difference_beyond_its_bound_disagrees(difference: float, agrees: bool) -> None:
    assert made_up(Check("values", difference, 1e-6, "")).agrees is agrees


@pytest.mark.parametrize("wrong_by", [1.0, 1.001], ids=["right", "a thousandth wrong"])
def test_a_wrong_gradient_disagrees(wrong_by: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the peer")
    pytest.importorskip("sklearn", reason="the stop reads scikit-learn's digits")
    right = vjp.cross_entropy

    def changed(*args: Any, **kwargs: Any) -> Any:
        loss, (dz,) = right(*args, **kwargs)
        return loss, (dz * np.float32(wrong_by),)

    monkeypatch.setattr(vjp, "cross_entropy", changed)
    outcomes, shown = take([cross_entropy_digits.STOP], tmp_path / "report.html")
    assert outcomes[0].agrees is (wrong_by == 1)
    assert ("DISAGREES" in shown) is (wrong_by != 1)
    assert demo.to_json(demo.Tour(outcomes))["agrees"] is (wrong_by == 1)


def test_a_wrong_value_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="the peer")
    pytest.importorskip("sklearn", reason="the stop reads scikit-learn's digits")
    right = barehand.softmax
    monkeypatch.setattr(barehand, "softmax", lambda x: right(x) * np.float32(1 + 1e-5))
    assert not tour.visit(softmax_digits.STOP, Context()).agrees


def test_a_box_too_many_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="the peer")
    pytest.importorskip("skimage", reason="the photo comes with it")
    right = barehand.nms
    assert tour.visit(nms_coins.STOP, Context()).agrees
    monkeypatch.setattr(barehand, "nms", lambda *a, **k: np.append(right(*a, **k), 0))
    assert not tour.visit(nms_coins.STOP, Context()).agrees


@pytest.mark.parametrize(
    ("options", "agrees"),
    [({}, True), ({"betas": (0.9, 0.998)}, False), ({"eps": 1e-7}, False)],
    ids=["right", "another beta", "another epsilon"],
)
def test_another_adam_disagrees(options: dict[str, Any], agrees: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="the peer")
    pytest.importorskip("sklearn", reason="the stop reads scikit-learn's wines")
    right = barehand.Adam
    monkeypatch.setattr(barehand, "Adam", lambda params, **others: right(params, **others, **options))
    assert tour.visit(adam_wine.STOP, Context()).agrees is agrees


def square(params: list[Any], target: Any) -> tuple[float, list[Any]]:
    """Half the squared distance from a target, and a state that only counts."""
    params[1] += 1
    return float(np.sum((params[0] - target) ** 2)) / 2, [params[0] - target, None]


@pytest.mark.parametrize("rule", [rules.SGD(lr=0.1, momentum=0.9, decay=0.01), rules.Adam(lr=0.1, decay=0.01)], ids=str)
def test_a_rule_is_that_of_torch(rule: rules.Rule) -> None:
    pytest.importorskip("torch", reason="the peer")
    rng = np.random.default_rng(0)
    start, batches = [rng.standard_normal(5), np.zeros(())], [(rng.standard_normal(5),) for _ in range(20)]
    trained = train(start, square, [batches] * 2, rule, peer=lambda params, t: (params[0] - t).square().sum() / 2)
    assert trained.learnt == [True, False]
    assert trained.params[1] == trained.steps == 40
    assert (trained.twin is not None) is rule.amplifies
    comparison = trained.compare("torch", lambda params: float(params[0][0]))
    assert comparison is not None
    assert all(check.holds for check in comparison.checks)


def test_json_is_valid_and_says_everything() -> None:
    skipped = Outcome(made_up(Check("values", 0.0, 1.0, "")).stop, skipped="no reason")
    told = demo.to_json(demo.Tour([made_up(Check("values", np.nan, 1e-6, "rounding")), skipped]))
    first, second = json.loads(json.dumps(told, allow_nan=False))["outcomes"]
    assert first["peer"] == "a peer"
    assert (first["result"], first["peer_result"], first["ours_over_peer"]) == (0.5, 0.5, 0.5)
    assert first["checks"] == [
        {"what": "values", "difference": None, "bound": 1e-6, "because": "rounding", "holds": False}
    ]
    assert (first["agrees"], second["agrees"], told["agrees"]) == (False, True, False)
    assert second["skipped"] == "no reason"
    assert told["barehand"] == barehand.__version__
    assert told["judge"] is None


class Page(HTMLParser):
    """Collects what a page asks for from elsewhere, its ids, and what is left open."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset", "data")]


def test_the_report_is_one_file_that_needs_nothing_else(tmp_path: Path) -> None:
    for library in ("sklearn", "jinja2", "matplotlib"):
        pytest.importorskip(library, reason="the report of these stops needs it")
    path = tmp_path / "new folder" / "report.html"
    outcomes, shown = take(FAST, path)
    assert str(path) in shown
    html = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(html)
    assert page.tags.count("svg") == len(FAST)
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert not {"script", "link", "iframe", "img"} & set(page.tags)
    assert not re.search(r"@import|url\((?!#|&quot;#)", html)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    for outcome in outcomes:
        assert outcome.found is not None
        assert outcome.found.measure in html


HALF_WRONG = """
import numpy as np

def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

def bpr_loss(positive, negative):
    return -np.log(1 / (1 + np.exp(negative - positive))).mean()
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the place of the notebook, right and wrong in equal parts, and no stops."""
    pytest.importorskip("torch", reason="without it the judge is skipped")
    path = tmp_path / "written <here>.py"
    path.write_text(HALF_WRONG)
    monkeypatch.setattr(tour, "find_notebook", lambda: path)
    monkeypatch.setattr(tour, "all_stops", list)
    return path


def run_command(*options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["demo", *options], env={"COLUMNS": "200"}, catch_exceptions=False)
    return done.exit_code, done.output


def test_the_judge_has_the_last_word_and_its_verdicts_do_not_count(written: Path, tmp_path: Path) -> None:
    """A wrong definition is told, on the terminal, in the report and in the JSON, and the tour went well."""
    pytest.importorskip("jinja2", reason="the report needs it")
    pytest.importorskip("matplotlib", reason="the report needs it")
    report, result = tmp_path / "report.html", tmp_path / "tour.json"
    status, shown = run_command("--report", str(report), "--json", str(result))
    assert status == 0, shown
    assert "1 pass, 1 fail. What is wrong" in shown
    assert re.search(r"✓ softmax +Softmax .*\n✗ bpr_loss +BPR loss ", shown)
    html = report.read_text(encoding="utf-8")
    assert "1 pass, 1 fail" in html
    assert "the logarithm of the sigmoid" in html
    assert "written &lt;here&gt;.py" in html
    told = json.loads(result.read_text())["judge"]
    assert (told["works"], told["skipped"], told["trouble"]) == (True, None, None)
    assert [item["verdict"] for item in told["judgement"]["items"]] == ["pass", "fail"]
    assert told["judgement"]["seed"] == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def softmax(x)\n    return x\n", "THE JUDGE FAILED: softmax: line 1"),
        ("def greet(name):\n    return name\n", "THE JUDGE FAILED: nothing in it was recognised"),
    ],
    ids=["no Python", "nothing to judge"],
)
def test_a_judge_without_a_verdict_fails_the_tour(text: str, says: str, written: Path, tmp_path: Path) -> None:
    written.write_text(text)
    status, shown = run_command("--report", str(tmp_path / "report.html"))
    assert status == 1
    assert says in shown


def test_a_notebook_that_cannot_be_read_fails_the_tour(written: Path, tmp_path: Path) -> None:
    written.unlink()
    status, shown = run_command("--report", str(tmp_path / "report.html"))
    assert status == 1
    assert "THE JUDGE FAILED: " in shown


def test_the_judge_can_be_left_out(written: Path, tmp_path: Path) -> None:
    written.unlink()
    status, shown = run_command("--report", str(tmp_path / "report.html"), "--no-judge")
    assert status == 0, shown
    assert not re.search("the judge", shown, re.IGNORECASE)
    assert 'id="judge"' not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_the_judge_lacks_skips_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nowhere = judging.judge_notebook(None, 0)
    assert nowhere == Judged(skipped="examples/handwritten.ipynb is not here; it comes with the project's sources")
    assert nowhere.works
    monkeypatch.setitem(sys.modules, "torch", None)
    assert judging.judge_notebook(tmp_path, 0).skipped == "needs torch: pip install 'barehand[torch]'"


def test_a_disagreement_fails_the_tour_whatever_the_judge_says() -> None:
    wrong, right = (made_up(Check("values", difference, 1e-6, "")) for difference in (1.0, 0.0))
    assert not demo.Tour([right, wrong], Judged()).went_well
    assert demo.Tour([right], Judged()).went_well
    assert not demo.Tour([right], Judged(trouble="it crashed")).went_well


def test_the_same_seed_gives_the_same_result() -> None:
    pytest.importorskip("sklearn", reason="the stop reads scikit-learn's digits")
    results = [tour.visit(cross_entropy_digits.STOP, Context(seed)).found for seed in (0, 0, 1)]
    first, again, other = (found and found.seen for found in results)
    assert first == again != other


def test_auc_of_likes_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="the judge")
    rng = np.random.default_rng(0)
    likes = logs.Likes(np.array([0, 0, 1]), np.array([1, 2, 0]), np.array([0, 3]), list("abcdef"))
    scores = rng.integers(0, 4, (2, 6)).astype(np.float64)  # with ties
    seen = {0: {1, 2}, 1: {0}}
    each = []
    for user, held in enumerate(likes.held):
        films = [f for f in range(6) if f not in seen[user]]
        each.append(metrics.roc_auc_score([f == held for f in films], scores[user, films]))
    assert likes.auc(scores) == pytest.approx(np.mean(each), rel=1e-14)


def test_scatter_is_the_gradient_of_a_look_up() -> None:
    rows, values = np.array([2, 0, 2]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert models.scatter(rows, values, 4).tolist() == [[3, 4], [0, 0], [6, 8], [0, 0]]


def test_there_are_24_coins() -> None:
    pytest.importorskip("skimage", reason="the photo comes with it")
    boxes = coins.coins()
    assert boxes.shape == (24, 4)
    assert np.all(barehand.pairwise_iou(boxes, boxes) == np.eye(24))  # none overlap
    found = coins.candidates(10.0)
    assert np.all((found.boxes >= 0) & (found.boxes < np.tile(coins.photo().shape[::-1], 2)))


def test_pages_held_out_are_not_learnt_from() -> None:
    pages = manual(50)
    learnt, held = (pages.windows(1, 1, held=h).size for h in (False, True))
    assert learnt + held == sum(map(len, pages.pages))
    assert learnt > held > 0
    assert pages.shares.sum() == pytest.approx(1)
    assert pages.follows().sum(axis=1) == pytest.approx(1)
    assert pages.read(np.array([49])) == ["…"]


def test_groups_of_the_log_go_with_its_rows() -> None:
    pytest.importorskip("pyarrow", reason="it reads the log")
    context = Context(data=Path(__file__).parents[1] / "examples" / "data")
    if not (Path(__file__).parents[1] / "examples" / "data").is_dir():
        pytest.skip("the data is in the repository, not in the package")
    groups = logs.contexts(context)
    assert {len(column) for column in groups.values()} == {len(logs.clicks(context)[1])}
    assert [len(np.unique(groups[name])) for name in ("position", "campaign", "item")] == [3, 3, 160]


@pytest.mark.parametrize(("value", "shown"), [(1.234, "1.23"), (0.01, "0.01"), (0.0032, "0.003")])
def test_a_ratio_is_never_shown_as_0(value: float, shown: str) -> None:
    assert words.ratio(value) == shown


def test_every_data_set_has_its_licence_beside_it() -> None:
    folder = Path(__file__).parents[1] / "examples" / "data"
    if not folder.is_dir():
        pytest.skip("the data is in the repository, not in the package")
    for data in {path.parent for path in folder.rglob("*.parquet")}:
        assert list(data.glob("LICENSE*")), data
