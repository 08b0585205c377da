"""scikit-learn estimators; they need the extra `sklearn`: `pip install barehand[sklearn]`."""

from __future__ import annotations

from barehand.blocks import homes as _homes
from barehand.core.lazy import face as _face

__getattr__, __dir__ = _face(__name__, _homes("estimator"))
