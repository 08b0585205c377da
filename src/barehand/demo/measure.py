"""Figures that judge a result, and distances between two results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from barehand.demo.stop import installed

Array = NDArray[Any]

EPS = float(np.finfo(np.float32).eps)


def accuracy(scores: Array, labels: Array) -> float:
    """The share of rows whose largest score is at the right class."""
    return float(np.mean(scores.argmax(axis=1) == labels))


def apart(ours: Sequence[Array], theirs: Sequence[Array]) -> float:
    """The distance of two lists of arrays, each taken as one long vector, relative to the length of the second."""
    a, b = (np.concatenate([array.ravel() for array in arrays]).astype(np.float64) for arrays in (ours, theirs))
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def in_turns(calls: Sequence[Callable[[], Any]], repeat: int = 9) -> tuple[list[Any], list[float]]:
    """Each call's result and its median seconds, after a first round that is not timed.

    The calls take turns, so that a machine that slows down for a moment slows all of them down.
    """
    results = [call() for call in calls]
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(repeat):
        for call, taken in zip(calls, times, strict=True):
            start = perf_counter()
            call()
            taken.append(perf_counter() - start)
    return results, [median(taken) for taken in times]


@contextmanager
def one_thread() -> Iterator[None]:
    """Ours, torch and BLAS on one thread each, and back.

    The inputs of the tour are small. On them a second thread gains nothing, and on a busy machine it can cost tenfold:
    it is waited for. The benchmarks are where threads are compared.
    """
    from barehand.core import threads

    ours = threads.get_num_threads()
    with ExitStack() as undo:
        undo.callback(threads.set_num_threads, ours)
        threads.set_num_threads(1)
        if installed("torch"):
            import torch

            undo.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        if installed("threadpoolctl"):
            from threadpoolctl import threadpool_limits

            undo.enter_context(threadpool_limits(1))
        yield
