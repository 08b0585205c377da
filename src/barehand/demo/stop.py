"""A stop of the tour, what it is given, and how it says that something is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from barehand.core.arrays import MissingBackend
from barehand.demo.outcome import Found

# Library -> what people call it, and the extra that brings it.
EXTRAS = {
    "sklearn": ("scikit-learn", "sklearn"),
    "torch": ("torch", "torch"),
    "pyarrow": ("pyarrow", "scale"),
    "matplotlib": ("matplotlib", "lab"),
    "jinja2": ("jinja2", "lab"),
    "skimage": ("scikit-image", "lab"),
}


class MissingData(FileNotFoundError):  # noqa: N818 - a sibling of MissingBackend
    """A file of examples/data is not where the tour looks; the message says where that is."""


def installed(library: str) -> bool:
    """Whether it can be imported, without importing it."""
    return find_spec(library) is not None


def require(library: str) -> None:
    """Raise MissingBackend, naming the extra, unless the library is there."""
    if not installed(library):
        name, extra = EXTRAS[library]
        raise MissingBackend(f"needs {name}: pip install 'barehand[{extra}]'")


@dataclass(frozen=True)
class Context:
    """What every stop gets: a seed, and the folder of the data."""

    seed: int = 0
    data: Path | None = None

    def rng(self) -> np.random.Generator:
        """A fresh generator, so that no stop depends on the ones before it."""
        return np.random.default_rng(self.seed)

    def file(self, name: str) -> Path:
        """A file of the data folder, or MissingData."""
        path = None if self.data is None else self.data / name
        if path is None or not path.is_file():
            where = "is not here" if self.data is None else f"is not in {self.data}"
            raise MissingData(f"{name} {where}: put the project's examples/data here or pass --data")
        return path


@dataclass(frozen=True)
class Stop:
    """One scenario: a block on one real input. A module in `stops` that defines `STOP` is part of the tour."""

    block: str  # the folder in `blocks`
    functions: tuple[str, ...]  # the public functions that it calls
    title: str
    input: str
    visit: Callable[[Context], Found]
    needs: tuple[str, ...] = ()  # libraries beyond NumPy; torch is only ever a peer


def find_data() -> Path | None:
    """The checkout's examples/data: above this package when it is installed editable, else in the current folder."""
    for parent in (*Path(__file__).resolve().parents, Path.cwd()):
        folder = parent / "examples" / "data"
        if (folder / "movielens-small").is_dir() or (folder / "open-bandit").is_dir():
            return folder
    return None
