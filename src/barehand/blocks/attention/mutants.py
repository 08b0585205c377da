"""What people write for attention that is wrong, and the advice each earns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from barehand.blocks.attention import textbook
from barehand.core.spec import Mutant

Function = Callable[..., Any]


def _softmax(s: Any, axis: int = -1) -> Any:
    """Right, with zeros where nothing is left."""
    top = s.max(axis=axis, keepdims=True, initial=-np.inf)
    e = np.exp(s - np.where(top == -np.inf, 0, top))
    total = e.sum(axis=axis, keepdims=True)
    return e / np.where(total == 0, 1, total)


def _hidden(s: Any, mask: Any) -> Any:
    if mask is None:
        return s
    if np.asarray(mask).dtype == bool:
        return np.where(mask, s, -np.inf)
    return np.where(mask == -np.inf, -np.inf, s + mask).astype(s.dtype)


def _aligned(queries: int, keys: int, causal: Any) -> Any:
    return np.tri(queries, keys, keys - queries if causal == "bottom_right" else 0, dtype=bool)


def _averaged(p: Any, v: Any) -> Any:
    """Right: a weight of 0 takes nothing."""
    w = p[..., None]
    return np.where(w == 0, w, w * v[..., None, :, :]).sum(axis=-2)


def _attention(
    *,
    factor: Function = lambda q, k, v, scale: 1 / np.sqrt(max(q.shape[-1], 1)) if scale is None else scale,
    hidden: Function = _hidden,
    aligned: Function = _aligned,
    softmax: Function = _softmax,
    averaged: Function = _averaged,
    afterwards: Function = lambda p, mask: p,
) -> Function:
    """Attention with one of its steps replaced."""

    def function(
        query: Any, key: Any, value: Any, *, mask: Any = None, causal: Any = False, scale: Any = None,
        return_weights: bool = False,
    ) -> Any:  # fmt: skip
        q, k, v = (np.multiply(x, 1.0) for x in (query, key, value))
        s = q @ np.swapaxes(k, -1, -2) * q.dtype.type(factor(q, k, v, scale))
        s = hidden(s, mask)
        if causal:
            s = np.where(aligned(*s.shape[-2:], causal), s, -np.inf)
        p = afterwards(softmax(s), mask)
        result = averaged(p, v)
        return (result, np.broadcast_to(p, (*result.shape[:-1], p.shape[-1])).copy()) if return_weights else result

    return function


def _filled(fill: float) -> Function:
    """Hidden scores replaced by a number that is not -inf."""

    def hidden(s: Any, mask: Any) -> Any:
        return _hidden(s, mask) if np.asarray(mask).dtype != bool else np.where(mask, s, s.dtype.type(fill))

    return _attention(hidden=hidden, softmax=_plain_softmax)


def _plain_softmax(s: Any) -> Any:
    """Nothing is done for rows with nothing left: -inf minus -inf is nan."""
    e = np.exp(s - s.max(axis=-1, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=-1, keepdims=True)


def _overflowing(s: Any) -> Any:
    e = np.exp(s)
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def _boolean(mask: Any) -> bool:
    return mask is not None and np.asarray(mask).dtype == bool


def _by_length(q: Any, k: Any, v: Any, scale: Any) -> Any:
    return 1 / np.sqrt(max(k.shape[-2], 1)) if scale is None else scale


def _inverted(s: Any, mask: Any) -> Any:
    return _hidden(s, ~np.asarray(mask) if _boolean(mask) else mask)


def _added(s: Any, mask: Any) -> Any:
    return s if mask is None else (s + mask).astype(s.dtype)


def _times_infinity(s: Any, mask: Any) -> Any:
    return s + (1 - np.asarray(mask, s.dtype)) * s.dtype.type(-np.inf) if _boolean(mask) else _hidden(s, mask)


def _as_boolean(s: Any, mask: Any) -> Any:
    return s if mask is None else np.where(np.asarray(mask) != 0, s, -np.inf)


def _other_corner(queries: int, keys: int, causal: Any) -> Any:
    return np.tri(queries, keys, 0 if causal == "bottom_right" else keys - queries, dtype=bool)


no_scale = _attention(factor=lambda q, k, v, scale: 1.0 if scale is None else scale)
no_root = _attention(factor=lambda q, k, v, scale: 1 / max(q.shape[-1], 1) if scale is None else scale)
root_of_values = _attention(factor=lambda q, k, v, scale: max(v.shape[-1], 1) ** -0.5 if scale is None else scale)
root_of_length = _attention(factor=_by_length)
scale_ignored = _attention(factor=lambda q, k, v, scale: max(q.shape[-1], 1) ** -0.5)
scaled_twice = _attention(factor=lambda q, k, v, scale: 1 / max(q.shape[-1], 1) if scale is None else scale * scale)
over_queries = _attention(softmax=lambda s: _softmax(s, axis=-2))
mask_afterwards = _attention(
    hidden=lambda s, mask: s if _boolean(mask) else _hidden(s, mask),
    afterwards=lambda p, mask: p * np.asarray(mask, p.dtype) if _boolean(mask) else p,
)
mask_inverted = _attention(hidden=_inverted)
mask_added = _attention(hidden=_added)
mask_times_infinity = _attention(hidden=_times_infinity)
mask_as_boolean = _attention(hidden=_as_boolean)
fill_billion, fill_ten = _filled(-1e9), _filled(-10.0)
nothing_left = _attention(softmax=_plain_softmax)
hidden_nan = _attention(averaged=lambda p, v: p @ v)
other_corner = _attention(aligned=_other_corner)
strictly_before = _attention(aligned=lambda m, n, causal: _aligned(m, n, causal) & ~_diagonal(m, n, causal))
keys_ahead = _attention(aligned=lambda m, n, causal: ~_aligned(m, n, causal) | _diagonal(m, n, causal))
no_maximum = _attention(softmax=_overflowing)


def _diagonal(queries: int, keys: int, causal: Any) -> Any:
    return np.eye(queries, keys, keys - queries if causal == "bottom_right" else 0, dtype=bool)


def _pulled(slope: Function, factor: Function | None = None, averaged: Function = lambda p: p) -> Function:
    """The gradient with another slope(p, dp) of the scores."""

    def vjp(query: Any, key: Any, value: Any, *, return_weights: bool = False, cotangent: Any, **given: Any) -> Any:
        q, k, v = (np.multiply(x, 1.0) for x in (query, key, value))
        p = textbook.attention(q, k, v, **given, return_weights=True)[1]
        g, gp = cotangent if return_weights else (cotangent, 0)
        dp = g @ np.swapaxes(v, -1, -2) + gp
        ds = np.where(p == 0, 0, slope(p, dp))
        scale = given.get("scale")
        right = 1 / np.sqrt(max(q.shape[-1], 1)) if scale is None else scale
        ds = ds * q.dtype.type(right if factor is None else factor(right))
        dq, dk = _averaged(ds, k), _averaged(np.swapaxes(ds, -1, -2), q)
        dv = _averaged(np.swapaxes(averaged(p), -1, -2), g)
        return tuple(_like(d, x) for d, x in ((dq, q), (dk, k), (dv, v)))

    return vjp


def _like(gradient: Any, x: Any) -> Any:
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - x.ndim)))
    return gradient.sum(axis=tuple(i for i, n in enumerate(x.shape) if n != gradient.shape[i]), keepdims=True)


def _row_term(p: Any, dp: Any) -> Any:
    return p * (dp - np.where(p == 0, 0, p * dp).sum(axis=-1, keepdims=True))


no_row_term = _pulled(lambda p, dp: p * dp)
diagonal_only = _pulled(lambda p, dp: p * (1 - p) * dp)
gradient_unscaled = _pulled(_row_term, lambda scale: 1.0)
gradient_squared = _pulled(_row_term, lambda scale: scale * scale)
values_evenly = _pulled(_row_term, averaged=lambda p: np.full_like(p, 1 / max(p.shape[-1], 1)))


# Several heads


def _straight(x: Any, heads: int) -> Any:
    """The heads' axis where it stands in memory, without a transpose."""
    return x.reshape(*x.shape[:-2], heads, x.shape[-2], x.shape[-1] // heads)


def _interleaved(x: Any, heads: int) -> Any:
    """Head h takes every H-th column."""
    return np.moveaxis(x.reshape(*x.shape[:-1], x.shape[-1] // heads, heads), -1, -3)


def _as_it_lies(x: Any) -> Any:
    """(..., heads, L, d) read as (..., L, heads d)."""
    return x.reshape(*x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1])


def _columns_by_head(x: Any) -> Any:
    x = np.moveaxis(x, -3, -1)
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def _several(
    *,
    inner: Function = textbook.attention,
    split: Function = textbook.apart,
    join: Function = textbook.together,
    masks: Function = textbook.for_heads,
    factor: Function = lambda scale, w, heads: scale,
    changed: Function = lambda w, heads: w,
    heads_of: Function = lambda heads: heads,
    seen: Function = lambda p: p,
) -> Function:
    """Multi-head attention with one of its steps replaced."""

    def function(
        query: Any, key: Any, value: Any, weights: Any, *, num_heads: int, mask: Any = None, causal: Any = False,
        scale: Any = None, return_weights: bool = False,
    ) -> Any:  # fmt: skip
        w, heads = changed(weights, num_heads), heads_of(num_heads)
        ends = (query, w.w_q, w.b_q), (key, w.w_k, w.b_k), (value, w.w_v, w.b_v)
        parts = [textbook.linear(*end) for end in ends]
        cut = [split(x, heads) for x in parts]
        given = {"mask": masks(mask, *parts), "causal": causal, "scale": factor(scale, weights, num_heads)}
        each, p = inner(*cut, **given, return_weights=True)
        result = textbook.linear(join(each), w.w_o, w.b_o)
        return (result, seen(p)) if return_weights else result

    return function


def _head_reversed(x: Any) -> Any:
    return textbook.together(x[..., ::-1, :, :])


def _square(w: Any) -> Any:
    """Only a square matrix can be transposed without an error."""
    return np.transpose(w) if w is not None and np.shape(w)[0] == np.shape(w)[1] else w


def _model_width(scale: Any, w: Any, heads: int) -> Any:
    return len(w.w_q) ** -0.5 if scale is None else scale


def _no_output(w: Any, heads: int) -> Any:
    return w._replace(w_o=None, b_o=None)


without_transpose = _several(split=_straight)
heads_interleaved = _several(split=_interleaved)
joined_as_it_lies = _several(join=_as_it_lies)
joined_by_column = _several(join=_columns_by_head)
joined_in_reverse = _several(join=_head_reversed)
scaled_by_model = _several(factor=_model_width)
several_unscaled = _several(factor=lambda scale, w, heads: 1.0 if scale is None else scale)
several_inverted = _several(inner=mask_inverted)
several_over_queries = _several(inner=over_queries)
several_nothing_left = _several(inner=nothing_left)
several_hidden_nan = _several(inner=hidden_nan)
no_output_projection = _several(changed=_no_output)
no_output_bias = _several(changed=lambda w, heads: w._replace(b_o=None))
no_input_bias = _several(changed=lambda w, heads: w._replace(b_q=None, b_k=None, b_v=None))
weights_transposed = _several(changed=lambda w, heads: type(w)(*map(_square, w[:4]), *w[4:]))
one_head = _several(heads_of=lambda heads: 1, seen=lambda p: p)
mask_by_place = _several(masks=lambda mask, *parts: mask)
weights_averaged = _several(seen=lambda p: p.mean(axis=-3))


def _several_pulled(change: Function) -> Function:
    """The gradients of multi-head attention, changed after the fact: change(gradients, weights)."""

    def vjp(query: Any, key: Any, value: Any, weights: Any, **given: Any) -> Any:
        return change(textbook.multi_head_attention_vjp(query, key, value, weights, **given), weights)

    return vjp


def _only(*kept: str) -> Function:
    """Gradients of the weights for some of them alone, zeros for the others."""

    def change(gradients: Any, weights: Any) -> Any:
        *parts, w = gradients
        changed = {k: v if v is None or k in kept else np.zeros_like(v) for k, v in w._asdict().items()}
        return *parts, w._replace(**changed)

    return change


matrices_only = _several_pulled(_only("w_q", "w_k", "w_v", "w_o"))
output_only = _several_pulled(_only("w_o", "b_o"))


# A sequence's attention to itself


def _itself(several: Function) -> Function:
    """Self-attention from a multi-head attention."""

    def function(x: Any, weights: Any, *, return_weights: bool = False, **given: Any) -> Any:
        result, p = several(x, x, x, weights, num_heads=1, **given, return_weights=True)
        return (result, p[..., 0, :, :]) if return_weights else result

    return function


def _one_query_matrix(w: Any, heads: int) -> Any:
    return w._replace(w_k=w.w_q, b_k=w.b_q)


def _exchanged(w: Any, heads: int) -> Any:
    return w._replace(w_q=w.w_k, w_k=w.w_q, b_q=w.b_k, b_k=w.b_q)


def _input_width(scale: Any, w: Any, heads: int) -> Any:
    return np.shape(w.w_q)[1] ** -0.5 if scale is None else scale


def _value_width(scale: Any, w: Any, heads: int) -> Any:
    return len(w.w_v) ** -0.5 if scale is None else scale


def _paths(*places: int) -> Function:
    """The gradient of x from some of its three parts."""

    def vjp(x: Any, weights: Any, *, return_weights: bool = False, cotangent: Any, **given: Any) -> Any:
        if return_weights:
            cotangent = (cotangent[0], np.expand_dims(cotangent[1], -3))
        given["return_weights"] = return_weights
        *d, w = textbook.multi_head_attention_vjp(x, x, x, weights, num_heads=1, cotangent=cotangent, **given)
        return sum(d[i] for i in places), w

    return vjp


_SCALE = {
    "en": "The scores are divided by sqrt(d_k), d_k the width of one head's keys; without it the softmax saturates.",
    "zh": "分数要除以 sqrt(d_k)，d_k 是单个头里键的宽度；不除的话 softmax 会饱和。",
}
_WIDTH = {
    "en": "The root is that of d_k, the width over which the dot product sums: not of the values' width, the model's "
    "or the length.",
    "zh": "开方的是 d_k，即点积求和的宽度；不是值的宽度、模型宽度，也不是序列长度。",
}
_AXIS = {
    "en": "Each query shares out one unit of attention among the keys: the softmax is over the last axis.",
    "zh": "每个查询把总量为 1 的注意力分给各个键：softmax 应沿最后一维（键）计算。",
}
_POLARITY = {
    "en": "True means may attend. nn.MultiheadAttention's boolean masks mean the opposite: invert them.",
    "zh": "True 表示可以关注；nn.MultiheadAttention 的布尔掩码含义相反，要先取反。",
}
_NOTHING = {
    "en": "A row of only -inf gives 0/0 = nan, and through the gradients nan everywhere: make it zeros.",
    "zh": "整行都是 -inf 时得到 0/0 = nan，并会经梯度扩散到所有参数：这样的行应为零。",
}
_LEAK = {
    "en": "0 times nan is nan: padding that holds nan or inf leaks through P V. Leave out what has the weight 0.",
    "zh": "0 乘 nan 仍是 nan：填充位置的 nan 或 inf 会经 P V 泄漏出来。权重为 0 的项应略去。",
}
_OUTPUT = {
    "en": "The heads side by side still have to be mixed: multiply by W_o^T and add b_o.",
    "zh": "各头拼接之后还要混合：乘以 W_o^T，再加上 b_o。",
}

MUTANTS = (
    Mutant("no scale", _SCALE, no_scale),
    Mutant("divided by d_k", {
        "en": "The scores are divided by the root of d_k, not by d_k.",
        "zh": "应除以 d_k 的平方根，而不是 d_k 本身。",
    }, no_root),
    Mutant("the root of the values' width", _WIDTH, root_of_values),
    Mutant("the root of the length", _WIDTH, root_of_length),
    Mutant("a given scale ignored", {
        "en": "scale= replaces 1/sqrt(d_k); this one divides by the root all the same.",
        "zh": "给出 scale 时应以它代替 1/sqrt(d_k)，这里仍除以了平方根。",
    }, scale_ignored),
    Mutant("scaled twice", {
        "en": "Scale the queries or the scores, not both.",
        "zh": "缩放查询或缩放分数，只做一次。",
    }, scaled_twice),
    Mutant("the softmax over the queries", _AXIS, over_queries),
    Mutant("the mask after the softmax", {
        "en": "Zeroing weights after the softmax leaves rows that sum to less than 1: hide the scores before it.",
        "zh": "在 softmax 之后才置零，各行之和会小于 1：应在 softmax 之前屏蔽分数。",
    }, mask_afterwards),
    Mutant("the mask inverted", _POLARITY, mask_inverted),
    Mutant("a boolean mask added", {
        "en": "Adding True adds 1 to a score and hides nothing: replace hidden scores by -inf.",
        "zh": "把 True 加到分数上只是加 1，什么也没屏蔽：应把被屏蔽的分数换成 -inf。",
    }, mask_added),
    Mutant("0 times infinity in the mask", {
        "en": "(1 - mask) * -inf is nan where the mask is 1: choose with where.",
        "zh": "掩码为 1 处 (1 - mask) * -inf 是 nan：应使用 where 选择。",
    }, mask_times_infinity),
    Mutant("a floating mask as a boolean one", {
        "en": "A floating mask is added to the scores; 0 in it hides nothing, -inf does.",
        "zh": "浮点掩码是加到分数上的：0 不屏蔽，-inf 才屏蔽。",
    }, mask_as_boolean),
    Mutant("-1e9 for what is hidden", {
        "en": "A query with nothing to attend to then attends to everything alike; float16 has no -1e9. Use -inf and "
        "zeros for empty rows.",
        "zh": "没有可关注的键时会变成平均关注所有键；float16 也表示不了 -1e9。应使用 -inf，并把空行置零。",
    }, fill_billion),
    Mutant("-10 for what is hidden", {
        "en": "A hidden key still gets weight, and most of it where the scores are far below: use -inf.",
        "zh": "被屏蔽的键仍有权重，可见分数很低时甚至占大头：应使用 -inf。",
    }, fill_ten),
    Mutant("nan for a query with nothing to attend to", _NOTHING, nothing_left),
    Mutant("nan that leaks through the mask", _LEAK, hidden_nan),
    Mutant("causal in the other corner", {
        "en": "top_left lets query i see keys 0 to i; bottom_right lets the last query see all keys.",
        "zh": "top_left：查询 i 可见键 0 到 i；bottom_right：最后一个查询可见全部键。",
    }, other_corner),
    Mutant("causal without the query's own key", {
        "en": "Query i sees key i too: np.tri(n), not np.tri(n, k=-1).",
        "zh": "查询 i 也能看到键 i：用 np.tri(n)，不是 np.tri(n, k=-1)。",
    }, strictly_before),
    Mutant("the future for the past", {
        "en": "Causal hides the keys after the query: the lower triangle stays.",
        "zh": "因果掩码屏蔽查询之后的键：保留的是下三角。",
    }, keys_ahead),
    Mutant("exp of the scores as they are", {
        "en": "exp(89) is inf in float32: subtract each row's maximum first.",
        "zh": "float32 中 exp(89) 即为 inf：应先减去每行的最大值。",
    }, no_maximum),
    Mutant("the gradient without the row's sum", {
        "en": "dS = P (dP - rowsum(P dP)): the softmax of a row moves together.",
        "zh": "dS = P (dP - rowsum(P dP))：同一行的 softmax 相互牵连，缺了行和项。",
    }, vjp=no_row_term),
    Mutant("the diagonal of the softmax's Jacobian", {
        "en": "p (1 - p) is the diagonal alone; the other entries are -p_i p_j.",
        "zh": "p (1 - p) 只是雅可比矩阵的对角线，其余元素是 -p_i p_j。",
    }, vjp=diagonal_only),
    Mutant("the gradient without the scale", {
        "en": "The scores were multiplied by the scale, so dQ and dK are too.",
        "zh": "分数乘过缩放因子，dQ 和 dK 也要乘。",
    }, vjp=gradient_unscaled),
    Mutant("the gradient scaled twice", {
        "en": "dQ = scale dS K: the scale comes in once.",
        "zh": "dQ = scale dS K：缩放因子只出现一次。",
    }, vjp=gradient_squared),
    Mutant("the values' gradient shared out evenly", {
        "en": "dV = P^T G: each value receives what it was weighted with.",
        "zh": "dV = P^T G：每个值按各自的权重得到梯度。",
    }, vjp=values_evenly),
)  # fmt: skip

_CUT = {
    "en": "(N, L, H d) becomes (N, L, H, d) and then (N, H, L, d) by a transpose; a bare reshape mixes places and "
    "columns.",
    "zh": "(N, L, H d) 先变成 (N, L, H, d)，再转置成 (N, H, L, d)；只 reshape 会把位置和特征混在一起。",
}
_JOIN = {
    "en": "Head h fills columns h d to (h + 1) d of what goes into W_o: transpose back, then reshape.",
    "zh": "送入 W_o 时，第 h 个头占第 h d 到 (h + 1) d 列：先转置回来，再 reshape。",
}

SEVERAL = (
    # First, since where all is nan any other mistake looks the same.
    Mutant("nan that leaks through the mask", _LEAK, several_hidden_nan),
    Mutant("heads reshaped without a transpose", _CUT, without_transpose),
    Mutant("heads of every H-th column", {
        "en": "Head h owns d rows of W_q that follow one another, not every H-th.",
        "zh": "第 h 个头对应 W_q 中连续的 d 行，而不是每隔 H 行取一行。",
    }, heads_interleaved),
    Mutant("heads joined without a transpose", _JOIN, joined_as_it_lies),
    Mutant("heads joined column by column", _JOIN, joined_by_column),
    Mutant("heads joined in reverse", _JOIN, joined_in_reverse),
    Mutant("the root of the model's width", _WIDTH, scaled_by_model),
    Mutant("no scale", _SCALE, several_unscaled),
    Mutant("the mask inverted", _POLARITY, several_inverted),
    Mutant("the softmax over the queries", _AXIS, several_over_queries),
    Mutant("nan for a query with nothing to attend to", _NOTHING, several_nothing_left),
    Mutant("the output projection forgotten", _OUTPUT, no_output_projection),
    Mutant("the output's bias forgotten", _OUTPUT, no_output_bias),
    Mutant("the projections' biases forgotten", {
        "en": "queries, keys and values are x W^T + b, each with its bias.",
        "zh": "查询、键、值都是 x W^T + b，各有自己的偏置。",
    }, no_input_bias),
    Mutant("weights as (in, out)", {
        "en": "Weights are (out, in), as in nn.Linear: x @ W.T. A square matrix hides the mistake.",
        "zh": "权重按 nn.Linear 的 (out, in) 存放：应写 x @ W.T。方阵会掩盖这个错误。",
    }, weights_transposed),
    Mutant("one head whatever num_heads is", {
        "en": "Each head has a softmax of its own over its own d_k columns.",
        "zh": "每个头都在自己的 d_k 列上单独做 softmax。",
    }, one_head),
    Mutant("a mask for each sequence taken as one for each head", {
        "en": "A mask (N, Lq, Lk) needs an axis for the heads: (N, 1, Lq, Lk).",
        "zh": "掩码 (N, Lq, Lk) 要补上头的维度：(N, 1, Lq, Lk)。",
    }, mask_by_place),
    Mutant("the weights averaged over the heads", {
        "en": "The weights come for each head, (N, H, Lq, Lk); nn.MultiheadAttention averages unless told otherwise.",
        "zh": "应返回每个头的权重 (N, H, Lq, Lk)；nn.MultiheadAttention 默认对各头取平均。",
    }, weights_averaged),
    Mutant("no gradients for the biases", {
        "en": "A bias is added to every row: its gradient is the sum of theirs.",
        "zh": "偏置加到了每一行上：它的梯度是各行梯度之和。",
    }, vjp=matrices_only),
    Mutant("gradients for the output projection alone", {
        "en": "The cotangent goes on through the heads to W_q, W_k and W_v.",
        "zh": "梯度还要穿过各头，继续传到 W_q、W_k、W_v。",
    }, vjp=output_only),
)  # fmt: skip

ITSELF = (
    Mutant("no scale", _SCALE, _itself(several_unscaled)),
    Mutant("the root of the input's width", _WIDTH, _itself(_several(factor=_input_width))),
    Mutant("the root of the values' width", _WIDTH, _itself(_several(factor=_value_width))),
    Mutant("the softmax over the queries", _AXIS, _itself(several_over_queries)),
    Mutant("the mask inverted", _POLARITY, _itself(several_inverted)),
    Mutant("queries and keys exchanged", {
        "en": "Rows are queries, columns keys: Q K^T, not K Q^T.",
        "zh": "行对应查询，列对应键：应为 Q K^T，而不是 K Q^T。",
    }, _itself(_several(changed=_exchanged))),
    Mutant("one matrix for queries and keys", {
        "en": "W_q and W_k are two matrices; with one the scores are symmetric.",
        "zh": "W_q 和 W_k 是两个矩阵；共用一个会使分数对称。",
    }, _itself(_several(changed=_one_query_matrix))),
    Mutant("the future for the past", {
        "en": "Causal hides the places after the query: the lower triangle stays.",
        "zh": "因果掩码屏蔽查询之后的位置：保留的是下三角。",
    }, _itself(_several(inner=keys_ahead))),
    Mutant("nan for a place with nothing to attend to", _NOTHING, _itself(several_nothing_left)),
    Mutant("nan that leaks through the mask", _LEAK, _itself(several_hidden_nan)),
    Mutant("the output projection forgotten", _OUTPUT, _itself(no_output_projection)),
    Mutant("the gradient of x through the values alone", {
        "en": "x is query, key and value at once: its gradient is the sum of the three.",
        "zh": "x 同时是查询、键和值：它的梯度是三者之和。",
    }, vjp=_paths(2)),
    Mutant("the gradient of x without the keys'", {
        "en": "x takes part as key too: add W_k's path.",
        "zh": "x 也作为键参与计算：要加上经过 W_k 的那一路。",
    }, vjp=_paths(0, 2)),
)  # fmt: skip
