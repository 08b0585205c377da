"""The inputs that come with scikit-learn: digits, breast cancer, diabetes and wine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from barehand.demo.measure import Array
from barehand.demo.stop import Context


@dataclass(frozen=True)
class Split:
    """Rows to learn from, and rows held out to judge by."""

    x: Array
    y: Array
    x_held: Array
    y_held: Array


def _split(context: Context, x: Array, y: Array) -> Split:
    """Two thirds and one third, at random."""
    order = context.rng().permutation(len(x))
    held, kept = order[: len(x) // 3], order[len(x) // 3 :]
    return Split(x[kept], y[kept], x[held], y[held])


def digits(context: Context) -> Split:
    """1,797 images of 8 x 8 pixels, from 0 to 1, and the digit on each."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return _split(context, (x / 16).astype(np.float32), y.astype(np.int64))


def breast_cancer(context: Context) -> Split:
    """569 tumours, 30 measurements each as they were taken, and 1 for a benign one."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return _split(context, x.astype(np.float32), y.astype(np.int64))


def diabetes(context: Context) -> Split:
    """442 patients, 10 measurements in their own units, and how far the disease went in a year."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    return _split(context, x.astype(np.float32), y.astype(np.float32))


def wine(context: Context) -> Split:
    """178 wines of three growers, 13 chemical measurements in their own units, and whose wine it is."""
    from sklearn.datasets import load_wine

    return _split(context, *load_wine(return_X_y=True))
