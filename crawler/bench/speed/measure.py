"""Measuring: contenders by turns, the crawler alone against slow servers, and its start."""

import functools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler import __version__
from crawler.bench.children import environment
from crawler.bench.lab.machine import cores, machine, python_build
from crawler.bench.matrix.interval import interval, times
from crawler.bench.matrix.noise import Others
from crawler.bench.site import SiteProcess, SiteSpec
from crawler.bench.speed.contenders import Peers, crawl
from crawler.stats import now_utc

Say = Callable[[str], None]
Run = Callable[[], float]

TANDEM = "tandem"
_WIDE = ("fetch.per_host=64", "fetch.concurrency=64")
_LATENCY_S = 0.2
_SLOW_HOSTS = 8
_SLOW_WIDTHS = (250, 500, 1_000)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: sites with the folders that hold their pages, where given; peers, where given.

    ``slow_pages`` is how many pages the slow servers have.
    """

    sites: Sequence[str]
    docroots: Sequence[Path]
    peers: Peers | None
    repeats: int
    slow_pages: int


def measure(plan: Plan, say: Say) -> dict[str, Any]:
    """Measure everything; return what ``results.json`` holds.

    Raises:
        SpeedError: a crawl or a peer failed.
    """
    started_at, start, others = now_utc(), time.monotonic(), Others()
    sites = []
    for number, seed in enumerate(plan.sites):
        docroot = plan.docroots[number] if number < len(plan.docroots) else None
        for work, contenders in _contenders(seed, docroot, plan.peers).items():
            say(f"{seed}: {work} ({', '.join(contenders)})")
            sites.append({"seed": seed, "work": work, **_by_turns(contenders, plan.repeats)})
    say(f"servers that take {_LATENCY_S} s, with {', '.join(f'{width:,}' for width in _SLOW_WIDTHS)} connections")
    slow = _slow(plan.slow_pages, plan.repeats)
    say("start")
    return {
        "version": __version__,
        "started_at": started_at,
        "machine": machine(),
        "python": python_build(),
        "repeats": plan.repeats,
        "sites": sites,
        "slow_servers": slow,
        "start": _start(plan.repeats),
        "others_cores": others.cores(),
        "seconds": round(time.monotonic() - start, 1),
    }


def _contenders(seed: str, docroot: Path | None, peers: Peers | None) -> Mapping[str, Mapping[str, Run]]:
    """Return who competes in each kind of work."""
    links: dict[str, Run] = {TANDEM: lambda: _rate(seed, "analyzers=[]")}
    content: dict[str, Run] = {TANDEM: lambda: _rate(seed, "analyzers=[content]")}
    if peers:
        links["obvious"] = lambda: float(peers.run("obvious.py", seed)["rate"])
        links["scrapy"] = lambda: float(peers.run("scrapy_peer.py", seed)["rate"])
        workers = ("--cpu", "process", "--workers", str(cores()))
        content["obvious"] = lambda: float(peers.run("obvious.py", seed, *workers)["rate"])
        if docroot:
            content["limit"] = lambda: _limit(peers, seed, docroot)
    return {"links only": links, "content": content}


def _rate(seed: str, *settings: str) -> float:
    return float(crawl([seed], *_WIDE, *settings).stats["pages_per_second"])


def _limit(peers: Peers, seed: str, docroot: Path) -> float:
    """Analyse the same pages from the disk, without a network or a hand-off."""
    with tempfile.NamedTemporaryFile("w", suffix=".urls") as urls:
        urls.write("\n".join(_pages(seed)))
        urls.flush()
        return float(peers.run("limit.py", str(docroot), urls.name, "--workers", str(cores()))["rate"])


@functools.cache
def _pages(seed: str) -> Sequence[str]:
    """Return the URLs of a site's pages: the same in every round."""
    return crawl([seed], *_WIDE, "analyzers=[]").pages


def _by_turns(contenders: Mapping[str, Run], repeats: int) -> dict[str, Any]:
    """Let each run once a round, the first one last in the next."""
    names, rates = list(contenders), {name: list[float]() for name in contenders}
    for round_ in range(repeats):
        turn = round_ % len(names)
        for name in names[turn:] + names[:turn]:
            rates[name].append(contenders[name]())
    ratios = {name: dict(times(rates[TANDEM], runs)) for name, runs in rates.items() if name != TANDEM}
    return {"pages_per_second": {name: dict(interval(runs)) for name, runs in rates.items()}, "times": ratios}


def _slow(pages: int, repeats: int) -> list[dict[str, Any]]:
    """Crawl servers that take long, by turns with few and many connections.

    Returns:
        Of each width what share of connections / latency is reached, and what the loop spends on a page.
    """
    stats: dict[int, list[dict[str, Any]]] = {width: [] for width in _SLOW_WIDTHS}
    spec = SiteSpec(pages=pages, hosts=_SLOW_HOSTS, page_size=20_000, latency=f"constant:{_LATENCY_S}", links=40)
    with SiteProcess(spec) as site:
        for _ in range(repeats):
            for width, runs in stats.items():
                wide = f"fetch.concurrency={width}", f"fetch.per_host={width // _SLOW_HOSTS}"
                runs.append(crawl(site.seeds, *wide, "analyzers=[]").stats)
    return [_of_width(width, runs) for width, runs in stats.items()]


def _of_width(width: int, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rates = [run["pages_per_second"] for run in runs]
    loop = [1e3 * run["use"]["loop"] * run["seconds"] / run["pages"] for run in runs]
    return {
        "connections": width,
        "latency_s": _LATENCY_S,
        "pages_per_second": dict(interval(rates)),
        "share_of_bound": dict(interval([rate * _LATENCY_S / width for rate in rates])),
        "loop_ms_per_page": dict(interval(loop)),
    }


def _start(repeats: int) -> dict[str, Any]:
    """Time ``crawler --help``, and from a crawl's start to the moment when its server is asked for the first page."""
    helps, firsts = [], []
    with SiteProcess(SiteSpec(pages=20, hosts=1)) as site:
        for _ in range(max(5, repeats)):
            begun = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "crawler", "--help"], env=environment(), stdout=subprocess.DEVNULL, check=True
            )
            helps.append(1e3 * (time.perf_counter() - begun))
            site.reset()
            started, asked = crawl(site.seeds).started, site.audit().first_page_at
            assert asked is not None, "it was crawled"
            firsts.append(asked - started)
    return {"help_ms": dict(interval(helps)), "first_page_s": dict(interval(firsts))}
