"""What a job's own configuration may not order by itself: a job directory may come from anybody."""

from pathlib import Path

from cpu_stage.analyzers import BUILT_IN
from crawler.config.loading import Loaded
from crawler.config.models import Config
from crawler.errors import ConfigError


def has_code(config: Config) -> bool:
    """Whether a configuration names analyzers that are no part of this program."""
    return any(entry.target not in BUILT_IN for entry in config.analyzers)


def refuse_orders(loaded: Loaded, job_file: Path) -> None:
    """Refuse code to run and files to write outside of the job, where nobody but the job's configuration names them.

    Raises:
        ConfigError: one line that says how to name them oneself.
    """
    config, own = loaded.config, f"{job_file}:"
    by_oneself = f"a job may come from anybody: read it, and name it yourself by -c {job_file}"
    if loaded.origins["analyzers"].startswith(own) and has_code(config):
        names = ", ".join(entry.target for entry in config.analyzers if entry.target not in BUILT_IN)
        raise ConfigError(f"{loaded.origins['analyzers']}: analyzers: {names}: this is code, and {by_oneself}")
    outside = [entry.options.path for entry in config.sinks if _leads_out(entry.options.path, job_file.parent)]
    if loaded.origins["sinks"].startswith(own) and outside:
        raise ConfigError(f"{loaded.origins['sinks']}: sinks: {outside[0]}: outside of the job, and {by_oneself}")


def _leads_out(path: str, job: Path) -> bool:
    return not (job / path).parent.resolve().is_relative_to(job.resolve())
