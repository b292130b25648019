"""``crawler bench handoff``. What it needs is imported when it runs."""

from pathlib import Path

import click

from crawler.errors import ConfigError


@click.command()
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write results.json there."
)
@click.option("--small", is_flag=True, help="The quick form: few pages, three rounds.")
@click.option(
    "--size",
    "sizes",
    type=click.IntRange(1, 2 * 2**20),
    multiple=True,
    metavar="BYTES",
    help="Of a page's text (repeatable)  [default: 2, 20, 200 KB and 2 MB]",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Orders the ways in each round.")
def handoff(output: Path | None, *, small: bool, sizes: tuple[int, ...], seed: int) -> None:
    """Measure what handing a page to a worker process costs, by run_in_executor, by other ways and by the CPU stage.

    In microseconds a page over the work itself: a worker counts the words of a text, which takes as long anywhere.
    """
    import orjson  # noqa: PLC0415 - see the module docstring

    from crawler.bench.handoff.measure import SIZES, Effort, run  # noqa: PLC0415
    from crawler.bench.handoff.table import print_results  # noqa: PLC0415

    if output is not None:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--output {output}: cannot be written: {error.strerror}") from error
    effort = Effort(rounds=3, pages=200, volume=2_000_000, alone=5) if small else Effort()
    results = run(effort, seed, sizes or SIZES, lambda line: click.echo(line, err=True))
    print_results(results)
    if output is not None:
        file = output / "results.json"
        file.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
        click.echo(str(file))
