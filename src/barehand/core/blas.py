"""One BLAS thread while our own threads run: two pools on the same cores wait for each other.

NumPy's OpenBLAS takes the number of its threads from one place for the whole process, so the first who asks for one
thread keeps the old number and the last to finish puts it back. Under another BLAS nothing is done, and nothing is
wrong but the time.
"""

from __future__ import annotations

import ctypes
import os
import threading
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


class _OneThread:
    """A context in which BLAS runs on the calling thread alone; it may be entered by several threads."""

    def __init__(self) -> None:
        self.lock, self.inside, self.before = threading.Lock(), 0, 1

    def __enter__(self) -> None:
        controls = _controls()
        if controls is None:
            return
        with self.lock:
            if self.inside == 0:
                self.before = controls[0]()
                controls[1](1)
            self.inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        controls = _controls()
        if controls is None:
            return
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                controls[1](self.before)


one_thread = _OneThread()


def _after_fork() -> None:
    """The threads that were inside do not exist here; their lock may be held for ever."""
    controls = _controls()
    if controls is not None and one_thread.inside:
        controls[1](one_thread.before)
    one_thread.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
