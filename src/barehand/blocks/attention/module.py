"""Attention as modules of PyTorch."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import Linear, Parameter

from barehand.blocks.attention.autograd import multi_head_attention, self_attention
from barehand.blocks.attention.weights import AttentionWeights
from barehand.core import arrays

Causal = bool | Literal["top_left", "bottom_right"]


class MultiHeadAttention(torch.nn.Module):
    """Attention of several heads with their projections; batch first.

    In every mask True = may attend. `torch.nn.MultiheadAttention` has it the other way round for booleans: pass ~mask.
    Parameters bear its names and start as its do, so that a `state_dict` goes from one to the other; `from_torch`
    converts.

    Args:
        embed_dim: the width of queries and of the result, divisible by num_heads.
        num_heads: the number of heads.
        bias: whether the projections have biases.
        share_heads: one (head_dim, head_dim) projection for queries, one for keys and one for values, shared by all
            heads, each of which sees its own part of the input; named q_proj, k_proj and v_proj.
        scale: what the scores are multiplied by; 1/sqrt(head_dim) unless given.
        kdim, vdim: the widths of keys and values where they are not embed_dim.
        device, dtype: of the parameters.

    Shapes: query (..., Lq, embed_dim), key (..., Lk, kdim), value (..., Lk, vdim); the result (..., Lq, embed_dim).

    >>> attend = MultiHeadAttention(4, 2)
    >>> x = torch.zeros(3, 5, 4)
    >>> result, weights = attend(x, causal=True, return_weights=True)
    >>> result.shape, weights.shape
    (torch.Size([3, 5, 4]), torch.Size([3, 2, 5, 5]))
    >>> weights[0, 0, 1].detach()
    tensor([0.5000, 0.5000, 0.0000, 0.0000, 0.0000])
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        *,
        bias: bool = True,
        share_heads: bool = False,
        scale: float | None = None,
        kdim: int | None = None,
        vdim: int | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        _check_whole("MultiHeadAttention", embed_dim=embed_dim, num_heads=num_heads, kdim=kdim, vdim=vdim)
        if embed_dim % num_heads:
            raise ValueError(
                f"MultiHeadAttention: embed_dim {embed_dim} is not divisible by num_heads {num_heads}; use a multiple"
            )
        if share_heads and (kdim or vdim):
            raise ValueError(
                "MultiHeadAttention: share_heads cuts queries, keys and values of embed_dim into heads; leave kdim and "
                "vdim out"
            )
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.share_heads, self.scale = share_heads, _checked_scale("MultiHeadAttention", scale)
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        if share_heads:
            one: dict[str, Any] = {"bias": bias, **made}
            self.q_proj, self.k_proj, self.v_proj = (Linear(self.head_dim, self.head_dim, **one) for _ in "qkv")
            self.out_proj = Linear(embed_dim, embed_dim, bias=bias, **made)
            return
        together = self.kdim == self.vdim == embed_dim
        for part, shape in {
            "in": (3 * embed_dim, embed_dim),
            "q": (embed_dim, embed_dim),
            "k": (embed_dim, self.kdim),
            "v": (embed_dim, self.vdim),
        }.items():
            there = together == (part == "in")
            self.register_parameter(f"{part}_proj_weight", Parameter(torch.empty(shape, **made)) if there else None)
        self.register_parameter("in_proj_bias", Parameter(torch.empty(3 * embed_dim, **made)) if bias else None)
        # In torch's order, so that one seed makes the same parameters: first the result's projection, then the others.
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, **made)
        for x in self.parameters(recurse=False):
            torch.nn.init.xavier_uniform_(x) if x.ndim == 2 else torch.nn.init.zeros_(x)
        if bias:
            torch.nn.init.zeros_(self.out_proj.bias)

    @classmethod
    def from_torch(cls, module: torch.nn.MultiheadAttention) -> MultiHeadAttention:
        """The same attention with copies of the parameters, on their device and in their type.

        The result takes its arguments batch first, whatever `module.batch_first` says: where that is False, pass
        x.transpose(0, 1). Boolean masks are to be inverted.

        Raises:
            TypeError: another kind of module.
            ValueError: it has what is lacking here: add_bias_kv, add_zero_attn, or dropout.

        >>> theirs = torch.nn.MultiheadAttention(4, 2, batch_first=True)
        >>> ours, x = MultiHeadAttention.from_torch(theirs), torch.randn(3, 5, 4)
        >>> torch.allclose(ours(x), theirs(x, x, x)[0], atol=1e-6)
        True
        """
        if not isinstance(module, torch.nn.MultiheadAttention):
            raise TypeError(
                f"MultiHeadAttention.from_torch: module is a {type(module).__name__}; pass a "
                "torch.nn.MultiheadAttention"
            )
        for option, used, instead in (
            ("add_bias_kv", module.bias_k is not None, "train without"),
            ("add_zero_attn", module.add_zero_attn, "train without"),
            ("dropout", module.dropout > 0, "set module.dropout = 0.0 and put a torch.nn.Dropout after the result"),
        ):
            if used:
                raise ValueError(
                    f"MultiHeadAttention.from_torch: module has {option}, which is not offered here; {instead}"
                )
        weight = module.out_proj.weight
        ours = cls(
            module.embed_dim,
            module.num_heads,
            bias=module.in_proj_bias is not None,
            kdim=module.kdim,
            vdim=module.vdim,
            device="meta",  # parameters that nothing is drawn for
            dtype=weight.dtype,
        ).to_empty(device=weight.device)
        ours.load_state_dict(module.state_dict())
        for name, parameter in module.named_parameters():
            ours.get_parameter(name).requires_grad_(parameter.requires_grad)
        return ours.train(module.training)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        causal: Causal = False,
        return_weights: bool = False,
    ) -> Any:
        """What the queries find.

        Args:
            query: (..., Lq, embed_dim).
            key: (..., Lk, kdim); the query unless given.
            value: (..., Lk, vdim); the key unless given.
            mask: boolean, True = may attend, or floating, added to the scores; broadcast to (..., Lq, Lk) for all
                heads, or with one axis more to (..., H, Lq, Lk).
            key_mask: boolean (..., Lk), True = a key that is there, False = padding. Masks given together all count.
            causal: False, True (only for Lq = Lk), "top_left" or "bottom_right".
            return_weights: also the weights of each head.

        Returns:
            (..., Lq, embed_dim), or with return_weights the pair with the weights (..., H, Lq, Lk).
        """
        if key is None:
            if value is not None:
                raise ValueError("MultiHeadAttention: value is given without key; pass both, or the key alone")
            key = query
        value = key if value is None else value
        mask = _with_padding("MultiHeadAttention", mask, key_mask, query.ndim)
        options: dict[str, Any] = {"causal": causal, "scale": self.scale, "return_weights": return_weights}
        if not self.share_heads:
            return multi_head_attention(
                query, key, value, self._weights(), num_heads=self.num_heads, mask=mask, **options
            )
        # Each head is one more leading axis of an attention with a single head: what these share is the projection.
        q, k, v = (self._apart(name, x) for name, x in (("query", query), ("key", key), ("value", value)))
        if mask is not None and 3 <= mask.ndim <= query.ndim:
            mask = mask.unsqueeze(-3)
        found = multi_head_attention(q, k, v, _projections(self, None), num_heads=1, mask=mask, **options)
        heads, weights = found if return_weights else (found, None)
        result = self.out_proj(heads.transpose(-2, -3).flatten(-2))
        return result if weights is None else (result, weights.squeeze(-3))

    def _apart(self, name: str, x: Tensor) -> Tensor:
        """(..., L, embed_dim) as (..., heads, L, head_dim)."""
        if x.shape[-1] != self.embed_dim:
            raise ValueError(
                f"MultiHeadAttention: {name} has shape {tuple(x.shape)}, whose last axis is not embed_dim = "
                f"{self.embed_dim}; features come last"
            )
        return x.reshape(*x.shape[:-1], self.num_heads, self.head_dim).transpose(-2, -3)

    def _weights(self) -> AttentionWeights:
        together, bias = self.in_proj_weight, self.in_proj_bias
        apart = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        w_q, w_k, w_v = apart if together is None else together.chunk(3)
        b_q, b_k, b_v = (None, None, None) if bias is None else bias.chunk(3)
        return AttentionWeights(w_q, w_k, w_v, self.out_proj.weight, b_q, b_k, b_v, self.out_proj.bias)

    def extra_repr(self) -> str:
        """The options; those that most leave alone only where they are set."""
        bias = self.out_proj.bias is not None
        text = f"{self.embed_dim}, num_heads={self.num_heads}, bias={bias}"
        for name, value, usual in (
            ("share_heads", self.share_heads, False),
            ("scale", self.scale, None),
            ("kdim", self.kdim, self.embed_dim),
            ("vdim", self.vdim, self.embed_dim),
        ):
            text += f", {name}={value}" if value != usual else ""
        return text


class SelfAttention(torch.nn.Module):
    """Attention of a sequence to itself with one head, queries and values of any width.

    In every mask True = may attend. Parameters are q_proj, k_proj, v_proj and out_proj, each a torch.nn.Linear.

    Args:
        d_model: the width of the input and of the result.
        d_k: the width of queries and keys; d_model unless given.
        d_v: the width of values; d_k unless given.
        bias: whether the projections have biases.
        out_proj: whether the result is projected back to d_model; without it, its width is d_v.
        scale: what the scores are multiplied by; 1/sqrt(d_k) unless given.
        device, dtype: of the parameters.

    Shapes: x (..., L, d_model); the result (..., L, d_model), or (..., L, d_v) without out_proj.

    >>> SelfAttention(4, 3, 2)(torch.zeros(5, 4)).shape
    torch.Size([5, 4])
    >>> SelfAttention(4, 3, 2, out_proj=False)(torch.zeros(5, 4)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        d_model: int,
        d_k: int | None = None,
        d_v: int | None = None,
        *,
        bias: bool = True,
        out_proj: bool = True,
        scale: float | None = None,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        _check_whole("SelfAttention", d_model=d_model, d_k=d_k, d_v=d_v)
        d_k = d_model if d_k is None else d_k
        d_v = d_k if d_v is None else d_v
        self.scale = _checked_scale("SelfAttention", scale)
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.q_proj, self.k_proj = Linear(d_model, d_k, **made), Linear(d_model, d_k, **made)
        self.v_proj = Linear(d_model, d_v, **made)
        self.out_proj = Linear(d_v, d_model, **made) if out_proj else None

    def forward(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        causal: Causal = False,
        return_weights: bool = False,
    ) -> Any:
        """What each place finds among all: (..., L, d_model), or the pair with the weights (..., L, L).

        The arguments are those of `MultiHeadAttention`.
        """
        mask = _with_padding("SelfAttention", mask, key_mask, x.ndim)
        weights = _projections(self, self.out_proj)
        return self_attention(x, weights, mask=mask, causal=causal, scale=self.scale, return_weights=return_weights)

    def extra_repr(self) -> str:
        """The scale, where it is set; the projections say the rest."""
        return "" if self.scale is None else f"scale={self.scale}"


def _projections(module: Any, last: Linear | None) -> AttentionWeights:
    """The modules' parameters as the functions take them."""
    ends = module.q_proj, module.k_proj, module.v_proj, last
    return AttentionWeights(*(getattr(end, name, None) for name in ("weight", "bias") for end in ends))


def _with_padding(name: str, mask: Tensor | None, key_mask: Tensor | None, ndim: int) -> Tensor | None:
    """One mask: what `mask` says of the keys that are there, for queries of `ndim` axes."""
    if key_mask is None:
        return mask
    if key_mask.dtype != torch.bool:
        raise TypeError(f"{name}: key_mask has dtype {key_mask.dtype}, not bool; True means a key that is there")
    there = key_mask[..., None, :]
    if mask is None:
        return there
    if mask.ndim > ndim:  # it has an axis of heads
        there = there.unsqueeze(-3)
    return mask & there if mask.dtype == torch.bool else torch.where(there, mask, -torch.inf)


def _check_whole(name: str, **given: int | None) -> None:
    for argument, value in given.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise TypeError(f"{name}: {argument} must be an integer, not {value!r}; pass an int")
        if value is not None and value < 1:
            raise ValueError(f"{name}: {argument} is {value}; use a number from 1 on")


def _checked_scale(name: str, scale: float | None) -> float | None:
    return None if scale is None else arrays.check_number(name, "scale", scale)
