"""The door: what every public function does with its arguments before a kernel sees them.

Errors say `name: what is wrong, with the value; what to do`. Shapes are settled here once; kernels get contiguous
arrays of one floating type.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from barehand.core import memory
from barehand.core.lazy import LazyModule

kernels = LazyModule("barehand.core.rows")

Array = NDArray[Any]
Reduction = Literal["mean", "sum", "none"]

_HALF, _SINGLE, _DOUBLE = map(np.dtype, "efd")
_REDUCTIONS = get_args(Reduction)
_ONE = {kind: np.ones((), kind) for kind in "efd"}


class MissingBackend(ImportError):  # noqa: N818 - the public contract names it so
    """An optional library is needed for this and is not installed; the message names the extra that brings it."""


def refuse_tensor(name: str, argument: str, value: object) -> None:
    """Say where a tensor of PyTorch was given that arrays are computed here."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        raise TypeError(
            f"{name}: {argument} is a torch.Tensor, and this version computes on NumPy arrays; "
            f"pass {argument}.detach().cpu().numpy()"
        )


def as_array(name: str, argument: str, value: ArrayLike) -> Array:
    """Any array-like as an ndarray in native byte order, with a clear error for ragged or foreign values."""
    if type(value) is not np.ndarray:
        refuse_tensor(name, argument, value)
        if isinstance(value, np.ma.MaskedArray):
            raise TypeError(
                f"{name}: {argument} is a masked array, and its mask would be lost; pass {argument}.filled(...)"
            )
        try:
            value = np.asarray(value)
        except ValueError as error:
            raise ValueError(
                f"{name}: {argument} is not a regular array ({error}); give every row one length"
            ) from None
    return value if value.dtype.isnative else value.astype(value.dtype.newbyteorder("="))


def as_floating(name: str, argument: str, value: ArrayLike) -> Array:
    """An ndarray of float16, float32 or float64; integers and bools become float64."""
    if type(value) is np.ndarray and value.dtype.char in "fd" and value.dtype.isnative:
        return value
    array = as_array(name, argument, value)
    dtype = array.dtype
    if dtype.char in "fde":
        return array
    if dtype.kind in "iub":
        return array.astype(np.float64)
    hint = f"pass {argument}.astype(np.float64)" if dtype.kind == "f" else "pass real numbers"
    raise TypeError(f"{name}: {argument} has dtype {dtype}, not float16, float32, float64 or an integer type; {hint}")


def all_floating(name: str, **given: Any) -> list[Any]:
    """The arguments as floating arrays of one common type, None kept."""
    values = [*given.values()]
    common = values[0].dtype if type(values[0]) is np.ndarray else None
    if common is _SINGLE or common is _DOUBLE:
        for v in values:
            if type(v) is not np.ndarray or v.dtype is not common:
                break
        else:
            return values  # as nearly always
    arrays = [None if v is None else as_floating(name, k, v) for k, v in given.items()]
    common = None
    for a in arrays:
        if a is None or a.dtype is common:
            continue
        if common is not None and a.dtype != common:
            common = np.result_type(*(a for a in arrays if a is not None))
            return [None if a is None else a.astype(common, copy=False) for a in arrays]
        common = a.dtype
    return arrays


class _Alias:
    """The memory of an array under a writable flag; it keeps the array alive."""

    def __init__(self, array: Array) -> None:
        self.base = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def for_kernel(array: Array) -> Array:
    """Contiguous, aligned, and in the type the arithmetic runs in: float16 is computed in float32.

    A kernel would be compiled anew for read-only arrays. Kernels never write to their inputs, so they get the same
    memory under a writable flag instead.
    """
    if array.dtype == _HALF:
        array = array.astype(np.float32)
    if array.flags.carray:
        return array
    if not (array.flags.c_contiguous and array.flags.aligned):
        return array.copy(order="C")
    return np.asarray(_Alias(array))


def check_axis(name: str, axis: object, x: Array) -> int:
    """The axis counted from 0; a number without axes counts as a slice of one."""
    ndim = max(x.ndim, 1)
    if type(axis) is int and -ndim <= axis < ndim:
        return axis % ndim
    try:
        if isinstance(axis, bool):
            raise TypeError
        place = operator.index(axis)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}: axis must be an integer, not {axis!r}; use -{ndim} to {ndim - 1}") from None
    if not -ndim <= place < ndim:
        raise ValueError(f"{name}: axis {place} does not exist in x of shape {x.shape}; use -{ndim} to {ndim - 1}")
    return place % ndim


def to_rows(x: Array, axis: int) -> Array:
    """x as a contiguous (rows, n) matrix whose rows run along `axis`; a view where x allows it."""
    if axis < x.ndim - 1:
        x = np.moveaxis(x, axis, -1)
    n = x.shape[-1] if x.ndim else 1
    return for_kernel(x).reshape(-1, n) if x.size else np.empty((0, n), np.float32)


def from_rows(rows: Array, like: Array, axis: int, out: Array | None = None) -> Any:
    """The inverse of `to_rows`, in the shape and type of `like`; a number for a number."""
    if axis < like.ndim - 1:
        shape = like.shape[:axis] + like.shape[axis + 1 :] + (like.shape[axis],)
        result = np.moveaxis(rows.reshape(shape), -1, axis)
    else:
        result = rows.reshape(like.shape)
    if out is None:
        return narrow(result, like.dtype)[()] if like.ndim == 0 else narrow(result, like.dtype)
    if result.base is not out and result is not out:
        with np.errstate(over="ignore", under="ignore"):
            out[...] = result
    return out


def new_rows(x: Array, rows: Array, axis: int, out: Array | None, *others: Array | None) -> Array:
    """Where a kernel writes its rows: straight into `out` when that fits, else a fresh matrix.

    It does not fit while it shares memory with something that the kernel reads: the rows or `others`.
    """
    direct = (
        out is not None
        and axis == x.ndim - 1
        and out.flags.c_contiguous
        and out.dtype == rows.dtype
        and not any(np.may_share_memory(out, a) for a in (rows, *others) if a is not None)
    )
    return out.reshape(rows.shape) if direct and out is not None else memory.empty_like(rows)


def check_out(name: str, out: Any, x: Array) -> None:
    """`out` must be a writable ndarray of the result's shape and type."""
    if out is None:
        return
    if type(out) not in (np.ndarray, np.memmap):
        raise TypeError(f"{name}: out must be a numpy array, not {type(out).__name__}; make it with np.empty")
    if out.shape != x.shape or out.dtype != x.dtype:
        raise ValueError(
            f"{name}: out has shape {out.shape} and dtype {out.dtype}, the result {x.shape} and {x.dtype}; "
            f"make it with np.empty({x.shape}, np.{x.dtype})"
        )
    if not out.flags.writeable:
        raise ValueError(f"{name}: out is read-only; pass a writable array")


def check_mask(name: str, mask: ArrayLike, shape: tuple[int, ...]) -> Array:
    """A boolean mask broadcast to `shape`; True keeps."""
    mask = as_array(name, "mask", mask)
    if mask.dtype != bool:
        raise TypeError(f"{name}: mask has dtype {mask.dtype}, not bool; True means keep: pass mask.astype(bool)")
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(
            f"{name}: mask of shape {mask.shape} does not broadcast to {shape}; give it that shape, or 1 in an axis"
        ) from None


def check_option(name: str, argument: str, value: object, choices: Sequence[object]) -> None:
    """One of a short list of words."""
    if not isinstance(value, str) or value not in choices:
        words = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
        raise ValueError(f"{name}: {argument} is {value!r}; use {words}")


def check_reduction(name: str, reduction: object) -> None:
    """The word every loss takes."""
    if not isinstance(reduction, str) or reduction not in _REDUCTIONS:
        check_option(name, "reduction", reduction, _REDUCTIONS)


def check_number(
    name: str, argument: str, value: object, *, low: float = -math.inf, high: float = math.inf, above: bool = False
) -> float:
    """A finite real number in [low, high], or above `low` where `above` says so."""
    if type(value) is float and low < value < high:
        return value
    try:
        if isinstance(value, (str, bytes, bool)):
            raise TypeError
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {argument} must be a number, not {value!r}; pass a float") from None
    if not (math.isfinite(number) and low <= number <= high) or (above and number == low):
        span = f"above {low:g}" if above else f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        span += f" and at most {high:g}" if above and high < math.inf else ""
        wanted = "a finite number" if low == -math.inf and high == math.inf else f"a finite number {span}"
        raise ValueError(f"{name}: {argument} is {value!r}; use {wanted}")
    return number


def check_same_shape(name: str, **given: Array) -> None:
    """Arrays that go together element by element: nothing is broadcast, since that hides mistakes."""
    (first, a), *rest = given.items()
    for other, b in rest:
        if a.shape != b.shape:
            raise ValueError(
                f"{name}: {first} has shape {a.shape} and {other} {b.shape}; give them one shape (nothing is broadcast)"
            )


def check_cotangent(name: str, cotangent: ArrayLike | None, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """The result's gradient: 1 for a number, and otherwise given, in the result's shape."""
    if cotangent is None:
        if shape:
            raise ValueError(
                f"vjp.{name}: the result has shape {shape}, so it has no gradient of its own; pass cotangent=, an "
                "array of that shape"
            )
        return _ONE[dtype.char]
    array = as_floating(f"vjp.{name}", "cotangent", cotangent)
    if array.shape != shape:
        raise ValueError(f"vjp.{name}: cotangent has shape {array.shape}, the result {shape}; give it that shape")
    return narrow(array, dtype)


def narrow(array: Array, dtype: np.dtype[Any]) -> Array:
    """The array in the result's type; what is beyond its range becomes an infinity, without a warning."""
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore", under="ignore"):
        return array.astype(dtype)


def row_coefficients(cotangent: Array, rows: int, mean_over: float | None) -> Array:
    """What each row's gradient is multiplied by: the cotangent, shared out by a mean over so much weight."""
    if cotangent.ndim:
        return np.asarray(cotangent, np.float64).reshape(-1)
    share = float(cotangent)
    if mean_over is not None:
        share = share / mean_over if mean_over else 0.0
    coefficients = np.empty(rows)
    coefficients.fill(share)  # np.full takes three times as long
    return coefficients


def to_dtype(total: float, dtype: np.dtype[Any]) -> Any:
    """A float64 as a number of `dtype`; beyond its range an infinity, without a warning."""
    if -6e4 < total < 6e4:
        return dtype.type(total)
    with np.errstate(over="ignore", under="ignore"):
        return dtype.type(total)


def reduce_losses(
    losses: Array, reduction: Reduction, weight: float, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> Any:
    """Losses as `reduction` asks: each, their sum, or the sum over `weight` (0 over nothing), summed in float64."""
    if reduction == "none":
        return narrow(losses.reshape(shape), dtype)[()]
    total = kernels.block_sum(losses) if losses.size <= kernels.BLOCK else float(np.add.reduce(losses))
    if reduction == "mean":
        total = total / weight if weight else 0.0
    return to_dtype(total, dtype)
