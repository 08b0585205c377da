"""The one decorator every kernel wears: compiler flags, and a cache that never serves stale code."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from tempfile import TemporaryFile
from typing import Any

import numba
from numba.core import config as _numba_config
from numba.core.caching import FunctionCache

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
    package = Path(__file__).parents[1]  # its __init__ holds the version
    files = "__init__.py", "core/jit.py", "core/numeric.py", "core/rows.py", "core/stores.py", "descent/sweeps.py"
    stamp = hashlib.sha256(b"".join((package / f).read_bytes() for f in files)).hexdigest()[:16]
    base = config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return str(Path(base) / "barehand" / stamp)


@cache
def _kept() -> bool:
    """Whether that folder can be written to; else Numba would take another, whose path knows no hash."""
    try:
        folder = Path(_cache_folder())
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return True
    except (OSError, RuntimeError) as error:  # no home folder is a RuntimeError
        _warn(str(error))
        return False


@cache
def _warn(reason: str) -> None:
    """Once for each reason."""
    warnings.warn(
        f"barehand: kernels are not kept on disk, each process compiles anew ({reason}); "
        "set NUMBA_CACHE_DIR to a folder that can be written to",
        RuntimeWarning,
        stacklevel=3,
    )


# What reading a damaged file raises, beside a full or vanished disk.
_DAMAGED = (
    OSError,
    EOFError,
    UnpicklingError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    ImportError,
)


_NumbasCache: Any = FunctionCache  # without types


class _Cache(_NumbasCache):  # type: ignore[misc]
    """Numba's cache, whose failures reach no caller: what cannot be read is compiled, what cannot be kept is not."""

    def load_overload(self, *arguments: Any) -> Any:
        try:
            return super().load_overload(*arguments)
        except _DAMAGED:
            return None

    def save_overload(self, *arguments: Any) -> None:
        try:
            super().save_overload(*arguments)
        except _DAMAGED:
            self._anew(*arguments)

    def _anew(self, *arguments: Any) -> None:
        """Once more, past an index that cannot be read."""
        try:
            self.flush()
            super().save_overload(*arguments)
        except OSError as error:
            _warn(str(error))


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call for the types it gets, without the GIL, and keep the machine code on disk."""
    jit: Any = numba.njit(**_OPTIONS)(function)
    if _kept():
        previous = config.CACHE_DIR
        try:
            config.CACHE_DIR = _cache_folder()  # read once, when a cache is made
            jit._cache = _Cache(function)
        finally:
            config.CACHE_DIR = previous
    return jit  # type: ignore[no-any-return]


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """A formula for kernels' loops, always put in place: LLVM would call a large one, and the loop stay scalar."""
    return numba.njit(nogil=True, error_model="numpy", fastmath=ROW_FLAGS, forceinline=True)(function)
