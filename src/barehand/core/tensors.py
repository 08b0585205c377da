"""Tensors through the kernels for arrays: shared memory, gradients by our own `vjp`, and operators for torch.compile.

A tensor on the CPU is the array it shares memory with. Where there is no such array (another device, a tensor of a
transform such as `torch.func.vmap`, a subclass), and for gradients of gradients, the same function composed of torch's
operations takes over.
"""

from __future__ import annotations

import ast
import operator
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from barehand.core.dispatch import of_arrays, twin_of
from barehand.core.lazy import LazyModule

_spread = LazyModule("barehand.core.spread")

Options = dict[str, Any]

# Looked up once: on a batch of 32 a call costs more than its arithmetic.
_STRIDED, _BFLOAT16, _FLOAT32, _FLOAT64 = torch.strided, torch.bfloat16, torch.float32, torch.float64
_from_numpy, _numpy = torch.from_numpy, Tensor.numpy
_grad_enabled, _autocast = torch.is_grad_enabled, torch.is_autocast_enabled
_compiling = torch.compiler.is_compiling
_transforming, _tracing = torch._C._are_functorch_transforms_active, torch._C._get_tracing_state
_modes, _batched = torch._C._len_torch_dispatch_stack, torch._C._functorch.is_legacy_batchedtensor

_PLAIN = (Tensor, torch.nn.Parameter)
_COMPUTED = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})
_NARROW = (torch.float16, torch.bfloat16)
_SMALL = 1 << 16  # numbers: up to that our way through autograd costs more than our kernels save
LONGEST = 2048  # numbers that torch may add up in their own type


def one_number(options: Options) -> bool:
    """Whether the reduction makes a loss one number."""
    return bool(options["reduction"] != "none")


def small(x: Any) -> bool:
    """Whether torch's own operation is the faster one: numbers on the CPU, but few, that nobody follows."""
    return bool(
        not _compiling()
        and type(x) in _PLAIN
        and x.is_cpu
        and x.layout is _STRIDED
        and 0 < x.numel() <= _SMALL
        and not _autocast("cpu")
        and not _watched()
    )


def of_one_kind(x: Tensor, *others: Tensor | None) -> bool:
    """Whether all are float32, or all float64: what torch's own operations take as it is."""
    kind = x.dtype
    if kind is not _FLOAT32 and kind is not _FLOAT64:
        return False
    for t in others:  # a generator would take a microsecond
        if t is not None and (t.dtype is not kind or type(t) not in _PLAIN or not t.is_cpu or t.layout is not _STRIDED):
            return False
    return True


def lie_well(mean: Tensor, inverse: Tensor) -> bool:
    """Whether torch's norm has lost nothing, by the means and inverse spreads that it found."""
    return bool(_spread.lies_well(_numpy(mean).reshape(-1), _numpy(inverse).reshape(-1)))


if hasattr(os, "register_at_fork"):
    # A forked child has not the threads that torch's operations would wait for; workers of a DataLoader do the same.
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


@dataclass(frozen=True)
class ByResult:
    """A gradient that follows from the result alone, so that the input need not be kept.

    Both take the result, the arguments that have no gradient, and the cotangent, and give the gradient of the only
    differentiable argument: on arrays, and composed of torch's operations.
    """

    on_arrays: Callable[..., Any]
    composed: Callable[..., Any]


@dataclass(frozen=True)
class Operator:
    """A public function on tensors.

    `arguments` names those that may be tensors, in order; the first of them, `differentiable`, have gradients. `loss`
    says whether the options make the result one number: then its gradient is computed along with it.
    """

    name: str
    arguments: tuple[str, ...]
    differentiable: tuple[str, ...]
    function: Callable[..., Any]  # on arrays
    vjp: Callable[..., Any]  # on arrays
    composed: Callable[..., Any]  # of torch's operations, on data of one type of at least float32
    loss: Callable[[Options], bool] | None = None
    by_result: ByResult | None = None
    writes: tuple[str, ...] = ()  # arguments that the function updates in place; then its gradient needs them not,
    updates: Callable[[Options], bool] = lambda options: True  # where the options make it do so
    count: int = field(init=False)  # of the differentiable
    low_precision: bool = False  # mostly matrix products: autocast and other devices run it in a narrow type

    def __post_init__(self) -> None:
        object.__setattr__(self, "function", of_arrays(self.function))
        object.__setattr__(self, "count", len(self.differentiable))

    def __call__(self, *given: Any, **options: Any) -> Any:
        """The result, differentiable for what requires a gradient."""
        if torch.compiler.is_compiling():
            return self._traced(self._floating(self._checked(given)), options)
        # The usual call is known by a few cheap looks at each tensor.
        wanted, left = False, self.count
        for t in given:
            left -= 1
            if t is None:
                continue
            if type(t) not in _PLAIN or not t.is_cpu or t.layout is not _STRIDED:
                return self._anywhere(given, options)
            if t.requires_grad:
                wanted = True
                if left < 0:
                    return self._anywhere(given, options)
            if left >= 0 and t.dtype not in _COMPUTED:
                return self._anywhere(given, options)
        if _autocast("cpu") or _watched():
            return self._anywhere(given, options)
        if wanted and _grad_enabled():
            return _apply(self, options, *given)  # type: ignore[no-untyped-call]
        return self.forward(given, options)

    def _anywhere(self, given: Sequence[Any], options: Options) -> Any:
        """For tensors of any kind, checked first."""
        tensors = self._floating(self._checked(given))
        data, others = tensors[: self.count], tensors[self.count :]
        if (
            _watched()
            or not all(t is None or _shares_memory(t) for t in tensors)
            or (_grad_enabled() and any(t is not None and t.requires_grad for t in others))
        ):  # the kernels have no gradient for targets and masks, torch's operations have
            return self.in_torch(tensors, options)
        if _grad_enabled() and any(t is not None and t.requires_grad for t in data):
            return _apply(self, options, *tensors)  # type: ignore[no-untyped-call]
        return self.forward(tensors, options)

    def _checked(self, given: Sequence[Any]) -> list[Tensor | None]:
        device = None
        for name, value in zip(self.arguments, given, strict=True):
            if value is None:
                continue
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"{self.name}: {name} is a {type(value).__name__} beside tensors; pass torch.as_tensor({name})"
                )
            if device is not None and value.device != device:
                raise ValueError(f"{self.name}: {name} is on {value.device}, the others on {device}; move it there")
            device = value.device
        return list(given)

    def _floating(self, tensors: list[Tensor | None]) -> list[Tensor | None]:
        """Data in a floating type: whole numbers in torch's default, and under autocast as it wants it."""
        device = next(t.device.type for t in tensors if t is not None)
        cast = None
        # Asked only of devices that may lack it: torch.compile does not always know the question.
        if (device in ("cpu", "cuda") or torch.amp.is_autocast_available(device)) and _autocast(device):
            cast = torch.get_autocast_dtype(device) if self.low_precision else torch.float32

        def one(name: str, t: Tensor | None) -> Tensor | None:
            if t is None or name not in self.differentiable:
                return t
            if t.is_complex():
                raise TypeError(f"{self.name}: {name} has dtype {t.dtype}; pass real numbers")
            if not t.is_floating_point():
                t = t.to(torch.get_default_dtype())
            return t.to(cast) if cast is not None and t.dtype != torch.float64 else t

        return [one(name, t) for name, t in zip(self.arguments, tensors, strict=True)]

    def kind(self, tensors: Sequence[Tensor | None]) -> torch.dtype:
        """The type of results: the widest of the differentiable arguments'."""
        found: torch.dtype = tensors[0].dtype  # type: ignore[union-attr]
        if self.count > 1:
            for t in tensors[1 : self.count]:
                if t is not None and t.dtype is not found:
                    found = torch.promote_types(found, t.dtype)
        return found

    # In torch's operations

    def in_torch(self, tensors: Sequence[Tensor | None], options: Options) -> Any:
        """The result composed of torch's operations; narrow types in float32, unless it is mostly products."""
        kind, n = self.kind(tensors), self.count
        wide = torch.float32 if kind in _NARROW and not self.low_precision else kind
        data = [t if t is None or t.dtype == wide else t.to(wide) for t in tensors[:n]]
        result = self.composed(*data, *tensors[n:], **options)
        return tuple(r.to(kind) for r in result) if isinstance(result, tuple) else result.to(kind)

    # On arrays

    def forward(self, tensors: Sequence[Tensor | None], options: Options) -> Any:
        """The result without a gradient."""
        arrays = [None if t is None else _array(t) for t in tensors]
        result, kind = self.function(*arrays, **options), self.kind(tensors)
        for name in self.writes if self.writes and self.updates(options) else ():
            _written(tensors[self.arguments.index(name)], arrays[self.arguments.index(name)])
        return tuple(_tensor(r, kind) for r in result) if isinstance(result, tuple) else _tensor(result, kind)

    def pull_back(self, tensors: Sequence[Tensor | None], cotangent: Any, options: Options) -> list[Tensor | None]:
        """A gradient for each argument, None where it has none."""
        numbers = tuple(map(_array, cotangent)) if isinstance(cotangent, tuple) else _array(cotangent)
        arrays = [None if t is None else _array(t) for t in tensors]
        return self._placed(self.vjp(*arrays, **options, cotangent=numbers), tensors)

    def value_and_gradients(
        self, tensors: Sequence[Tensor | None], options: Options
    ) -> tuple[Tensor, list[Tensor | None]]:
        """One number and its gradients, from the same pass."""
        arrays = [None if t is None else _array(t) for t in tensors]
        value, gradients = self.vjp(*arrays, **options, with_value=True)
        return _tensor(value, self.kind(tensors)), self._placed(gradients, tensors)

    def _placed(self, gradients: Sequence[Any], tensors: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Each gradient at its argument's place, in its type."""
        if len(gradients) == self.count:
            placed: list[Tensor | None] = [
                _tensor(d, t.dtype)  # type: ignore[union-attr]
                for d, t in zip(gradients, tensors, strict=False)
            ]
        else:
            remaining = iter(gradients)
            placed = [None if t is None else _tensor(next(remaining), t.dtype) for t in tensors[: self.count]]
        return placed + [None] * (len(tensors) - self.count)

    # For torch.compile

    def _traced(self, tensors: list[Tensor | None], options: Options) -> Any:
        """The call as one operator in a graph, or else composed of torch's operations."""
        options = {k: _constant(v) for k, v in options.items()}
        data, others = tensors[: self.count], tensors[self.count :]
        if (
            self.writes  # an operator that updates its arguments does not fit in there
            or _transforming()  # which has no rule for it
            or not all(t is None or t.device.type == "cpu" for t in tensors)
            or any(t is not None and t.requires_grad for t in others)
        ):
            return self.in_torch(tensors, options)
        names = [n for n, t in zip(self.arguments, tensors, strict=True) if t is not None]
        given = [t for t in tensors if t is not None]
        call = f"{self.name}({', '.join(names)})"
        wanted = _grad_enabled() and any(t is not None and t.requires_grad for t in data)
        if wanted and self.loss is not None and self.loss(options):
            return _with_gradients(call, given, repr(options))[0]
        results = _call(call, given, repr(options))
        return results[0] if len(results) == 1 else tuple(results)


def _watched() -> bool:
    """Whether somebody follows torch's operations: a transform, forward differentiation, a trace, or a mode."""
    return bool(_transforming() or forward_ad._current_level >= 0 or _tracing() is not None or _modes())


def _shares_memory(t: Tensor) -> bool:
    return type(t) in _PLAIN and t.is_cpu and t.layout is torch.strided


def _array(t: Tensor) -> Any:
    """The array that shares the tensor's memory; bfloat16, which NumPy lacks, in float32."""
    return _numpy(t.float() if t.dtype is _BFLOAT16 else t, force=True)


def _tensor(value: Any, kind: torch.dtype) -> Tensor:
    t = _from_numpy(value if type(value) is np.ndarray else np.asarray(value))
    return t if t.dtype is kind else t.to(kind)


def _written(t: Tensor | None, array: Any) -> None:
    """Tell torch that the memory of a tensor was updated; what is no memory of its own is put there."""
    if t is None:
        return
    if t.dtype is torch.bfloat16:
        t.copy_(torch.from_numpy(array))
    elif not t.is_inference():
        torch.autograd.graph.increment_version(t)


class _Differentiable(torch.autograd.Function):
    """An operator with a gradient; a loss computes it in the forward pass and backward only scales."""

    @staticmethod
    def forward(ctx: Any, operator: Operator, options: Options, *tensors: Tensor | None) -> Any:
        ctx.call = operator, options
        if operator.by_result is not None:
            result = operator.forward(tensors, options)
            ctx.save_for_backward(result, *tensors[1:])
            return result
        if operator.loss is not None and operator.loss(options):
            ctx.save_for_backward(*tensors)
            value, ctx.gradients = operator.value_and_gradients(tensors, options)
            return value
        ctx.gradients, kept = None, tensors
        if operator.writes:
            updated, pairs = operator.updates(options), zip(operator.arguments, tensors, strict=True)
            kept = tuple(
                t if t is None or name not in operator.writes else None if updated else t.clone() for name, t in pairs
            )
        ctx.save_for_backward(*kept)
        return operator.forward(tensors, options)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> Any:
        (operator, options), tensors = ctx.call, ctx.saved_tensors
        g: Any = cotangents if len(cotangents) > 1 else cotangents[0]
        # Somebody wants the gradient of this gradient, or many cotangents at once, which are no memory of an array.
        again = _grad_enabled() or any(map(_batched, cotangents))
        if operator.by_result is not None:
            gradient = _from_result(operator.by_result, tensors, g, options, again)
            return None, None, gradient, *(None for _ in tensors[1:])
        if again:
            return None, None, *_composed_gradients(operator, tensors, g, options)
        # The fused gradients serve once: scaled in place they are the result, and a second backward computes anew.
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:
            return None, None, *operator.pull_back(tensors, g, options)
        if g.item() != 1.0:
            for d in gradients:
                if d is not None:
                    d.mul_(g)
        return None, None, *gradients


# As `_Differentiable.apply`, without its provision for transforms: those are sorted out before.
_apply = super(torch.autograd.Function, _Differentiable).apply


def _from_result(rule: ByResult, saved: Sequence[Any], g: Tensor, options: Options, again: bool) -> Tensor:
    result, *others = saved
    if again:
        wide = torch.float32 if result.dtype in _NARROW else result.dtype
        return rule.composed(result.to(wide), *others, g.to(wide), **options).to(result.dtype)  # type: ignore[no-any-return]
    arrays = [None if t is None else _array(t) for t in (result, *others, g)]
    return _tensor(rule.on_arrays(*arrays, **options), result.dtype)


def _composed_gradients(operator: Operator, tensors: Sequence[Any], g: Any, options: Options) -> list[Tensor | None]:
    """The gradients as torch's operations, which have gradients themselves.

    Each argument is an alias of its own: the same tensor may stand in two places, or one be made of another, and the
    gradient of a place is not that of all the ways that lead from it.
    """
    with torch.enable_grad():
        places = [
            t.view_as(t) if i < operator.count and t is not None and t.requires_grad else None
            for i, t in enumerate(tensors)
        ]
        given = [t if alias is None else alias for t, alias in zip(tensors, places, strict=True)]
        wanted = [alias for alias in places if alias is not None]
        result = operator.in_torch(given, options)
        found = iter(torch.autograd.grad(result, wanted, g, create_graph=True, materialize_grads=True))
    return [None if alias is None else next(found) for alias in places]


# What torch.compile sees: three operators for all functions. `call` says which function this is and which arguments are
# there, as in "softmax(x, mask)"; `options` is the literal of the others.

OPERATORS: dict[str, Operator] = {}


def register(operator: Operator) -> Operator:
    """Let torch.compile keep calls of this function as one operator."""
    OPERATORS[operator.name] = operator
    return operator


def _names(call: str) -> tuple[Operator, list[str]]:
    name, _, names = call.rstrip(")").partition("(")
    if name not in OPERATORS:  # the graph was made elsewhere, and nothing has called the function here
        twin_of(name)
    return OPERATORS[name], names.split(", ")


def _places(call: str, gradients: Sequence[Tensor]) -> list[Tensor | None]:
    """Gradients beside the tensors that were given, None where there is none."""
    operator, names = _names(call)
    remaining = iter(gradients)
    return [next(remaining) if n in operator.differentiable else None for n in names]


def _constant(option: Any) -> Any:
    """A number that torch.compile holds for variable, made constant: it cannot write out others."""
    if isinstance(option, tuple):
        return tuple(map(_constant, option))
    if isinstance(option, float):
        return float.fromhex(option.hex())
    return operator.index(option) if isinstance(option, int) and not isinstance(option, bool) else option


class _Call:
    """What the operators' arguments stand for."""

    def __init__(self, call: str, tensors: Sequence[Tensor], options: str) -> None:
        self.operator, names = _names(call)
        self.options = ast.literal_eval(options)
        given = dict(zip(names, tensors, strict=True))
        self.tensors = [given.get(n) for n in self.operator.arguments]

    def empty_gradients(self) -> list[Tensor]:
        """What gradients look like."""
        data = zip(self.operator.arguments, self.tensors, strict=True)
        return [t.new_empty(t.shape) for n, t in data if t is not None and n in self.operator.differentiable]

    def empty_results(self) -> list[Tensor]:
        """What the results look like."""
        return [r.new_empty(r.shape) for r in _row(self.operator.in_torch(self.tensors, self.options))]


def _row(results: Any) -> list[Any]:
    return list(results) if isinstance(results, tuple) else [results]


def _contiguous(tensors: Sequence[Tensor | None]) -> list[Tensor]:
    """Those that are there, laid out as a compiled graph was told."""
    return [t.contiguous() for t in tensors if t is not None]


@torch.library.custom_op("barehand::call", mutates_args=())
def _call(call: str, tensors: list[Tensor], options: str) -> list[Tensor]:
    c = _Call(call, tensors, options)
    return _contiguous(_row(c.operator.forward(c.tensors, c.options)))


@_call.register_fake
def _(call: str, tensors: list[Tensor], options: str) -> list[Tensor]:
    return _Call(call, tensors, options).empty_results()


@torch.library.custom_op("barehand::call_with_gradients", mutates_args=())
def _with_gradients(call: str, tensors: list[Tensor], options: str) -> list[Tensor]:
    c = _Call(call, tensors, options)
    value, gradients = c.operator.value_and_gradients(c.tensors, c.options)
    return _contiguous([value, *gradients])


@_with_gradients.register_fake
def _(call: str, tensors: list[Tensor], options: str) -> list[Tensor]:
    c = _Call(call, tensors, options)
    return [*c.empty_results(), *c.empty_gradients()]


@torch.library.custom_op("barehand::pull_back", mutates_args=())
def _pull_back(call: str, tensors: list[Tensor], cotangents: list[Tensor], options: str) -> list[Tensor]:
    c = _Call(call, tensors, options)
    g = cotangents[0] if len(cotangents) == 1 else tuple(cotangents)
    return _contiguous(c.operator.pull_back(c.tensors, g, c.options))


@_pull_back.register_fake
def _(call: str, tensors: list[Tensor], cotangents: list[Tensor], options: str) -> list[Tensor]:
    return _Call(call, tensors, options).empty_gradients()


def _remember(ctx: Any, inputs: Any, output: list[Tensor]) -> None:
    ctx.call, tensors, ctx.options = inputs
    ctx.save_for_backward(*tensors)


def _call_backward(ctx: Any, g: list[Tensor]) -> Any:
    found = _pull_back(ctx.call, list(ctx.saved_tensors), g, ctx.options)
    return None, _places(ctx.call, found), None


def _remember_gradients(ctx: Any, inputs: Any, output: list[Tensor]) -> None:
    ctx.call = inputs[0]
    ctx.save_for_backward(*output[1:])


def _scale_gradients(ctx: Any, g: list[Tensor]) -> Any:
    return None, _places(ctx.call, [d * g[0] for d in ctx.saved_tensors]), None


_call.register_autograd(_call_backward, setup_context=_remember)
_with_gradients.register_autograd(_scale_gradients, setup_context=_remember_gradients)


def on_cpu(function: Callable[..., Any], **given: Any) -> Any:
    """What has no gradient, on tensors of the CPU: arrays go in, and tensors come out for arrays.

    torch.compile leaves it out of its graphs: how much comes out depends on the numbers.
    """
    if torch.compiler.is_compiling():
        return torch.compiler.disable(_on_cpu)(function, given)  # type: ignore[no-untyped-call]
    return _on_cpu(function, given)


def _on_cpu(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    name, arguments = function.__name__, {}
    if _transforming():
        raise TypeError(f"{name}: torch.func's transforms do not reach this; loop over the batch")
    for argument, value in given.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":  # words have no tensors
            raise TypeError(f"{name}: {argument} is a numpy array beside tensors; pass torch.as_tensor({argument})")
        if isinstance(value, Tensor) and value.device.type != "cpu":
            raise TypeError(f"{name}: {argument} is on {value.device}; this runs on the CPU: pass {argument}.cpu()")
        arguments[argument] = _array(value) if isinstance(value, Tensor) else value
    result = function(**arguments)
    if not isinstance(result, tuple):
        return torch.from_numpy(np.asarray(result))
    placed = (torch.from_numpy(np.asarray(r)) if isinstance(r, (np.ndarray, np.generic)) else r for r in result)
    return type(result)(*placed) if hasattr(result, "_fields") else tuple(placed)
