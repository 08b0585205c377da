"""One child with one program: steps go in, values come back, and what ends it is said in words."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from barehand.judge import wire
from barehand.judge.channel import MOST_PRINTED, Channel, Flooded, Gone, Late
from barehand.judge.ends import Crashed, OutOfMemory, Stopped, TheirError, TimedOut


@dataclass(frozen=True)
class Program:
    """What is run first in a child: a source, the name of its file and the line of the file at which it begins."""

    source: str
    filename: str
    line: int = 1


class Parameter(NamedTuple):
    """A parameter of something callable; the kind as `inspect` words it, in small letters."""

    name: str
    kind: str
    default: str | None


class Child(NamedTuple):
    """A child by its number, which the next start of the waiting process may give to another."""

    start: int
    pid: int


class Owner(Protocol):
    """What a session asks of its workshop."""

    memory: int

    def fork(self, channel: Channel, source: str) -> Child:
        """A new child on the other end of the channel."""

    def end(self, child: Child, grace: float) -> dict[str, Any] | None:
        """End a child, and how it ended."""


class Session:
    """One child with one program; started again, and the program loaded again, when a call killed it."""

    def __init__(self, workshop: Owner, program: Program, seconds: float) -> None:
        self.seconds, self.program = seconds, program
        self._workshop = workshop
        self._channel: Channel | None = None
        self._child = Child(0, 0)
        self._tail = b""
        self.names: dict[str, str] = {}
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, steps: Sequence[dict[str, Any]], *, seconds: float | None = None) -> list[Any]:
        """Do the steps; the values of those that return some, in order.

        Raises:
            Stopped: the child ended, or had to be; the next run begins with a fresh one, without the variables.
            TheirError: the program raised; the child and its variables live on.
        """
        if self._channel is None:
            self._begin()
        arrays: list[tuple[str, tuple[int, ...], bytes]] = []
        plain = [wire.question(step, arrays) for step in steps]
        return self._exchange(plain, arrays, self.seconds if seconds is None else seconds)

    def time(self, steps: Sequence[dict[str, Any]], repeats: int, *, seconds: float | None = None) -> list[float]:
        """Seconds that each run of the steps takes by the judge's clock, the way there and back included."""
        found = []
        for _ in range(repeats):
            start = time.perf_counter()
            self.run(steps, seconds=seconds)
            found.append(time.perf_counter() - start)
        return found

    def signature(self, name: str) -> list[Parameter]:
        """The parameters of a function, class or method of the program."""
        [parameters] = self.run(
            [
                {"do": "signature", "of": {"name": name}, "to": "signature of"},
                {"do": "return", "values": [{"var": "signature of"}]},
            ]
        )
        return [Parameter(*p) for p in parameters]

    @property
    def output(self) -> str:
        """The end of what the program printed."""
        if self._channel is not None:
            with contextlib.suppress(Flooded):
                self._channel.drain()
            self._tail = self._channel.tail
        return self._tail.decode(errors="replace")

    def close(self) -> None:
        """End the child."""
        if self._channel is not None:
            self._end(0.0)

    def _begin(self) -> None:
        self._channel = Channel()
        try:
            self._child = self._workshop.fork(self._channel, self.program.source)
        except BaseException:
            self._channel.close()
            self._channel = None
            raise
        self._channel.hand_over()
        program = self.program
        load = {"do": "load", "source": program.source, "filename": program.filename, "line": program.line}
        try:
            [names] = self._exchange(
                [
                    load,
                    {"do": "names", "to": "names"},
                    {"do": "return", "values": [{"var": "names"}]},
                    {"do": "forget"},
                ],
                [],
                self.seconds,
            )
        except TheirError:
            self.close()
            raise
        self.names = names if isinstance(names, dict) else {}

    def _exchange(self, steps: list[Any], arrays: list[Any], seconds: float) -> list[Any]:
        assert self._channel is not None
        token = os.urandom(8).hex()
        try:
            header, found = self._channel.exchange(wire.pack({"id": token, "steps": steps}, arrays), seconds)
            if header.pop("id", None) != token:
                raise wire.Garbled("the answer to another question")
            outcome = self._outcome(header, found)
            most = sum(len(step["values"]) for step in steps if step["do"] == "return")
            if isinstance(outcome, list) and len(outcome) != most:
                raise wire.Garbled("another number of values than was asked for")
        except Gone:
            raise self._ended() from None
        except (Late, Flooded, wire.Garbled) as end:
            self._end(0.0)
            if isinstance(end, Late):
                raise TimedOut(f"took longer than {seconds:g} s") from None
            if isinstance(end, Flooded):
                raise Stopped(f"printed more than {MOST_PRINTED >> 20} MB") from None
            raise Crashed("crashed: wrote into the channel of its answers") from None
        except BaseException:  # Ctrl-C: an answer is on its way that nobody will take
            self._end(0.0)
            raise
        if isinstance(outcome, Stopped):
            self._end(0.0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _outcome(self, header: dict[str, Any], arrays: list[Any]) -> list[Any] | Exception:
        """What a reply says: values, or what went wrong."""
        match header:
            case {"told": [*groups]}:
                return [v for group in groups for v in wire.listed(group, arrays)]
            case {"memory": True}:
                return OutOfMemory(self._too_much())
            case {"stopped": str(reason)}:
                return Stopped(reason)
            case {
                "error": {
                    "type": str(kind),
                    "message": str(message),
                    "line": int() | None as line,
                    "traceback": str(trace),
                    "step": int(step),
                }
            }:
                return TheirError(kind, message, line, trace, step)
        raise wire.Garbled("a reply of no known kind")

    def _end(self, grace: float) -> dict[str, Any] | None:
        assert self._channel is not None
        ended = self._workshop.end(self._child, grace)
        self.output  # noqa: B018 - kept for when the channel is gone
        self._channel.close()
        self._tail = self._channel.tail
        self._channel = None
        return ended

    def _ended(self) -> Stopped:
        """Why the child is gone."""
        ended = self._end(1.0)
        if ended is None:
            return Crashed("crashed: took down the process that it was forked from")
        if not ended["itself"]:
            return Crashed("crashed: closed the channel of its answers")
        status = ended["status"]
        if os.WIFEXITED(status):
            code = os.WEXITSTATUS(status)
            if code == wire.UNPROTECTED:
                raise OSError("barehand check: a child's protections did not go up, so nothing was run")
            known = {
                wire.BROKEN: "crashed: broke the interpreter",
                wire.UNHEARD: "crashed: closed the channel of its answers",
            }
            return Crashed(known.get(code, f"called os._exit({code})"))
        number = os.WTERMSIG(status)
        if number == signal.SIGABRT and "bad_alloc" in self.output:
            return OutOfMemory(self._too_much())
        if number == signal.SIGXCPU:
            return TimedOut("used too much processor time")
        return Crashed(f"crashed: {(signal.strsignal(number) or f'signal {number}').lower()}")

    def _too_much(self) -> str:
        return f"used more than {self._workshop.memory / (1 << 30):g} GiB"
