"""The judge's end of a child's pipes: frames out, frames in, what it prints, all against one clock."""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import Any

from barehand.judge import wire

with contextlib.suppress(ImportError):  # Windows has none, and is told so by the workshop
    import fcntl

TAIL = 4096
MOST_PRINTED = 10 << 20
ROOM = 1 << 20  # in a pipe


class Gone(Exception):  # noqa: N818 - the three ends that a channel knows
    """The child closed its end, or wrote what is no answer."""


class Late(Exception):  # noqa: N818 - as above
    """The time is over."""


class Flooded(Exception):  # noqa: N818 - as above
    """The child printed more than is read."""


class Channel:
    """Three pipes: questions, answers, and what is printed. The judge's ends never block."""

    def __init__(self) -> None:
        question, self._question = os.pipe()
        self._answer, answer = os.pipe()
        self._output, output = os.pipe()
        self.theirs: tuple[int, ...] = (question, answer, output)
        for fd in (self._question, self._answer, self._output):
            os.set_blocking(fd, False)
            with contextlib.suppress(OSError, AttributeError):  # fewer turns for large arrays, on Linux
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, ROOM)
        self.tail = b""
        self._printed = 0

    def hand_over(self) -> None:
        """Close the child's ends here, once it has them."""
        for fd in self.theirs:
            os.close(fd)
        self.theirs = ()

    def close(self) -> None:
        """Give the pipes back; read first what was printed last."""
        with contextlib.suppress(Flooded):
            self.drain()
        for fd in (*self.theirs, self._question, self._answer, self._output):
            os.close(fd)
        self.theirs = ()

    def exchange(self, frame: bytes, seconds: float) -> tuple[dict[str, Any], list[Any]]:
        """Send a frame and wait for the one that answers it."""
        until = time.monotonic() + seconds
        rest, heard = memoryview(frame), bytearray()
        waiting = select.poll()
        waiting.register(self._answer, select.POLLIN)
        waiting.register(self._output, select.POLLIN)
        waiting.register(self._question, select.POLLOUT)
        while True:
            left = until - time.monotonic()
            ready = dict(waiting.poll(max(left, 0) * 1000))
            if left <= 0:
                raise Late
            if self._question in ready:
                rest = self._send(rest)
                if not rest:
                    waiting.unregister(self._question)
            if self._output in ready and not self.drain():
                waiting.unregister(self._output)
            if self._answer in ready and (size := self._hear(heard)) is not None:
                text = bytes(heard[wire.HEAD.size : wire.HEAD.size + size])
                return wire.unpack(text, heard[wire.HEAD.size + size :])

    def _send(self, rest: memoryview) -> memoryview:
        try:
            return rest[os.write(self._question, rest[: 1 << 20]) :]
        except BlockingIOError:
            return rest
        except BrokenPipeError:
            raise Gone from None

    def _hear(self, heard: bytearray) -> int | None:
        """Read on; the length of the header once the whole frame is here."""
        try:
            part = os.read(self._answer, 1 << 20)
        except BlockingIOError:
            return None
        if not part:
            raise Gone
        heard += part
        if len(heard) < wire.HEAD.size:
            return None
        header, body = wire.lengths(bytes(heard[: wire.HEAD.size]))
        if len(heard) > wire.HEAD.size + header + body:
            raise wire.Garbled("more than one answer to a question")
        return header if len(heard) == wire.HEAD.size + header + body else None

    def drain(self) -> bool:
        """Read what was printed so far, keeping its end; whether more can come."""
        while True:
            try:
                part = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return True
            if not part:
                return False
            self.tail = (self.tail + part)[-TAIL:]
            self._printed += len(part)
            if self._printed > MOST_PRINTED:
                raise Flooded
