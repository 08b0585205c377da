"""The textbook's gradients against finite differences in long double: the reference is itself checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from barehand.blocks import specs
from barehand.core.spec import DOUBLE, Case, Spec, cast

STEP = np.longdouble(2) ** -26
# (f(x + h) - f(x - h)) / 2h errs by h² f''' / 6, up to 1e-10 where eps = 1e-5 sets the scale, and by rounding over h,
# about 1e-11.
CLOSE = 1e-8


def smooth(case: Case) -> bool:
    return case.gradient and case.grade != "stability" and DOUBLE in case.dtypes


CASES = [pytest.param(s, c, id=f"{s.name}-{c.name}") for s in specs().values() if s.vjp for c in s.cases if smooth(c)]


@pytest.mark.parametrize(("spec", "case"), CASES)
def test_textbook_gradient_is_the_slope(spec: Spec, case: Case) -> None:
    rng = np.random.default_rng(11)
    inputs = cast(case.make(rng), np.dtype(np.longdouble))
    results = spec.results(spec.run(spec.reference, inputs), inputs)
    cotangents = tuple(rng.standard_normal(np.shape(r)).astype(np.longdouble) for r in results)
    assert spec.vjp is not None
    gradients = iter(spec.pull_back(spec.vjp, inputs, cotangents if len(results) > 1 else cotangents[0]))

    def weighed(values: Any) -> list[Any]:  # a masked entry is -inf and stays so
        return [np.where(np.isfinite(v), v, 0) * g for v, g in zip(values, cotangents, strict=True)]

    def loss(name: str, moved: Any) -> Any:
        values = spec.results(spec.run(spec.reference, {**inputs, name: moved}), inputs)
        return sum(np.sum(w) for w in weighed(values))

    checked = 0
    for name in spec.differentiable:
        x = inputs.get(name)
        if x is None:
            continue
        gradient = next(gradients)
        if np.asarray(x).dtype.kind != "f":
            continue
        unit = np.abs(x) if inputs.get("from_probabilities") else 1  # a probability stays one
        for _ in range(4):  # random directions see every entry
            direction = rng.standard_normal(np.shape(x)).astype(np.longdouble) * unit
            slope = (loss(name, x + STEP * direction) - loss(name, x - STEP * direction)) / (2 * STEP)
            size = np.sum(np.abs(gradient * direction)) + sum(np.sum(np.abs(w)) for w in weighed(results)) + 1
            if np.isfinite(slope):
                assert abs(slope - np.sum(gradient * direction)) <= CLOSE * size
                checked += 1
    assert checked or np.asarray(inputs[spec.differentiable[0]]).dtype.kind != "f" or "nan" in case.name
