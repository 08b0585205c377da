"""What the suites share: every spec of the library, and one seed for the whole run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from barehand.blocks import specs
from barehand.core import threads
from barehand.core.spec import Spec

ALL = list(specs().values())
SEED = int(os.environ.get("BAREHAND_SEED", "0"))


@pytest.fixture(params=ALL, ids=lambda s: s.name)
def spec(request: pytest.FixtureRequest) -> Spec:
    return request.param


@pytest.fixture
def seed() -> int:
    return SEED


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = threads.get_num_threads()
    yield
    threads.set_num_threads(before)
