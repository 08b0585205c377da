"""One thread of BLAS while our own threads run: each of them multiplies its own rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from typing import Any

from threadpoolctl import ThreadpoolController

from barehand.core import blas


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks at every loaded library, so once


def _every_library() -> Callable[[], object]:
    """NumPy's BLAS by the count that attention keeps of it, so that neither puts back a 1; SciPy's besides.

    threadpoolctl takes a limit back only from the thread that set it, and fits may end in any order: a thread of their
    own holds it for them.
    """
    limits: SimpleQueue[Any] = SimpleQueue()
    over = threading.Event()

    def hold() -> None:
        with _controller().limit(limits=1, user_api="blas") as limit:
            limits.put(limit)
            over.wait()

    blas.one_thread.__enter__()
    holder = threading.Thread(target=hold, name="barehand blas", daemon=True)
    holder.start()
    limit = limits.get()

    def end() -> None:
        if holder.is_alive():
            over.set()
            holder.join()
            blas.one_thread.__exit__(None, None, None)
        else:  # in a forked child: NumPy's is back by itself, and was 1 when the limit was set
            with blas.one_thread:
                limit.__exit__(None, None, None)

    return end


_alone = blas.Shared(_every_library)


def one_thread() -> blas.Shared:
    """For the whole process, so for as short as a fit; results then do not depend on the number of threads."""
    return _alone
