"""Calls of the kernel that Python has no function for."""

from __future__ import annotations

import ctypes
import os
import platform

MACHINE = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}.get(platform.machine())

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
CAP_DAC_READ_SEARCH = 2
CAPABILITIES = 0x20080522  # the version of the structure below

_libc = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: object) -> int:
    """A system call by its number; OSError where it fails."""
    return _checked(_libc.syscall(ctypes.c_long(number), *(_word(a) for a in arguments)))


def prctl(option: int, value: int) -> None:
    """An option of this process."""
    _checked(_libc.prctl(option, *(ctypes.c_ulong(v) for v in (value, 0, 0, 0))))


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount, or change how something is mounted."""
    words = [None if w is None else w.encode() for w in (source, target, kind, data)]
    _checked(_libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]))


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    _checked(_libc.unshare(flags))


def drop_capabilities() -> None:
    """Give up root's powers, but for reading what others own: root judges files of other users too."""
    header = (ctypes.c_uint32 * 2)(CAPABILITIES, 0)
    now = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: low words, then high words
    _checked(_libc.capget(header, now))
    kept = now[1] & (1 << CAP_DAC_READ_SEARCH)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)))


def _word(argument: object) -> object:
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
