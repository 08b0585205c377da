"""The one decorator every kernel wears: compiler flags, and a cache that never serves stale code."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
from numba.core import config as _numba_config

# Numba fills this module at import, so its names are not known to a type checker.
config: Any = _numba_config

# Reassociation lets sums run in vector lanes and `contract` fuses multiply-adds. The full `fastmath=True` would also
# promise the absence of nan and infinity, and then delete every test for them.
ROW_FLAGS = {"reassoc", "contract", "nsz", "arcp"}


_OPTIONS: Any = {"nogil": True, "error_model": "numpy", "fastmath": ROW_FLAGS, "no_cfunc_wrapper": True}


@cache
def _cache_folder() -> str:
    """A folder of its own for this version of the package and of its shared numerics.

    Numba notices an edited kernel file but not an edited helper inlined from another module, and would go on serving
    the old machine code; a hash of the helpers in the path rules that out.
    """
    here = Path(__file__)
    shared = b"".join((here.parent / f).read_bytes() for f in ("jit.py", "numeric.py", "rows.py"))
    stamp = hashlib.sha256(shared + version("barehand").encode()).hexdigest()[:16]
    base = config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return str(Path(base) / "barehand" / stamp)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call for the types it gets, without the GIL, and keep the machine code on disk."""
    jit: Any = numba.njit(**_OPTIONS)(function)
    previous = config.CACHE_DIR
    try:
        config.CACHE_DIR = _cache_folder()  # read once, when caching is enabled
        jit.enable_caching()
    except (RuntimeError, OSError) as error:
        warnings.warn(
            f"barehand: no kernel cache, each process compiles anew ({error}); "
            "set NUMBA_CACHE_DIR to a writable folder",
            RuntimeWarning,
            stacklevel=2,
        )
    finally:
        config.CACHE_DIR = previous
    return jit  # type: ignore[no-any-return]


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """A formula for kernels' loops, always put in place: LLVM would call a large one, and the loop stay scalar."""
    return numba.njit(nogil=True, error_model="numpy", fastmath=ROW_FLAGS, forceinline=True)(function)
