"""What people use today for attention, under our argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from barehand.core.spec import Peer


def _hidden(mask: Any, causal: Any, queries: int, keys: int) -> Any:
    """Mask and alignment as one mask in torch's meaning for scaled_dot_product_attention: True attends."""
    import torch

    if not causal:
        return mask
    corner = keys - queries if causal == "bottom_right" else 0
    seen = torch.ones(queries, keys, dtype=torch.bool).tril(corner)
    if mask is None:
        return seen
    return mask & seen if mask.dtype == torch.bool else mask.masked_fill(~seen, float("-inf"))


def _broadcast(query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
    """One set of leading axes; scaled_dot_product_attention wants them equal, and at least one."""
    import numpy as np

    lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    q, k, v = (x.expand(*lead, *x.shape[-2:]) for x in (query, key, value))
    return q, k, v


def _sdpa() -> Callable[..., Any]:
    from torch.nn import functional

    def attention(
        query: Any, key: Any, value: Any, *, mask: Any = None, causal: Any = False, scale: Any = None,
        return_weights: bool = False,
    ) -> Any:  # fmt: skip
        q, k, v = _broadcast(query, key, value)
        if mask is None and causal in (True, "top_left"):  # is_causal aligns at the top left
            return functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)
        hidden = _hidden(mask, causal, q.shape[-2], k.shape[-2])
        return functional.scaled_dot_product_attention(q, k, v, attn_mask=hidden, scale=scale)

    return attention


def _formula() -> Callable[..., Any]:
    import torch

    def attention(
        query: Any, key: Any, value: Any, *, mask: Any = None, causal: Any = False, scale: Any = None,
        return_weights: bool = False,
    ) -> Any:  # fmt: skip
        scores = query @ key.transpose(-1, -2) * (max(query.shape[-1], 1) ** -0.5 if scale is None else scale)
        hidden = _hidden(mask, causal, *scores.shape[-2:])
        if hidden is not None:
            scores = scores.masked_fill(~hidden, float("-inf")) if hidden.dtype == torch.bool else scores + hidden
        weights = torch.softmax(scores, dim=-1)
        result = weights @ value
        return (result, weights.expand(*result.shape[:-1], -1)) if return_weights else result

    return attention


def _torch_heads() -> Callable[..., Any]:
    import torch
    from torch.nn import functional

    def multi_head_attention(
        query: Any, key: Any, value: Any, weights: Any, *, num_heads: int, mask: Any = None, causal: Any = False,
        scale: Any = None, return_weights: bool = False,
    ) -> Any:  # fmt: skip
        w = weights
        parts = [x.transpose(0, 1) if x.dim() == 3 else x for x in (query, key, value)]
        hidden = _hidden(mask, causal, query.shape[-2], key.shape[-2])
        if hidden is not None:
            hidden = ~hidden if hidden.dtype == torch.bool else hidden  # True hides here
            if hidden.dim() > 2:
                hidden = hidden[:, None] if hidden.dim() == 3 else hidden
                hidden = hidden.expand(-1, num_heads, query.shape[-2], -1).flatten(0, 1)
        biases = [torch.zeros(len(m), dtype=m.dtype) if b is None else b for m, b in zip(w[:3], w[4:7], strict=True)]
        q, k, v = parts
        result, each = functional.multi_head_attention_forward(
            q, k, v, len(w.w_q), num_heads, None, torch.cat(biases), None, None, False, 0.0, w.w_o, w.b_o,
            training=False, need_weights=return_weights, attn_mask=hidden, use_separate_proj_weight=True,
            q_proj_weight=w.w_q, k_proj_weight=w.w_k, v_proj_weight=w.w_v, average_attn_weights=False,
        )  # fmt: skip
        result = result.transpose(0, 1) if query.dim() == 3 else result
        return (result, each) if return_weights else result

    return multi_head_attention


def _by_hand() -> Callable[..., Any]:
    from torch.nn import functional

    sdpa, formula = _sdpa(), _formula()

    def multi_head_attention(
        query: Any, key: Any, value: Any, weights: Any, *, num_heads: int, mask: Any = None, causal: Any = False,
        scale: Any = None, return_weights: bool = False,
    ) -> Any:  # fmt: skip
        w = weights
        projected = (
            functional.linear(x, m, b).reshape(*x.shape[:-1], num_heads, len(m) // num_heads).transpose(-2, -3)
            for x, m, b in zip((query, key, value), w[:3], w[4:7], strict=True)
        )
        if mask is not None and 2 < mask.dim() <= query.dim():
            mask = mask[..., None, :, :]
        given = {"mask": mask, "causal": causal, "scale": scale}
        heads, each = formula(*projected, **given, return_weights=True) if return_weights else (
            sdpa(*projected, **given), None)  # fmt: skip
        result = heads.transpose(-2, -3).flatten(-2)
        result = result if w.w_o is None else functional.linear(result, w.w_o, w.b_o)
        return (result, each) if return_weights else result

    return multi_head_attention


def _one_head() -> Callable[..., Any]:
    from torch.nn import functional

    attend = _formula()

    def self_attention(
        x: Any, weights: Any, *, mask: Any = None, causal: Any = False, scale: Any = None, return_weights: bool = False
    ) -> Any:
        w = weights
        parts = (functional.linear(x, m, b) for m, b in zip(w[:3], w[4:7], strict=True))
        result, each = attend(*parts, mask=mask, causal=causal, scale=scale, return_weights=True)
        result = result if w.w_o is None else functional.linear(result, w.w_o, w.b_o)
        return (result, each) if return_weights else result

    return self_attention


_WEIGHTS = "returns no weights"
_LEAK = "0 times nan: what the mask hides leaks (pytorch#101967)"
_NOTHING = "the softmax of nothing is nan (pytorch#41508)"
_SHUT = "its widths must be the heads' put together, its scale and alignment cannot be chosen"

_LEAKS = {
    "nan and inf in padded keys": _LEAK,
    "nan and inf behind a floating mask": _LEAK,
    "nan and inf that some may see": _LEAK,
    "nan in the future": _LEAK,
}
_OTHER_WIDTHS = (
    "three heads",
    "the weights of each head",
    "a bias for values alone",
    "without an output projection",
    "one head",
    "one sequence, no batch",
    "a scale of its own",
    "a mask for each sequence, as many as heads",
    "a mask for each head",
    "a floating mask",
    "queries with nothing to attend to",
    "nan in padded keys",
    "causal from the bottom right",
    "scores of 1e4",
    "integers",
    "no sequences",
    "no keys",
)

PEERS = {
    "attention": (
        Peer(
            "F.scaled_dot_product_attention",
            "torch",
            _sdpa,
            lacks=dict.fromkeys(
                (
                    "the weights too",
                    "a boolean mask, the weights too",
                    "nothing to attend to, the weights too",
                ),
                _WEIGHTS,
            ),
            defects=_LEAKS,
        ),
        Peer(
            "torch.softmax(q @ k.T) @ v",
            "torch",
            _formula,
            defects={
                "queries with nothing to attend to": _NOTHING,
                "nothing to attend to, the weights too": _NOTHING,
                "causal from the bottom right, too few keys": _NOTHING,
                **_LEAKS,
            },
        ),
    ),
    "multi_head_attention": (
        Peer(
            "F.multi_head_attention_forward",
            "torch",
            _torch_heads,
            lacks=dict.fromkeys(_OTHER_WIDTHS, _SHUT),
        ),
        Peer("F.linear and F.scaled_dot_product_attention", "torch", _by_hand, defects={"nan in padded keys": _LEAK}),
    ),
    "self_attention": (
        Peer(
            "F.linear and torch.softmax(q @ k.T) @ v",
            "torch",
            _one_head,
            defects={"places with nothing to attend to": _NOTHING, "padding of nan": _LEAK},
        ),
    ),
}
