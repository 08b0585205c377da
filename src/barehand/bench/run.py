"""Running the comparisons, and what comes of them: rows, a table, a CSV file for this machine."""

from __future__ import annotations

import csv
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from barehand.bench.contenders import contenders
from barehand.bench.timing import interleaved
from barehand.blocks import specs
from barehand.core import threads


@dataclass(frozen=True)
class Row:
    """One comparison. `ratio` is the peer's time over ours: above 1, ours is faster."""

    function: str
    workload: str
    threads: int
    peer: str
    ours_ms: float
    peer_ms: float
    ratio: float
    date: str
    versions: str


def _versions() -> str:
    found = []
    for name in ("barehand", "numpy", "numba", "scipy", "torch"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def machine() -> str:
    """A short name for this machine's processor and cores, fit for a file name."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = re.findall(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        flags = re.findall(r"^flags\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        vectors = "avx512" if flags and "avx512f" in flags[0] else "avx2" if flags and "avx2" in flags[0] else ""
        cpu = f"{names[0] if names else cpu} {vectors}"
    # Not as many as threads are in use: a run has rows of several numbers, and one file.
    return re.sub(r"[^a-z0-9]+", "-", f"{cpu} {threads.cores()} cores".lower()).strip("-")


def _have_torch() -> bool:
    """Load torch with huge pages for its results; ours come on huge pages from NumPy.

    One large block, given back, tells the C library to keep memory of such sizes: until then torch gets fresh pages
    for each result of a few megabytes, at twice the time.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        import torch
    except ImportError:
        return False
    torch.empty(31 << 20, dtype=torch.uint8)
    return bool(torch.get_num_threads())


def bench(
    names: Sequence[str] = (),
    *,
    thread_counts: Sequence[int] = (),
    compile_peers: bool = False,
    seconds: float = 2.0,
    only: Callable[[str], bool] = lambda workload: True,
) -> Iterator[Row]:
    """Compare the named functions (all, if none is named) with their peers; rows as they come."""
    if "torch" in sys.modules and os.environ.get("THP_MEM_ALLOC_ENABLE") != "1":
        raise RuntimeError("bench: torch is loaded without THP_MEM_ALLOC_ENABLE=1; run `barehand bench` by itself")
    have_torch = _have_torch()
    known = specs()
    for name in names:
        if name not in known:
            raise ValueError(f"bench: {name!r} is no block; use {', '.join(known)}")
    before = threads.get_num_threads()
    date, versions = datetime.now(UTC).strftime("%Y-%m-%d"), _versions()
    for spec in (known[n] for n in names or known):
        for workload in (w for w in spec.workloads if only(w.name)):
            for count in thread_counts or sorted({1, before}):
                _use(count, have_torch)
                try:
                    for peer, ours, theirs in contenders(spec, workload, count, compile_peers=compile_peers):
                        try:
                            times = interleaved({"ours": ours, peer: theirs}, seconds=seconds)
                        except NotImplementedError:  # a peer without this workload's option
                            continue
                        a, b = times["ours"] * 1e3, times[peer] * 1e3
                        yield Row(
                            spec.name,
                            workload.name,
                            count,
                            peer,
                            round(a, 5),
                            round(b, 5),
                            round(b / a, 3),
                            date,
                            versions,
                        )
                finally:
                    _use(before, have_torch)


def _use(count: int, have_torch: bool) -> None:
    threads.set_num_threads(count)
    if have_torch:
        import torch

        torch.set_num_threads(count)
    try:  # scikit-learn's way to bound the threads of its BLAS
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(limits=count, user_api="blas")


def save(rows: Sequence[Row], folder: Path) -> Path:
    """Put the rows into this machine's file, in place of earlier ones of the same comparison."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{machine()}.csv"
    kept = load(path) if path.exists() else []
    merged = {(r.function, r.workload, r.threads, r.peer): r for r in [*kept, *rows]}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(r) for r in merged.values())
    return path


def load(path: Path) -> list[Row]:
    """The rows of a machine's file."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(
                r["function"], r["workload"], int(r["threads"]), r["peer"], float(r["ours_ms"]), float(r["peer_ms"]),
                float(r["ratio"]), r["date"], r["versions"],
            )
            for r in csv.DictReader(file)
        ]  # fmt: skip
