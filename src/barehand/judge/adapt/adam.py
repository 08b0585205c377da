"""What all ways of running Adam share: the names of its parts and options, and a course taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from barehand.core.spec import Inputs, Outputs
from barehand.judge.adapt.adapter import plain
from barehand.judge.adapt.paths import value

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "lr": ("lr", "learning_rate", "alpha", "eta", "step_size", "rate"),
    "betas": ("betas",),
    "beta1": ("beta1", "beta_1", "b1", "beta1_", "rho1"),
    "beta2": ("beta2", "beta_2", "b2", "rho2"),
    "eps": ("eps", "epsilon", "delta"),
    "weight_decay": ("weight_decay", "wd", "l2"),
    "decoupled": ("decoupled", "decoupled_weight_decay"),
    "amsgrad": ("amsgrad",),
    "maximize": ("maximize",),
}
PARTS: Mapping[str, tuple[str, ...]] = {
    "params": ("params", "parameters", "param", "w", "weights", "theta", "p", "x", "W", "weight", "var", "variables"),
    "grads": ("grads", "grad", "gradients", "gradient", "g", "dw", "dW", "dx", "grad_wrt_w", "gradients_list"),
    "m": ("m", "m_t", "exp_avg", "first", "ms", "mt"),
    "v": ("v", "v_t", "exp_avg_sq", "second", "vs", "vt"),
    "t": ("t", "step", "iteration", "timestep", "iter", "k", "i"),
    "config": ("config", "state", "cache", "opt_state"),
}
KEYS: Mapping[str, tuple[str, ...]] = {  # of a state kept in a dictionary
    "lr": ("learning_rate", "lr"),
    "beta1": ("beta1",),
    "beta2": ("beta2",),
    "eps": ("epsilon", "eps"),
}


def split(inputs: Inputs) -> tuple[list[Any], list[Any], Inputs]:
    """Parameters, the gradients of each for all steps, and the options."""
    n = sum(k[0] == "p" and k[1:].isdecimal() for k in inputs)
    names = {f"{kind}{i}" for kind in "pg" for i in range(n)} | {"absent", "marks"}
    options = {k: v for k, v in inputs.items() if k not in names}
    return [inputs[f"p{i}"] for i in range(n)], [inputs[f"g{i}"] for i in range(n)], options


def given(options: Inputs, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The options for the parameters that take them, ours where the input leaves them open."""
    full: dict[str, Any] = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "decoupled": False,
                            "amsgrad": False, "maximize": False, **options}  # fmt: skip
    full["beta1"], full["beta2"] = full["betas"]
    return {p: value(full[r]) for p, r in parameters.items() if r in full}


def roles(parameters: Mapping[str, str]) -> frozenset[str]:
    """The options that the parameters can be told."""
    found = set(parameters.values())
    if {"beta1", "beta2"} <= found:
        found.add("betas")
    return frozenset(found & {"lr", "betas", "eps", "weight_decay", "decoupled", "amsgrad", "maximize"})


def stacked(told: list[Any], inputs: Inputs) -> Outputs:
    """What came back at every mark, one row a mark."""
    n = len(split(inputs)[0])
    rows = [told[i : i + n] for i in range(0, len(told), n)]
    return tuple(np.stack([np.asarray(plain(row[i])) for row in rows]) for i in range(n))


def marks(inputs: Inputs) -> Sequence[int]:
    """The steps after which the parameters are looked at."""
    found: Sequence[int] = inputs.get("marks", range(len(inputs["g0"])))
    return found
