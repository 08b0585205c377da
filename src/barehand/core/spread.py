"""Whether numbers lie well for torch's own norms, which compute x / spread - mean / spread."""

from __future__ import annotations

from typing import Any

from barehand.core.jit import kernel


@kernel
def lies_well(mean: Any, inverse: Any) -> Any:
    """Whether no mean is more than twice its spread, 1 / inverse, and the cube of the inverse fits; nan does not."""
    good = True
    for j in range(mean.size):
        size = abs(mean[j]) * inverse[j]
        good &= (size <= 2) & (inverse[j] > 1e-9) & (inverse[j] < 1e9)
    return good
