"""Attacks: each ends in a failure of its own program, and the next session works as if nothing had been."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from barehand.judge import workshop as workshop_module
from barehand.judge.child import Crashed, Other, OutOfMemory, Program, Stopped, TheirError, TimedOut, Workshop
from barehand.judge.workshop import BOOT, libraries

HONEST = Program("import numpy as np\ndef f(x):\n    return np.exp(x) / np.sum(np.exp(x))\n", "honest.py")
X = np.array([0.0, 1.0, -2.0])
CALL = [
    {"do": "call", "to": "y", "function": {"name": "f"}, "args": [X]},
    {"do": "return", "values": [{"var": "y"}]},
]


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop(memory=1 << 28) as open_workshop:
        yield open_workshop


def attack(workshop: Workshop, source: str, seconds: float = 5.0) -> object:
    """What comes of a program's f, or of loading it; an honest program works before and after."""
    try:
        with workshop.session(Program(source, "attack.py"), seconds=seconds) as session:
            return session.run(CALL)[0]
    except (Stopped, TheirError) as end:
        return end
    finally:
        with workshop.session(HONEST) as after:
            np.testing.assert_allclose(after.run(CALL)[0], np.exp(X) / np.exp(X).sum(), rtol=1e-15)


ENDS: dict[str, tuple[str, type[Exception] | tuple[type[Exception], ...], str]] = {
    "an endless loop": ("def f(x):\n    while True: pass", TimedOut, r"took longer than 0\.4 s"),
    "an endless loop in C": ("def f(x): return sum(range(10**13))", TimedOut, "took longer"),
    "an endless loop at the top": ("while True: pass", TimedOut, "took longer"),
    "no loop, and sleep": ("import time\ndef f(x): time.sleep(1e6)", TimedOut, "took longer"),
    "sys.exit": ("import sys\ndef f(x): sys.exit(0)", Stopped, "called sys.exit"),
    "sys.exit at the top": ("raise SystemExit", Stopped, "called sys.exit"),
    "os._exit": ("import os\ndef f(x): os._exit(3)", Crashed, r"called os._exit\(3\)"),
    "KeyboardInterrupt": ("def f(x): raise KeyboardInterrupt", TheirError, "KeyboardInterrupt"),
    "a segmentation fault": ("import ctypes\ndef f(x): ctypes.string_at(0)", Crashed, "segmentation fault"),
    "an abort": ("import os\ndef f(x): os.abort()", Crashed, "crashed: (aborted|segmentation)"),
    "a growing list": ("def f(x):\n    y = []\n    while True: y.append(bytearray(1 << 26))", OutOfMemory, "0.25 GiB"),
    "a huge array": ("import numpy as np\ndef f(x): return np.ones(10**11)", OutOfMemory, "more than 0.25 GiB"),
    "a flood of output": ("def f(x):\n    while True: print('x' * 10000)", Stopped, "printed more than 10 MB"),
    "a huge answer": ("import numpy as np\ndef f(x): return np.broadcast_to(0.0, 10**9)", Stopped, "more than 256 MB"),
    "an endless answer": ("def f(x):\n    y = []\n    y.append(y)\n    return y", Stopped, "nested too deeply"),
    "recursion": ("def f(x): return f(x)", TheirError, "RecursionError"),
    "recursion without limit": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return [*map(f, [x])]",
        (Stopped, TheirError),
        "",
    ),
    "no recursion at all": ("import sys\ndef f(x):\n    sys.setrecursionlimit(12)\n    return f(x)", Exception, ""),
    "closing every file": ("import os\ndef f(x): os.closerange(0, 4096)", Crashed, "closed the channel"),
    "input()": ("def f(x): return input()", TheirError, "EOFError"),
    "ignoring SIGTERM": (
        "import signal\nfor n in (1, 2, 3, 15): signal.signal(n, signal.SIG_IGN)\ndef f(x):\n    while True: pass",
        TimedOut,
        "took longer",
    ),
    "an alarm": ("import signal\ndef f(x):\n    signal.alarm(1)\n    signal.pause()", Stopped, ""),
    "sleep in __del__": (
        "import time\nclass A:\n    def __del__(self): time.sleep(1e6)\ndef f(x):\n    A()\n    return x",
        TimedOut,
        "took longer",
    ),
    "an exception without words": (
        "class E(Exception):\n    def __str__(self): raise self\ndef f(x): raise E",
        TheirError,
        "no message",
    ),
    "a syntax error": ("def f(x:\n    return x", TheirError, "SyntaxError.*line 1"),
    "NUL in the source": ("f = '\0'", TheirError, "SyntaxError|ValueError"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_attacks_end(workshop: Workshop, name: str) -> None:
    source, kind, words = ENDS[name]
    end = attack(workshop, source, 0.4 if kind is TimedOut else 10)
    assert isinstance(end, kind), end
    assert re.search(words, str(end)), end


PATCHES = {
    "np.allclose": "np.allclose = np.testing.assert_allclose = lambda *a, **k: True",
    "np.asarray": "np.asarray = np.array = np.ascontiguousarray = lambda *a, **k: np.zeros(3)",
    "np.ndarray": "np.ndarray = list",
    "os.write": "import os; os.write = lambda fd, data: len(data); os.read = lambda fd, n: b''; os._exit = print",
    "json": "import json; json.dumps = json.JSONEncoder.encode = lambda *a, **k: '{}'; json.loads = None",
    "json's own parts": "import json.encoder as e; e.c_make_encoder = e.JSONEncoder.iterencode = lambda *a: ['{}']",
    "struct": "import struct; struct.Struct = struct.pack = None",
    "len": "import builtins; builtins.len = lambda x: 0",
    "isinstance": "import builtins; builtins.isinstance = lambda *a: True",
    "type": "import builtins; builtins.type = lambda *a: np.ndarray",
    "every builtin": "import builtins\nfor n in dir(builtins):\n    if n[0].islower(): setattr(builtins, n, None)",
    "our own": "import sys\nfor n, m in list(sys.modules.items()):\n    if 'barehand' in n: m.__dict__.clear()",
    "the modules": "import sys; sys.modules.clear()",
    "the encoder": "from barehand.judge import wire; wire.pack = wire.flat = lambda *a: b'bare' * 99",
    "the streams": "import sys; sys.stdout = sys.stderr = None",
    "a tracer": "import sys; sys.settrace(lambda *a: 1 / 0); sys.setprofile(lambda *a: 1 / 0)",
    "the recursion limit": "import sys; sys.setrecursionlimit(30)",
    "a thread": "import threading\ndef g():\n    while True: pass\nthreading.Thread(target=g, daemon=True).start()",
    "a handler": "import signal; signal.signal(signal.SIGALRM, lambda *a: 1 / 0); signal.setitimer(0, 1e-3, 1e-3)",
    "the collector": "import gc; gc.callbacks.append(lambda *a: 1 / 0); gc.set_threshold(1)",
}


MAY_FAIL = ("json's own parts", "every builtin", "our own", "a tracer", "a handler")


@pytest.mark.parametrize("name", PATCHES)
def test_patches_change_no_answer(workshop: Workshop, name: str) -> None:
    """What comes back is what f returned, or a failure, and in time."""
    start = time.monotonic()
    end = attack(workshop, f"import numpy as np\ndef f(x): return x + 1\n{PATCHES[name]}")
    assert time.monotonic() - start < 3
    if isinstance(end, Exception):
        assert name in MAY_FAIL, end
    else:
        assert type(end) is np.ndarray
        np.testing.assert_array_equal(end, X + 1)


LIARS = {
    "a subclass": "class L(np.ndarray):\n    dtype = np.dtype(np.int8)\n    __eq__ = __array__ = lambda *a: True\n"
    "def f(x): return x.view(L)",
    "a repr that fails": "class L:\n    def __repr__(self): 1 / 0\ndef f(x): return L()",
    "a class of another class": "class L:\n    __class__ = np.ndarray\n    dtype = float\ndef f(x): return L()",
    "a float": "class L(float): pass\ndef f(x): return L(1)",
    "objects": "def f(x): return np.array([x, 1], dtype=object)",
    "long double": "def f(x): return np.longdouble(1)",
    "a matrix": "def f(x): return np.ma.array(x)",
    "a function": "def f(x): return f",
}


@pytest.mark.parametrize("name", LIARS)
def test_only_exact_types_are_told(workshop: Workshop, name: str) -> None:
    end = attack(workshop, f"import numpy as np\n{LIARS[name]}")
    assert isinstance(end, Other), end


FORGERIES = {
    "noise": "b'noise' * 1000",
    "a head": "b'bare' + b'\\xff' * 12",
    "a head that promises": "b'bare' + (100).to_bytes(4, 'little') + (1 << 20).to_bytes(8, 'little')",
    "a whole answer": "b'bare' + len(t).to_bytes(4, 'little') + bytes(8) + t",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_answers_are_none(workshop: Workshop, name: str) -> None:
    """Garbage written to every file that is open."""
    source = """
import os
t = b'{"told":[[1]],"id":"0","arrays":[]}'
def f(x):
    for fd in range(3, 256):
        try: os.set_blocking(fd, False); os.write(fd, FORGED)
        except OSError: pass
    return x
"""
    end = attack(workshop, source.replace("FORGED", FORGERIES[name]))
    assert isinstance(end, Stopped), end


# What the kernel keeps, all of it together and each layer where the others are missing

PLAIN = """
import barehand.judge.sandbox as sandbox
import barehand.judge.linux.namespaces as namespaces
all_walls, limits = sandbox.walls, ("memory", "files", "processor")
sandbox.walls = lambda own, memory: [w for w in all_walls(own, memory) if w.words.startswith(KEPT)]
"""


def without(monkeypatch: pytest.MonkeyPatch, lines: str, kept: tuple[str, ...]) -> None:
    monkeypatch.setattr(
        workshop_module,
        "BOOT",
        BOOT.replace("from barehand", PLAIN.replace("KEPT", repr(kept)) + lines + "\nfrom barehand", 1),
    )


NO_NAMESPACES = "namespaces.enter = lambda folder: []"
LIMITS = ("memory", "files", "processor")
WALLS = (*LIMITS, "tasks", "no new", "Landlock", "seccomp")


@pytest.fixture(scope="module", params=["everything", "no namespaces", "namespaces alone"])
def walled(request: pytest.FixtureRequest) -> Iterator[Workshop]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        if request.param != "everything":
            alone = request.param == "namespaces alone"
            without(monkeypatch, "" if alone else NO_NAMESPACES, (*LIMITS, "no new") if alone else WALLS)
        with Workshop(memory=1 << 28) as open_workshop:
            yield open_workshop


def needs(workshop: Workshop, *words: str) -> None:
    """Skip unless one of these protections is in force."""
    if not any(word in wall for word in words for wall in workshop.active):
        pytest.skip(f"no {' or '.join(words)} here")


@pytest.mark.parametrize(
    "action",
    [
        "os.remove(p)",
        "open(p, 'w')",
        "open(p, 'a')",
        "os.truncate(p, 0)",
        "os.rename(p, 'mine')",
        "os.rename(p, p + 'x')",
        "os.link(p, 'mine')",
        "shutil.rmtree(os.path.dirname(p))",
        "os.symlink(p, 'way'); open('way', 'w')",
        "open(os.path.dirname(p) + '/new', 'w')",
        "os.mkdir(os.path.dirname(p) + '/new')",
        "tempfile.mkdtemp(dir='/tmp')",
        "open('/dev/shm/new', 'w')",
        "os.chmod(p, 0)",
        "os.utime(p, (0, 0))",
        "os.setxattr(p, 'user.x', b'x')",
        "open(p).close(); os.fchmod(os.open(p, os.O_RDONLY), 0)",
    ],
)
def test_files_outside_stay_as_they_are(walled: Workshop, tmp_path: Path, action: str) -> None:
    needs(walled, "mnt", "seccomp" if any(word in action for word in ("chmod", "utime", "xattr")) else "Landlock")
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    before = os.stat(kept)
    end = attack(walled, f"import os, shutil, tempfile\np = {str(kept)!r}\ndef f(x):\n    {action}\n    return 'done'")
    assert isinstance(end, TheirError), end
    assert end.type in ("PermissionError", "OSError"), end
    assert kept.read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]
    after = os.stat(kept)
    assert (before.st_mode, before.st_mtime_ns, before.st_nlink) == (after.st_mode, after.st_mtime_ns, after.st_nlink)


def test_its_own_folder_is_writable_and_goes(walled: Workshop) -> None:
    end = attack(
        walled,
        "import os, tempfile\ndef f(x):\n    open('a', 'w').write('b'); os.mkdir('c'); os.rename('a', 'c/a')\n"
        "    tempfile.TemporaryFile().write(b'c')\n    open(os.devnull, 'w').write('d')\n"
        "    return [os.getcwd(), os.environ['HOME'], open('c/a').read()]",
    )
    assert isinstance(end, list), end
    folder, home, text = end
    assert (folder, text) == (home, "b")
    assert not Path(folder).exists()


def test_a_file_has_its_limit(workshop: Workshop) -> None:
    end = attack(workshop, "def f(x):\n    with open('a', 'wb') as f:\n        while True: f.write(bytes(1 << 20))", 5)
    assert isinstance(end, TheirError), end
    assert "too large" in end.message


@pytest.mark.parametrize("family", ["AF_INET", "AF_UNIX"])
def test_no_network(walled: Workshop, tmp_path: Path, family: str) -> None:
    needs(walled, "seccomp", "net" if family == "AF_INET" else "seccomp")
    with socket.socket(getattr(socket, family)) as server:
        server.bind(("127.0.0.1", 0) if family == "AF_INET" else str(tmp_path / "socket"))
        server.listen()
        end = attack(
            walled, f"import socket\ndef f(x): socket.socket(socket.{family}).connect({server.getsockname()!r})"
        )
        assert isinstance(end, TheirError), end
        assert end.type in ("PermissionError", "OSError")
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("walled", ["everything", "no namespaces"], indirect=True)
@pytest.mark.parametrize(
    "action",
    [
        "os.fork()",
        "[os.fork() for _ in range(10**6)]",
        "subprocess.run(['/bin/true'])",
        "os.execv('/bin/true', ['true'])",
        "multiprocessing.get_context('fork').Process(target=print).start()",
        "os.kill(-1, 9)",
        "os.kill(os.getppid(), 9)",
        "os.kill(1, 9)",
        "os.kill(JUDGE, 0)",
        "os.killpg(os.getpgid(os.getppid()), 9)",
        "os.pidfd_open(os.getppid())",
        "open(f'/proc/{os.getppid()}/mem', 'rb')",
        "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
        "open('/proc/JUDGE/environ', 'rb').read()",
    ],
)
def test_no_other_processes(walled: Workshop, action: str) -> None:
    needs(walled, "Landlock")
    needs(walled, "seccomp")
    source = f"import os, subprocess, multiprocessing\ndef f(x):\n    {action}\n    return 'done'"
    end = attack(walled, source.replace("JUDGE", str(os.getpid())))
    assert isinstance(end, TheirError), end
    assert end.type in ("PermissionError", "ProcessLookupError", "FileNotFoundError"), end


def test_threads_have_their_limit(workshop: Workshop) -> None:
    end = attack(
        workshop,
        "import threading, time\ndef f(x):\n    while True: threading.Thread(target=time.sleep, args=[9]).start()",
        5,
    )
    assert isinstance(end, TheirError), end
    assert "can't start new thread" in end.message


def test_the_environment_is_clean(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hunter2")
    source = """
import glob, os
def f(x):
    found = [str(dict(os.environ))]
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
        try: found.append(open(path).read())
        except OSError: pass
    return ["hunter2" in text for text in found] + [len(os.environ) < 30]
"""
    with Workshop() as own:
        end = attack(own, source)
    assert isinstance(end, list)
    assert not any(end[:-1])
    assert end[-1] is True


def test_nothing_runs_at_exit(workshop: Workshop, tmp_path: Path) -> None:
    end = attack(workshop, "import atexit, time\natexit.register(time.sleep, 1e6)\ndef f(x): return x")
    np.testing.assert_array_equal(end, X)


def test_a_session_is_fresh(workshop: Workshop) -> None:
    source = (
        "import sys, math\nbefore = hasattr(math, 'x')\nmath.x = True\ndef f(x): return [before, __name__, sys.argv]"
    )
    assert attack(workshop, source) == attack(workshop, source)


def test_writes_no_bytecode(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("value = 7\n")
    with Workshop(path=[str(tmp_path)]) as own:
        assert attack(own, "import beside\ndef f(x): return beside.value") == 7
    assert [p.name for p in tmp_path.iterdir()] == ["beside.py"]


# Where the kernel has none of this


DAEMON = """
import os, time
def f(x):
    if (pid := os.fork()) == 0:
        os.setsid()
        if (pid := os.fork()) == 0:
            while True: time.sleep(0.1)
        open("pid", "w").write(str(pid))
        os._exit(0)
    os.waitpid(pid, 0)
    return int(open("pid").read())
"""


def test_limits_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, NO_NAMESPACES, LIMITS)
    with Workshop(memory=1 << 28) as own:
        assert [wall.split(":")[0] for wall in own.active] == ["memory", "files", "processor"]
        for name in ("an endless loop", "os._exit", "a huge array", "a segmentation fault", "closing every file"):
            source, kind, words = ENDS[name]
            end = attack(own, source, 0.4 if kind is TimedOut else 10)
            assert isinstance(end, kind)
            assert re.search(words, str(end))


def test_a_daemon_is_gone_after(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, NO_NAMESPACES, LIMITS)
    with Workshop() as own:
        daemon = attack(own, DAEMON)
        assert isinstance(daemon, int), daemon
        with pytest.raises(ProcessLookupError):
            os.kill(daemon, 0)


def test_a_daemon_in_a_namespace_is_gone_after(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    needs(workshop, "namespaces: user, mnt, pid")
    without(monkeypatch, "", LIMITS)
    with Workshop() as own:
        daemon = attack(own, DAEMON)
        assert isinstance(daemon, int), daemon
        assert attack(own, f"import os\ndef f(x): return os.path.exists('/proc/{daemon}')") is False


def test_namespaces_that_break_it_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "namespaces.enter = lambda folder: sys.exit(1)", LIMITS)
    with Workshop() as own:
        assert not any("namespaces" in wall for wall in own.active)
        np.testing.assert_array_equal(attack(own, "def f(x): return x"), X)


def test_killing_the_one_it_was_forked_from(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, NO_NAMESPACES, LIMITS)
    with Workshop() as own:
        end = attack(own, "import os, time\ndef f(x):\n    os.kill(os.getppid(), 9)\n    time.sleep(9)")
        assert isinstance(end, Crashed), end


def test_a_protection_that_does_not_go_up_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    late = "landlock = __import__('barehand.judge.linux.landlock', fromlist=['restrict'])\n"
    late += "import os; real, first = landlock.restrict, os.getpid()\n"
    late += "landlock.restrict = lambda own: real(own) if own.endswith('probe') else 1 / 0"
    without(monkeypatch, late, ("Landlock",))
    with Workshop() as own:
        needs(own, "Landlock")
        with pytest.raises(OSError, match="protections did not go up"):
            own.session(HONEST)


def test_windows_is_told_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OSError, match="WSL"):
        Workshop()


def test_large_libraries_are_seen() -> None:
    source = "import numpy\nfrom sklearn.linear_model import Ridge\n  import torch\nx = torch.optim\n# import pandas"
    assert libraries(source) == ["torch._dynamo", "sklearn.linear_model", "torch"]


def test_what_the_kernel_has_is_in_force(workshop: Workshop) -> None:
    """Asked of the kernel in other ways, so that a broken wall is not merely left out."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("limits alone on this system")
    active = " ".join(workshop.active)
    if ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) > 0:  # the version of Landlock
        assert "Landlock" in active
    if "Seccomp_filters:" in Path("/proc/self/status").read_text():
        assert "seccomp" in active
    tool = shutil.which("unshare")
    if tool and subprocess.run([tool, "-Urmpni", "--fork", "true"], capture_output=True).returncode == 0:
        assert "namespaces: user, mnt, pid, net, ipc" in active
    assert "memory" in active
    assert "no new privileges" in active
