"""A pool of our own for kernels that run without the GIL.

Numba's threading layers abort the process when two Python threads call in (workqueue) or hang a forked child (omp).
Here a job is a fixed list of row ranges; the caller works through it from the front, and each idle worker that wakes in
time takes ranges off the same list. Nobody waits for a worker to start, so a busy machine costs at most one range.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from barehand.core import spin

Kernel = Callable[..., Any]  # kernel(lo, hi, *arguments): rows lo to hi of every array

_SERIAL_BELOW = 1 << 16  # elements: under this a second thread costs more than it brings
_RANGE = 1 << 17  # elements a range aims at
_PARTIAL = 1 << 19  # and one that gives a partial result, whose making and adding up cost more
_MOST_RANGES = 64
_PATIENCE = 10_000  # rounds of a waiting loop, a few hundred microseconds


class _Job:
    """One kernel over a list of row ranges, shared by the threads that work on it."""

    __slots__ = ("arguments", "bounds", "done", "error", "finished", "kernel", "results", "todo")

    def __init__(self, kernel: Kernel, bounds: list[tuple[int, int]], arguments: tuple[Any, ...]) -> None:
        self.kernel, self.bounds, self.arguments = kernel, bounds, arguments
        self.results: list[Any] = [None] * len(bounds)
        self.error: BaseException | None = None
        # Two iterators whose `next` is atomic: what to take, and how many are done.
        self.todo: Iterator[int] = iter(range(len(bounds)))
        self.finished = count(1)
        self.done = np.zeros(1, np.int64)

    def work(self) -> None:
        for i in self.todo:
            try:
                self.results[i] = self.kernel(*self.bounds[i], *self.arguments)
            except BaseException as error:  # handed to the caller below
                self.error = error
            if next(self.finished) == len(self.bounds):
                self.done[0] = 1

    def wait(self) -> None:
        """Until every range is done; the worker still at one is at most a range behind."""
        while not self.done[0]:
            spin.until_changed(self.done, 0, _PATIENCE)


class _Pool:
    """Daemon threads that wait for jobs; made at the first use, and anew in a forked child."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        self.posted = np.zeros(1, np.int64)
        self.size = 0
        self.growing = threading.Lock()

    def run(self, job: _Job, helpers: int) -> None:
        if self.size < helpers:
            with self.growing:
                while self.size < helpers:
                    threading.Thread(target=self._serve, name="barehand", daemon=True).start()
                    self.size += 1
        for _ in range(helpers):
            self.jobs.put(job)
        self.posted[0] += 1
        job.work()
        job.wait()
        if job.error is not None:
            raise job.error

    def _serve(self) -> None:
        # After a job a worker looks out for the next one awake for a moment: waking a sleeper takes some 60 us.
        while True:
            seen = self.posted[0]
            try:
                job = self.jobs.get_nowait()
            except Empty:
                spin.until_changed(self.posted, seen, _PATIENCE)
                try:
                    job = self.jobs.get_nowait()
                except Empty:
                    job = self.jobs.get()
            job.work()
            del job  # while it waits for the next one, nobody's arrays are kept alive


def cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _from_environment() -> int:
    text = os.environ.get("BAREHAND_NUM_THREADS")
    if text is None:
        return cores()
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"BAREHAND_NUM_THREADS is {text!r}; set it to a whole number from 1 on")
    return int(text)


_pool = _Pool()
_threads = _from_environment()


def _after_fork() -> None:
    global _pool
    _pool = _Pool()  # the parent's threads do not exist here, and its locks may be held for ever


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def set_num_threads(n: int) -> None:
    """Let kernels use up to `n` threads, the caller's included; results do not depend on it."""
    global _threads
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"set_num_threads: n is {n!r}; give a whole number from 1 on")
    _threads = int(n)


def get_num_threads() -> int:
    """How many threads kernels may use: `BAREHAND_NUM_THREADS`, or else the cores this process may run on."""
    return _threads


def _ranges(rows: int, row_cost: int, size: int = _RANGE) -> list[tuple[int, int]]:
    parts = min(rows, _MOST_RANGES, -(-rows * row_cost // size))
    edges = [rows * i // parts for i in range(parts + 1)]
    return list(pairwise(edges))


def over_rows(kernel: Kernel, rows: int, row_cost: int, *arguments: Any) -> None:
    """Run a kernel that writes its rows and nothing else; `row_cost` is the elements it touches in a row."""
    if _threads == 1 or rows * row_cost <= _RANGE or rows < 2:  # one range is nothing to share
        kernel(0, rows, *arguments)
    else:
        _pool.run(_Job(kernel, _ranges(rows, row_cost), arguments), _threads - 1)


def partial_results(kernel: Kernel, rows: int, row_cost: int, *arguments: Any) -> list[Any]:
    """Run a kernel that returns a partial result; the ranges, hence the sums, do not depend on the threads."""
    if rows * row_cost < _SERIAL_BELOW or rows < 2:
        return [kernel(0, rows, *arguments)]
    ranges = _ranges(rows, row_cost, _PARTIAL)
    if _threads == 1 or len(ranges) == 1:
        return [kernel(lo, hi, *arguments) for lo, hi in ranges]
    job = _Job(kernel, ranges, arguments)
    _pool.run(job, _threads - 1)
    return job.results
