"""AUC beside scikit-learn: its own tests of these functions, its warnings, and what a spec cannot say."""

from __future__ import annotations

import inspect
import itertools
import subprocess
import sys
import tracemalloc
import warnings
from types import FunctionType
from typing import Any

import numpy as np
import pytest

from barehand.blocks.auc import GroupedAuc, grouped_roc_auc_score, roc_auc_score, roc_curve
from barehand.core import threads

OURS = {"roc_auc_score": roc_auc_score, "roc_curve": roc_curve}


def theirs() -> Any:
    """The module of scikit-learn's tests of ranking metrics."""
    pytest.importorskip("sklearn", reason="sklearn is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sklearn.metrics.tests import test_ranking
    return test_ranking


def parameters(test: FunctionType) -> list[dict[str, Any]]:
    """The keyword arguments that pytest would call the test with."""
    columns = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names, values = mark.args
            names = names.replace(" ", "").split(",") if isinstance(names, str) else names
            rows = [getattr(v, "values", v) if len(names) > 1 else (v,) for v in values]
            columns.append([dict(zip(names, row, strict=True)) for row in rows])
    if "global_random_seed" in inspect.signature(test).parameters:
        columns.append([{"global_random_seed": seed} for seed in (0, 42)])
    return [{k: v for part in parts for k, v in part.items()} for parts in itertools.product(*columns)]


def ours_for_theirs(module: Any) -> list[tuple[str, FunctionType, dict[str, Any]]]:
    """Every test that calls one of the two functions, by its name or as a parameter; ours take their place."""
    swap = {id(getattr(module, name)): function for name, function in OURS.items()}
    found = []
    for name, test in vars(module).items():
        if not name.startswith("test_") or not isinstance(test, FunctionType):
            continue
        by_name = bool(set(test.__code__.co_names) & {*OURS, "_partial_roc_auc_score"})
        for i, given in enumerate(parameters(test)):
            changed = {k: swap.get(id(v), v) for k, v in given.items()}
            if by_name or any(id(v) in swap for v in given.values()):
                found.append((f"{name}[{i}]", test, changed))
    return found


def test_scikit_learns_own_tests_pass_on_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, none left out."""
    module = theirs()
    tests = ours_for_theirs(module)
    for name, function in OURS.items():
        monkeypatch.setattr(module, name, function)
    for name, test, given in tests:
        try:
            test(**given)
        except Exception as error:
            raise AssertionError(f"{name} {given}") from error
    assert len(tests) >= 60  # 70 in scikit-learn 1.9


@pytest.fixture
def undefined() -> type[Warning]:
    pytest.importorskip("sklearn", reason="sklearn is not installed")
    from sklearn.exceptions import UndefinedMetricWarning

    return UndefinedMetricWarning


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1], [True] * 3, ["a"] * 3])
def test_one_class_is_nan_and_a_warning(labels: Any, undefined: type[Warning]) -> None:
    with pytest.warns(undefined, match="roc_auc_score: Only one class is present in y_true") as caught:
        assert np.isnan(roc_auc_score(labels, [0.1, 0.2, 0.3]))
    assert caught[0].filename == __file__
    with pytest.warns(undefined, match="Only one class"):
        assert np.isnan(roc_auc_score(labels, [0.1, 0.2, 0.3], max_fpr=0.5))


def test_weights_may_empty_a_class(undefined: type[Warning]) -> None:
    for max_fpr in (None, 0.5):
        with pytest.warns(undefined, match="Only one class"):
            assert np.isnan(roc_auc_score([0, 1, 1], [1, 2, 3], sample_weight=[0, 1, 1], max_fpr=max_fpr))
    with pytest.warns(undefined, match="roc_curve: No negative samples"):
        fpr, tpr, _ = roc_curve([0, 1, 1], [1, 2, 3], sample_weight=[0, 1, 1])
    assert np.isnan(fpr).all()
    assert tpr[-1] == 1


def test_a_column_of_one_class(undefined: type[Warning]) -> None:
    y, s = np.array([[0, 1], [0, 0], [0, 1]]), np.array([[1, 2], [2, 1], [3, 0]])
    with pytest.warns(undefined, match="Only one class"):
        each = roc_auc_score(y, s, average=None)
    assert np.isnan(each[0])
    assert each[1] == 0.5
    with pytest.warns(undefined, match="Only one class") as caught:
        assert roc_auc_score(y, s, average="weighted") == 0.5
    assert caught[0].filename == __file__


def test_groups_that_are_all_left_out(undefined: type[Warning]) -> None:
    with pytest.warns(undefined, match="No group has both classes") as caught:
        found = grouped_roc_auc_score([0, 1, 1], [1, 2, 3], ["a", "b", "b"])
    assert caught[0].filename == __file__
    assert np.isnan(found.value)
    assert found[1:] == (2, 2)
    found = grouped_roc_auc_score([0, 1, 0, 1], [1, 2, 3, 4], [5, 5, 9, 9], sample_weight=[1, 1, 0, 1])
    assert found == GroupedAuc(1.0, 2, 1)


def test_without_scikit_learn_the_warning_is_our_own() -> None:
    script = (
        "import sys, warnings; from barehand.blocks.auc import roc_auc_score\n"
        "from barehand.blocks.auc.labels import UndefinedMetricWarning\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.simplefilter('always'); roc_auc_score([1, 1], [0, 1])\n"
        "print(seen[0].category is UndefinedMetricWarning, issubclass(UndefinedMetricWarning, UserWarning), "
        "'sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True", "True", "False"], done.stderr


def test_memory_is_a_few_bytes_a_row() -> None:
    """Not every pair or threshold: torchmetrics' grows until there is none left (torchmetrics#1461)."""
    s = np.random.default_rng(0).standard_normal(10**6).astype(np.float32)
    y = s > 1
    roc_auc_score(y[:100], s[:100])  # compiled before anything is counted
    tracemalloc.start()
    try:
        roc_auc_score(y, s)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 16e6


def test_pairs_are_counted_exactly() -> None:
    """Half of 2 P N = 1.25e11 pairs, and one pair more, are told apart."""
    n = 500_000
    y, s = np.arange(n) % 2, np.arange(n) // 2 + 0.0
    assert roc_auc_score(y, s) == 0.5
    s[1] += 1  # one win more over the negative of the next tie, which was a loss: half a pair
    p = n // 2
    assert roc_auc_score(y, s) == 0.5 + 1 / p**2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads_gives_the_same_bits(dtype: str) -> None:
    rng = np.random.default_rng(1)
    n = 300_000
    y, s, g = rng.integers(0, 2, n), rng.standard_normal(n).astype(dtype), rng.integers(0, 3000, n)
    w = rng.random(n)
    before, found = threads.get_num_threads(), []
    try:
        for count in (1, 2, 5):
            threads.set_num_threads(count)
            found.append(
                (
                    roc_auc_score(y, s),
                    roc_auc_score(y, s, sample_weight=w),
                    grouped_roc_auc_score(y, s, g, sample_weight=w),
                    *(a.tobytes() for a in roc_curve(y, s, sample_weight=w)),
                )
            )
    finally:
        threads.set_num_threads(before)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", ["sorted", "two values", "crowded", "subnormal", "powers", "bits"])
@pytest.mark.parametrize("n", [10, 300, 5000, 70_000])
def test_hard_distributions_are_ranked_as_by_sorting(dtype: str, shape: str, n: int) -> None:
    rng = np.random.default_rng(n)
    tiny = np.finfo(dtype).smallest_subnormal
    s = {
        "sorted": lambda: np.arange(n) - n / 3,
        "two values": lambda: rng.choice([-1e-30, 1e30], n),
        "crowded": lambda: np.append(-1e30, 1 + 1e-7 * rng.integers(0, n, n - 1)),
        "subnormal": lambda: rng.integers(-n, n, n) * tiny,
        "powers": lambda: np.exp2(rng.integers(-120, 120, n)) * rng.choice([-1, 1], n),
        "bits": lambda: np.nan_to_num(rng.integers(0, 2**63, n).view(np.float64), posinf=1, neginf=0),
    }[shape]()
    with np.errstate(over="ignore"):
        s = s.astype(dtype)
    y = rng.integers(0, 2, n)
    y[:2] = 0, 1
    rank = np.unique(s, return_inverse=True)[1]
    expected = roc_auc_score(y, rank)
    assert roc_auc_score(y, s) == expected
    assert roc_auc_score(y, s, sample_weight=np.full(n, 3.0)) == pytest.approx(expected, rel=1e-15)
    assert grouped_roc_auc_score(y, s, np.zeros(n, int)).value == pytest.approx(expected, rel=1e-15)
    _, _, thresholds = roc_curve(y, s, drop_intermediate=False)
    np.testing.assert_array_equal(thresholds[1:], np.unique(s)[::-1])


def test_a_curve_never_turns_back() -> None:
    rng = np.random.default_rng(2)
    n = 200_000
    fpr, tpr, thresholds = roc_curve(rng.integers(0, 2, n), rng.standard_normal(n), sample_weight=rng.random(n) + 0.1)
    assert (np.diff(fpr) >= 0).all()
    assert (np.diff(tpr) >= 0).all()
    assert (np.diff(thresholds) < 0).all()
    assert fpr[0] == tpr[0] == 0
    assert fpr[-1] == tpr[-1] == 1


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "uint64", "bool", "float32", "datetime64[s]", "U3"])
def test_groups_of_any_type(dtype: str) -> None:
    y, s = np.array([0, 1, 1, 0]), np.array([1.0, 2.0, 3.0, 4.0])
    found = grouped_roc_auc_score(y, s, np.array([0, 0, 1, 1]).astype(dtype))
    assert found == GroupedAuc(0.5, 2, 0)
    big = np.array([2**64 - 1, 2**64 - 1, 3, 3], np.uint64)
    assert grouped_roc_auc_score(y, s, big) == GroupedAuc(0.5, 2, 0)


def test_many_names_far_apart() -> None:
    """More names than the first table holds."""
    rng = np.random.default_rng(3)
    names = rng.integers(-(2**62), 2**62, 60_000)
    codes = rng.integers(0, names.size, 200_000)
    y, s = rng.integers(0, 2, codes.size), rng.standard_normal(codes.size)
    far, near = grouped_roc_auc_score(y, s, names[codes]), grouped_roc_auc_score(y, s, codes)
    assert far[1:] == near[1:]
    assert far.value == pytest.approx(near.value, rel=1e-14)


def test_groups_of_any_kind_that_has_a_name() -> None:
    y, s = [0, 1, 0, 1], [0.1, 0.2, 0.4, 0.3]
    expected = grouped_roc_auc_score(y, s, [0, 0, 1, 1])
    assert grouped_roc_auc_score(y, s, [(1, 2), (1, 2), (3, 4), (3, 4)]) == expected
    assert grouped_roc_auc_score(y, s, [1, 1, "1", "1"]) == expected
    assert grouped_roc_auc_score(y, s, [1, 1, b"1", b"1"]) == expected
    assert grouped_roc_auc_score(y, s, [-1, -1, 2**63, 2**63]) == expected
    assert grouped_roc_auc_score(y, s, [2**63, 2**63 + 1, -1, -1]).n_groups == 3
    for nameless in (None, float("nan"), np.datetime64("NaT")):
        with pytest.raises(ValueError, match="which is no name"):
            grouped_roc_auc_score(y, s, [nameless, 1, 1, 1])


@pytest.mark.parametrize("kind", [object, np.longdouble])
def test_scores_and_weights_of_other_types(kind: Any) -> None:
    y, s, w = [0, 1, 0, 1, 1], np.array([0.1, 0.3, 0.35, 0.2, 0.8]), np.arange(1, 6)
    assert roc_auc_score(y, s.astype(kind), sample_weight=w.astype(kind)) == roc_auc_score(y, s, sample_weight=w)
    with pytest.raises(TypeError, match="y_score holds what is no number"):
        roc_auc_score(y, np.array(list("abcde"), object))


def test_long_doubles_that_doubles_cannot_tell_apart() -> None:
    y, s = [0, 1, 0, 1, 1], 1 + np.array([0, 3, 2, 1, 4]) * np.finfo(np.longdouble).eps
    assert roc_auc_score(y, s) == pytest.approx(5 / 6)
    assert roc_curve(y, s)[2].tolist() == [np.inf, *np.float64(s[[4, 1, 2, 3, 0]])]


def test_dates_for_labels() -> None:
    days = np.array(["2020-01-01", "2021-01-01"], "M8[D]")
    assert roc_auc_score(days[[0, 1, 0, 1]], [1, 3, 2, 4]) == 1
    with pytest.raises(ValueError, match="drop those rows"):
        roc_auc_score(np.append(days, np.datetime64("NaT")), [1, 2, 3])


def test_an_indicator_matrix_says_what_is_positive() -> None:
    y, s = np.array([[0, 1], [1, 0], [1, 1]]), np.array([[1, 2], [2, 1], [3, 0]])
    assert roc_auc_score(2 * y - 1, s) == roc_auc_score(y, s)
    with pytest.raises(ValueError, match=r"takes value in \{0, 2\} and pos_label is not specified; use 0 and 1"):
        roc_auc_score(2 * y, s)
