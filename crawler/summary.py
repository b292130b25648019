"""The last words of a crawl: what it did, for a person."""

from collections.abc import Iterator, Mapping
from typing import Any

from crawler.display import size

_HOSTS = 5


def summary(stats: Mapping[str, Any]) -> str:
    """Return the summary of a ``stats.json`` as a few aligned lines."""
    return "\n".join(_lines(stats))


def _lines(stats: Mapping[str, Any]) -> Iterator[str]:
    outcomes = ", ".join(f"{count:,} {name}" for name, count in stats["outcomes"].items()) or "none"
    yield f"  pages      {stats['pages']:,} in {stats['seconds']:.1f} s ({stats['pages_per_second']:.1f}/s)"
    yield f"  outcomes   {outcomes}"
    if stats["errors"]:
        yield f"  errors     {', '.join(f'{count:,} {kind}' for kind, count in stats['errors'].items())}"
    if stats.get("near_duplicates"):  # older ones have none
        yield f"  duplicates {stats['near_duplicates']:,} pages say nearly the same as another (near_duplicate_of)"
    yield f"  read       {size(stats['bytes'])} ({size(stats['wire_bytes'])} on the wire)"
    yield f"  memory     {stats['peak_rss_mb']:.0f} MB at the peak, all processes"
    lag = stats["loop_lag_ms"]
    yield f"  loop lag   p50 {lag['p50']:.1f} ms, p99 {lag['p99']:.1f} ms, max {lag['max']:.1f} ms"
    yield f"  time       {_shares(stats['stages'])}"
    if stats["bottleneck"]:
        yield f"  bottleneck {_bottleneck(stats)}"
    for place, why in stats.get("cut", {}).items():  # older ones have none
        yield f"  cut        {place}: {why}"
    hosts = sorted(stats["hosts"].items(), key=lambda item: -item[1]["mean_ms"])[:_HOSTS]
    if hosts:
        slowest = ", ".join(f"{name} {host['mean_ms']:.0f} ms" for name, host in hosts)
        yield f"  slowest    {slowest}"


def _bottleneck(stats: Mapping[str, Any]) -> str:
    """Name what held the crawl back, how busy it was, and what more of it would bring."""
    name, more = stats["bottleneck"], stats["one_more"]
    busy = f"{name} ({stats['use'][name]:.0%} busy)" if name in stats["use"] else name
    gains = ", ".join(f"one more {thing}: {gain:+.0%}" for thing, gain in more.items())
    return f"{busy}; {gains}"


def _shares(stages: Mapping[str, Any]) -> str:
    parts = sorted(stages.items(), key=lambda item: -item[1]["share"])
    return ", ".join(f"{name.replace('_', ' ')} {part['share']:.0%}" for name, part in parts if part["share"] >= 0.005)
