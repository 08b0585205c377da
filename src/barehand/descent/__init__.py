"""Minimising a mean of losses over rows: what the estimators of linear models share.

A block passes its formula in as a kernel on scores; here are the sweeps over the data, the steps and the stopping.
"""

from __future__ import annotations

from barehand.core.arrays import MissingBackend

try:
    import sklearn  # noqa: F401 - with it come SciPy and threadpoolctl
except ImportError as error:
    raise MissingBackend(
        f"linear_model: scikit-learn is not installed ({error}); pip install barehand[sklearn]"
    ) from None
