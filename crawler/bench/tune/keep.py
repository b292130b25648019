"""An analyzer that keeps pages: how the sample gets hold of what was fetched."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from cpu_stage.types import Json, Needs, Page


class Keep:
    """Writes the html of every page into a folder, under :func:`name` of its URL."""

    needs = Needs.HTML

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def __call__(self, page: Page) -> Mapping[str, Json]:
        """Keep the page."""
        (self._folder / name(page.url)).write_bytes(page.html.encode("utf-8", "replace"))
        return {}


def name(url: str) -> str:
    """Return the name of a URL's file."""
    return hashlib.sha256(url.encode()).hexdigest()
