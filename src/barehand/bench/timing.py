"""Turn-by-turn timing of a few functions that do the same work."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter, sleep
from typing import Any

_SAMPLE = 4e-3  # seconds a sample lasts at least, so that the clock's own cost vanishes
# Seconds before a turn: worker threads of the one before still spin on a core, OpenMP's for some 10 ms.
_REST = 15e-3
# And of warming up after it: threads that wake wait on one core until the scheduler, in ticks of 4 ms, moves one away;
# two of OpenMP's, each waiting for the other, then take a tick for a call of microseconds.
_WARM = 12e-3


def interleaved(
    contenders: Mapping[str, Callable[[], Any]], *, seconds: float = 2.0, least: int = 7, most: int = 300
) -> dict[str, float]:
    """The median seconds of one call of each, from rounds in which each gets its turn.

    Rounds go on until every contender had its share of `seconds`, within `least` and `most` rounds.
    """
    repeats = {}
    for name, call in contenders.items():
        call()  # compiles, and fills caches
        start = perf_counter()
        call()
        repeats[name] = max(1, round(_SAMPLE / max(perf_counter() - start, 1e-7)))
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.disable()
    try:
        begin = perf_counter()
        for turn in range(most):
            if turn >= least and perf_counter() - begin > seconds * len(contenders):
                break
            for name, call in contenders.items():
                sleep(_REST)
                start = perf_counter()
                while perf_counter() - start < _WARM:
                    call()  # its own threads awake, its own memory in cache, as in a loop that uses it
                start = perf_counter()
                for _ in range(repeats[name]):
                    call()
                samples[name].append((perf_counter() - start) / repeats[name])
    finally:
        gc.enable()
    return {name: median(s) for name, s in samples.items()}
