"""``crawler tune``. What it needs is imported when it runs."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import click

from cpu_stage.types import Json

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("seeds", nargs=-1, metavar="[SEED ...]")
@click.option("-c", "--config", "config_file", type=_FILE, help="Configuration file (YAML).")
@click.option("-s", "--set", "sets", multiple=True, metavar="KEY.PATH=VALUE", help="Set one key (YAML value).")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("tune"),
    show_default=True,
    metavar="DIR",
)
@click.option("--pages", type=click.IntRange(1, 1000), default=60, show_default=True, help="URLs that are sampled.")
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="Runs of each check.")
@click.option("--everything", is_flag=True, help="Check every variant, also where the model gives it no chance.")
def tune(  # noqa: PLR0913 - one parameter per documented option
    seeds: tuple[str, ...],
    config_file: Path | None,
    sets: tuple[str, ...],
    output: Path,
    pages: int,
    rounds: int,
    *,
    everything: bool,
) -> None:
    """Recommend settings for your pages, your analyzers and this machine.

    Samples the site politely, measures, predicts every variant, and checks the best few by real crawls of the sample,
    which is served back from this machine. Without a seed, a synthetic web is sampled. Writes results.json, report.html
    and tuned.yaml, which crawler run -c takes.
    """
    from crawler.bench.matrix.writing import prepare  # noqa: PLC0415 - see the module docstring
    from crawler.bench.tune.runner import Effort, tune  # noqa: PLC0415
    from crawler.bench.tune.table import print_advice  # noqa: PLC0415
    from crawler.bench.tune.writing import write  # noqa: PLC0415
    from crawler.build import check_parts  # noqa: PLC0415
    from crawler.config import load  # noqa: PLC0415

    files = [config_file] if config_file else []
    loaded = load(files, os.environ, sets, {"seeds": list(seeds)} if seeds else {})
    check_parts(loaded.config)
    prepare(output)
    with _a_web() if not loaded.config.seeds else contextlib.nullcontext(()) as others:
        if others:
            click.echo("no seed: a synthetic web is sampled", err=True)
            web: dict[str, Json] = {"seeds": list(others), "politeness.delay": 0, "fetch.per_host": 64}
            loaded = load(files, os.environ, sets, web)
        effort = Effort(pages=pages, rounds=rounds, everything=everything)
        results = tune(loaded, effort, lambda line: click.echo(line, err=True))
    report = write(results, output)
    print_advice(results)
    click.echo(f"{report}, {output / 'results.json'} and {output / 'tuned.yaml'}")


@contextlib.contextmanager
def _a_web() -> Iterator[tuple[str, ...]]:
    """Serve a synthetic web; yield its seeds."""
    from crawler.bench.site import SiteProcess, SiteSpec  # noqa: PLC0415

    with SiteProcess(SiteSpec(pages=200, hosts=1, latency="constant:0.1")) as site:
        yield site.seeds
