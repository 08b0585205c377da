"""What the program under test cannot do: limits everywhere, and on Linux walls that the kernel keeps.

Each protection is tried in a process of its own before it is claimed. One that does not hold here is left out of the
list, and so are its words.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass

OPEN_FILES = 256
LARGEST_FILE = 64 << 20
PROCESSOR = 900  # seconds in a child's life; a run has its own limit by the clock
TASKS = 256  # processes and threads beyond those that are there

ON_LINUX = sys.platform == "linux"


@dataclass(frozen=True)
class Wall:
    """One protection: how it is put up, what must be true behind it, and its words for people."""

    words: str
    raise_: Callable[[], object]
    holds: Callable[[], bool]


def enclose(folder: str) -> list[str]:
    """Namespaces for the waiting process, before it has threads; where the kernel allows it, in a new process."""
    if not ON_LINUX:
        return []
    from barehand.judge.linux import namespaces
    from barehand.judge.linux.kernel import PR_SET_CHILD_SUBREAPER, prctl

    names = namespaces.enter(folder)
    with contextlib.suppress(OSError):
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a child leaves behind is handed to us
    return names


def walls(own: str, memory: int) -> list[Wall]:
    """The protections of a child, in the order in which they go up."""
    found = [
        Wall(f"memory: {memory / (1 << 30):g} GiB", lambda: _limit_memory(memory), lambda: not _can_map(memory)),
        Wall(f"files: {OPEN_FILES} open, {LARGEST_FILE >> 20} MB each", _limit_files, lambda: not _can_write_much(own)),
        Wall(f"processor: {PROCESSOR} s", _limit_processor, _processor_limited),
    ]
    if ON_LINUX:
        from barehand.judge.linux import landlock, seccomp

        found += [
            Wall(f"tasks: {TASKS}", _limit_tasks, _tasks_limited),
            Wall("no new privileges", _give_up_privileges, lambda: "NoNewPrivs:\t1" in _read("/proc/self/status")),
            Wall("Landlock: writes to its own folder only", lambda: landlock.restrict(own), lambda: _landlocked(own)),
            Wall("seccomp: no network, no other processes", seccomp.restrict, _filtered),
        ]
    return found


def verified(folder: str, memory: int) -> list[str]:
    """The words of the protections that hold on this machine."""
    own = os.path.join(folder, "probe")
    os.mkdir(own, 0o700)
    found = [wall.words for wall in walls(own, memory) if _tried(wall)]
    with contextlib.suppress(OSError):
        os.rmdir(own)
    return found


def restrict(own: str, memory: int, active: Collection[str]) -> None:
    """Put up the protections that were seen to hold; an error if one does not go up now."""
    if ON_LINUX:
        from barehand.judge.linux.kernel import PR_SET_PDEATHSIG, prctl

        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for wall in walls(own, memory):
        if wall.words in active:
            wall.raise_()


def sweep(live: Collection[int]) -> None:
    """Kill what escaped from ended children and was handed to us."""
    if os.getpid() == 1 and not live:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # all in our namespace but ourselves
    for _ in range(100):
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in live:
                os.waitpid(ended.si_pid, 0)
        strays = {int(pid) for pid in _read(f"/proc/self/task/{os.getpid()}/children").split()} - set(live)
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _tried(wall: Wall) -> bool:
    """Whether the protection holds in a process that has this one alone."""
    pid = os.fork()
    if pid == 0:
        try:
            if ON_LINUX:
                from barehand.judge.linux.kernel import PR_SET_NO_NEW_PRIVS, prctl

                prctl(PR_SET_NO_NEW_PRIVS, 1)
            wall.raise_()
            os._exit(0 if wall.holds() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# Limits


def _limit(what: int, most: int) -> None:
    """A limit that cannot be raised again."""
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _limit_memory(memory: int) -> None:
    pages = _read("/proc/self/statm").split()
    _limit(resource.RLIMIT_AS, memory + int(pages[0]) * resource.getpagesize() if pages else memory)


def _can_map(size: int) -> bool:
    try:
        mmap.mmap(-1, size + (1 << 20)).close()
    except (OSError, ValueError):
        return False
    return True


def _limit_files() -> None:
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    _limit(resource.RLIMIT_FSIZE, LARGEST_FILE)
    _limit(resource.RLIMIT_CORE, 0)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error in the program, not its death


def _can_write_much(own: str) -> bool:
    path = os.path.join(own, "large")
    try:
        with open(path, "wb") as file:
            os.ftruncate(file.fileno(), LARGEST_FILE + 1)
    except OSError as error:
        return error.errno != errno.EFBIG
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
    return True


def _limit_processor() -> None:
    _limit(resource.RLIMIT_CPU, PROCESSOR)


def _processor_limited() -> bool:
    return resource.getrlimit(resource.RLIMIT_CPU)[1] <= PROCESSOR


def _limit_tasks() -> None:
    present = _read("/proc/loadavg").split()[3].split("/")[1]  # at least those of this user
    _limit(resource.RLIMIT_NPROC, int(present) + TASKS)


def _tasks_limited() -> bool:
    return resource.getrlimit(resource.RLIMIT_NPROC)[1] != resource.RLIM_INFINITY and os.getuid() != 0


# Walls


def _give_up_privileges() -> None:
    from barehand.judge.linux.kernel import PR_SET_NO_NEW_PRIVS, drop_capabilities, prctl

    prctl(PR_SET_NO_NEW_PRIVS, 1)
    drop_capabilities()


def _landlocked(own: str) -> bool:
    with open(os.path.join(own, "inside"), "w") as file:
        file.write("may be written")
    os.unlink(os.path.join(own, "inside"))
    return _refused(lambda: os.close(os.open(os.path.join(os.path.dirname(own), "x"), os.O_CREAT | os.O_WRONLY)))


def _filtered() -> bool:
    return _refused(socket.socket) and _refused(_fork) and _refused(lambda: os.kill(os.getppid(), 0))


def _fork() -> None:
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _refused(action: Callable[[], object]) -> bool:
    try:
        action()
    except PermissionError:
        return True
    return False


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
