"""The main text of a page, without navigation and boilerplate, by trafilatura."""

import trafilatura

from cpu_stage.types import Json, Needs, Page


def content(page: Page) -> dict[str, Json]:
    """Return the main text and its length in words; an empty text where a page has none."""
    text = trafilatura.extract(page.html, url=page.url, fast=True) or ""
    return {"text": text, "words": len(text.split())}


content.needs = Needs.HTML  # type: ignore[attr-defined]  # how an analyzer says what is to be sent
