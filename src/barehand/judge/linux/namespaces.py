"""Namespaces: the waiting process and its children see no network, no other processes, and files that are read-only."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal

from barehand.judge.linux.kernel import PR_SET_PDEATHSIG, call, mount, prctl, unshare

NEW = {"user": 0x10000000, "mnt": 0x00020000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x08000000}
MOUNT_SETATTR, HERE, RECURSIVE, READ_ONLY = 442, -100, 0x8000, 1
PRIVATE, NO_SUID_NO_DEVICES = 0x44000, 0b110
ROOM = "256m"  # for all that children write


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("spread", ctypes.c_uint64),
        ("user", ctypes.c_uint64),
    )


def enter(folder: str) -> list[str]:
    """Go on in a new process within new namespaces; which of them are in force. The old one waits for it."""
    before = _seen()
    user, group = os.getuid(), os.getgid()
    try:
        unshare(sum(NEW.values()))
    except OSError:  # the kernel or the container does not allow it
        return []
    with contextlib.suppress(OSError):
        _stay(user, group)
    with contextlib.suppress(OSError):
        _freeze(folder)
    if (child := os.fork()) != 0:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0x7F)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(OSError):  # not where a container hides parts of /proc
        mount("proc", "/proc", "proc", NO_SUID_NO_DEVICES)
    after = _seen()
    return [name for name in NEW if after.get(name) != before.get(name) and _holds(name)]


def _stay(user: int, group: int) -> None:
    """Keep being who one is; root sees all users as before."""
    for name, own in (("uid_map", user), ("setgroups", None), ("gid_map", group)):
        for words in ("deny",) if own is None else ("0 0 4294967295", f"{own} {own} 1"):
            try:
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(words)
                break
            except OSError:
                continue


def _freeze(folder: str) -> None:
    """Everything read-only, and a file system of its own, of limited size, on the folder."""
    mount("none", "/", None, PRIVATE)
    attributes = _Attributes(READ_ONLY, 0, 0, 0)
    call(MOUNT_SETATTR, HERE, b"/", RECURSIVE, ctypes.byref(attributes), ctypes.sizeof(attributes))
    mount("barehand", folder, "tmpfs", NO_SUID_NO_DEVICES, f"size={ROOM},mode=700")
    os.chdir(folder)


def _seen() -> dict[str, str]:
    found = {}
    for name in NEW:
        with contextlib.suppress(OSError):
            found[name] = os.readlink(f"/proc/self/ns/{name}")
    return found


def _holds(name: str) -> bool:
    """Whether a namespace does what it is for."""
    if name == "pid":
        return os.getpid() == 1
    if name == "mnt":
        return bool(os.statvfs("/").f_flag & os.ST_RDONLY)
    return True
