"""What every public function does with its arguments, whatever it computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import barehand
from barehand import vjp
from barehand.blocks import homes, public, specs
from barehand.core.spec import FULL, BadInput, Case, Spec, cast

BAD = [pytest.param(s, b, id=f"{s.name}-{b.name}") for s in specs().values() for b in s.bad_inputs]


def ordinary(spec: Spec) -> Case:
    return next(c for c in spec.cases if c.gradient and c.grade == "correctness" and set(FULL) <= set(c.dtypes))


def inputs_of(spec: Spec, dtype: Any = np.float64, seed: int = 3) -> dict[str, Any]:
    return cast(ordinary(spec).make(np.random.default_rng(seed)), np.dtype(dtype))


def copies(spec: Spec, inputs: dict[str, Any]) -> dict[str, Any]:
    return {k: v.copy() if k in spec.writes else v for k, v in inputs.items()}


def call(spec: Spec, face: Any, inputs: dict[str, Any], **more: Any) -> Any:
    return getattr(face, spec.name)(*spec.positional(inputs), **spec.named(inputs), **more)


def flat(results: Any) -> list[Any]:
    """Results in a row, whether one or a tuple of them; gradients of bundles taken apart."""
    if isinstance(results, tuple):
        return [a for r in results for a in flat(r)]
    return [] if results is None else [results]


def ones(results: Any, dtype: Any) -> Any:
    """A cotangent for one result, or one for each."""
    return (
        tuple(np.ones(np.shape(r), dtype) for r in results)
        if isinstance(results, tuple)
        else np.ones(np.shape(results), dtype)
    )


def same(left: Any, right: Any) -> None:
    for a, b in zip(flat(left), flat(right), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("spec", "bad"), BAD)
def test_bad_input_is_refused_in_the_house_style(spec: Spec, bad: BadInput) -> None:
    with pytest.raises(bad.error, match=bad.says) as caught:
        spec.run(public(spec.name), bad.make()) if spec.drive else call(spec, barehand, bad.make())
    assert type(caught.value) is bad.error
    assert str(caught.value).startswith(f"{spec.name}: ")
    if spec.vjp is not None and bad.by_vjp:
        with pytest.raises(bad.error, match=bad.says):
            call(spec, vjp, bad.make())


def test_lists_are_taken(function: Spec) -> None:
    spec, inputs = function, inputs_of(function)
    lists = {k: v.tolist() if isinstance(v, np.ndarray) and k not in spec.writes else v for k, v in inputs.items()}
    same(call(spec, barehand, lists), call(spec, barehand, copies(spec, inputs)))


def test_a_tensor_is_refused_by_name(function: Spec) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    spec, inputs = function, inputs_of(function)
    if spec.name in homes("autograd"):
        return  # it takes tensors
    first = spec.signature[0]
    inputs[first] = torch.tensor(inputs[first])
    with pytest.raises(TypeError, match=rf"{spec.name}: {first} is a torch.Tensor.*numpy\(\)"):
        call(spec, barehand, inputs)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_dtype_is_kept(function: Spec, dtype: str) -> None:
    spec, inputs = function, inputs_of(function, dtype)
    results = call(spec, barehand, inputs)
    for result in flat(results):
        kind = np.asarray(result).dtype
        assert kind == (spec.result_dtype or dtype) or kind.kind == "i"
    if spec.vjp is None:
        return
    for gradient in flat(call(spec, vjp, inputs, cotangent=ones(results, dtype))):
        assert type(gradient) is np.ndarray or gradient.ndim == 0
        assert gradient.dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_value_comes_with_the_gradient(differentiable: Spec, dtype: str) -> None:
    """For every reduction where there are several: the fused pass gives what the two functions give."""
    spec = differentiable
    for reduction in ("mean", "sum", "none") if "reduction" in inputs_with_options(spec) else (None,):
        inputs = inputs_of(spec, dtype) | ({"reduction": reduction} if reduction else {})
        still = copies(spec, inputs)
        result = call(spec, barehand, copies(spec, inputs))
        rng = np.random.default_rng(5)
        drawn = [rng.standard_normal(np.shape(r)).astype(dtype) for r in flat(result)]
        cotangent = tuple(drawn) if isinstance(result, tuple) else drawn[0]
        value, gradients = call(spec, vjp, still, cotangent=cotangent, with_value=True)
        for a, b in zip(flat(value), flat(result), strict=True):
            np.testing.assert_allclose(a, b, rtol=4 * np.finfo(dtype).eps)
        same(gradients, call(spec, vjp, inputs, cotangent=cotangent))
        for name in spec.writes:  # a gradient leaves running statistics alone
            if name in inputs:
                np.testing.assert_array_equal(still[name], inputs[name])


def inputs_with_options(spec: Spec) -> set[str]:
    import inspect

    return set(inspect.signature(getattr(barehand, spec.name)).parameters)


def test_a_cotangent_has_the_shape_of_the_result(differentiable: Spec) -> None:
    spec, inputs = differentiable, inputs_of(differentiable)
    shape = np.shape(call(spec, barehand, copies(spec, inputs)))
    with pytest.raises(ValueError, match=f"vjp.{spec.name}: cotangent has shape"):
        call(spec, vjp, inputs, cotangent=np.ones((*shape, 2)))
    if shape:
        with pytest.raises(ValueError, match="pass cotangent="):
            call(spec, vjp, inputs)
    else:
        same(call(spec, vjp, inputs), call(spec, vjp, inputs, cotangent=1.0))


def test_big_endian_and_fortran_order(function: Spec) -> None:
    spec, inputs = function, inputs_of(function)

    def other(name: str, v: Any) -> Any:
        if not isinstance(v, np.ndarray) or name in spec.writes:
            return v
        return np.asfortranarray(v.astype(v.dtype.newbyteorder(">")))

    expected = call(spec, barehand, copies(spec, inputs))
    same(call(spec, barehand, {k: other(k, v) for k, v in inputs.items()}), expected)


def test_out_is_filled_and_returned(function: Spec) -> None:
    spec = function
    if not spec.has_out:
        assert "out" not in inputs_with_options(spec)
        return
    inputs = {k: v for k, v in inputs_of(spec).items() if k not in spec.writes}
    expected = call(spec, barehand, inputs)
    for out in (
        np.empty_like(expected),
        np.asfortranarray(np.empty_like(expected)),
        np.empty((*expected.shape, 2))[..., 0],
    ):
        assert call(spec, barehand, inputs, out=out) is out
        np.testing.assert_array_equal(out, expected)
    first = spec.signature[0]
    inputs[first] = inputs[first].copy()
    assert call(spec, barehand, inputs, out=inputs[first]) is inputs[first]
    np.testing.assert_array_equal(inputs[first], expected)
    big = np.concatenate([expected.ravel(), expected.ravel()])
    x = inputs_of(spec)[first]
    overlapping = big[3 : 3 + x.size].reshape(x.shape)
    big[: x.size] = x.ravel()
    call(spec, barehand, {**inputs, first: big[: x.size].reshape(x.shape)}, out=overlapping)
    np.testing.assert_array_equal(overlapping, expected)


@pytest.mark.parametrize(
    ("out", "error", "says"),
    [
        ([0.0], TypeError, "out must be a numpy array, not list"),
        (np.empty(1), ValueError, "out has shape"),
        (np.empty((2, 3), np.float32), ValueError, "dtype float32"),
    ],
)
def test_a_wrong_out_is_refused(function: Spec, out: Any, error: type[Exception], says: str) -> None:
    spec = function
    if not spec.has_out:
        return
    with pytest.raises(error, match=f"{spec.name}: .*{says}"):
        getattr(barehand, spec.name)(np.ones((2, 3)), out=out)
    locked = np.empty((2, 3))
    locked.setflags(write=False)
    with pytest.raises(ValueError, match="out is read-only"):
        getattr(barehand, spec.name)(np.ones((2, 3)), out=locked)
