"""The command line. Commands import what they need when they run, so that ``--help`` is instant."""

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from crawler import __version__
from crawler.bench.command import bench
from crawler.bench.lab.command import lab
from crawler.bench.tune.command import tune
from crawler.errors import ConfigError, CrawlerError

if TYPE_CHECKING:
    from crawler.config import Loaded

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_FILE = click.Path(dir_okay=False, path_type=Path)


class _Group(click.Group):
    """Turns the errors that a user can act on into one line each and the documented exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CrawlerError as error:
            _end(error)


def _end(error: CrawlerError) -> NoReturn:
    for line in str(error).splitlines():
        click.echo(f"crawler: {line}", err=True)
    sys.exit(error.exit_code)


@click.group(cls=_Group, context_settings=_CONTEXT)
@click.version_option(__version__, "-V", "--version", prog_name="crawler")
def main() -> None:
    """Crawl sites politely and durably, and analyse every page: coroutines for I/O, processes for CPU."""
    _find_users_modules()


def _find_users_modules() -> None:
    """Have analyzers found in the current directory, after all that is installed: a file there must replace nothing."""
    with contextlib.suppress(FileNotFoundError):  # the current directory may have been removed
        here = str(Path.cwd())
        if not {"", here} & set(sys.path):
            sys.path.append(here)


def _config_options(command: Any) -> Any:
    command = click.option(
        "-s", "--set", "sets", multiple=True, metavar="KEY.PATH=VALUE", help="Set one key (YAML value)."
    )(command)
    return click.option("-c", "--config", "config_file", type=_FILE, help="Configuration file (YAML).")(command)


@main.command()
@click.argument("seeds", nargs=-1, metavar="[SEED ...]")
@_config_options
@click.option("--seeds", "seeds_file", metavar="FILE|-", help="File with one seed a line; - reads standard input.")
@click.option("-j", "--job", type=click.Path(path_type=Path), help="Job directory  [default: jobs/HOST]")
@click.option("-n", "--max-pages", type=click.IntRange(min=1), help="Stop after this many records.")
@click.option("-d", "--max-depth", type=click.IntRange(min=0), help="Follow links to this depth.")
@click.option("-o", "--output", metavar="FILE|-", help="Write records there too, as JSON Lines; - is standard output.")
@click.option("--fresh", is_flag=True, help="Start over; an old job is moved aside, never deleted.")
@click.option("--progress", type=click.Choice(["auto", "plain", "none"]), help="How to show progress.")
@click.option("-v", "--verbose", count=True, help="Log more.")
@click.option("-q", "--quiet", is_flag=True, help="Show errors only.")
def run(  # noqa: PLR0913 - one parameter per documented option
    seeds: tuple[str, ...],
    config_file: Path | None,
    sets: tuple[str, ...],
    seeds_file: str | None,
    job: Path | None,
    max_pages: int | None,
    max_depth: int | None,
    output: str | None,
    *,
    fresh: bool,
    progress: str | None,
    verbose: int,
    quiet: bool,
) -> None:
    """Crawl from the seeds. Run again on the same job, it goes on where it stopped.

    Without seeds, crawler run -j JOB goes on with the job's own configuration.
    """
    from crawler.session import Order, crawl  # noqa: PLC0415 - see the module docstring

    flags = {
        "seeds": [*seeds, *_read_seeds(seeds_file)] or None,
        "limits.pages": max_pages,
        "limits.depth": max_depth,
        "observe.progress": "none" if quiet else progress,
        "observe.log_level": "debug" if verbose > 1 else "info" if verbose else None,
    }
    loaded = _load(config_file, sets, flags, None if flags["seeds"] else job)
    order = Order(loaded, job, output, fresh=fresh, quiet=quiet)
    sys.exit(crawl(order))


def _read_seeds(name: str | None) -> list[str]:
    """Read one seed a line; blank lines and lines that start with ``#`` do not count."""
    if name is None:
        return []
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"--seeds {name}: cannot be read: {reason}") from error
    lines = (line.strip() for line in text.splitlines())
    seeds = [line for line in lines if line and not line.startswith("#")]
    if not seeds:
        raise ConfigError(f"--seeds {name}: holds no seed; one URL a line is expected")
    return seeds


def _load(
    config_file: Path | None, sets: tuple[str, ...], flags: Mapping[str, Any], job: Path | None = None
) -> "Loaded":
    """Read the configuration; that of the job, if one is named, stands below all others."""
    import os  # noqa: PLC0415

    from crawler.config import load, refuse_orders  # noqa: PLC0415 - pydantic and yaml
    from crawler.job import CONFIG  # noqa: PLC0415

    own = job / CONFIG if job is not None and (job / CONFIG).is_file() else None
    files = [file for file in (own, config_file) if file is not None]
    loaded = load(files, os.environ, sets, {key: value for key, value in flags.items() if value is not None})
    if own is not None and not (config_file is not None and config_file.samefile(own)):
        refuse_orders(loaded, own)
    return loaded


@main.command()
@click.option("-j", "--job", type=click.Path(path_type=Path), default=Path("jobs/demo"), show_default=True)
@click.option("-s", "--set", "sets", multiple=True, metavar="KEY.PATH=VALUE", help="Set one key (YAML value).")
def demo(job: Path, sets: tuple[str, ...]) -> None:
    """Crawl a synthetic web on this machine, and show what came out. An earlier demo's job is moved aside."""
    from crawler.bench.demo import demo  # noqa: PLC0415

    sys.exit(demo(job, sets))


@main.command()
@click.option("--rough", is_flag=True, help="Start from a web with some of every trouble.")
@click.option("-s", "--set", "sets", multiple=True, metavar="NAME=VALUE", help="One property: pages=5000, hosts=8 ...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Of the first host.")
def site(*, rough: bool, sets: tuple[str, ...], host: str, port: int) -> None:
    """Serve a synthetic web with ground truth and an audit, until Ctrl-C."""
    from crawler.bench.site import ROUGH, SiteSpec, run_forever  # noqa: PLC0415
    from crawler.bench.site.options import spec_of  # noqa: PLC0415

    spec = spec_of(ROUGH if rough else SiteSpec(), sets)
    try:
        run_forever(spec, host, port, say=click.echo)
    except OSError as error:
        raise ConfigError(f"cannot serve on {host}:{port} and the ports after it: {error.strerror}") from error


@main.command()
@click.argument("job", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print stats.json itself.")
def status(job: Path, *, as_json: bool) -> None:
    """Show the counts of a job, also while it runs."""
    from crawler.jobview import print_status  # noqa: PLC0415

    print_status(job, as_json=as_json)


@main.command()
@click.argument("job", type=click.Path(path_type=Path))
def report(job: Path) -> None:
    """Write JOB/report.html: one self-contained page."""
    from crawler.jobview import write_report  # noqa: PLC0415

    click.echo(write_report(job))


@main.command()
@click.argument("job", type=click.Path(path_type=Path))
@click.option("-f", "--format", "form", type=click.Choice(["jsonl", "csv", "urls"]), default="csv", show_default=True)
@click.option("-o", "--output", metavar="FILE|-", default="-", show_default=True)
def export(job: Path, form: str, output: str) -> None:
    """Write a job's records in another format."""
    from crawler.export import export_job  # noqa: PLC0415

    export_job(job, form, output)


@main.group()
def config() -> None:
    """Look at the configuration."""


@config.command("show")
@_config_options
def config_show(config_file: Path | None, sets: tuple[str, ...]) -> None:
    """Print every effective value and where it came from."""
    from crawler.config import describe  # noqa: PLC0415

    for key, value, origin in describe(_load(config_file, sets, {})):
        click.echo(f"{key}: {value}  # {origin}")


@config.command("check")
@_config_options
def config_check(config_file: Path | None, sets: tuple[str, ...]) -> None:
    """Validate, and say in one line what is wrong and where."""
    from crawler.build import check_parts  # noqa: PLC0415

    check_parts(_load(config_file, sets, {}).config)
    click.echo("the configuration is valid")


@config.command("schema")
def config_schema() -> None:
    """Print the JSON Schema, for editors."""
    import orjson  # noqa: PLC0415

    from crawler.config import schema  # noqa: PLC0415

    click.echo(orjson.dumps(schema(), option=orjson.OPT_INDENT_2).decode())


main.add_command(bench)
main.add_command(lab)
main.add_command(tune)
