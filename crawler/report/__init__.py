"""Self-contained HTML pages: no network, no script of others, light and dark, fit to print."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crawler.display import number, size

_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Fill a template of this package; everything in it is escaped."""
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415 - a crawl imports it after its last page

    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
    environment.filters.update(bytes=size, number=number)
    return environment.get_template(template).render(**values)


def job_report(name: str, stats: Mapping[str, Any]) -> str:
    """Return the report of one job from its ``stats.json``."""
    return render("job.html.j2", name=name, stats=stats)
