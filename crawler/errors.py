"""One base for every error that a user may see; each carries the exit code of the command line."""


class CrawlerError(Exception):
    """A problem that the user can act on: its text says what is wrong, where, and what would be accepted."""

    exit_code = 2


class ConfigError(CrawlerError):
    """Bad usage or configuration."""


class JobError(CrawlerError):
    """The job directory cannot be opened: locked, of another version, damaged, or not writable."""

    exit_code = 4
