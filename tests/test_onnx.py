"""The ONNX operator tests for our blocks: every case that our signatures can express, the rest counted by reason."""

from __future__ import annotations

import warnings
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

import barehand as bh

pytest.importorskip("onnx", reason="onnx is not installed")

OPERATORS = ("Softmax", "LogSoftmax", "LayerNormalization", "BatchNormalization", "SoftmaxCrossEntropyLoss")
# How many cases each operator has at least: a loader that finds none must not pass.
AT_LEAST = {
    "Softmax": 7,
    "LogSoftmax": 7,
    "LayerNormalization": 19,
    "BatchNormalization": 4,
    "SoftmaxCrossEntropyLoss": 34,
}


@cache
def cases() -> dict[str, list[Any]]:
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the suite divides by zero on purpose elsewhere
        found = load_model_tests(kind="node")
    by_operator: dict[str, list[Any]] = {name: [] for name in (*OPERATORS, "expanded")}
    for case in found:
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in OPERATORS:
            by_operator[nodes[0].op_type].append(case)
        elif any(
            case.name.startswith(p)
            for p in ("test_softmax", "test_logsoftmax", "test_layer_norm", "test_sce", "test_batchnorm")
        ):
            by_operator["expanded"].append(case)
    return by_operator


def attributes(node: Any) -> dict[str, Any]:
    import onnx

    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def answer(operator: str, options: dict[str, Any], inputs: list[Any], wanted: int) -> list[Any]:
    """Our results in the order of the operator's outputs; fewer where our function has no such result."""
    if operator == "Softmax":
        return [bh.softmax(*inputs, axis=options.get("axis", -1))]
    if operator == "LogSoftmax":
        return [bh.log_softmax(*inputs, axis=options.get("axis", -1))]
    if operator == "LayerNormalization":
        return [bh.layer_norm(*inputs, axis=options.get("axis", -1), eps=options.get("epsilon", 1e-5))]
    if operator == "BatchNormalization":
        x, weight, bias, mean, var = inputs
        mean, var = mean.copy(), var.copy()
        training = bool(options.get("training_mode", 0))
        # ONNX's momentum is the weight of the old value.
        y = bh.batch_norm(
            x, weight, bias, running_mean=mean, running_var=var, training=training,
            momentum=1 - options.get("momentum", 0.9), eps=options.get("epsilon", 1e-5),
        )  # fmt: skip
        return [y, mean][:wanted]
    logits, target, *weight = inputs
    loss = bh.cross_entropy(
        logits, target, axis=1, weight=weight[0] if weight else None,
        ignore_index=options.get("ignore_index", -100), reduction=options["reduction"].decode(),
    )  # fmt: skip
    return [loss, bh.log_softmax(logits, axis=1)][:wanted]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", [c for o in OPERATORS for c in cases()[o]], ids=lambda c: c.name)


def test_operator(case: Any) -> None:
    node = case.model.graph.node[0]
    for inputs, expected in case.data_sets:
        got = answer(node.op_type, attributes(node), list(inputs), len(expected))
        assert got
        for ours, theirs in zip(got, expected, strict=False):
            assert np.shape(ours) == np.shape(theirs)
            np.testing.assert_allclose(ours, theirs, rtol=case.rtol, atol=case.atol)


def test_every_case_is_accounted_for() -> None:
    for operator, least in AT_LEAST.items():
        assert len(cases()[operator]) >= least
    skipped: Counter[str] = Counter()
    skipped["written out in other operators: nothing of ours to call"] = len(cases()["expanded"])
    for operator in ("LayerNormalization", "BatchNormalization"):
        for case in cases()[operator]:
            outputs = len(case.data_sets[0][1])
            if operator == "LayerNormalization" and outputs > 1:
                skipped["mean and 1/sd as further outputs: ours returns y alone"] += outputs - 1
            if operator == "BatchNormalization" and outputs > 2:
                skipped["running variance with the biased variance: ours is unbiased, as torch"] += 1
    print(dict(skipped))
    assert set(skipped) == {
        "written out in other operators: nothing of ours to call",
        "mean and 1/sd as further outputs: ours returns y alone",
        "running variance with the biased variance: ours is unbiased, as torch",
    }
