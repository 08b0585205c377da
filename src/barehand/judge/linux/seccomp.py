"""seccomp: a filter of system calls. No sockets, no other processes, no changes that Landlock does not see.

The filter is a program for the kernel's packet filter, written out: five kinds of instruction are enough.
"""

from __future__ import annotations

import ctypes
import os
import struct

from barehand.judge.linux.kernel import MACHINE, call

SECCOMP = {"x86_64": 317, "aarch64": 277}
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SET_FILTER = 1

ALLOW, KILL_PROCESS, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, MACHINE_WORD, FIRST_ARGUMENT = 0, 4, 16  # places in the data that the filter sees
OTHER_CALLS = 0x40000000  # x86-64's second table of calls, which would pass by the first one's numbers
CLONE_THREAD = 0x10000

CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435  # its flags are out of a filter's sight; libraries fall back to clone
SIGNALS = {"x86_64": (62, 234), "aarch64": (129, 131)}  # kill, tgkill: to itself only

# fmt: off
REFUSED: dict[str, tuple[int | None, int | None]] = {  # on x86-64 and on 64-bit ARM
    # other programs and processes; threads are made by clone
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    # looking into other processes and signalling them by other ways
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "process_madvise": (440, 440),
    # sockets; io_uring opens them, and files, past any filter
    "socket": (41, 198), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # new namespaces would give root's powers within them
    "unshare": (272, 97), "setns": (308, 268),
    # files' modes, owners, times and attributes, which Landlock leaves alone
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "utimensat": (280, 88), "futimesat": (261, None),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466),
    # what would outlive the process, and doors of the kernel that no program under test needs
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "open_by_handle_at": (304, 265),
}
# fmt: on


def program(machine: str, own: int) -> bytes:
    """The filter for a process with this id."""
    column = ("x86_64", "aarch64").index(machine)
    refuse, done = _one(RETURN, ERROR | EPERM), _one(RETURN, ALLOW)
    parts = [
        _one(LOAD, MACHINE_WORD),
        _one(EQUAL, ARCHITECTURE[machine], 1, 0),
        _one(RETURN, KILL_PROCESS),
        _one(LOAD, NUMBER),
        _one(AT_LEAST, OTHER_CALLS, 0, 1),
        refuse,
        _one(EQUAL, CLONE3, 0, 1),
        _one(RETURN, ERROR | ENOSYS),
    ]
    for numbers in REFUSED.values():
        if (number := numbers[column]) is not None:
            parts += [_one(EQUAL, number, 0, 1), refuse]
    parts += [_one(EQUAL, CLONE[machine], 0, 4), _one(LOAD, FIRST_ARGUMENT), _one(ANY_BIT, CLONE_THREAD, 1, 0)]
    parts += [refuse, done]
    for number in SIGNALS[machine]:
        parts += [_one(EQUAL, number, 0, 4), _one(LOAD, FIRST_ARGUMENT), _one(EQUAL, own, 1, 0), refuse, done]
    return b"".join([*parts, done])


def restrict() -> None:
    """From now on the calls above fail in this process. OSError where the kernel has no seccomp."""
    if MACHINE is None:
        raise OSError("no table of system calls for this machine")
    code = program(MACHINE, os.getpid())
    buffer = ctypes.create_string_buffer(code, len(code))
    pointer = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    call(SECCOMP[MACHINE], SET_FILTER, 0, ctypes.create_string_buffer(pointer, len(pointer)))


def _one(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    """One instruction: jumps count the instructions to leave out."""
    return struct.pack("@HBBI", code, if_so, if_not, value)
