"""Norms: sizes that constructors ask for, parameters that change nothing, and state in a dictionary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from barehand.core.spec import Array, Inputs
from barehand.judge.adapt.forms.form import Form
from barehand.judge.pieces import Piece


def _kept_momentum(piece: Piece) -> bool:
    """Whether momentum is meant as what stays: its default says so."""
    defaults = [p.default for p in piece.parameters if p.name == "momentum" and p.default]
    return any(d in ("0.9", "0.99", "0.95", "0.999") for d in defaults) or "bn_param" in piece.own


def _stays(inputs: Inputs) -> Inputs:
    return {**inputs, "momentum": 1 - inputs.get("momentum", 0.1)}


def _state(keeps: bool) -> Callable[[Inputs], Inputs]:
    """The state and options in a dictionary, as in Stanford's CS231n."""

    def dress(inputs: Inputs) -> Inputs:
        momentum = inputs.get("momentum", 0.1)
        state = {
            "mode": "train" if inputs.get("training", True) else "test",
            "eps": inputs.get("eps", 1e-5),
            "momentum": 1 - momentum if keeps else momentum,
            **{k: inputs[k] for k in ("running_mean", "running_var") if inputs.get(k) is not None},
        }
        return {**inputs, "bn_param": state}

    return dress


def _images(inputs: Inputs) -> Inputs | None:
    return inputs if inputs["x"].ndim == 4 else None


def _of_the_batch(inputs: Inputs) -> Inputs | None:
    """Images without what is kept from batch to batch."""
    if inputs["x"].ndim != 4 or not inputs.get("training", True):
        return None
    return {k: v for k, v in inputs.items() if k not in ("running_mean", "running_var", "momentum")}


def _by_channel(inputs: Inputs) -> Inputs:
    """The parameters as they meet images: (1, C, 1, 1)."""
    return {k: v.reshape(1, -1, 1, 1) if k in ("weight", "bias") else v for k, v in inputs.items()}


def _flat(gradients: dict[str, Array], inputs: Inputs) -> dict[str, Array]:
    return {k: g.reshape(inputs[k].shape) for k, g in gradients.items()}


_IMAGES = (
    Form("takes images (N, C, H, W)", _images, plain=lambda i: True),
    Form("takes images (N, C, H, W)", _of_the_batch, plain=lambda i: True),
    Form(
        "takes images (N, C, H, W), and parameters (1, C, 1, 1)",
        _of_the_batch,
        _by_channel,
        pull=_flat,
        plain=lambda i: True,
    ),
)

_BN_PARAM = {"bn_param": ("bn_param", "bn_params")}

LAYER_NORM = (
    Form(),
    Form(
        "a dictionary of its options",
        dress=lambda i: {**i, "ln_param": {"eps": i.get("eps", 1e-5)}},
        extras={"ln_param": ("ln_param", "ln_params")},
        suits=lambda p: "ln_param" in p.own,
    ),
    Form("takes sequences (N, L, D)", lambda i: i if i["x"].ndim == 3 else None, plain=lambda i: True),
)
BATCH_NORM = (
    Form(),
    Form("momentum is what stays", dress=_stays, suits=_kept_momentum),
    *(
        Form(
            f"a dictionary of its state{says}",
            dress=_state(keeps),
            extras=_BN_PARAM,
            suits=lambda p: "bn_param" in p.own,
        )
        for says, keeps in ((", momentum is what stays", True), ("", False))
    ),
    *_IMAGES,
)


def _channels(inputs: Inputs) -> int:
    return int(inputs["x"].shape[1])


def _features(inputs: Inputs) -> Any:
    shape = _shape(inputs)
    return shape[0] if len(shape) == 1 else shape


def _shape(inputs: Inputs) -> tuple[int, ...]:
    return tuple(inputs["x"].shape[inputs.get("axis", -1) :])


_SIZES = (
    "num_features", "n_features", "features", "dim", "d", "size", "d_model", "hidden_size",
    "hidden_dim", "in_features", "channels", "num_channels", "embed_dim", "n_out", "D", "C", "c", "n",
)  # fmt: skip

# Roles that follow from the inputs, with their spellings.
DERIVED: Mapping[str, Mapping[str, tuple[Callable[[Inputs], Any], tuple[str, ...]]]] = {
    "batch_norm": {"size": (_channels, _SIZES), "num_dims": (lambda i: i["x"].ndim, ("num_dims", "ndim"))},
    "layer_norm": {
        "shape": (_shape, ("normalized_shape", "normalised_shape", "feature_shape")),
        "size": (_features, _SIZES),
    },
    "cross_entropy": {"size": (lambda i: i["logits"].shape[i.get("axis", -1)], ("num_classes", "n_classes", "k"))},
    "focal_loss": {},
    "softmax_focal_loss": {"size": (lambda i: i["logits"].shape[i.get("axis", -1)], ("num_classes", "n_classes", "k"))},
}


def _affine(value: float) -> Callable[[Inputs, bool], Array]:
    def fill(inputs: Inputs, channels: bool) -> Array:
        shape = (inputs["x"].shape[1],) if channels else inputs["x"].shape[inputs.get("axis", -1) :]
        kind = inputs["x"].dtype if inputs["x"].dtype.kind == "f" else np.float64
        return np.full(shape, value, kind)

    return fill


# Arrays for parameters that the code needs and the input leaves out: they change nothing.
FILLS: Mapping[str, Mapping[str, Callable[[Inputs], Array]]] = {
    "batch_norm": {
        "weight": lambda i: _affine(1.0)(i, True),
        "bias": lambda i: _affine(0.0)(i, True),
        "running_mean": lambda i: _affine(0.0)(i, True),
        "running_var": lambda i: _affine(1.0)(i, True),
    },
    "layer_norm": {"weight": lambda i: _affine(1.0)(i, False), "bias": lambda i: _affine(0.0)(i, False)},
    "softmax": {"mask": lambda i: np.ones(i["x"].shape, bool)},
}
