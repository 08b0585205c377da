"""Our pool: right answers from many threads at once, in forked and spawned children, whatever the number of threads."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import barehand as bh
from barehand import textbook, vjp
from barehand.core import threads

RNG = np.random.default_rng(0)
X = RNG.standard_normal((600, 700)).astype(np.float32)
T = RNG.integers(0, 700, 600)
BOXES = np.concatenate([X[:500, :2], X[:500, :2] + 1 + X[:500, 2:4] ** 2], axis=1)
EXPECTED = textbook.softmax(X.astype(np.float64))


def close(y: Any) -> bool:
    return bool(np.abs(y - EXPECTED).max() < 1e-6)


def everything() -> list[Any]:
    value, (gradient,) = vjp.cross_entropy(X, T, with_value=True)
    focal, (slope,) = vjp.focal_loss(X, X > 0, with_value=True)
    dx, dw = vjp.layer_norm(X, np.ones(700, np.float32), cotangent=X[::-1])
    losses = [bh.softmax(X), value, gradient, focal, slope, dx, dw, bh.batch_norm(X), bh.bpr_loss(X, X[::-1])]
    return [*losses, *boxes(), *ranks(), *attended(), stepped(), *fitted()]


def boxes() -> list[Any]:
    x, (dx, dy) = vjp.pairwise_iou(BOXES, BOXES[::-1], cotangent=X[:500, :500], with_value=True)
    return [x, dx, dy, bh.nms(BOXES, X[:500, 0], iou_threshold=0.3, classes=T[:500] % 3)]


def ranks() -> list[Any]:
    s, y = X.reshape(-1), np.tile(T > 350, 700)
    return [bh.roc_auc_score(y, s), bh.grouped_roc_auc_score(y, s, np.arange(y.size) % 999).value]


def attended() -> list[Any]:
    q, k, v = (X[i : i + 192, :512].reshape(192, 8, 64).swapaxes(0, 1) for i in (0, 192, 384))
    return [bh.attention(q, k, v), *vjp.attention(q, k, v, cotangent=q)]


def stepped() -> Any:
    p = X.copy()
    bh.Adam([p]).step([X[::-1]])
    return p


def fitted() -> list[Any]:
    """Coefficients of the regressions, where scikit-learn is there."""
    if find_spec("sklearn") is None:
        return []
    from barehand.linear_model import LinearRegression, LogisticRegression

    x = X[:, :20]
    return [LinearRegression().fit(x, X[:, 20]).coef_, LogisticRegression(solver="lbfgs").fit(x, T % 3).coef_]


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    results = []
    for n in (1, 2, 3, 8):
        threads.set_num_threads(n)
        results.append(everything())
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_eight_threads_at_once() -> None:
    threads.set_num_threads(4)
    expected = everything()
    outcomes: list[bool] = []

    def work() -> None:
        outcomes.extend(
            all(np.array_equal(a, b) for a, b in zip(everything(), expected, strict=True)) for _ in range(10)
        )

    workers = [threading.Thread(target=work) for _ in range(8)]
    for w in workers:
        w.start()
    for w in workers:
        w.join(timeout=120)
        assert not w.is_alive()
    assert outcomes == [True] * 80


def test_more_threads_than_before_join_in() -> None:
    threads.set_num_threads(2)
    bh.softmax(X)
    threads.set_num_threads(5)
    bh.softmax(X)
    assert threads._pool.size >= 4


def child(queue: Any, count: int) -> None:
    threads.set_num_threads(count)
    queue.put(everything())


def in_child(method: str, count: int) -> list[Any]:
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=child, args=(queue, count))
    process.start()
    found: list[Any] = queue.get(timeout=120)
    process.join(timeout=30)
    assert process.exitcode == 0
    return found


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("fork", marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")),
        "spawn",
    ],
)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_process_computes_with_threads_of_its_own(method: str) -> None:
    threads.set_num_threads(2)
    expected = everything()  # the parent's pool exists, with its locks
    if method == "spawn":  # this process may have compiled what a child finds on disk, and that rounds in another order
        for ours, its in zip(expected, in_child(method, 1), strict=True):
            np.testing.assert_allclose(its, ours, rtol=1e-4, atol=1e-5 * np.abs(ours).max())
        expected = in_child(method, 1)
    for ours, its in zip(expected, in_child(method, 2), strict=True):
        np.testing.assert_array_equal(ours, its)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_workers_forked_while_other_threads_compute() -> None:
    """What a data loader does: a process with busy threads forks, and the children compute too."""
    script = """
import multiprocessing as mp, threading, warnings
import numpy as np, barehand as bh
warnings.simplefilter("ignore", DeprecationWarning)
bh.set_num_threads(3)
x = np.random.default_rng(0).standard_normal((600, 700)).astype(np.float32)
expected = bh.softmax(x)
stop = threading.Event()
def busy():
    while not stop.is_set():
        assert np.array_equal(bh.softmax(x), expected)
threads = [threading.Thread(target=busy) for _ in range(3)]
[t.start() for t in threads]
def item(i):
    return bool(np.array_equal(bh.softmax(x), expected))
with mp.get_context("fork").Pool(3) as pool:
    print(sum(pool.map(item, range(24))))
stop.set()
[t.join() for t in threads]
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "24"


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    threads.set_num_threads(2)

    def kernel(lo: int, hi: int) -> None:
        if lo > 0:
            raise RuntimeError(f"rows {lo} to {hi}")

    with pytest.raises(RuntimeError, match="rows"):
        threads.over_rows(kernel, 1000, 10_000)
    assert close(bh.softmax(X))  # and the pool goes on


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "2"])
def test_a_wrong_number_of_threads_is_refused(n: Any) -> None:
    with pytest.raises(ValueError, match="set_num_threads: n is"):
        bh.set_num_threads(n)


@pytest.mark.parametrize(("value", "says"), [("3", "3"), ("0", "BAREHAND_NUM_THREADS is '0'"), ("many", "'many'")])
def test_the_environment_variable(value: str, says: str) -> None:
    script = "import barehand as bh; print(bh.get_num_threads())"
    environment = os.environ | {"BAREHAND_NUM_THREADS": value}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    assert says in done.stdout + done.stderr
