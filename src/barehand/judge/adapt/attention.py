"""Attention by hand: whose weights go where, how masks are meant, and which of queries, keys and values are one.

Weights are copied into the code's own parameters, however it lays them out, so that attention is judged by value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from barehand.blocks.attention.weights import AttentionWeights
from barehand.core.spec import Array, Case, Inputs, Outputs, Spec
from barehand.judge.adapt.adapter import Adapter
from barehand.judge.adapt.by_hand import of_object
from barehand.judge.adapt.forms import Form, unchanged
from barehand.judge.adapt.forms.plain import someone_sees
from barehand.judge.adapt.names import by_name, words
from barehand.judge.adapt.search import Fit, Tried, best_of, is_module, names_of
from barehand.judge.child import Session, Stopped, TheirError
from barehand.judge.leniency import promises_all
from barehand.judge.pieces import Piece

FIELDS = AttentionWeights._fields
_MATRICES = ("w_q", "w_k", "w_v", "w_o")
_METHODS = ("forward", "__call__", "call")
_FORMAT = "{0}_{1}"

_CALL: Mapping[str, tuple[str, ...]] = {
    "query": ("query", "queries", "q", "Q", "x", "X", "inputs", "input", "hidden_states", "embeddings", "x_q", "tgt"),
    "key": ("key", "keys", "k", "K", "x_k", "context", "memory", "kv", "y"),
    "value": ("value", "values", "v", "V", "x_v"),
    "mask": ("mask", "attn_mask", "attention_mask", "key_padding_mask", "padding_mask", "src_mask", "key_mask", "bias"),
    "causal": ("causal", "is_causal"),
    "scale": ("scale", "scaling"),
    "return_weights": ("return_weights", "need_weights", "return_attention", "return_attn"),
    "num_heads": ("num_heads", "n_heads", "heads", "h", "nhead", "n_head", "H", "num_head"),
    "w_q": ("w_q", "Wq", "W_q", "W_Q", "WQ", "wq", "w_query", "query_weight", "q_weight", "q_proj", "W_query"),
    "w_k": ("w_k", "Wk", "W_k", "W_K", "WK", "wk", "w_key", "key_weight", "k_weight", "k_proj", "W_key"),
    "w_v": ("w_v", "Wv", "W_v", "W_V", "WV", "wv", "w_value", "value_weight", "v_weight", "v_proj", "W_value"),
    "w_o": ("w_o", "Wo", "W_o", "W_O", "WO", "wo", "w_out", "out_weight", "o_weight", "out_proj", "W_out"),
    "b_q": ("b_q", "bq", "B_q"),
    "b_k": ("b_k", "bk", "B_k"),
    "b_v": ("b_v", "bv", "B_v"),
    "b_o": ("b_o", "bo", "B_o"),
}
_NEW: Mapping[str, tuple[str, ...]] = {
    "width": ("embed_dim", "d_model", "emb_dim", "embed_size", "hidden_dim", "hidden_size", "dim", "d", "n_embd",
              "input_dim", "d_in", "dim_in", "model_dim", "in_features", "in_dim", "E", "C", "emb_size",
              "embedding_dim"),
    "num_heads": _CALL["num_heads"],
    "key_width": ("kdim",),
    "value_width": ("vdim",),
    "d_k": ("d_k", "dk", "dim_k", "qk_dim", "key_dim", "d_key", "head_size", "d_qk"),
    "d_v": ("d_v", "dv", "dim_v", "v_dim", "value_dim", "d_value"),
    "d_head": ("head_dim", "d_head", "dim_head"),
    "d_out": ("d_out", "out_dim", "output_dim", "out_features"),
    "dropout": ("dropout", "dropout_p", "drop", "attn_dropout", "p"),
    "biased": ("bias", "qkv_bias", "use_bias"),
    "batch_first": ("batch_first",),
    "causal": _CALL["causal"],
    "length": ("max_len", "seq_len", "block_size", "context_length", "max_seq_len"),
}  # fmt: skip


def search_attention(piece: Piece, spec: Spec, session: Session) -> Fit | None:
    """The best adapter for a module or function that projects by weights of its own."""
    best: Fit | None = None
    for judged, ways in _candidates(piece, spec, session):
        for adapters in ways:
            best = best_of(adapters, Tried(_probing(judged), session), best)
            if best is not None and best.score >= 0.55:  # right, or a known mistake
                return best
        if best is not None and best.score > 0:  # it took so many arrays: fewer would only hide mistakes
            return best
    return best


def _probing(spec: Spec) -> Spec:
    """The spec with a few cases: plain ones, then masked and causal ones."""
    with_mask = [c for c in spec.cases if c.grade == "correctness" and "mask" in c.make(np.random.default_rng(0))]
    others = [c for c in spec.cases if c.grade == "correctness" and c not in with_mask]
    causal = [c for c in others if "causal" in c.make(np.random.default_rng(0))]
    plain = [c for c in others if c not in causal]
    return replace(spec, cases=(*plain[:3], *with_mask[:2], *causal[:1], *with_mask[2:]))


# Which of queries, keys and values are one

SEPARATE, CROSS, ITSELF = 0, 1, 2


def _padded(spec: Spec) -> Case:
    """Some keys hidden from all queries, which is all that many versions know of masks."""
    first = next(c for c in spec.cases if "mask" not in c.make(np.random.default_rng(0)))

    def make(rng: np.random.Generator) -> Inputs:
        inputs = first.make(rng)
        _, k = _ends(inputs)
        seen = np.ones((len(k), 1, k.shape[-2]), bool)
        seen[:, :, -2:] = False
        return {**inputs, "mask": seen}

    return Case("padded keys", "a mask ignored, or meant the other way round", make)


def _tied(spec: Spec, tie: int) -> Spec:
    """The spec where keys and values, or all three, are the same array: their gradients are added."""
    spec = replace(spec, cases=(*spec.cases, _padded(spec)))
    if tie == SEPARATE or spec.name == "self_attention":
        return narrowed(spec, spec.differentiable, {})
    onto = {"value": "key"} if tie == CROSS else {"key": "query", "value": "query"}
    return narrowed(spec, tuple(d for d in spec.differentiable if d not in onto), onto)


def narrowed(spec: Spec, keep: Sequence[str], onto: Mapping[str, str]) -> Spec:
    """The spec with gradients for some inputs alone; those of others may be added to them."""

    def names(inputs: Inputs) -> list[str]:
        return [d for d in spec.differentiable if inputs.get(d) is not None]

    def gathered(found: Outputs, inputs: Inputs, add: Callable[[Any, Any], Any]) -> Outputs:
        sums: dict[str, Any] = {}
        for name, g in zip(names(inputs), found, strict=True):
            place = onto.get(name, name)
            sums[place] = add(sums[place], g) if place in sums else g
        return tuple(sums[k] for k in keep if k in sums)

    def named(args: tuple[Any, ...], kwargs: Inputs) -> Inputs:
        given = {**dict(zip(spec.signature, args, strict=False)), **kwargs}
        bundle = given.pop("weights", None)
        return given | {k: v for k, v in (bundle._asdict() if bundle else {}).items() if v is not None}

    def vjp(*args: Any, cotangent: Any, **kwargs: Any) -> Outputs:
        inputs = named(args, kwargs)
        assert spec.vjp is not None
        return gathered(spec.pull_back(spec.vjp, inputs, cotangent), inputs, np.add)

    def scale(inputs: Inputs, cotangent: Any, expected: Outputs) -> Outputs:
        assert spec.vjp is not None
        assert spec.gradient_scale is not None
        whole = spec.pull_back(spec.vjp, inputs, cotangent)
        return gathered(spec.gradient_scale(inputs, cotangent, whole), inputs, np.add)

    return replace(spec, vjp=vjp, gradient_scale=scale, differentiable=tuple(keep))


# Masks

_Change = Callable[[Any], Any]
_MEANINGS: Mapping[str, _Change] = {
    "": lambda m: m,
    "a boolean mask": lambda m: m if m.dtype == bool else None,
    "mask 1/0": lambda m: m.astype(np.int64) if m.dtype == bool else None,
    "mask True = hidden": lambda m: ~m if m.dtype == bool else None,
    "mask added to the scores": lambda m: np.where(m, 0.0, -np.inf) if m.dtype == bool else m,
    "mask 1 = hidden": lambda m: (~m).astype(np.int64) if m.dtype == bool else None,
}


def _ends(inputs: Inputs) -> tuple[Array, Array]:
    q: Array = inputs["query"] if "query" in inputs else inputs["x"]
    return q, inputs.get("key", q)


def _whole(mask: Array, inputs: Inputs) -> Any:
    """The mask for each sequence: (B, Lq, Lk); None where there is no such mask."""
    q, k = _ends(inputs)
    lead = q.shape[:-2] if mask.ndim != 4 else mask.shape[:2]
    if mask.ndim > len(lead) + 2:
        return None
    return np.broadcast_to(mask, (*lead, q.shape[-2], k.shape[-2]))


def _for_heads(mask: Array, inputs: Inputs) -> Any:
    whole = _whole(mask, inputs)
    return whole[:, None] if whole is not None and whole.ndim == 3 else whole


def _for_keys(mask: Array, inputs: Inputs) -> Any:
    """(B, Lk), for a mask that hides keys from all queries."""
    whole = _whole(mask, inputs)
    alike = whole is not None and whole.ndim == 3 and bool((whole == whole[:, :1]).all())
    return whole[:, 0] if alike else None


_SHAPES: Mapping[str, Callable[[Array, Inputs], Any]] = {
    "": lambda m, i: m if m.ndim <= 2 or "num_heads" not in i else _for_heads(m, i),
    "for every head": _for_heads,
    "for each sequence": lambda m, i: _whole(m, i) if m.ndim < 4 else None,
    "for all sequences": lambda m, i: m if m.ndim == 2 else None,
    "of keys": _for_keys,
}


# Weights


@dataclass(frozen=True)
class _Layout:
    """Where weights lie: path -> role, how roles are made of the spec's weights, and how gradients come back."""

    says: str
    attributes: Mapping[str, str]
    make: Callable[[Inputs], Inputs]
    back: Callable[[dict[str, Array], Inputs], dict[str, Array]] | None
    restate: Callable[[Inputs], Inputs | None] = unchanged
    sources: tuple[str, ...] = ()


_PART = {"q": "q", "query": "q", "queries": "q", "k": "k", "key": "k", "keys": "k", "v": "v", "value": "v",
         "values": "v", "o": "o", "out": "o", "output": "o", "proj": "o", "fc": "o", "dense": "o", "final": "o",
         "unify": "o", "combine": "o", "qkv": "qkv", "in": "qkv", "attn": "qkv", "kqv": "qkv", "mix": "o"}  # fmt: skip


def _part(path: str) -> str:
    """Which projection a parameter belongs to: q, k, v, o or qkv."""
    for chunk in re.split(r"[.\[\]]+", path):
        bare = [re.sub(r"^w(?=[qkvo]$)|^b(?=[qkvo]$)", "", w) for w in words(chunk)]
        found = [_PART[w] for w in bare if w in _PART]
        inner = [f for f in found if f in ("q", "k", "v", "qkv")]
        if inner or found:
            return (inner or found)[0]
    return ""


def _is_bias(path: str, shape: Sequence[int]) -> bool:
    return len(shape) == 1 or path.split(".")[-1].startswith(("b", "bias"))


def _layouts(params: Mapping[str, Sequence[int]], inputs: Inputs) -> Iterator[_Layout]:
    """What the parameters' names and shapes allow, likeliest first."""
    found: dict[str, list[str]] = {}
    for path, shape in params.items():
        part = _part(path)
        if part:
            found.setdefault(f"{'b' if _is_bias(path, shape) else 'w'}_{part}", []).append(path)
    matrices = [p for p, shape in params.items() if len(shape) == 2]
    if not any(k in found for k in ("w_q", "w_qkv")) and len(matrices) in (3, 4):  # in order, whatever their names
        found = {f"w_{part}": [p] for part, p in zip("qkvo", matrices, strict=False)}
        vectors = [p for p, shape in params.items() if len(shape) == 1]
        if len(vectors) == len(matrices):
            found |= {f"b_{part}": [p] for part, p in zip("qkvo", vectors, strict=False)}
    linear = any(".weight" in p for p in params) or any("in_proj" in p for p in params)
    turns = [False, True] if linear else [True, False]
    heads = int(inputs.get("num_heads", 1))
    for turned in turns:
        if "w_qkv" in found and "w_q" not in found:
            for order in ("thirds", "heads"):
                yield _fused(found, turned, order, heads)
        elif all(f"w_{p}" in found for p in "qkv"):
            if len(found["w_q"]) > 1:
                yield _listed(found, turned, heads)
            else:
                yield _separate(found, params, turned, heads)


def _turn(w: Array, turned: bool) -> Array:
    return np.ascontiguousarray(w.mT) if turned else w


def _without(found: Mapping[str, list[str]]) -> Callable[[Inputs], Inputs | None]:
    """What the code has no parameter for must be absent; its biases may be zeros."""

    def restate(inputs: Inputs) -> Inputs | None:
        given = dict(inputs)
        if "w_o" not in found:
            given.pop("w_o", None)
            given.pop("b_o", None)
        elif given.get("w_o") is None:
            return None
        has_bias = [p for p in "qkvo" if f"b_{p}" in found or ("b_qkv" in found and p != "o")]
        for p in "qkvo":
            name = f"b_{p}"
            if p in has_bias and given.get(name) is None and (p != "o" or "w_o" in found):
                w = given[f"w_{p}"]
                given[name] = np.zeros(w.shape[0], w.dtype)
            elif p not in has_bias:
                given.pop(name, None)
        return given

    return restate


def _separate(found: Mapping[str, list[str]], params: Mapping[str, Sequence[int]], turned: bool, heads: int) -> _Layout:
    names = [f for f in FIELDS if f in found]
    shape = params[found["w_q"][0]]
    shared = heads > 1 and len(shape) == 2 and "w_o" in found and shape[0] * heads == params[found["w_o"][0]][0]
    stacked = len(shape) == 3

    def make(i: Inputs) -> Inputs:
        made: Inputs = {}
        for n in names:
            if i.get(n) is None:
                continue
            w = i[n]
            if shared and n != "w_o" and n != "b_o":
                d = w.shape[0] // heads
                w = w[:d, :d] if w.ndim == 2 else w[:d]
            if stacked and n in _MATRICES[:3]:
                w = np.ascontiguousarray(w.reshape(heads, -1, w.shape[-1]).swapaxes(-1, -2))
            elif w.ndim == 2:
                w = _turn(w, turned)
            made[f"as_{n}"] = w
        return made

    def back(g: dict[str, Array], i: Inputs) -> dict[str, Array]:
        out = {}
        for n in names:
            if f"as_{n}" in g:
                d = g[f"as_{n}"]
                if stacked and n in _MATRICES[:3]:
                    out[n] = d.swapaxes(-1, -2).reshape(i[n].shape)
                else:
                    out[n] = _turn(d, turned) if d.ndim == 2 else d
        return out

    restate = _without(found)
    return _Layout(
        "one projection for all heads" if shared else "", {found[n][0]: f"as_{n}" for n in names}, make,
        None if shared else back, (lambda i: _blocks(restate(i), heads)) if shared else restate,
        tuple(f"as_{n}" for n in names),
    )  # fmt: skip


def _blocks(inputs: Inputs | None, heads: int) -> Inputs | None:
    """The weights that share one block among the heads stand for."""
    if inputs is None:
        return None
    given = dict(inputs)
    for n in ("w_q", "w_k", "w_v"):
        w = given[n]
        d = w.shape[0] // heads
        if w.shape[0] != w.shape[1] or w.shape[0] % heads:
            return None
        given[n] = np.kron(np.eye(heads), w[:d, :d]).astype(w.dtype)
        b = given.get(n.replace("w", "b"))
        if b is not None:
            given[n.replace("w", "b")] = np.tile(b[:d], heads)
    return given


def _listed(found: Mapping[str, list[str]], turned: bool, heads: int) -> _Layout:
    """A list of heads, each with its own projections."""
    roles = {}
    for n in ("w_q", "w_k", "w_v", "b_q", "b_k", "b_v"):
        for h, path in enumerate(found.get(n, [])):
            roles[path] = f"as_{n}_{h}"
    for n in ("w_o", "b_o"):
        if n in found:
            roles[found[n][0]] = f"as_{n}"
    count = len(found["w_q"])

    def make(i: Inputs) -> Inputs:
        made: Inputs = {}
        for n in FIELDS:
            if i.get(n) is None or n not in found:
                continue
            if n in ("w_o", "b_o"):
                made[f"as_{n}"] = _turn(i[n], turned) if i[n].ndim == 2 else i[n]
                continue
            for h, part in enumerate(np.split(i[n], count)):
                made[f"as_{n}_{h}"] = _turn(part, turned) if part.ndim == 2 else part
        return made

    def back(g: dict[str, Array], i: Inputs) -> dict[str, Array]:
        out: dict[str, Array] = {}
        for n in FIELDS:
            if n not in found or i.get(n) is None:
                continue
            names = [f"as_{n}"] if n in ("w_o", "b_o") else [f"as_{n}_{h}" for h in range(count)]
            if names[0] in g:
                out[n] = np.concatenate([_turn(g[k], turned) if g[k].ndim == 2 else g[k] for k in names])
        return out

    def restate(i: Inputs) -> Inputs | None:
        return _without(found)(i) if i.get("num_heads", 1) == count else None

    return _Layout("a list of heads", roles, make, back, restate, tuple(roles.values()))


def _fused(found: Mapping[str, list[str]], turned: bool, order: str, heads: int) -> _Layout:
    """One matrix for queries, keys and values: one after another, or head by head."""

    def woven(parts: list[Array]) -> Array:
        if order == "thirds":
            return np.concatenate(parts)
        split = [p.reshape(heads, -1, *p.shape[1:]) for p in parts]
        joined: Array = np.stack(split, 1).reshape(-1, *parts[0].shape[1:])
        return joined

    def parted(whole: Array) -> list[Array]:
        if order == "thirds":
            return list(np.split(whole, 3))
        by_head = whole.reshape(heads, 3, -1, *whole.shape[1:])
        return [by_head[:, j].reshape(-1, *whole.shape[1:]) for j in range(3)]

    roles = {found[n][0]: f"as_{n}" for n in ("w_qkv", "b_qkv", "w_o", "b_o") if n in found}

    def make(i: Inputs) -> Inputs:
        made: Inputs = {"as_w_qkv": _turn(woven([i["w_q"], i["w_k"], i["w_v"]]), turned)}
        if "b_qkv" in found:
            made["as_b_qkv"] = woven([i["b_q"], i["b_k"], i["b_v"]])
        for n in ("w_o", "b_o"):
            if n in found and i.get(n) is not None:
                made[f"as_{n}"] = _turn(i[n], turned) if i[n].ndim == 2 else i[n]
        return made

    def back(g: dict[str, Array], i: Inputs) -> dict[str, Array]:
        out = dict(zip(("w_q", "w_k", "w_v"), parted(_turn(g["as_w_qkv"], turned)), strict=True))
        if "as_b_qkv" in g:
            out |= dict(zip(("b_q", "b_k", "b_v"), parted(g["as_b_qkv"]), strict=True))
        for n in ("w_o", "b_o"):
            if f"as_{n}" in g:
                out[n] = _turn(g[f"as_{n}"], turned) if g[f"as_{n}"].ndim == 2 else g[f"as_{n}"]
        return out

    says = "one matrix for q, k and v" + (", head by head" if order == "heads" else "")
    return _Layout(says, roles, make, back, _without(found), tuple(roles.values()))


# Sizes


def _resized(a: Array, *shape: int) -> Array:
    """The array cut or repeated to a shape; None keeps a length."""
    for axis, n in enumerate(shape):
        a = np.take(a, np.arange(n) % a.shape[axis], axis=axis)
    return a


# What is as wide as what, the freest first, since equal widths hide mistakes: keys as values in each head, then also
# all heads as the result, then everything.
_WIDTHS = ("free", "heads", "heads and result", "all")


@dataclass(frozen=True)
class _Sizes:
    """Which inputs are one, how far their widths are tied, and whether there is one sequence and no batch."""

    tie: int
    widths: str  # one of _WIDTHS
    single: bool
    module: int | None = None  # the width that a module has whatever it is told


def _squared(inputs: Inputs, sizes: _Sizes) -> Inputs | None:
    """The inputs in the sizes that the code knows: one width for everything, and one array where two are tied."""
    given = {k: v for k, v in inputs.items() if v is not None}
    tie = sizes.tie
    if sizes.single:
        for n in ("x", "query", "key", "value"):
            if n in given and given[n].ndim == 3 and len(given[n]):
                given[n] = given[n][0].copy()
        if "mask" in given and given["mask"].ndim > 2:
            given["mask"] = given["mask"][0].copy()
    q = given.get("query", given.get("x"))
    if q is None or q.ndim < 2 or not q.size or q.dtype.kind != "f":
        return None
    width, heads = q.shape[-1], int(given.get("num_heads", 1))
    if sizes.module is not None:
        width = sizes.module
        for n in ("x", "query", "key", "value"):
            if n in given:
                given[n] = np.take(given[n], np.arange(width) % given[n].shape[-1], axis=-1)
        for n in FIELDS:
            if n in given and n != "w_o" and given[n].ndim == 2:
                given[n] = _resized(given[n], len(given[n]), width)
        if "w_o" in given:
            given["w_o"] = _resized(given["w_o"], width, given["w_o"].shape[1])
        if "b_o" in given:
            given["b_o"] = _resized(given["b_o"], width)
        q = given.get("query", given.get("x"))
        assert q is not None
    if sizes.widths in ("heads", "heads and result"):
        inner = len(given["w_q"])
        given["w_v"] = _resized(given["w_v"], inner, given["w_v"].shape[1])
        if "b_v" in given:
            given["b_v"] = _resized(given["b_v"], inner)
        if given.get("w_o") is not None:
            rows = inner if sizes.widths == "heads and result" else len(given["w_o"])
            given["w_o"] = _resized(given["w_o"], rows, inner)
            if "b_o" in given:
                given["b_o"] = _resized(given["b_o"], rows)
    if sizes.widths == "all":
        if width % heads:
            return None
        for n in ("key", "value"):
            if n in given:
                given[n] = np.take(given[n], np.arange(width) % given[n].shape[-1], axis=-1)
        for n in FIELDS:
            if n in given:
                given[n] = _resized(given[n], *([width] * given[n].ndim))
    if tie != SEPARATE and "key" in given:
        target = q if tie == ITSELF else given["key"]
        given["key"], given["value"] = (target, target) if tie == ITSELF else (given["key"], target)
        for n in ("w_k", "w_v"):
            if n in given:
                given[n] = _resized(given[n], len(given[n]), target.shape[-1])
        if tie == ITSELF and "mask" in given:
            m = given["mask"]
            if m.shape[-2] != 1:
                m = np.take(m, np.arange(q.shape[-2]) % m.shape[-2], axis=-2)
            given["mask"] = np.take(m, np.arange(q.shape[-2]) % m.shape[-1], axis=-1)
    return given


# Candidates


def _candidates(piece: Piece, spec: Spec, session: Session) -> Iterator[tuple[Spec, Iterator[Iterator[Adapter]]]]:
    """The spec, and ways to call the code for one width after another."""
    ties = [ITSELF] if spec.name == "self_attention" else [SEPARATE, CROSS, ITSELF]
    for tie in ties:
        tied = _tied(spec, tie)
        for single in (False, True):
            sizes = [_Sizes(tie, widths, single) for widths in _WIDTHS]
            yield tied, (_adapters(piece, tied, one, session) for one in sizes)


def _renamed(roles: Mapping[str, Sequence[str]], spec: Spec) -> dict[str, Sequence[str]]:
    if spec.name != "self_attention":
        return dict(roles)
    return {("x" if k == "query" else k): v for k, v in roles.items() if k not in ("key", "value", "num_heads")}


def _adapters(piece: Piece, spec: Spec, sizes: _Sizes, session: Session) -> Iterator[Adapter]:
    first = "x" if spec.name == "self_attention" else "query"
    needed = {SEPARATE: [first, "key", "value"], CROSS: [first, "key"], ITSELF: [first]}[sizes.tie]
    roles = {k: v for k, v in _renamed(_CALL, spec).items() if k in needed or k not in ("query", "x", "key", "value")}
    if piece.kind == "function":
        yield from _functions(piece, spec, sizes, needed, roles)
        return
    methods = {m.name: m for m in piece.methods}
    method = next((m for m in _METHODS if m in methods), None)
    if method is None:
        return
    required, optional = names_of(piece.parameters)
    new = by_name([*required, *optional], _NEW)
    for p in [p for p in required if p not in new]:
        left = [r for r in ("width", "num_heads") if r not in new.values()]
        if not left:
            return
        new[p] = left[0]
    call = _called(
        *names_of(methods[method].parameters), needed, {k: v for k, v in roles.items() if k[:2] not in ("w_", "b_")}
    )
    if call is None:
        return
    module = is_module(piece)
    base = Adapter(
        spec, piece.name, Form(), call, construct=new, module=module, arrays=piece.library if module else "numpy",
        method=None if method == "__call__" or module else method,
    )  # fmt: skip
    for case in spec.cases[:4]:
        inputs = _squared(case.make(np.random.default_rng(0)), sizes)
        if inputs is not None:
            break
    else:
        return
    params = _params(base, inputs, spec, session)
    if "width" not in new.values():
        sizes = replace(sizes, module=_own_width(params, inputs))
        inputs = _squared(case.make(np.random.default_rng(0)), sizes) or inputs
    back = methods.get("backward") if not module else None
    for layout in _layouts(params, inputs):
        hand = of_object(piece, spec, back, layout.attributes) if back else None
        if hand is not None and not {*layout.attributes.values()} <= {*hand.held}:
            layout = replace(layout, back=None)  # of its weights' gradients nothing is known
        for form in _forms(layout, spec, sizes, called=call, docs=piece.docs):
            data = tuple(d for d in ("x", "query", "key", "value") if d in spec.differentiable)
            judged = spec if layout.back is not None else narrowed(spec, data, {})
            adapter = replace(base, spec=judged, form=form, attributes=layout.attributes, by_hand=hand)
            yield adapter
            if "causal" not in adapter.taken:
                yield replace(adapter, pins={"causal": True})
            elif "causal" in call.values():  # torch's is_causal is a hint beside a mask
                yield replace(adapter, call={p: r for p, r in call.items() if r != "causal"})


def _own_width(params: Mapping[str, Sequence[int]], inputs: Inputs) -> int | None:
    """The width of a module's projections where it is not what the constructor was told: a global constant."""
    width = _ends(inputs)[0].shape[-1]
    queries = [shape for path, shape in params.items() if _part(path) == "q" and len(shape) == 2]
    return None if not queries or any(width in shape for shape in queries) else int(queries[0][1])


def _called(
    required: list[str], optional: list[str], needed: list[str], roles: Mapping[str, Sequence[str]]
) -> dict[str, str] | None:
    """Parameter -> role for this many of queries, keys and values; None where the call takes another number."""
    named = by_name([*required, *optional], roles)
    unknown = [p for p in required if p not in named]
    missing = [r for r in needed if r not in named.values()]
    if len(unknown) != len(missing):
        return None
    return {**named, **dict(zip(unknown, missing, strict=True))}


def _derived(spec: Spec) -> Callable[[Inputs], Inputs]:
    """What constructors ask for."""

    def derive(i: Inputs) -> Inputs:
        q, k = _ends(i)
        heads = int(i.get("num_heads", 1))
        return {
            "width": q.shape[-1],
            "key_width": k.shape[-1],
            "value_width": i["value"].shape[-1] if "value" in i else q.shape[-1],
            "d_k": i["w_q"].shape[0] if spec.name == "self_attention" else i["w_q"].shape[0] // heads,
            "d_v": i["w_v"].shape[0] if spec.name == "self_attention" else i["w_v"].shape[0] // heads,
            "d_head": i["w_q"].shape[0] // heads,
            "d_out": i["w_o"].shape[0] if i.get("w_o") is not None else i["w_v"].shape[0],
            "dropout": 0.0,
            "biased": i.get("b_q") is not None,
            "batch_first": True,
            "length": max(q.shape[-2], 16),
            "return_weights": bool(i.get("return_weights")),
        }

    return derive


def _params(base: Adapter, inputs: Inputs, spec: Spec, session: Session) -> dict[str, Any]:
    probe = replace(base, form=Form(dress=lambda i: {**i, **_derived(spec)(i)}), call={})
    *before, _ = probe.steps(inputs)
    wanted: list[dict[str, Any]] = [
        {"do": "params", "of": {"var": "m"}, "to": "p"},
        {"do": "return", "values": [{"var": "p"}]},
    ]
    try:
        found = session.run([*before, *wanted])[0]
    except (TheirError, Stopped):
        return {}
    return {str(k): v for k, v in found.items()}


def _forms(layout: _Layout, spec: Spec, sizes: _Sizes, *, called: Mapping[str, str], docs: str) -> Iterator[Form]:
    derive = _derived(spec)
    roles = set(called.values())
    whole = promises_all(docs)
    meanings: list[Any] = [(("", _MEANINGS[""]), ("", lambda m, i: m))]  # our own contract, masks of any shape
    if "mask" in roles and not whole:
        meanings = list(product(_MEANINGS.items(), _SHAPES.items()))
    for (meaning, mean), (kind, shape) in meanings:

        def restate(i: Inputs, mean: Any = mean, shape: Any = shape) -> Inputs | None:
            sized = _squared(i, sizes)
            found = layout.restate(sized) if sized is not None else None
            if found is not None and found.get("return_weights") and not (whole and "return_weights" in roles):
                return None
            if found is None or found.get("mask") is None:
                return found
            dressed = shape(found["mask"], found)
            return found if dressed is not None and mean(dressed) is not None else None

        def dress(i: Inputs, mean: Any = mean, shape: Any = shape) -> Inputs:
            found = {**i, **derive(i), **layout.make(i)}
            if i.get("mask") is not None:
                changed = np.asarray(mean(shape(i["mask"], i)))
                kind = i.get("query", i.get("x")).dtype  # type: ignore[union-attr] # one of them is there
                found["mask"] = np.ascontiguousarray(changed.astype(kind) if changed.dtype.kind == "f" else changed)
            return found

        says = ", ".join(filter(None, [layout.says, meaning, kind and f"mask {kind}"]))
        data = ("x",) if spec.name == "self_attention" else ("query", "key", "value")
        sources = (*(d for d in data if d in spec.differentiable), *(layout.sources if layout.back else ()))

        def pull(g: dict[str, Array], i: Inputs, data: tuple[str, ...] = data) -> dict[str, Array]:
            return {**{d: g[d] for d in data if d in g}, **(layout.back(g, i) if layout.back else {})}

        yield Form(says, restate, dress, takes={}, pull=pull, sources=sources, plain=_plain(sizes))


def _plain(sizes: _Sizes) -> Callable[[Inputs], bool]:
    """A batch of sequences, or one: in either case every query has something to attend to."""
    return lambda i: _ends(i)[0].ndim == (2 if sizes.single else 3) and someone_sees(i)


def _functions(
    piece: Piece, spec: Spec, sizes: _Sizes, needed: list[str], roles: Mapping[str, Sequence[str]]
) -> Iterator[Adapter]:
    call = _called(*names_of(piece.parameters), needed, roles)
    if call is None or not any(r in ("w_q", "w_k") for r in call.values()):
        return
    found = {r: [p] for p, r in call.items() if r in FIELDS}
    for turned in (True, False):
        layout = _separate(found, {found[n][0]: (0, 0) for n in found}, turned, 1)
        renamed = {p: f"as_{r}" if r in FIELDS else r for p, r in call.items()}
        for form in _forms(layout, spec, sizes, called=call, docs=piece.docs):
            yield Adapter(
                spec, piece.name, form, renamed, arrays=piece.library if piece.library == "torch" else "numpy"
            )
