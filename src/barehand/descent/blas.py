"""One thread of BLAS while our own threads run: each of them multiplies its own rows."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks at every loaded library, so once


def one_thread() -> AbstractContextManager[Any]:
    """For the whole process, so for as short as a fit; results then do not depend on the number of threads."""
    limited: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limited
