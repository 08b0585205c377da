"""Kind in, kind out: a call with tensors goes to the function's twin for tensors.

torch is looked up where its user has put it, in `sys.modules`, and never imported from here.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, ParamSpec

P = ParamSpec("P")


def twin_of(name: str) -> Callable[..., Any]:
    """The function for tensors; torch.compile traces the import statement as a constant."""
    from barehand import tensors

    return getattr(tensors, name)  # type: ignore[no-any-return]


def by_kind(function: Callable[P, Any]) -> Callable[P, Any]:
    """A public function on arrays that also takes tensors, through `barehand.tensors`."""
    name = function.__name__
    twin: Callable[..., Any] | None = None

    def of_tensors() -> Callable[..., Any]:
        nonlocal twin
        if twin is None:
            twin = twin_of(name)
        return twin

    @functools.wraps(function)
    def dispatched(*args: P.args, **kwargs: P.kwargs) -> Any:
        torch = sys.modules.get("torch")
        if torch is not None:
            kind = torch.Tensor
            for value in args:
                if isinstance(value, kind):
                    return (twin or of_tensors())(*args, **kwargs)
            for value in kwargs.values():
                if isinstance(value, kind):
                    return (twin or of_tensors())(*args, **kwargs)
        return function(*args, **kwargs)

    return dispatched


def of_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on arrays itself: its options may be tensors of one number, which are no reason to go elsewhere."""
    return getattr(function, "__wrapped__", function)
