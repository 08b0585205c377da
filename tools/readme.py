"""Write the tables of README.md and README.zh-CN.md from the specs and the measurements; `--check` only compares.

No figure in a README is typed by hand: each comes from `benchmarks/results/`, always from the same place. For a
function that is its first workload that is not tiny, with the gradient where there is one; with the most threads
measured, beside the first peer.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from barehand.bench.run import Row, load
from barehand.blocks import homes, specs
from barehand.core.spec import Spec

ROOT = Path(__file__).parents[1]
FILES = {"en": ROOT / "README.md", "zh": ROOT / "README.zh-CN.md"}
HEADS = {
    "en": "| function | what it does | promised error | measured: time of the peer / ours |\n|---|---|---|---|",
    "zh": "| 函数 | 作用 | 误差承诺 | 实测：对照耗时 / 我们的耗时 |\n|---|---|---|---|",
}
NOTES = {
    "en": (
        "Measured with `make bench` on {machine}, {threads} threads, float32, {date} ({versions}); errors in eps of "
        "what was added up ([docs/numerics.md](docs/numerics.md))."
    ),
    "zh": (
        "以 `make bench` 实测：{machine}，{threads} 线程，float32，{date}（{versions}）；误差以“参与相加的量”的 eps 计"
        "（见 [docs/numerics.md](docs/numerics.md)）。"
    ),
}
NOT_MEASURED = {"en": "not measured yet", "zh": "尚未测量"}
WORDS = {
    "en": lambda text: text,
    "zh": lambda text: (
        text.replace("value and gradient", "值与梯度").replace("compiled", "编译后").replace("forward", "前向")
    ),
}


def measured() -> tuple[str, list[Row]]:
    """The machine's name and its rows; the first file by name where there are several."""
    files = sorted((ROOT / "benchmarks" / "results").glob("*.csv"))
    return (files[0].stem, load(files[0])) if files else ("", [])


def figure(spec: Spec, rows: list[Row]) -> tuple[str, Row | None]:
    """Ratios to the first peer and to the same compiled, for the function's headline size."""
    peers = import_module(f"barehand.blocks.{spec.block}.peers").PEERS.get(spec.name, ())
    sizes = sorted((w for w in spec.workloads if not w.name.startswith("32x128")), key=lambda w: not w.gradient)
    size = sizes[0].name if sizes else None
    found = [r for r in rows if (r.function, r.workload) == (spec.name, size)]
    threads = max((r.threads for r in found), default=0)
    by_peer = {r.peer: r for r in found if r.threads == threads}
    names = [n for n in (peers[0].name, f"{peers[0].name}, compiled") if n in by_peer] if peers else []
    if not names:
        return "", None
    text = ", ".join(f"{by_peer[n].ratio:.1f}x {n.replace(peers[0].name + ', ', '')}" for n in names)
    return f"{size}: {text}", by_peer[names[0]]


def table(language: str) -> str:
    """The table of blocks, a line each, and the note below it."""
    machine, rows = measured()
    lines, used = [HEADS[language]], None
    for spec in specs().values():
        text, row = figure(spec, rows)
        used = row or used
        cell = WORDS[language](text) if text else NOT_MEASURED[language]
        name = f"linear_model.{spec.name}" if spec.name in homes("estimator") else spec.name
        lines.append(f"| `{name}` | {spec.summary[language]} | {spec.accuracy:g} eps | {cell} |")
    if used is not None:
        note = NOTES[language].format(machine=machine, threads=used.threads, date=used.date, versions=used.versions)
        lines += ["", note]
    return "\n".join(lines)


def filled(language: str) -> str:
    """The README with its table replaced."""
    text = FILES[language].read_text(encoding="utf-8")
    before, rest = text.split("<!-- blocks -->\n", 1)
    _, after = rest.split("<!-- /blocks -->", 1)
    return f"{before}<!-- blocks -->\n{table(language)}\n<!-- /blocks -->{after}"


def main() -> int:
    """Write or check both files."""
    stale = [f for lang, f in FILES.items() if f.read_text(encoding="utf-8") != filled(lang)]
    if "--check" in sys.argv:
        for file in stale:
            print(f"{file.name} is stale; run `make readme`")
        return len(stale)
    for language, file in FILES.items():
        file.write_text(filled(language), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
