"""Owns the process from which every child is forked, and starts it again if it dies."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from barehand.judge.channel import Channel
from barehand.judge.session import Child, Program, Session

START = 120.0  # seconds for the waiting process to import libraries from a cold disk
ANSWER = 20.0  # seconds for it to end a child
LARGE = ("matplotlib", "numba", "pandas", "scipy", "seaborn", "sklearn", "torch")  # seconds each, for every child anew
BOOT = """
import json, sys
options = json.loads(sys.argv[1])
sys.path[:] = options["sys_path"]
from barehand.judge.sandbox import enclose
namespaces = enclose(options["folder"]) if options["namespaces"] else []  # before NumPy has threads
from barehand.judge.worker import serve
serve(options, namespaces)
"""


class Workshop:
    """Owns the process that forks a child for every session, and starts it again if it dies.

    Args:
        torch: import torch beforehand, so that children begin with it.
        memory: bytes that a child may use beyond what it begins with.
        path: folders that the program may import from besides what the judge itself can.
    """

    def __init__(self, *, torch: bool = False, memory: int = 4 << 30, path: Sequence[str] = ()) -> None:
        if sys.platform == "win32":
            raise OSError("barehand check: Windows cannot keep a program within its limits; run it in WSL")
        self.memory = memory
        self._torch, self._path = torch, [os.path.abspath(p) for p in path]
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._folder = ""
        self._starts = self._children = 0
        self._active: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def active(self) -> tuple[str, ...]:
        """The protections in force, in words; each was seen to hold."""
        self._start()
        return self._active

    def session(self, program: Program, *, seconds: float = 10.0) -> Session:
        """A fresh child with the program loaded; raises what loading it raises."""
        return Session(self, program, seconds)

    def close(self) -> None:
        """End the process, its children and its folder."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._folder:
            with contextlib.suppress(RecursionError):  # folders within folders within folders
                shutil.rmtree(self._folder, ignore_errors=True)
            if os.path.exists(self._folder):
                subprocess.run(["rm", "-rf", self._folder], check=False)
        self._line = self._process = None
        self._folder = ""

    # What a session asks for

    def fork(self, channel: Channel, source: str) -> Child:
        """A new child on the other end of the channel; libraries that the source imports are there already."""
        request = {"do": "fork", "libraries": libraries(source)}
        with self._lock:
            for attempt in (1, 2):
                self._start()
                self._children += 1
                try:
                    answer = self._ask({**request, "folder": str(self._children)}, START, channel.theirs)
                    return Child(self._starts, int(answer["pid"]))
                except OSError:
                    if attempt == 2:
                        raise
        raise AssertionError("unreachable")

    def end(self, child: Child, grace: float) -> dict[str, Any] | None:
        """End a child, and how it ended; None if that cannot be known since all went down together."""
        with self._lock:
            if self._line is None or child.start != self._starts:
                return None
            try:
                return self._ask({"do": "end", "pid": child.pid, "grace": grace}, ANSWER)
            except OSError:
                return None

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        try:
            self._active = self._started(namespaces=True)
        except OSError:  # such as a Python that is unreadable from within a namespace
            self._active = self._started(namespaces=False)

    def _started(self, namespaces: bool) -> tuple[str, ...]:
        self.close()
        self._starts += 1
        self._folder = tempfile.mkdtemp(prefix="barehand-")
        self._line, theirs = socket.socketpair()
        with theirs:
            options = {
                "control": theirs.fileno(),
                "folder": self._folder,
                "memory": self.memory,
                "namespaces": namespaces,
                "torch": self._torch,
                "path": self._path,
                "sys_path": [os.path.abspath(p) for p in sys.path if p],
            }
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-X", "utf8", "-c", BOOT, json.dumps(options)],
                env=_environment(self._folder),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        try:
            ready = self._hear(START)
            if "failed" in ready:
                raise OSError(ready["failed"])
        except OSError as error:
            self.close()
            raise OSError(f"barehand check: the child process does not start ({error})") from None
        return tuple(ready["active"])

    def _ask(self, request: dict[str, Any], seconds: float, fds: Sequence[int] = ()) -> dict[str, Any]:
        assert self._line is not None
        try:
            socket.send_fds(self._line, [json.dumps(request).encode()], fds)
            return self._hear(seconds)
        except BaseException:  # an answer that nobody waited for would be taken for the next one
            self.close()
            raise

    def _hear(self, seconds: float) -> dict[str, Any]:
        assert self._line is not None
        self._line.settimeout(seconds)
        message = b""
        while not message.endswith(b"\n"):
            part = self._line.recv(1 << 16)
            if not part:
                raise ConnectionError("it ended")
            message += part
        heard: dict[str, Any] = json.loads(message)
        return heard


def libraries(source: str) -> list[str]:
    """The large libraries that a source imports, to be imported once for all children."""
    found = re.findall(r"^[ \t]*(?:import|from)[ \t]+([\w.]+)", source, re.MULTILINE | re.ASCII)
    named = dict.fromkeys(name for name in found if name.split(".")[0] in LARGE and len(name) < 64)
    if any(name.split(".")[0] == "torch" for name in named) and re.search(r"\boptim\b|\btorch\.func\b", source):
        named = {"torch._dynamo": None, **named}  # every optimizer's first step imports it
    return list(named)[:32]


def _environment(folder: str) -> dict[str, str]:
    """A clean environment: nothing secret in it, one thread for every library."""
    threads = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR", "NUMBA")
    kept = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")  # libraries may load only with these
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "Agg",
        **{f"{name}_NUM_THREADS": "1" for name in threads},
        **{name: os.environ[name] for name in kept if name in os.environ},
    }
