"""``crawler bench speed``. What it needs is imported when it runs."""

from pathlib import Path

import click

from crawler.errors import ConfigError

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("seeds", nargs=-1, metavar="[SEED ...]")
@click.option("--docroot", "docroots", type=_FOLDER, multiple=True, help="Folder of a seed's pages, in their order.")
@click.option("--peers", "folder", type=_FOLDER, help="Folder with obvious.py, scrapy_peer.py and limit.py.")
@click.option("--python", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The peers' Python.")
@click.option("--repeats", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs of each, by turns.")
@click.option(
    "--slow-pages",
    type=click.IntRange(100, 1_000_000),
    default=12_000,
    show_default=True,
    help="Pages of the slow servers.",
)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write results.json there."
)
def speed(  # noqa: PLR0913 - one parameter per documented option
    seeds: tuple[str, ...],
    docroots: tuple[Path, ...],
    folder: Path | None,
    python: Path | None,
    repeats: int,
    slow_pages: int,
    output: Path | None,
) -> None:
    """Measure how fast the crawler is, on sites of your own and on a synthetic web of slow servers.

    With --peers and --python, other crawlers run by turns with it, and their ratios are printed.
    """
    import orjson  # noqa: PLC0415 - see the module docstring

    from crawler.bench.matrix.writing import RESULTS, prepare  # noqa: PLC0415
    from crawler.bench.speed.contenders import Peers  # noqa: PLC0415
    from crawler.bench.speed.measure import Plan, measure  # noqa: PLC0415
    from crawler.bench.speed.table import print_results  # noqa: PLC0415

    if (folder is None) != (python is None):
        raise ConfigError("--peers and --python go together: the programs, and the Python that has their libraries")
    if len(docroots) > len(seeds):
        raise ConfigError(f"--docroot: there are {len(docroots)}, for {len(seeds)} seeds; one a seed at most")
    if output is not None:
        prepare(output)
    peers = Peers(folder, python) if folder and python else None
    results = measure(Plan(seeds, docroots, peers, repeats, slow_pages), lambda line: click.echo(line, err=True))
    print_results(results)
    if output is not None:
        file = output / RESULTS
        file.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
        click.echo(str(file))
