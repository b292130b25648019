"""``crawler lab``. What it needs is imported when it runs."""

import sys
from pathlib import Path

import click

from crawler.errors import ConfigError


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("lab"),
    show_default=True,
    metavar="DIR",
)
@click.option("--small", is_flag=True, help="The quick form: fewer sizes and rounds, under a minute.")
@click.option("--only", multiple=True, metavar="ID", help="One claim (repeatable): gil, io-bound, convoy ...")
@click.option("--seed", type=int, default=1, show_default=True, help="Orders the runs of each round.")
def lab(output: Path, *, small: bool, only: tuple[str, ...], seed: int) -> None:
    """Put what textbooks say of threads, processes and coroutines to the test on this machine and this Python."""
    from crawler.bench.lab.claim import Setting  # noqa: PLC0415 - see the module docstring
    from crawler.bench.lab.claims import CLAIMS  # noqa: PLC0415
    from crawler.bench.lab.runner import RESULTS, run, write  # noqa: PLC0415

    known = [claim.id for claim in CLAIMS]
    unknown = [name for name in only if name not in known]
    if unknown:
        raise ConfigError(f"--only {unknown[0]}: unknown; accepted: {', '.join(known)}")
    if sys.platform != "linux":
        raise ConfigError("the lab asks the kernel through /proc: it needs Linux")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output {output}: cannot be written: {error.strerror}") from error
    chosen = [claim for claim in CLAIMS if not only or claim.id in only]
    results = run(Setting(small, seed), lambda line: click.echo(line, err=True), chosen)
    report = write(results, output)
    click.echo(f"{report} and {output / RESULTS}")
