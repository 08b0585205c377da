"""What travels between the judge and the child process: JSON, with arrays as raw bytes beside it.

A frame is a fixed head (two lengths), a JSON header and a body of arrays. Nothing is unpickled on either side: the
judge reads types of numbers from a fixed list and checks every length, so the worst that an answer can be is wrong.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAD = struct.Struct("<4sIQ")
MAGIC = b"bare"
LONGEST_HEADER = 16 << 20
LARGEST_BODY = 256 << 20
DEEPEST = 24
NAMED = ("kwargs", "with", "dict", "record")  # of a step: values by names, and "array" may be one of the names
UNPROTECTED, BROKEN, UNHEARD = 81, 82, 83  # how a child exits that cannot answer
ALIGNMENT = 16  # NumPy reads numbers in place

# The parts of `json` and `struct` used in the child, kept where the program under test cannot replace them.
_dumps, _loads = json.JSONEncoder(separators=(",", ":")).encode, json.JSONDecoder().decode


class Garbled(Exception):  # noqa: N818 - it says what happened
    """The other side sent what no honest side would."""


@dataclass(frozen=True)
class Tensor:
    """A torch tensor that came back: its numbers, and what torch said of it. bfloat16 arrives widened to float32."""

    array: NDArray[Any]
    requires_grad: bool
    dtype: str  # torch's name: "float32", "bfloat16"
    parameter: bool = False


@dataclass(frozen=True)
class Other:
    """Something that came back and is no plain value: its type's name, and a text for people."""

    type_name: str
    text: str


def known(dtype: str) -> bool:
    """Whether arrays of this type travel, by NumPy's code such as '<f4'."""
    kind, size = dtype[1:2], dtype[2:]
    if dtype[:1] not in ("<", ">", "|") or not size.isdecimal():
        return False
    if kind == "U":
        return len(size) < 8
    return kind + size in ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")


def pack(header: Mapping[str, Any], arrays: Sequence[tuple[str, tuple[int, ...], bytes]]) -> bytes:
    """One frame; an array is its type's code, its shape and its bytes in C order."""
    parts, length = [], 0
    for _, _, data in arrays:
        padding = -len(data) % ALIGNMENT
        parts += [data, b"\0" * padding]
        length += len(data) + padding
    text = _dumps({**header, "arrays": [[dtype, shape] for dtype, shape, _ in arrays]}).encode()
    return b"".join([HEAD.pack(MAGIC, len(text), length), text, *parts])


def lengths(head: bytes) -> tuple[int, int]:
    """The lengths of header and body that a frame's head announces."""
    magic, header, body = HEAD.unpack(head)
    if magic != MAGIC or header > LONGEST_HEADER or body > LARGEST_BODY:
        raise Garbled("the head of an answer is not one")
    return header, body


def unpack(text: bytes, body: bytearray) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Header and arrays of a frame; the arrays are views of the body, and writable."""
    try:
        header = _loads(text.decode())
        arrays, start = [], 0
        for dtype, shape in header.pop("arrays"):
            if not known(dtype) or not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 32:
                raise Garbled(f"an array of type {dtype!r} and shape {shape!r}")
            kind = np.dtype(dtype)
            size = math.prod(shape) * kind.itemsize
            if size > len(body) - start:
                raise Garbled("an array longer than its message")
            flat_array = np.frombuffer(body, kind, math.prod(shape), start) if size else np.empty(0, kind)
            arrays.append(flat_array.reshape(shape))
            start += size + -size % ALIGNMENT
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise Garbled(str(error)) from None
    return header, arrays


def flat(array: Any) -> tuple[str, tuple[int, ...], bytes]:
    """An array as it travels."""
    a = np.asarray(array)
    if not known(a.dtype.str):
        raise TypeError(f"arrays of {a.dtype} do not travel; convert them first")
    return a.dtype.str, a.shape, a.tobytes()


def question(value: Any, arrays: list[tuple[str, tuple[int, ...], bytes]]) -> Any:
    """A value of a step with its arrays taken out: `{"array": A}`, or a bare NumPy array or scalar, become numbers."""
    if isinstance(value, np.ndarray | np.generic):
        value = {"array": value, "as": "numpy" if isinstance(value, np.ndarray) else "scalar"}
    if isinstance(value, Mapping):
        if "array" in value:
            arrays.append(flat(value["array"]))
            return {**value, "array": len(arrays) - 1}
        return {
            k: {name: question(v, arrays) for name, v in part.items()} if k in NAMED else question(part, arrays)
            for k, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [question(v, arrays) for v in value]
    return value


def listed(nodes: Any, arrays: Sequence[NDArray[Any]]) -> list[Any]:
    """The values of one step that returns some."""
    if not isinstance(nodes, list):
        raise Garbled("no list of values")
    return [answer(node, arrays) for node in nodes]


def answer(node: Any, arrays: Sequence[NDArray[Any]], depth: int = 0) -> Any:
    """A value as the child told it."""
    if depth > DEEPEST:
        raise Garbled("an answer nested too deeply")
    if node is None or isinstance(node, bool | int | float | str):
        return node
    try:
        (kind, content), *more = node.items()
        if kind == "list":
            return [answer(n, arrays, depth + 1) for n in content]
        if kind == "tuple":
            return tuple(answer(n, arrays, depth + 1) for n in content)
        if kind == "dict":
            return {_key(k): answer(v, arrays, depth + 1) for k, v in content}
        if kind == "numpy":
            return arrays[content]
        if kind == "scalar":
            return arrays[content][()]
        if kind == "torch":
            return _tensor(arrays[content], **dict(more))
        if kind == "other":
            type_name, text = content
            return Other(str(type_name), str(text))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise Garbled(str(error)) from None
    raise Garbled(f"an unknown kind of value: {kind!r}")


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key


def _tensor(array: NDArray[Any], dtype: str, grad: bool, parameter: bool) -> Tensor:
    if dtype == "bfloat16":  # the upper half of a float32
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return Tensor(array, bool(grad), str(dtype), bool(parameter))
