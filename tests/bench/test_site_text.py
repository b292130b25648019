"""The articles are what the analyzers expect of real ones: a language, a main text, each unlike the others."""

import re
from collections import Counter
from hashlib import blake2b
from itertools import combinations, pairwise

import py3langid
import pytest
import trafilatura

from crawler.bench.site import LANGUAGES, SiteSpec
from crawler.bench.site.pages import Pages
from crawler.bench.site.plan import Plan, Slot
from crawler.bench.site.text import material


def articles(language: str, pages: int, size: int) -> list[str]:
    spec = SiteSpec(pages=pages, hosts=1, languages=(language,), page_size=size)
    made = Pages(Plan(spec), ("http://127.0.0.1:80",))
    return [made.html(Slot(number)).decode() for number in range(pages)]


def test_the_languages() -> None:
    assert set(LANGUAGES) >= {"en", "de", "fr", "es", "ru"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_main_text_can_be_extracted_and_its_language_told(language: str) -> None:
    for html in articles(language, 4, 8_000):
        inside = html[html.index("<article>") : html.index("</article>")]
        paragraphs = re.findall(r"<p>(.*?)</p>", inside)
        text = trafilatura.extract(html, fast=True)
        assert text is not None
        assert len(paragraphs) > 3
        assert all(paragraph in text for paragraph in paragraphs)
        assert not [words for words in material(language).furniture.values() if words in text]
        assert py3langid.classify(text)[0] == language
        assert f'<html lang="{language}">' in html
        assert re.search(r"<title>.+</title>\n<meta name=\"description\" content=\".+\">", html)


def test_metadata_is_on_some_pages() -> None:
    pages = articles("en", 12, 8_000)
    for marker in ('property="og:title"', '"@type":"NewsArticle"'):
        assert 0 < sum(marker in page for page in pages) < 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_headlines_differ(language: str) -> None:
    headlines = Counter(re.findall(r"<h1>.*</h1>", "".join(articles(language, 300, 6_000))))
    assert headlines.total() == len(headlines) == 300


def simhash(html: str) -> int:
    """64-bit SimHash of word 3-grams of the visible text (Charikar 2002); of characters in Japanese."""
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", html[html.index("<body>") :])
    words = re.findall(r"[\u3040-\u9fff]|\w+", text)
    weights = [0] * 64
    for gram, count in Counter(zip(words, words[1:], words[2:], strict=False)).items():
        bits = int.from_bytes(blake2b(" ".join(gram).encode(), digest_size=8).digest())
        for i in range(64):
            weights[i] += count if bits >> i & 1 else -count
    return sum(1 << i for i, weight in enumerate(weights) if weight > 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_articles_look_like_near_duplicates(language: str) -> None:
    hashes = [simhash(html) for html in articles(language, 40, 12_000)]
    distances = [(a ^ b).bit_count() for a, b in combinations(hashes, 2)]
    assert min(distances) > 3
    assert sum(distances) / len(distances) > 15


@pytest.mark.parametrize("language", LANGUAGES)
def test_neighbours_share_few_paragraphs(language: str) -> None:
    paragraphs = [set(re.findall(r"<p>(.*?)</p>", html)) for html in articles(language, 40, 20_000)]
    shared = [len(a & b) / len(a | b) for a, b in pairwise(paragraphs)]
    assert max(shared) < 0.6
    assert sum(shared) / len(shared) < 0.2
