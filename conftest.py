"""Doctests of what needs an optional library are left out where it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

_NEEDS = {
    "torch": [
        "blocks/*/autograd.py",
        "blocks/*/module.py",
        "blocks/*/optimizer.py",
        "core/tensors.py",
        "core/composed.py",
    ],
    "sklearn": ["blocks/*/estimator.py", "descent/*.py"],
}

collect_ignore_glob = ["src/barehand/judge/variants/*"] + [
    f"src/barehand/{files}" for library, found in _NEEDS.items() if not find_spec(library) for files in found
]
