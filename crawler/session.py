"""One run of the ``run`` command: open the job, crawl under the eyes of the user, close, report."""

import asyncio
import contextlib
import logging
import resource
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cpu_stage.types import StageError
from crawler import job as jobs
from crawler.build import Crawl, build, check_parts, loop_factory
from crawler.config import Config, Loaded, dump, has_code
from crawler.errors import ConfigError, JobError
from crawler.logs import logging_to
from crawler.progress import Snapshot, View, view
from crawler.report import job_report
from crawler.stats import Earlier
from crawler.summary import summary
from crawler.types import Outcome

log = logging.getLogger(__name__)

NO_JOB = Path(":memory:")
FINISHED, NO_SEED_FETCHED, INTERRUPTED = 0, 3, 130


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for. ``job`` None: a directory named after the first seed's host."""

    loaded: Loaded
    job: Path | None
    output: str | None
    fresh: bool = False
    quiet: bool = False

    @property
    def config(self) -> Config:
        """The effective configuration."""
        return self.loaded.config


@dataclass(frozen=True, slots=True)
class Ending:
    """How a crawl ended: the exit code, and ``stats.json`` as it stands then."""

    code: int
    reason: str
    stats: Mapping[str, Any]


def crawl(order: Order) -> int:
    """Run the crawl; return the exit code.

    Everything that can be wrong with the order is found before the job directory is touched.
    """
    config = order.config
    if not config.seeds and not (order.job and (order.job / jobs.LEDGER).exists()):
        raise ConfigError("no seeds: name a URL, --seeds FILE, or seeds: in the configuration")
    check_parts(config)
    path = order.job or jobs.default_path(config.seeds[0])
    if path == NO_JOB:
        return _crawl_in(None, order, path)
    jobs.check(path)
    if order.fresh and (aside := jobs.set_aside(path)):
        _say(order, f"the old job is now {aside}")
    with jobs.Job.open(path) as job:
        return _crawl_in(job, order, path)


def _crawl_in(job: jobs.Job | None, order: Order, path: Path) -> int:
    log_file = job.path / jobs.LOG if job else None
    _allow_open_files()
    with (
        logging_to(order.config.observe.log_level, log_file),
        asyncio.Runner(loop_factory=loop_factory(order.config)) as runner,
    ):
        ending = runner.run(_Session(job, order).run())
    _print_ending(order, path, ending)
    return ending.code


def _allow_open_files() -> None:
    """Raise the number of files that may be open as far as is permitted: a connection takes one, and usual is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _say(order: Order, text: str) -> None:
    if not order.quiet:
        click.echo(text, err=True)


def _print_ending(order: Order, path: Path, ending: Ending) -> None:
    if order.quiet:
        return
    to_stderr = order.output == "-"
    if ending.reason == "already finished":
        pages = ending.stats["pages"]
        click.echo(f"{path} is finished: {pages:,} pages; --fresh starts over", err=to_stderr)
        return
    click.echo(f"{ending.reason}: {path}", err=to_stderr)
    click.echo(summary(ending.stats), err=to_stderr)
    if path != NO_JOB:
        click.echo(f"  report     {path / jobs.REPORT}", err=to_stderr)
    if ending.code == INTERRUPTED:
        named = f" -c {path / jobs.CONFIG}" if has_code(order.config) else ""
        click.echo(f"go on with: crawler run -j {path}{named}", err=True)
    if ending.code == NO_SEED_FETCHED:
        click.echo(f"no page could be fetched; the records in {path} say why", err=True)


class _Session:
    """The running crawl and those who watch it: the signals, the view, ``stats.json``."""

    def __init__(self, job: jobs.Job | None, order: Order) -> None:
        self._job = job
        self._order = order
        self._interrupts = 0

    async def run(self) -> Ending:
        config = self._order.config
        earlier = Earlier.of(jobs.read_stats(self._job.path)) if self._job and self._job.resumed else Earlier()
        async with build(config, self._job, self._order.output, earlier) as crawl:
            new = await crawl.sow(config.seeds)
            if self._job and not new and not crawl.frontier.counts().queued and self._job.resumed:
                return Ending(FINISHED, "already finished", crawl.stats("finished"))
            if self._job:
                self._job.write(jobs.CONFIG, dump(config))
            return await self._watch(crawl)

    async def _watch(self, crawl: Crawl) -> Ending:
        main = asyncio.ensure_future(crawl.engine.run())
        observers = [asyncio.create_task(crawl.book.lag.run())]
        with view(self._order.config.observe.progress) as screen, self._signals(crawl, main, screen):
            observers.append(asyncio.create_task(self._observe(crawl, screen)))
            for observer in observers:
                observer.add_done_callback(_log_error)
            try:
                reason = await main
            except StageError as error:
                raise ConfigError(f"the CPU stage cannot work: {error}") from error
            except asyncio.CancelledError:
                if not self._interrupts:
                    raise
                reason = "interrupted"
            finally:
                for observer in observers:
                    observer.cancel()
                await asyncio.gather(*observers, return_exceptions=True)
        return self._end(crawl, reason)

    def _end(self, crawl: Crawl, reason: str) -> Ending:
        crawl.book.memory.sample()
        stats = crawl.stats("interrupted" if reason == "interrupted" else "finished")
        if self._job:
            self._job.write_stats(stats)
            self._job.write(jobs.REPORT, job_report(self._job.path.name, stats))
        if reason == "interrupted":
            return Ending(INTERRUPTED, reason, stats)
        fetched = stats["outcomes"].get(Outcome.OK, 0)
        return Ending(FINISHED if fetched else NO_SEED_FETCHED, reason, stats)

    async def _observe(self, crawl: Crawl, screen: View) -> None:
        """Write ``stats.json`` and redraw the view, until cancelled."""
        interval = self._order.config.observe.stats_interval
        while True:
            await asyncio.sleep(interval)
            memory = crawl.book.memory.sample()
            stats = crawl.stats("running")
            screen.show(_snapshot(crawl, stats, memory, stopping=self._interrupts > 0))
            if self._job:
                await self._write_stats(self._job, stats)

    async def _write_stats(self, job: jobs.Job, stats: Mapping[str, Any]) -> None:
        """Replace ``stats.json``; where that fails the crawl goes on, for it is only a report."""
        try:
            await asyncio.to_thread(job.write_stats, stats)
        except JobError as error:
            log.warning("%s", error)

    @contextlib.contextmanager
    def _signals(self, crawl: Crawl, main: "asyncio.Future[str]", screen: View) -> Iterator[None]:
        """Ctrl-C once: stop leasing and finish what is in flight; twice: now.

        SIGTERM is Ctrl-C, and so is a terminal that was closed.
        """
        loop = asyncio.get_running_loop()
        names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for name in names:
            loop.add_signal_handler(name, self._interrupt, crawl, main, screen)
        try:
            yield
        finally:
            for name in names:
                loop.remove_signal_handler(name)

    def _interrupt(self, crawl: Crawl, main: "asyncio.Future[str]", screen: View) -> None:
        self._interrupts += 1
        if self._interrupts == 1:
            if not self._order.quiet:
                with contextlib.suppress(OSError):  # the terminal may be gone
                    screen.say(
                        f"stopping: finishing {crawl.engine.counts().in_work} pages in flight (Ctrl-C again: now)"
                    )
            crawl.engine.stop("interrupted")
        else:
            main.cancel()


def _log_error(observer: "asyncio.Task[None]") -> None:
    """Say why an observer ended: the crawl goes on unobserved, but not without a word."""
    if not observer.cancelled() and (error := observer.exception()):
        log.error("the view of the crawl ended", exc_info=error)


def _snapshot(crawl: Crawl, stats: Mapping[str, Any], memory: int, *, stopping: bool) -> Snapshot:
    engine, stage, counts = crawl.engine.counts(), crawl.stage.counts(), crawl.frontier.counts()
    waits = crawl.book.metrics.waits
    return Snapshot(
        state="stopping" if stopping else "crawling",
        seconds=time.monotonic() - (crawl.book.metrics.first_fetch or time.monotonic()),
        pages=stats["pages"],
        pages_per_second=stats["pages_per_second"],
        fetching=engine.fetching,
        queued=counts.queued,
        hosts=counts.hosts,
        analysing=stage.waiting + stage.running,
        errors=stats["outcomes"].get("failed", 0) + stats["outcomes"].get("http_error", 0),
        bytes=stats["bytes"],
        memory=memory,
        waits_for=max(waits, key=lambda name: waits[name]),
    )
