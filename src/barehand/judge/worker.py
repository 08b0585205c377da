"""The process that waits: it imports NumPy once and forks a fresh child for every item.

It obeys one socket and knows neither programs nor answers. In the fork, protections come first, then the loop that
reads steps and writes replies. The child ends by `os._exit` or a signal, so nothing the program left to be done at
exit is done.
"""

from __future__ import annotations

import builtins
import faulthandler
import json
import os
import random
import shutil
import signal
import socket
import sys
import time
import warnings
from contextlib import suppress
from importlib import import_module
from os import _exit, read, write
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from barehand.judge import sandbox
from barehand.judge.steps import Interpreter
from barehand.judge.values import TooLarge
from barehand.judge.wire import BROKEN, HEAD, UNHEARD, UNPROTECTED, lengths, pack, unpack

PROGRAM = "program"  # what `__name__` is; not "__main__", whose guards are not part of what is judged
MOST_FRAMES = 6


def serve(options: dict[str, Any], namespaces: list[str]) -> NoReturn:
    """Prepare, say what is in force, then fork on request until the judge hangs up."""
    line = socket.socket(fileno=options["control"])
    folder, memory = options["folder"], options["memory"]
    sys.argv = [PROGRAM]
    try:
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
        sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        import_module("numpy.random")
        if options["torch"]:
            _import("torch")
            _import("torch.fx.experimental.symbolic_shapes")  # the first gradient would: almost a second
        active = sandbox.verified(folder, memory)
    except Exception as error:
        _say(line, {"failed": f"{type(error).__name__}: {error}"})
        os._exit(1)
    _say(line, {"active": [*active, *([f"namespaces: {', '.join(namespaces)}"] if namespaces else [])]})
    live: dict[int, str] = {}
    while True:
        message, fds, _, _ = socket.recv_fds(line, 4096, 3)
        if not message:
            os._exit(0)
        request = json.loads(message)
        if request["do"] == "fork":
            for library in request["libraries"]:
                with suppress(Exception):  # the program's own import says what is missing
                    _import(library)
            own = os.path.join(folder, request["folder"])
            os.mkdir(own, 0o700)
            pid = os.fork()
            if pid == 0:
                _become_child(line, fds, own, options, active)
            for fd in fds:
                os.close(fd)
            live[pid] = own
            _say(line, {"pid": pid})
        else:
            _say(line, _end(request["pid"], request["grace"], live))


def _import(library: str) -> None:
    module = import_module(library)
    if library == "torch":
        module.set_num_threads(1)


def _say(line: socket.socket, answer: dict[str, Any]) -> None:
    line.sendall(json.dumps(answer).encode() + b"\n")


def _end(pid: int, grace: float, live: dict[int, str]) -> dict[str, Any]:
    """Kill the child and what it left behind; how it ended, if it ended by itself within the grace."""
    until = time.monotonic() + grace
    ended, status, usage = os.wait4(pid, os.WNOHANG)
    while not ended and time.monotonic() < until:
        time.sleep(0.001)
        ended, status, usage = os.wait4(pid, os.WNOHANG)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    if not ended:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
    own = live.pop(pid)
    sandbox.sweep(live)
    shutil.rmtree(own, ignore_errors=True)
    return {"status": status, "itself": bool(ended), "memory": usage.ru_maxrss}


def _become_child(
    line: socket.socket, fds: list[int], own: str, options: dict[str, Any], active: list[str]
) -> NoReturn:
    try:
        os.setsid()
        line.close()
        question, answer = _hidden(fds[0]), _hidden(fds[1])
        for standard in (1, 2):
            os.dup2(fds[2], standard)
        os.close(fds[2])
        os.chdir(own)
        for name in ("HOME", "TMPDIR", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
            os.environ[name] = own
        sys.path[:0] = options["path"]  # here and not before: what is imported from there is theirs
        random.seed()
        faulthandler.enable(2)
        warnings.simplefilter("default")
        sandbox.restrict(own, options["memory"], active)
    except BaseException:
        os._exit(UNPROTECTED)
    try:
        _attend(question, answer)
    finally:
        _exit(BROKEN)


def _hidden(fd: int) -> int:
    """The same pipe at a place that is not among the first."""
    while True:
        place = random.SystemRandom().randrange(32, sandbox.OPEN_FILES)
        try:
            os.fstat(place)
        except OSError:
            os.dup2(fd, place, inheritable=False)
            os.close(fd)
            return place


def _attend(question: int, answer: int) -> NoReturn:
    """Read steps, do them, reply; until the judge hangs up."""
    sys.modules["builtins"] = theirs = ModuleType("builtins")
    theirs.__dict__.update(vars(builtins))  # a copy: what the program replaces there is not replaced here
    interpreter = Interpreter(PROGRAM)
    interpreter.space["__builtins__"] = theirs
    out, err = sys.stdout, sys.stderr
    while True:
        head = _exactly(question, HEAD.size)
        header_length, body_length = lengths(bytes(head))
        header, arrays = unpack(bytes(_exactly(question, header_length)), _exactly(question, body_length))
        reply: dict[str, Any]
        try:
            interpreter.run(header["steps"], arrays)
            reply = {"told": interpreter.told}
        except SystemExit:
            reply = {"stopped": "called sys.exit"}
        except TooLarge as large:
            reply = {"stopped": str(large)}
        except MemoryError:
            reply = {"memory": True}
        except BaseException as error:
            reply = (
                {"memory": True}
                if _no_memory(error)
                else {"error": {**_described(error, interpreter), "step": interpreter.step}}
            )
        for stream in (out, err):
            with suppress(Exception):
                stream.flush()
        told = interpreter.telling.arrays if "told" in reply else []
        rest = memoryview(pack({**reply, "id": header["id"]}, told))
        try:
            while rest:
                rest = rest[write(answer, rest) :]
        except OSError:
            _exit(UNHEARD)


def _no_memory(error: BaseException) -> bool:
    """torch's own error for memory that the system refuses."""
    return type(error) is RuntimeError and "can't allocate memory" in str(error)


def _exactly(fd: int, length: int) -> bytearray:
    data = bytearray(length)
    view, have = memoryview(data), 0
    while have < length:
        part = read(fd, min(length - have, 1 << 20))
        if not part:
            _exit(0)
        view[have : have + len(part)] = part
        have += len(part)
    return data


def _described(error: BaseException, interpreter: Interpreter) -> dict[str, Any]:
    """An exception in words: its type and message, and the lines of the program that it came through."""
    try:
        message = str(error)
    except BaseException:
        message = "<no message: its __str__ fails>"
    places: list[tuple[int, str]] = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == interpreter.filename:
            places = [*places, (trace.tb_lineno, trace.tb_frame.f_code.co_name)][-MOST_FRAMES:]
        trace = trace.tb_next
    line = places[-1][0] if places else None
    if isinstance(error, SyntaxError) and error.filename == interpreter.filename:
        line = error.lineno
    lines = interpreter.lines
    text = "\n".join(
        f"line {number}, in {name}: {lines[number - 1].strip() if 0 < number <= len(lines) else ''}"
        for number, name in places
    )
    return {"type": type(error).__name__, "message": message[:2000], "line": line, "traceback": text}
