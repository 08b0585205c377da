"""The child process in which the program under test runs, as the judge sees it.

    with Workshop() as workshop, workshop.session(Program(source, "answer.py")) as session:
        [y] = session.run([
            {"do": "call", "to": "y", "function": {"name": "softmax"}, "args": [np.ones(3)]},
            {"do": "return", "values": [{"var": "y"}]},
        ])

The child does as it is told, one step after another, and knows nothing of what is right; `steps.Interpreter` says what
each step does. A value of a step is plain JSON, a NumPy array or scalar, `{"list": [V]}`, `{"tuple": [V]}`,
`{"dict": {k: V}}`, `{"record": {k: V}}` (an object with these attributes), `{"slope": [A, C]}` (the function A (x - C)
of x), `{"var": "x"}` or `{"name": "softmax"}` (these two with an optional "attr"); or an array in dress,
`{"array": A, "as": "numpy" | "torch" | "list"}` with the options "grad", "dtype" (of torch), "strided" and "read_only".
Any step may carry `"no_grad": True`.
"""

from __future__ import annotations

from barehand.judge.ends import Crashed, OutOfMemory, Stopped, TheirError, TimedOut
from barehand.judge.session import Parameter, Program, Session
from barehand.judge.wire import Other, Tensor
from barehand.judge.workshop import Workshop

__all__ = [
    "Crashed",
    "Other",
    "OutOfMemory",
    "Parameter",
    "Program",
    "Session",
    "Stopped",
    "Tensor",
    "TheirError",
    "TimedOut",
    "Workshop",
]
