"""One BLAS thread while our own threads run: two pools on the same cores wait for each other.

NumPy's OpenBLAS takes the number of its threads from one place for the whole process, so the first who asks for one
thread keeps the old number and the last to finish puts it back. Under another BLAS nothing is done, and nothing is
wrong but the time.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from types import TracebackType
from typing import Any

_NAMES = ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads")


@cache
def _controls() -> tuple[Any, Any] | None:
    """What reads and what sets the number of threads of the BLAS that NumPy is linked to."""
    origin = getattr(find_spec("numpy._core._multiarray_umath"), "origin", None)
    try:
        library = ctypes.CDLL(origin)
    except OSError:
        return None
    for name in _NAMES:
        if hasattr(library, name.format("set")):
            return getattr(library, name.format("get")), getattr(library, name.format("set"))
    return None


class Shared:
    """A context for several threads: `begin` when the first comes in, and what it returned when the last is out."""

    def __init__(self, begin: Callable[[], Callable[[], object]]) -> None:
        self.begin = begin
        self._empty()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def _empty(self) -> None:
        self.lock, self.inside = threading.Lock(), 0
        self.end: Callable[[], object] = int

    def __enter__(self) -> None:
        with self.lock:
            if self.inside == 0:
                self.end = self.begin()
            self.inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.end()

    def _after_fork(self) -> None:
        """The threads that were inside do not exist here; their lock may be held for ever."""
        if self.inside:
            self.end()
        self._empty()


def _numpys_alone() -> Callable[[], object]:
    controls = _controls()
    if controls is None:
        return int
    read, write = controls
    before = read()
    write(1)
    return lambda: write(before)


one_thread = Shared(_numpys_alone)
