"""Large results from memory that is used again.

The system hands out fresh memory a page at a time, at the first touch, and takes it back when an array dies: for a
result of a few megabytes that costs more than computing it. Here the memory of a large result returns to a small store
when the last array that looks at it is gone, and the next result of that size gets it, warm.

`BAREHAND_KEEP_MB` bounds the store (default 256; 0 keeps nothing); the sizes used last stay.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HUGE_PAGE = 1 << 21
_LARGE = 1 << 20  # bytes from which memory is kept


def _from_environment() -> int:
    text = os.environ.get("BAREHAND_KEEP_MB", "256")
    if not text.isdecimal():
        raise ValueError(f"BAREHAND_KEEP_MB is {text!r}; set it to a whole number of megabytes, 0 to keep nothing")
    return int(text) << 20


_most = _from_environment()
_free: dict[int, list[NDArray[np.uint8]]] = {}  # size -> memory of that size that nobody uses; the last used is last


class _Loan:
    """Memory lent to one result; arrays and views of it hold the loan, and with the last of them it ends."""

    __slots__ = ("__array_interface__", "memory")

    def __init__(self, memory: NDArray[np.uint8], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.memory = memory
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": dtype.str,
            "data": (memory.ctypes.data, False),
        }

    def __del__(self) -> None:
        if _keep is not None:  # as it is when the interpreter ends
            _keep(self.memory)


def _keep(memory: NDArray[np.uint8]) -> None:
    """Put memory into the store, and out of it what is beyond its bound, the sizes used longest ago first.

    Another thread, or the end of another loan, may come between any two steps: then a block is lost, and no more.
    """
    if memory.nbytes > _most:
        return
    blocks = _free.pop(memory.nbytes, [])
    blocks.append(memory)
    _free[memory.nbytes] = blocks
    for size in list(_free):
        if sum(size * len(blocks) for size, blocks in list(_free.items())) <= _most:
            return
        if size != memory.nbytes:
            _free.pop(size, None)
    del blocks[: -(_most // memory.nbytes)]  # no other size is left


def _class_of(size: int) -> int:
    """Sizes are rounded up by an eighth at most, so that nearly equal results share memory; whole huge pages."""
    step = max(_HUGE_PAGE, 1 << (size.bit_length() - 4))
    return -(-size // step) * step


def _fresh(size: int) -> NDArray[np.uint8]:
    """Memory that starts at a huge page's boundary."""
    block = np.empty(size + _HUGE_PAGE, np.uint8)
    start = -block.ctypes.data % _HUGE_PAGE
    return block[start : start + size]


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """As `numpy.empty`."""
    size = dtype.itemsize
    for n in shape:
        size *= n
    if size < _LARGE or not _most:
        return np.empty(shape, dtype)
    rounded = _class_of(size)
    try:
        memory = _free[rounded].pop()
    except (KeyError, IndexError):
        memory = _fresh(rounded)
    return np.asarray(_Loan(memory, shape, dtype))


def empty_like(array: NDArray[Any]) -> NDArray[Any]:
    """As `numpy.empty_like`, in C order."""
    return empty(array.shape, array.dtype) if array.nbytes >= _LARGE else np.empty(array.shape, array.dtype)
