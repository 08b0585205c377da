"""What people write for softmax and log-softmax that is wrong, and the advice each earns."""

from __future__ import annotations

from typing import Any

import numpy as np

from barehand.blocks.softmax import textbook
from barehand.core.spec import Mutant


def _kept(x: Any, mask: Any) -> Any:
    return x if mask is None else np.where(mask, x, -np.inf).astype(x.dtype)


def no_shift(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    e = np.exp(_kept(x, mask))
    return e / e.sum(axis=axis, keepdims=True)


def one_shift_for_all(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    x = _kept(x, mask)
    e = np.exp(x - x.max(initial=-np.inf))
    return e / e.sum(axis=axis, keepdims=True)


def last_axis_always(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    return textbook.softmax(x, axis=-1, mask=mask)


def first_axis_always(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    return textbook.softmax(x, axis=0, mask=mask)


def epsilon_below(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    x = _kept(x, mask)
    e = np.exp(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
    return (e / (e.sum(axis=axis, keepdims=True) + 1e-3)).astype(x.dtype)


def clamp_for_shift(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    e = np.exp(np.clip(_kept(x, mask), -50, 50))
    return e / e.sum(axis=axis, keepdims=True)


def no_mask(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    return textbook.softmax(x, axis=axis)


def mask_upside_down(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    return textbook.softmax(x, axis=axis, mask=None if mask is None else ~np.asarray(mask))


def mask_afterwards(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    p = textbook.softmax(x, axis=axis)
    return p if mask is None else p * mask


def overwrites_input(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    if not x.flags.writeable:
        x = x.copy()
    x -= x.max(axis=axis, keepdims=True, initial=-np.inf)
    return textbook.softmax(x, axis=axis, mask=mask)


def diagonal_only(x: Any, *, axis: int = -1, mask: Any = None, cotangent: Any) -> Any:
    p = textbook.softmax(x, axis=axis, mask=mask)
    return (cotangent * p * (1 - p),)


def cotangent_forgotten(x: Any, *, axis: int = -1, mask: Any = None, cotangent: Any) -> Any:
    return textbook.softmax_vjp(x, axis=axis, mask=mask, cotangent=np.ones_like(cotangent))


def log_of_softmax(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    return np.log(textbook.softmax(x, axis=axis, mask=mask))


def log_with_epsilon(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    return np.log(textbook.softmax(x, axis=axis, mask=mask) + np.asarray(1e-7, x.dtype))


def shift_not_added_back(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    d = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
    return _kept(x, mask) - np.log(np.exp(_kept(d, mask)).sum(axis=axis, keepdims=True))


def log_no_shift(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    x = _kept(x, mask)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def log_last_axis_always(x: Any, *, axis: int = -1, mask: Any = None) -> Any:
    return textbook.log_softmax(x, axis=-1, mask=mask)


def gradient_without_softmax(x: Any, *, axis: int = -1, mask: Any = None, cotangent: Any) -> Any:
    g = cotangent if mask is None else np.where(mask, cotangent, 0)
    return (g - g.mean(axis=axis, keepdims=True),)


_SHIFT = {
    "en": "exp overflows for large scores: subtract each slice's own maximum first.",
    "zh": "分数较大时 exp 会溢出：先减去该切片自己的最大值。",
}
_AXIS = {"en": "The axis argument is ignored.", "zh": "忽略了 axis 参数。"}

SOFTMAX = (
    Mutant("no maximum subtracted", _SHIFT, no_shift),
    Mutant(
        "one maximum for all slices",
        {
            "en": "One maximum for the whole array: slices far below it become 0/0. Take the maximum along the axis.",
            "zh": "整个数组共用一个最大值，远小于它的切片会下溢成 0/0。应沿 axis 取最大值。",
        },
        one_shift_for_all,
    ),
    Mutant("always the last axis", _AXIS, last_axis_always),
    Mutant("always the first axis", _AXIS, first_axis_always),
    Mutant(
        "an epsilon in the denominator",
        {
            "en": "The sum is at least 1 after the shift: the epsilon only spoils it.",
            "zh": "减去最大值后分母至少为 1，加 epsilon 只会引入误差。",
        },
        epsilon_below,
    ),
    Mutant(
        "clamping in place of shifting",
        {
            "en": "Clamping makes 1000 and 999 equal. Subtract the maximum.",
            "zh": "截断会让 1000 与 999 变得相同。应减去最大值。",
        },
        clamp_for_shift,
    ),
    Mutant("the mask ignored", {"en": "The mask has no effect.", "zh": "mask 没有起作用。"}, no_mask),
    Mutant(
        "the mask upside down",
        {
            "en": "True means keep here; this removes what it should keep.",
            "zh": "此处 True 表示保留，你的实现正好相反。",
        },
        mask_upside_down,
    ),
    Mutant(
        "the mask applied afterwards",
        {
            "en": "Masked entries still count in the sum: mask before the exponential.",
            "zh": "被屏蔽的项仍计入分母：应在取指数之前屏蔽。",
        },
        mask_afterwards,
    ),
    Mutant(
        "the input overwritten",
        {
            "en": "x -= ... changes the caller's array. Write x = x - ....",
            "zh": "x -= ... 会改动调用者的数组，应写成 x = x - ...。",
        },
        overwrites_input,
    ),
    Mutant(
        "only the diagonal of the Jacobian",
        {
            "en": "Every output depends on every input: subtract p_i times sum(g p).",
            "zh": "每个输出依赖所有输入：还需减去 p_i 乘以 sum(g p)。",
        },
        vjp=diagonal_only,
    ),
    Mutant(
        "the cotangent forgotten",
        {
            "en": "The gradient of the sum, which is always zero: multiply by the incoming gradient.",
            "zh": "这是对总和的梯度，恒为零：应乘上传入的梯度。",
        },
        vjp=cotangent_forgotten,
    ),
)

LOG_SOFTMAX = (
    Mutant(
        "the logarithm of softmax",
        {
            "en": "Far below the maximum softmax is 0 and its logarithm -inf: use x - max - log sum exp(x - max).",
            "zh": "远小于最大值时 softmax 为 0，取对数得 -inf：应写成 x - max - log sum exp(x - max)。",
        },
        log_of_softmax,
    ),
    Mutant(
        "an epsilon inside the logarithm",
        {
            "en": "log(p + eps) can go no lower than log eps: -16 where -1000 is right.",
            "zh": "log(p + eps) 最低只能到 log eps：本应为 -1000 处得到 -16。",
        },
        log_with_epsilon,
    ),
    Mutant(
        "the shift not added back",
        {"en": "The maximum was subtracted inside the sum only.", "zh": "只在求和里减去了最大值，外面没有对应处理。"},
        shift_not_added_back,
    ),
    Mutant("no maximum subtracted", _SHIFT, log_no_shift),
    Mutant("always the last axis", _AXIS, log_last_axis_always),
    Mutant(
        "the mean for the softmax in the gradient",
        {
            "en": "The gradient subtracts p_i times sum(g), not the mean of g.",
            "zh": "梯度应减去 p_i 乘以 sum(g)，而不是 g 的均值。",
        },
        vjp=gradient_without_softmax,
    ),
)
