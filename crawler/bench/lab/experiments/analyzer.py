"""An analyzer that costs what it is told to, in pure Python; workers of a crawl import this and little else."""

from collections.abc import Mapping

from cpu_stage.types import Json, Needs, Page
from crawler.bench.lab.experiments.burn import burn


class Burner:
    """Burns ``units`` on every page; it asks for the html, as a content extractor does, so that it travels."""

    needs = Needs.HTML

    def __init__(self, units: int) -> None:
        self._units = units

    def __call__(self, page: Page) -> Mapping[str, Json]:
        """Return the size of what came."""
        burn(self._units)
        return {"letters": len(page.html)}
