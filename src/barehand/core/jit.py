"""The one decorator every kernel wears: compiler flags, and a cache that never serves stale code."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
import numba.core.config

# Reassociation lets sums run in vector lanes and `contract` fuses multiply-adds. The full `fastmath=True` would also
# promise the absence of nan and infinity, and then delete every test for them.
ROW_FLAGS = {"reassoc", "contract", "nsz", "arcp"}


def _cache_folder() -> str:
    """A folder of its own for this version of the package and of its shared numerics.

    Numba notices an edited kernel file but not an edited helper inlined from another module, and would go on serving
    the old machine code; a hash of the helpers in the path rules that out.
    """
    here = Path(__file__)
    shared = b"".join((here.parent / f).read_bytes() for f in ("jit.py", "numeric.py", "rows.py"))
    stamp = hashlib.sha256(shared + version("barehand").encode()).hexdigest()[:16]
    base = numba.core.config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return str(Path(base) / "barehand" / stamp)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call for the types it gets, without the GIL, and keep the machine code on disk."""
    jit = numba.njit(nogil=True, error_model="numpy", fastmath=ROW_FLAGS, boundscheck=False)(function)
    previous = numba.core.config.CACHE_DIR
    try:
        numba.core.config.CACHE_DIR = _cache_folder()  # read once, when caching is enabled
        jit.enable_caching()
    except (RuntimeError, OSError) as error:
        warnings.warn(
            f"barehand: no kernel cache, each process compiles anew ({error}); set NUMBA_CACHE_DIR to a writable folder",
            RuntimeWarning,
            stacklevel=2,
        )
    finally:
        numba.core.config.CACHE_DIR = previous
    return jit  # type: ignore[no-any-return]
