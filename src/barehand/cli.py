"""The `barehand` command: one function a command, nothing but handing over."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from barehand.judge.command import check
from barehand.options import Json, Lang, Language, refuse, write_json
from barehand.options import console as console_for

app = typer.Typer(
    help="The machine-learning blocks people write by hand: right, stable, fast.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("list")
def list_blocks(lang: Lang = Language.en) -> None:
    """List the blocks, a line each."""
    from barehand.show import overview

    Console().print(overview(lang.value))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A function, a block or a title: layer_norm, 'focal loss', 层归一化.")],
    lang: Lang = Language.en,
    lesson: Annotated[bool, typer.Option("--lesson", help="Print the whole lesson as well.")] = False,
) -> None:
    """Show one block: its formula, its textbook source, and what goes wrong by hand."""
    from barehand.show import find, page

    try:
        spec = find(name)
    except ValueError as error:
        raise refuse(error) from None
    Console().print(page(spec, lang.value, lesson=lesson))


@app.command()
def demo(
    report: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("barehand-report.html"),
    data: Annotated[Path | None, typer.Option(help="The folder with the example data.")] = None,
    seed: Annotated[int, typer.Option(help="The seed of every random draw.")] = 0,
    no_judge: Annotated[bool, typer.Option("--no-judge", help="Leave out the judge and its notebook.")] = False,
    json_to: Json = None,
) -> None:
    """Run every block on real data, beside what people use today, judge a notebook, and write a report with pictures.

    Exit status: 1 where a block disagrees with its peer or the judge does not work; its verdicts do not count.
    """
    from barehand.demo import run, to_json

    tour = run(report, data=data, console=console_for(json_to), seed=seed, judge=not no_judge)
    write_json(json_to, to_json(tour))
    if not tour.went_well:
        raise typer.Exit(1)


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Functions to time; all, if none is named.")] = None,
    threads: Annotated[list[int] | None, typer.Option("--threads", "-t", help="Numbers of threads; 1 and all.")] = None,
    compiled: Annotated[bool, typer.Option("--compile", help="Time torch.compile too; a minute a comparison.")] = False,
    only: Annotated[str, typer.Option(help="Sizes whose name holds this text.")] = "",
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds for each contender of a comparison.")] = 2.0,
    save: Annotated[Path | None, typer.Option(help="A folder for this machine's CSV file.")] = None,
    json_to: Json = None,
) -> None:
    """Time the blocks beside their peers, turn by turn; a ratio above 1 means that ours is faster."""
    from rich.table import Table

    from barehand.bench import bench as compare
    from barehand.bench.run import save as keep

    console = console_for(json_to)
    rows = []
    try:
        with console.status("measuring"):
            for row in compare(
                names or (),
                thread_counts=threads or (),
                compile_peers=compiled,
                seconds=seconds,
                only=lambda w: only in w,
            ):
                rows.append(row)
                if save is not None:  # at once: a long run that is stopped keeps what it measured
                    kept = keep([row], save)
                line = f"{row.function} {row.workload}, {row.threads} thread(s), {row.peer}"
                console.print(
                    f"{line}: ours {row.ours_ms:.3f} ms, peer {row.peer_ms:.3f} ms, [bold]{row.ratio:.2f}x",
                    highlight=False,
                    soft_wrap=True,
                )
    except ValueError as error:
        raise refuse(error) from None
    table = Table("function", "size", "threads", "peer", "ours ms", "peer ms", "ratio", box=None)
    for row in rows:
        table.add_row(
            row.function,
            row.workload,
            str(row.threads),
            row.peer,
            f"{row.ours_ms:.3f}",
            f"{row.peer_ms:.3f}",
            f"{row.ratio:.2f}",
        )
    console.print(table)
    if rows and save is not None:
        console.print(f"saved to {kept}", highlight=False)
    write_json(json_to, {"version": 1, "rows": [asdict(row) for row in rows]})


app.command()(check)


def main() -> None:
    """Run the command."""
    app()
