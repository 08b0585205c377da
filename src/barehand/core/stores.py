"""Results that no cache can hold, written past the caches.

A store to memory that no cache holds first fetches the line that it is about to overwrite. For a result of a hundred
megabytes, which nobody reads before it is complete, that is half of the traffic. A non-temporal store leaves the caches
out; it takes whole lines, so elements before the first and after the last are stored as usual.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from barehand.core.jit import inlined

LARGE = 1 << 26  # bytes of a result from which it pays: beyond the last cache of most machines
LINE = 64  # bytes


@intrinsic
def _address(typing_context, x):
    """Where an array's first element lies."""

    def generate(context, builder, signature, args):
        data = context.make_array(x)(context, builder, args[0]).data
        return builder.ptrtoint(data, context.get_value_type(types.intp))

    return types.intp(x), generate


@intrinsic
def _lanes(typing_context, x):
    """How many of an array's elements make a line, known to the compiler."""

    def generate(context, builder, signature, args):
        return context.get_constant(types.intp, LINE // (x.dtype.bitwidth // 8))

    return types.intp(x), generate


@intrinsic
def _store_line(typing_context, x, y, j):
    """The line of y from its element j on becomes that of x."""

    def generate(context, builder, signature, args):
        kind = context.get_value_type(y.dtype)
        line = ir.VectorType(kind, LINE // (y.dtype.bitwidth // 8)).as_pointer()

        def at(array: Any, value: Any) -> Any:
            data = context.make_array(array)(context, builder, value).data
            return builder.bitcast(builder.gep(data, [args[2]]), line)

        value = builder.load(at(x, args[0]), align=y.dtype.bitwidth // 8)
        store = builder.store(value, at(y, args[1]), align=LINE)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
        return context.get_dummy_value()

    return types.void(x, y, types.intp), generate


@intrinsic
def publish(typing_context):
    """Once at the end: only then may other threads read what was written past the caches."""

    def generate(context, builder, signature, args):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


@inlined
def past_caches(x, y):
    """y[:] = x, both contiguous and of one type."""
    lanes: int = _lanes(y)
    first = min((-_address(y) & (LINE - 1)) * lanes // LINE, y.size)
    last = first + (y.size - first) // lanes * lanes
    for j in range(first):
        y[j] = x[j]
    for j in range(first, last, lanes):
        _store_line(x, y, j)
    for j in range(last, y.size):
        y[j] = x[j]
