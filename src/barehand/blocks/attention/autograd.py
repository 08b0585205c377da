"""Attention of tensors."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

import barehand.blocks.attention as arrays
from barehand.blocks.attention import vjp
from barehand.blocks.attention.units import check_matrices
from barehand.blocks.attention.weights import AttentionWeights
from barehand.core.arrays import check_number, check_option
from barehand.core.dispatch import of_arrays
from barehand.core.tensors import Operator, register

Causal = bool | str


def _check(name: str, parts: dict[str, Tensor], mask: Tensor | None, causal: Causal, scale: float | None) -> None:
    """What shapes, types and options say; torch checks the rest."""
    check_matrices(name, list(parts), list(parts.values()))  # type: ignore[arg-type]
    query, key = parts["query"], parts["key"]
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"{name}: query has width {query.shape[-1]} and key {key.shape[-1]}; give them one width")
    if not isinstance(causal, bool):
        check_option(name, "causal", causal, ("top_left", "bottom_right"))
    elif causal and query.shape[-2] != key.shape[-2]:
        raise ValueError(
            f"{name}: causal is True with {query.shape[-2]} queries and {key.shape[-2]} keys, which leaves open how "
            "they line up; use causal='top_left' or 'bottom_right'"
        )
    if scale is not None:
        check_number(name, "scale", scale)
    if mask is not None and mask.dtype != torch.bool and not mask.is_floating_point():
        raise TypeError(
            f"{name}: mask has dtype {mask.dtype}, neither bool nor floating; pass mask.bool(), True where a query may "
            "attend"
        )


def _visible(queries: int, keys: int, mask: Tensor | None, causal: Causal, like: Tensor) -> Tensor | None:
    """Which keys each query may attend to; None for all."""
    seen = None
    if causal is not False:
        first = keys - queries if causal == "bottom_right" else 0
        seen = torch.ones(queries, keys, dtype=torch.bool, device=like.device).tril(first)
    if mask is not None:
        kept = mask if mask.dtype == torch.bool else mask != -torch.inf
        seen = kept if seen is None else seen & kept
    return seen


def _clean(x: Tensor) -> tuple[Tensor, Tensor]:
    """x with 0 in place of nan and inf, and those alone."""
    finite = x.isfinite()
    return torch.where(finite, x, 0), torch.where(finite, 0, x).detach()


def _composed(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, *, causal: Causal, scale: float | None,
    return_weights: bool, name: str = "attention",
) -> Any:  # fmt: skip
    if not torch.compiler.is_compiling():
        _check(name, {"query": query, "key": key, "value": value}, mask, causal, scale)
    q, k, v = query, key, value
    factor = 1 / math.sqrt(max(q.shape[-1], 1)) if scale is None else scale
    seen = _visible(q.shape[-2], k.shape[-2], mask, causal, q)
    # On the CPU its kernel turns a nan in a query to 0 and has no gradient of its gradient; our own are there as well.
    if seen is None and not return_weights and k.shape[-2] and q.shape[-1] and not q.is_cpu:
        lead = torch.broadcast_shapes(*(x.shape[:-2] for x in (q, k, v)))  # type: ignore[no-untyped-call]
        q, k, v = (x.expand(*lead, *x.shape[-2:]) for x in (q, k, v))
        return functional.scaled_dot_product_attention(q, k, v, scale=factor)
    kind = q.dtype
    q, k, v = (x.to(torch.promote_types(kind, torch.float32)) for x in (q, k, v))
    # What is hidden, and a query that sees nothing, may hold anything: it takes part neither in products nor in their
    # gradients.
    if seen is not None:
        q = torch.where(seen.any(-1, keepdim=True), q, 0)
    (clean_k, odd_k), (clean_v, odd_v) = _clean(k), _clean(v)
    s = (q @ clean_k.mT + q.detach() @ odd_k.mT) * factor
    if mask is not None and mask.dtype != torch.bool:
        s = s + torch.where(mask == -torch.inf, 0, mask.to(s.dtype))
    if seen is not None:
        s = s.masked_fill(~seen, -torch.inf)
    nowhere = (s == -torch.inf).all(-1, keepdim=True)
    p = torch.softmax(s.masked_fill(nowhere, 0), -1).masked_fill(nowhere, 0)
    attended = (p != 0).to(p.dtype)
    result = p @ clean_v
    for sign in (torch.inf, -torch.inf):
        result = result + torch.where(attended @ (odd_v == sign).to(p.dtype) > 0, sign, 0)
    result = result + torch.where(attended @ odd_v.isnan().to(p.dtype) > 0, torch.nan, 0)
    result, p = result.to(kind), p.to(kind)
    return (result, p.expand(*result.shape[:-1], p.shape[-1])) if return_weights else result


def _linear(x: Tensor, w: Tensor | None, b: Tensor | None, hides: bool = False) -> Tensor:
    """The projection; where keys may be hidden, a row with nan or inf gives nan, and w no gradient."""
    if w is None:
        return x
    if not hides:
        return functional.linear(x, w, b)
    finite = x.isfinite()
    odd = torch.where(finite.all(-1, keepdim=True), 0, torch.nan).to(x.dtype)
    return functional.linear(torch.where(finite, x, 0), w, b) + odd


def _apart(x: Tensor, heads: int) -> Tensor:
    """(..., L, heads d) as (..., heads, L, d)."""
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).transpose(-2, -3)


def _several(name: str) -> tuple[Any, Any, Any]:
    """The function on arrays, its gradient, and composed; what is projected comes first, then weights and mask."""
    count = 3 if name == "multi_head_attention" else 1

    def bundled(given: tuple[Any, ...]) -> tuple[Any, ...]:
        return *given[:count], AttentionWeights(*given[count:-1])

    def on_arrays(*given: Any, **options: Any) -> Any:
        return of_arrays(getattr(arrays, name))(*bundled(given), mask=given[-1], **options)

    def pulled(*given: Any, **options: Any) -> Any:
        found = getattr(vjp, name)(*bundled(given), mask=given[-1], **options)
        value, gradients = found if options.get("with_value") else (None, found)
        flat = (*gradients[:-1], *(d for d in gradients[-1] if d is not None))
        return (value, flat) if options.get("with_value") else flat

    def composed(*given: Any, num_heads: int = 1, return_weights: bool, **options: Any) -> Any:
        *parts, w = bundled(given)
        parts, mask = parts if count == 3 else 3 * parts, given[-1]
        if num_heads < 1 or w.w_q.shape[0] % num_heads or w.w_v.shape[0] % num_heads:
            raise ValueError(
                f"{name}: num_heads is {num_heads}, but w_q has {w.w_q.shape[0]} rows and w_v {w.w_v.shape[0]}; use a "
                "number from 1 on that divides both"
            )
        if w.w_o is None and w.b_o is not None:
            raise ValueError(f"{name}: b_o is given without a w_o; pass b_o=None")
        ends = zip(parts, w[:3], w[4:7], strict=True)
        hides = mask is not None or options["causal"] is not False
        cut = [_apart(_linear(*end, hides), num_heads) for end in ends]
        if mask is not None and 3 <= mask.ndim <= max(x.ndim for x in parts):
            mask = mask.unsqueeze(-3)  # the same for all heads
        q, k, v = cut
        heads = _composed(q, k, v, mask, return_weights=return_weights, name=name, **options)
        heads, p = heads if return_weights else (heads, None)
        result = _linear(heads.transpose(-2, -3).flatten(-2), w.w_o, w.b_o)
        if p is None:
            return result
        return result, p if count == 3 else p.squeeze(-3)

    return on_arrays, pulled, composed


def _on_arrays(query: Any, key: Any, value: Any, mask: Any, **options: Any) -> Any:
    return of_arrays(arrays.attention)(query, key, value, mask=mask, **options)


def _pulled(query: Any, key: Any, value: Any, mask: Any, **options: Any) -> Any:
    return vjp.attention(query, key, value, mask=mask, **options)


def _operator(name: str, *parts: str) -> Operator:
    data = (*parts, *AttentionWeights._fields)
    return register(Operator(name, (*data, "mask"), data, *_several(name), low_precision=True))


_PARTS = ("query", "key", "value")
_ATTENTION = register(
    Operator("attention", (*_PARTS, "mask"), _PARTS, _on_arrays, _pulled, _composed, low_precision=True)
)
_MULTI_HEAD, _SELF = _operator("multi_head_attention", *_PARTS), _operator("self_attention", "x")


def attention(
    query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None, causal: Causal = False,
    scale: float | None = None, return_weights: bool = False,
) -> Any:  # fmt: skip
    """As `barehand.attention`."""
    return _ATTENTION(query, key, value, mask, causal=causal, scale=scale, return_weights=return_weights)


def multi_head_attention(
    query: Tensor, key: Tensor, value: Tensor, weights: AttentionWeights, *, num_heads: int,
    mask: Tensor | None = None, causal: Causal = False, scale: float | None = None, return_weights: bool = False,
) -> Any:  # fmt: skip
    """As `barehand.multi_head_attention`."""
    options = {"num_heads": num_heads, "causal": causal, "scale": scale, "return_weights": return_weights}
    return _MULTI_HEAD(query, key, value, *weights, mask, **options)


def self_attention(
    x: Tensor, weights: AttentionWeights, *, mask: Tensor | None = None, causal: Causal = False,
    scale: float | None = None, return_weights: bool = False,
) -> Any:  # fmt: skip
    """As `barehand.self_attention`."""
    return _SELF(x, *weights, mask, causal=causal, scale=scale, return_weights=return_weights)
