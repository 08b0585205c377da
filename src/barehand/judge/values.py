"""Values in the child: built from what the judge sent, and told back as plain numbers with the name of their type.

Everything used here is bound before the program under test runs, so that it may replace what it likes in NumPy or
torch. Only exact types are told as arrays: a subclass could say one thing and hold another.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from math import prod
from sys import modules
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numpy import array as copied
from numpy import asarray, ndarray, zeros

from barehand.judge import wire
from barehand.judge.wire import known

LONGEST_TEXT, MOST_TEXT = 4096, 4 << 20
MOST_ITEMS = 200_000
LARGEST_INTEGER = 4096  # bits

UNSIGNED = np.uint16
SCALARS = frozenset({np.bool_, np.str_, *(np.dtype(code).type for code in "bhilqBHILQefd")})
TENSORS = frozenset(
    {"bool", "bfloat16", *(f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64))}
)


class TooLarge(Exception):  # noqa: N818 - it says what happened
    """A value that is not told for its size or depth."""


class Torch:
    """The parts of torch that the child uses, taken while they are still torch's own."""

    def __init__(self, torch: ModuleType) -> None:
        base = torch._C.TensorBase
        self.parameter, self.tensor = torch.nn.Parameter, torch.Tensor
        self.exact = (torch.Tensor, torch.nn.Parameter)
        self.from_numpy, self.no_grad, self.grad = torch.from_numpy, torch.no_grad, torch.autograd.grad
        self.zeros_like, self.seed, self.as_tensor = torch.zeros_like, torch.manual_seed, torch.as_tensor
        self.int16, self.strided = torch.int16, torch.strided
        self.detach, self.numpy, self.view = base.detach, base.numpy, base.view
        self.copy_, self.to, self.requires_grad_ = base.copy_, base.to, base.requires_grad_
        self.dtypes = {str(v).removeprefix("torch."): v for v in vars(torch).values() if type(v) is torch.dtype}
        self.names = {v: k for k, v in self.dtypes.items()}


_found: list[Torch] = []


def torch() -> Torch | None:
    """torch, once something has imported it."""
    if not _found:
        module = modules.get("torch")
        if module is None or not hasattr(module, "autograd"):
            return None
        _found.append(Torch(module))
    return _found[0]


def needed_torch() -> Torch:
    """torch, imported if it is not there yet."""
    import_module("torch")
    found = torch()
    assert found is not None
    return found


# From the judge


def build(node: Any, arrays: list[Any], look_up: Callable[[dict[str, Any]], Any]) -> Any:
    """The value that a step describes; `look_up` finds variables and the program's globals."""
    if isinstance(node, list):
        return [build(n, arrays, look_up) for n in node]
    if not isinstance(node, dict):
        return node
    if "array" in node:
        return _built(arrays[node["array"]], node)
    for kind, make in (("list", list), ("tuple", tuple)):
        if kind in node:
            return make([build(n, arrays, look_up) for n in node[kind]])
    if "dict" in node:
        return {k: build(v, arrays, look_up) for k, v in node["dict"].items()}
    if "record" in node:
        return SimpleNamespace(**{k: build(v, arrays, look_up) for k, v in node["record"].items()})
    if "slope" in node:
        return _slope(*(build(n, arrays, look_up) for n in node["slope"]))
    return look_up(node)


def _slope(a: Any, c: Any) -> Callable[..., Any]:
    """The gradient of a bowl with its lowest point at c."""
    return lambda x, *_: a * (x - c)


def _built(array: Any, node: dict[str, Any]) -> Any:
    """An array in the dress that was asked for; always the program's own copy."""
    kind = node.get("as", "numpy")
    if kind == "list":
        return array.tolist()
    if kind == "scalar":
        return array[()]
    array = copied(array)
    if node.get("strided") and array.ndim:
        wide = zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        array = wide[..., ::2]
    if kind == "numpy":
        array.setflags(write=not node.get("read_only"))
        return array
    t = needed_torch()
    tensor = t.from_numpy(array)
    if node.get("dtype"):
        tensor = t.to(tensor, t.dtypes[node["dtype"]])
    return t.requires_grad_(tensor, True) if node.get("grad") else tensor


# To the judge


class Telling:
    """One answer in the making: its tree, and the arrays that go beside it."""

    def __init__(self) -> None:
        self.arrays: list[tuple[str, tuple[int, ...], bytes]] = []
        self._bytes = self._items = self._letters = 0

    def tell(self, value: Any, depth: int = 0) -> Any:
        """The value as a tree of JSON."""
        kind = type(value)
        self._items += 1
        if depth > wire.DEEPEST - 2 or self._items > MOST_ITEMS:
            raise TooLarge(f"returned more than {MOST_ITEMS} values, or nested too deeply")
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            return value if value.bit_length() <= LARGEST_INTEGER else self._other(value)
        if kind is str:
            return self._text(value) if len(value) <= LONGEST_TEXT else self._other(value)
        if kind is list:
            return {"list": [self.tell(v, depth + 1) for v in list.__iter__(value)]}
        if issubclass(kind, tuple):  # named tuples too, by what they hold
            return {"tuple": [self.tell(v, depth + 1) for v in tuple.__iter__(value)]}
        if issubclass(kind, dict):
            return {"dict": [[self._key(k), self.tell(v, depth + 1)] for k, v in dict.items(value)]}
        if kind is ndarray or kind in SCALARS:
            array = asarray(value)
            if known(array.dtype.str):
                return {"numpy" if kind is ndarray else "scalar": self._add(array)}
        t = torch()
        if t is not None and kind in t.exact and value.layout is t.strided and value.device.type == "cpu":
            return self._tensor(value, t)
        return self._other(value)

    def _add(self, array: Any) -> int:
        self._bytes += prod(array.shape) * array.dtype.itemsize
        if self._bytes > wire.LARGEST_BODY - (1 << 20):
            raise TooLarge(f"returned more than {wire.LARGEST_BODY >> 20} MB")
        self.arrays.append((array.dtype.str, array.shape, ndarray.tobytes(array)))
        return len(self.arrays) - 1

    def _tensor(self, value: Any, t: Torch) -> Any:
        name = t.names.get(value.dtype, "")
        if name not in TENSORS:
            return self._other(value)
        plain = t.detach(value)
        if name == "bfloat16":
            plain = t.view(plain, t.int16)
        index = self._add(t.numpy(plain).view(UNSIGNED) if name == "bfloat16" else t.numpy(plain))
        return {"torch": index, "dtype": name, "grad": value.requires_grad, "parameter": type(value) is t.parameter}

    def _text(self, text: str) -> str:
        self._letters += len(text)
        if self._letters > MOST_TEXT:
            raise TooLarge(f"returned more than {MOST_TEXT >> 20} MB of text")
        return text

    def _key(self, key: Any) -> Any:
        if key is None or type(key) in (bool, int, float):
            return key
        if type(key) is str and len(key) <= LONGEST_TEXT:
            return self._text(key)
        return [self._key(k) for k in key] if type(key) is tuple else self._text(text_of(key))

    def _other(self, value: Any) -> Any:
        return {"other": [self._text(type_name(type(value))), self._text(text_of(value))]}


def type_name(kind: type) -> str:
    """A type's name with its module, as people read it."""
    module = type.__getattribute__(kind, "__module__")
    return f"{module}.{kind.__name__}" if module not in ("builtins", None) else str(kind.__name__)


def text_of(value: Any) -> str:
    """What the value says of itself, cut short; its own `__repr__` may do anything."""
    try:
        text = repr(value)
    except BaseException as error:
        return f"<repr failed: {type(error).__name__}>"
    return str.__getitem__(text, slice(300))
