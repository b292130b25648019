"""``crawler bench``. What it needs is imported when it runs."""

from pathlib import Path

import click

from crawler.bench.handoff.command import handoff
from crawler.bench.speed.command import speed

_RUN = "run"
_INTERRUPTED = 130


class _RunsByDefault(click.Group):
    """A group that runs its main command where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RunsByDefault)
def bench() -> None:
    """Compare the variants of the crawler on synthetic webs; without a command, run the comparison."""


@bench.command(_RUN)
@click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="The plan (YAML)  [default: config/bench/quick.yaml]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("bench"),
    show_default=True,
    metavar="DIR",
)
@click.option("--only", multiple=True, metavar="WORKLOAD", help="One workload of the plan (repeatable).")
@click.option("--repeats", type=click.IntRange(1, 100), help="Runs of each cell, instead of the plan's.")
@click.option("--mock", is_flag=True, help="No sockets: aioresponses answers aiohttp. Shows the client's own cost.")
@click.pass_context
def run(  # noqa: PLR0913 - one parameter per documented option
    ctx: click.Context, file: Path | None, output: Path, only: tuple[str, ...], repeats: int | None, *, mock: bool
) -> None:
    """Crawl the plan's webs by every variant, check that all did the same work, and compare them.

    Writes results.json and report.html. The exit code is 1 where a cell is invalid: results.json says why.
    """
    from crawler.bench.matrix.plan import plan_file, read_plan  # noqa: PLC0415 - see the module docstring
    from crawler.bench.matrix.runner import run as measure  # noqa: PLC0415
    from crawler.bench.matrix.table import print_table  # noqa: PLC0415
    from crawler.bench.matrix.writing import RESULTS, prepare, write  # noqa: PLC0415

    plan = read_plan(plan_file(file)).only(only)
    if repeats:
        plan = plan.model_copy(update={"repeats": repeats})
    prepare(output)
    try:
        results = measure(plan, lambda line: click.echo(line, err=True), mock=mock)
    except KeyboardInterrupt:
        ctx.exit(_INTERRUPTED)
    report = write(results, output)
    print_table(results)
    click.echo(f"{report} and {output / RESULTS}")
    ctx.exit(0 if all(cell["valid"] for cell in results["cells"]) else 1)


bench.add_command(handoff)
bench.add_command(speed)
