"""How a run can end without an answer: stopped, or by an exception of the program's own."""

from __future__ import annotations


class Stopped(Exception):  # noqa: N818 - a verdict on the program, not an error here
    """The child did not come to an answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Crashed(Stopped):
    """The child ended before it answered."""


class TimedOut(Stopped):
    """The child was ended because it took too long."""


class OutOfMemory(Stopped):
    """The program asked for more memory than it may have."""


class TheirError(Exception):
    """An exception that the program raised: type and message, the line in its source, the frames of its code."""

    def __init__(self, type: str, message: str, line: int | None, traceback: str, step: int = 0) -> None:
        super().__init__(f"{type}: {message}" + (f" (line {line})" if line else ""))
        self.type, self.message, self.line, self.traceback, self.step = type, message, line, traceback, step
