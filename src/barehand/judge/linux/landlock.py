"""Landlock: the child writes to its own folder only, and neither signals nor inspects processes outside.

See Documentation/userspace-api/landlock.rst in Linux. Reading is not restricted: imports need it.
"""

from __future__ import annotations

import ctypes
import os

from barehand.judge.linux.kernel import call

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, BENEATH_PATH = 1, 1

WRITE_FILE = 1 << 1
MAKE_AND_REMOVE = 0b1_1111_1111 << 4
SINCE = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # version of Landlock -> refer, truncate, ioctl on devices
BIND_AND_CONNECT = 0b11  # TCP, since version 4
SOCKETS_AND_SIGNALS = 0b11  # scopes, since version 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def restrict(own: str) -> None:
    """From now on this process writes beneath `own` and to /dev/null alone. OSError without Landlock."""
    version = call(CREATE_RULESET, None, 0, ASK_VERSION)
    writes = WRITE_FILE | MAKE_AND_REMOVE | sum(bit for since, bit in SINCE.items() if version >= since)
    attributes = _Ruleset(writes, BIND_AND_CONNECT, SOCKETS_AND_SIGNALS)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = call(CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        for path, allowed in ((own, writes), ("/dev/null", WRITE_FILE)):
            parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
            call(ADD_RULE, rules, BENEATH_PATH, ctypes.byref(_Beneath(allowed, parent)), 0)
            os.close(parent)
        call(RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
