"""The weights of a multi-head attention, as one argument."""

from __future__ import annotations

from typing import Any, NamedTuple


class AttentionWeights(NamedTuple):
    """Projections of queries, keys, values and result, each (out, in) as in torch.nn.Linear; biases (out,) or None.

    `w_q` and `w_k` have d_k rows a head, `w_v` has d_v rows a head; the heads' rows follow one another, the first head
    on top. `w_o` has d_v columns a head; None leaves the heads side by side as the result.
    """

    w_q: Any
    w_k: Any
    w_v: Any
    w_o: Any = None
    b_q: Any = None
    b_k: Any = None
    b_v: Any = None
    b_o: Any = None
