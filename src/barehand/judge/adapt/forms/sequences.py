"""Attention on given queries, keys and values: one sequence, or the heads' features side by side."""

from __future__ import annotations

import numpy as np

from barehand.core.spec import Array, Inputs
from barehand.judge.adapt.forms.form import Form, arguments
from barehand.judge.adapt.forms.plain import someone_sees


def _one_sequence(inputs: Inputs) -> Inputs | None:
    """Queries, keys and values of one sequence, without a batch."""
    q = inputs["query"]
    if q.ndim == 2:
        return inputs
    alike = q.ndim == 3 and q.size and all(inputs[n].ndim == 3 and len(inputs[n]) == len(q) for n in ("key", "value"))
    mask = inputs.get("mask")
    if not alike or (mask is not None and mask.ndim not in (2, 3)):
        return None
    first = {n: inputs[n][0].copy() for n in ("query", "key", "value")}
    return {**inputs, **first, **({"mask": mask[0].copy()} if mask is not None and mask.ndim == 3 else {})}


def _of_heads(inputs: Inputs) -> Inputs | None:
    q = inputs["query"]
    alike = q.ndim == 3 and q.size and all(inputs[n].ndim == 3 and len(inputs[n]) == len(q) for n in ("key", "value"))
    square = alike and q.shape == inputs["key"].shape == inputs["value"].shape and "mask" not in inputs
    return inputs if square else _squared(inputs) if alike and "mask" not in inputs else None


def _squared(inputs: Inputs) -> Inputs:
    """Keys and values in the shape of the queries."""
    h, rows, d = inputs["query"].shape
    cut = {n: np.resize(inputs[n], (h, rows, d)).astype(inputs[n].dtype) for n in ("key", "value")}
    return {**inputs, **cut}


def _side_by_side(batch: bool) -> Form:
    """The heads' features next to one another, as a projection leaves them: (L, heads d)."""

    def dress(inputs: Inputs) -> Inputs:
        flat = {n: np.concatenate(list(inputs[n]), -1) for n in ("query", "key", "value")}
        return {**inputs, **{n: v[None] if batch else v for n, v in flat.items()}, "num_heads": len(inputs["query"])}

    def read(y: Array, inputs: Inputs) -> Array:
        heads = len(inputs["query"])
        whole = y[0] if batch and y.ndim == 3 else y
        return np.stack(np.split(whole, heads, -1)) if whole.ndim == 2 and whole.shape[-1] % heads == 0 else y

    names = ("num_heads", "n_heads", "heads", "h", "nhead", "n_head", "H")
    return Form(
        "heads side by side, without projections",
        _of_heads,
        dress,
        extras={"num_heads": names},
        read=read,
        suits=lambda piece: any(p.name in names for p in arguments(piece)),
    )


SEQUENCES = (
    Form(),
    Form("takes one sequence", _one_sequence, plain=lambda i: i["query"].ndim == 2 and someone_sees(i)),
    _side_by_side(False),
    _side_by_side(True),
)
