"""Waiting on a number in memory without the GIL, for the microseconds in which sleeping would cost more."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from barehand.core.jit import kernel


@intrinsic
def _load(typing_context, flag):
    """The first element, read anew each time: a plain load would be moved out of the loop."""

    def generate(context, builder, signature, arguments):
        (array,) = arguments
        data = cgutils.create_struct_proxy(signature.args[0])(context, builder, array).data
        return builder.load_atomic(data, "acquire", 8)

    return types.int64(flag), generate


@intrinsic
def _pause(typing_context):
    """Tell the processor that this is a waiting loop, where it has such an instruction."""

    def generate(context, builder, signature, arguments):
        if "x86" in builder.module.triple:
            function_type = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, function_type, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), generate


@kernel
def until_changed(flag, seen, patience):
    """Spin until flag[0] differs from `seen`, at most `patience` rounds; say whether it did.

    Some ten microseconds more follow the change: whoever made it still holds the GIL until its next kernel runs, and a
    thread that asks for a held GIL is put to sleep, from which it takes longer to wake than many a range to compute.
    """
    for _ in range(patience):
        if _load(flag) != seen:
            for _ in range(250):
                _pause()
            return True
        _pause()
    return False
