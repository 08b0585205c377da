"""What the suites share: every spec of the library, and one seed for the whole run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from barehand.blocks import specs
from barehand.core import threads
from barehand.core.spec import Spec

ALL = list(specs().values())
FUNCTIONS = [s for s in ALL if s.drive is None]  # the others are classes
SEED = int(os.environ.get("BAREHAND_SEED", "0"))


@pytest.fixture(params=ALL, ids=lambda s: s.name)
def spec(request: pytest.FixtureRequest) -> Spec:
    return request.param


@pytest.fixture(params=FUNCTIONS, ids=lambda s: s.name)
def function(request: pytest.FixtureRequest) -> Spec:
    """A spec of a plain function."""
    return request.param


@pytest.fixture(params=[s for s in FUNCTIONS if s.vjp], ids=lambda s: s.name)
def differentiable(request: pytest.FixtureRequest) -> Spec:
    """A spec of a function with a gradient."""
    return request.param


@pytest.fixture
def seed() -> int:
    return SEED


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = threads.get_num_threads()
    yield
    threads.set_num_threads(before)
