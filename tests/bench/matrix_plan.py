"""A plan of a small comparison, as a file."""

from pathlib import Path

_PLAN = """\
repeats: 2
warm_up: 5
variants: [sequential, threads+inline, coroutines+inline, coroutines+processes]
workloads:
  light:
    about: Light pages.
    site: {{pages: 40, hosts: 4, page_size: 6000, latency: "{latency}"}}
    settings: {settings}
    concurrency: 8
    workers: 1
sweeps:
  - {{workload: light, over: concurrency, values: [2, 8], variants: [threads+inline, coroutines+inline]}}
"""


def write_plan(folder: Path, *, settings: str = "{analyzers: [fingerprint]}", latency: str = "constant:0.01") -> Path:
    """Write the plan into a folder; return its path."""
    file = folder / "plan.yaml"
    file.write_text(_PLAN.format(settings=settings, latency=latency), encoding="utf-8")
    return file
