"""Judging whole targets: verdicts, grades, mistakes, conventions, promises, broken code, and nothing that spreads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import barehand
from barehand.judge.check import check, judge, listing
from barehand.judge.child import Workshop
from barehand.judge.verdicts import GRADES, Item, Judgement

Judge = Callable[..., Judgement]


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as shop:
        yield shop


@pytest.fixture
def judged(tmp_path: Path, workshop: Workshop) -> Judge:
    def run(text: str, **options: object) -> Judgement:
        path = tmp_path / "answer.py"
        path.write_text(text, encoding="utf-8")
        return judge(str(path), workshop=workshop, **{"seed": 0, "timed": False, **options})  # type: ignore[arg-type]

    return run


def _only(judgement: Judgement) -> Item:
    (item,) = judgement.items
    return item


RIGHT = """
import numpy as np

def softmax(scores, dim=-1):
    e = np.exp(scores - scores.max(axis=dim, keepdims=True))
    return e / e.sum(axis=dim, keepdims=True)
"""


def test_a_right_version_passes_and_says_how_it_was_called(judged: Judge) -> None:
    item = _only(judged(RIGHT))
    assert item.verdict == "pass"
    assert item.adapter == "softmax(scores=x, dim=axis)"
    assert set(item.grades) == set(GRADES)
    assert item.grades["correctness"].verdict == "pass"
    assert item.grades["gradient"].verdict == "unverified"
    assert item.grades["gradient"].reason


def test_a_known_mistake_is_named_with_its_line_and_a_small_input(judged: Judge) -> None:
    item = _only(judged(RIGHT.replace(" - scores.max(axis=dim, keepdims=True)", "")))
    assert item.verdict == "fail"
    assert item.grades["correctness"].verdict == "pass"
    assert item.grades["stability"].verdict == "fail"
    (mistake,) = item.mistakes
    assert mistake.id == "no maximum subtracted"
    assert "np.exp(scores)" in mistake.where
    first = item.failures[0]
    assert first.inputs["x"].size <= 3
    assert not np.isfinite(first.got).all()
    assert np.isfinite(first.expected).all()


def test_advice_comes_in_chinese(judged: Judge) -> None:
    wrong = RIGHT.replace(" - scores.max(axis=dim, keepdims=True)", "")
    message = _only(judged(wrong, lang="zh")).mistakes[0].message
    assert any("\u4e00" <= c <= "\u9fff" for c in message)


def test_the_same_seed_gives_the_same_judgement(judged: Judge) -> None:
    wrong = RIGHT.replace("e.sum(axis=dim", "(1e-3 + e).sum(axis=dim")
    first, again = (_only(judged(wrong, seed=3)) for _ in range(2))
    assert first.failures[0].message == again.failures[0].message
    np.testing.assert_array_equal(first.failures[0].got, again.failures[0].got)


def test_each_run_draws_a_new_seed_and_says_which(judged: Judge) -> None:
    first, second = (judged(RIGHT, seed=None).seed for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("return np.zeros_like(scores)", "zeros"),
        ("return np.full_like(scores, 0.5)", "a constant"),
        ("return scores", "the echo"),
        ("return np.random.random(scores.shape)", "noise"),
        ("return None", "nothing"),
        ("return 'softmax'", "words"),
        ("raise ValueError('no')", "an error"),
    ],
)
def test_what_is_no_answer_fails(judged: Judge, body: str, name: str) -> None:
    item = _only(judged(f"import numpy as np\n\ndef softmax(scores):\n    {body}\n"))
    assert item.verdict == "fail", name


def test_every_check_runs_to_its_end(judged: Judge) -> None:
    item = _only(judged("import numpy as np\n\ndef softmax(x):\n    return x\n"))
    assert item.grades["correctness"].total > 5
    assert item.grades["stability"].total > 5


def test_a_convention_is_named_and_passes(judged: Judge) -> None:
    text = """
import numpy as np

def contrastive_loss(x1, x2, y, margin=1.0):
    d = np.linalg.norm(x1 - x2, axis=1)
    return 0.5 * np.mean(y * d**2 + (1 - y) * np.maximum(margin - d, 0) ** 2)
"""
    item = _only(judged(text))
    assert item.verdict == "pass"
    assert any("1/2" in words for words in item.convention)


def test_a_convention_fails_where_the_code_promises_otherwise(judged: Judge) -> None:
    text = '''
import numpy as np

def batch_norm(x, gamma, beta, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    """The running variance is unbiased."""
    if training:
        mean, var = x.mean(0), x.var(0)
        running_mean *= 1 - momentum
        running_mean += momentum * mean
        running_var *= 1 - momentum
        running_var += momentum * var
    else:
        mean, var = running_mean, running_var
    return (x - mean) / np.sqrt(var + eps) * gamma + beta
'''
    promised = _only(judged(text))
    silent = _only(judged(text.replace('    """The running variance is unbiased."""\n', "")))
    assert (promised.verdict, silent.verdict) == ("fail", "pass")
    assert "unbiased" in promised.grades["correctness"].reason


def test_code_that_promises_our_contract_is_held_to_all_of_it(judged: Judge) -> None:
    text = """
import numpy as np

def bpr_loss(pos_scores, neg_scores, reduction="mean"):
    losses = np.logaddexp(0, neg_scores - pos_scores)
    return {"mean": losses.mean, "sum": losses.sum, "none": lambda: losses}[reduction]()
"""
    promise = text.replace('"mean"):\n', '"mean"):\n    """Same contract as barehand.bpr_loss."""\n', 1)
    free, held = _only(judged(text)), _only(judged(promise))
    assert (free.verdict, held.verdict) == ("pass", "fail")
    assert any("several negatives" in f.check for f in held.failures)


def test_the_input_overwritten_fails(judged: Judge) -> None:
    text = RIGHT.replace("    e =", "    scores -= scores.max(axis=dim, keepdims=True)\n    e =")
    item = _only(judged(text))
    assert item.verdict == "fail"
    assert any("modifies its argument" in f.message for f in item.failures)


def test_only_what_all_must_take_decides(judged: Judge) -> None:
    """A row softmax without an axis passes; that it refuses an empty axis lowers the mark alone."""
    text = """
import numpy as np

def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)
"""
    item = _only(judged(text))
    assert item.verdict == "pass"
    assert item.grades["generality"].verdict == "fail"


def test_what_hangs_or_dies_leaves_the_others_judged(judged: Judge) -> None:
    text = f"""{RIGHT}
def cross_entropy(logits, target):
    import os
    os._exit(3)

def layer_norm(x, gamma, beta, eps=1e-5):
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(x.var(-1, keepdims=True) + eps) * gamma + beta
"""
    verdicts = {i.block: i.verdict for i in judged(text).items}
    assert verdicts == {"softmax": "pass", "cross_entropy": "fail", "layer_norm": "pass"}


def test_patched_comparisons_change_nothing(judged: Judge) -> None:
    text = """
import numpy as np
np.allclose = np.array_equal = lambda *a, **k: True
np.testing.assert_allclose = lambda *a, **k: None

class Liar(np.ndarray):
    def __eq__(self, other): return True
    def __array_function__(self, *a, **k): return self

def softmax(x):
    return np.zeros_like(x).view(Liar)
"""
    assert _only(judged(text)).verdict == "fail"


def test_broken_code_is_reported_with_its_line_and_the_rest_is_judged(judged: Judge) -> None:
    found = judged(f"{RIGHT}\n\ndef layer_norm(x, gamma, beta:\n    return x\n")
    assert [i.verdict for i in found.items if i.block == "softmax"] == ["pass"]
    (broken,) = [i for i in found.items if i.block == "layer_norm"]
    assert broken.verdict == "error"
    assert "line" in broken.error


def test_a_misspelt_init_is_named(judged: Judge) -> None:
    text = """
import numpy as np

class LayerNorm:
    def _init_(self, dim, eps=1e-5):
        self.gamma, self.beta, self.eps = np.ones(dim), np.zeros(dim), eps

    def forward(self, x):
        m = x.mean(-1, keepdims=True)
        return (x - m) / np.sqrt(x.var(-1, keepdims=True) + self.eps) * self.gamma + self.beta
"""
    item = _only(judged(text))
    assert item.verdict in ("fail", "error", "unverified")
    assert "__init__" in item.error


def test_growth_lowers_the_mark(judged: Judge) -> None:
    text = """
import time
import numpy as np

def bpr_loss(pos, neg):
    time.sleep(1e-10 * len(pos) ** 2)
    return np.mean(np.logaddexp(0, neg - pos))
"""
    item = _only(judged(text, timed=True))
    assert item.verdict == "pass"
    assert item.grades["speed"].verdict == "fail"
    assert {c.contender for c in item.curves} == {"yours", "textbook", "barehand"}


def test_exit_status(judged: Judge) -> None:
    assert judged(RIGHT).exit_status == 0
    assert judged(RIGHT.replace("/ e.sum", "* e.sum")).exit_status == 1
    assert judged("import numpy as np\n\ndef plot_it(x):\n    return x\n").exit_status == 2


def test_as_names_the_block(judged: Judge) -> None:
    item = _only(judged(RIGHT.replace("def softmax", "def f"), as_="softmax"))
    assert (item.block, item.verdict) == ("softmax", "pass")
    with pytest.raises(ValueError, match="'softmox' is no block; use softmax, batch_norm"):
        judged(RIGHT, as_="softmox")


def test_the_list_says_how_each_is_called(tmp_path: Path) -> None:
    path = tmp_path / "answer.py"
    path.write_text(RIGHT)
    ((name, block, _, called),) = listing(str(path))
    assert (name, block, called) == ("softmax", "softmax", "softmax(scores=x, dim=axis)")


def test_check_takes_an_object() -> None:
    found = check(barehand.textbook.softmax, seed=0)
    assert found.passed
    assert found.seed == 0
    assert barehand.check is check


def test_no_expected_value_enters_the_child(judged: Judge) -> None:
    """Code that hunts through its own process for the answer finds its inputs alone."""
    text = """
import gc
import numpy as np

def softmax(x):
    arrays = [o for o in gc.get_objects() if isinstance(o, np.ndarray) and o.shape == x.shape and o is not x]
    sums = [a for a in arrays if a.dtype.kind == "f" and np.allclose(a.sum(-1), 1)]
    return sums[0].astype(x.dtype) if sums else x
"""
    assert _only(judged(text)).verdict == "fail"


BACKWARD = """
import numpy as np

def softmax_forward(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    y = e / e.sum(axis=-1, keepdims=True)
    return y, y

def softmax_backward(dout, cache):
    return cache * (dout - (cache * dout).sum(axis=-1, keepdims=True))
"""


def test_a_function_beside_is_the_gradient(judged: Judge) -> None:
    right, wrong = (
        judged(BACKWARD),
        judged(BACKWARD.replace("(dout - (cache * dout).sum(axis=-1, keepdims=True))", "dout")),
    )
    assert _only(right).grades["gradient"].verdict == "pass"
    assert not right.notes
    assert _only(wrong).grades["gradient"].verdict == "fail"
    assert _only(wrong).grades["correctness"].verdict == "pass"


LOSS = """
import numpy as np

def cross_entropy(logits, y):
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    n = len(y)
    dlogits = np.exp(log_p)
    dlogits[np.arange(n), y] -= 1
    return -log_p[np.arange(n), y].mean(), dlogits / n
"""


@pytest.mark.parametrize(("text", "verdict"), [(LOSS.replace("dlogits / n", "grad"), "pass"), (LOSS, "unverified")])
def test_a_gradient_returned_with_a_loss_is_known_by_its_name(judged: Judge, text: str, verdict: str) -> None:
    named = text.replace("    return", "    grad = dlogits / n\n    return")
    assert _only(judged(named)).grades["gradient"].verdict == verdict


def test_a_gradient_not_divided_is_found(judged: Judge) -> None:
    item = _only(judged(LOSS.replace("dlogits / n", "dlogits")))
    assert item.verdict == "fail"
    assert [g for g, graded in item.grades.items() if graded.verdict == "fail"] == ["gradient", "generality"]


def test_where_only_places_tell_the_arguments_and_nothing_agrees_nothing_is_claimed(judged: Judge) -> None:
    item = _only(judged("def contrastive_loss(foo, bar, baz):\n    return float(len(foo) + len(bar))\n"))
    assert item.verdict == "unverified"
    assert "how it is called could not be found out" in item.error


def test_what_the_judge_cannot_follow_costs_the_others_nothing(judged: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*args: object) -> None:
        raise IndexError("lost")

    monkeypatch.setattr("barehand.judge.check.fit", stumble)
    item = _only(judged(RIGHT))
    assert item.verdict == "error"
    assert "the judge could not follow it (IndexError: lost)" in item.error


def test_words_that_say_what_a_label_means_are_held_to(judged: Judge) -> None:
    text = """
import numpy as np

def contrastive_loss(x1, x2, y, margin=1.0):
    '''{}'''
    d = np.sqrt(((x1 - x2) ** 2).sum(axis=1))
    return np.mean((1 - y) * d**2 + y * np.maximum(0, margin - d) ** 2)
"""
    assert _only(judged(text.format("y is 1 where the pair differs"))).verdict == "pass"
    wrong = _only(judged(text.format("y: 1 if the pair is similar, else 0")))
    assert [m.id for m in wrong.mistakes] == ["the labels reversed"]
