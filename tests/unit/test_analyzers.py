import json
import subprocess
import sys
from typing import Literal

import lxml.html
import pytest
import trafilatura

from cpu_stage.analyzers import BUILT_IN
from cpu_stage.analyzers.content import Content
from cpu_stage.analyzers.structured import Structured
from cpu_stage.loading import AnalyzerSpec, libraries, load
from cpu_stage.types import Needs, Page

PARAGRAPHS = (
    "The lighthouse stands on a cliff above the harbour and has shown ships the way for two hundred years.",
    "Its keeper climbed the stairs every evening, filled the lamp with oil and cleaned the lenses by hand.",
    "Today the light is switched from far away, and the tower is open to visitors who like the view.",
)
ARTICLE = f"""
<html lang="en"><head><title>Lighthouse | Harbour News</title>%s</head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/shop">Shop</a></li></ul></nav>
<article><h1>The lighthouse</h1>{"".join(f"<p>{text}</p>" for text in PARAGRAPHS)}<p>It is <b>free</b>.</p></article>
<footer>All rights reserved</footer></body></html>
"""


def page(text: str = "", html: str = "") -> Page:
    return Page("http://127.0.0.1/page", "text/html", "utf-8", None, text=text, html=html)


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("given_page", [page(), page("\n".join(PARAGRAPHS), ARTICLE % "")], ids=["empty", "article"])
def test_every_analyzer_gives_the_same_json_for_the_same_page(name: str, given_page: Page) -> None:
    analyzer = load(AnalyzerSpec(name, BUILT_IN[name]))
    first, second = analyzer.call(given_page), analyzer.call(given_page)
    assert json.dumps(first, allow_nan=False) == json.dumps(second)
    assert analyzer.needs in {Needs.TEXT, Needs.HTML}


def test_the_crawler_checks_every_analyzer_without_loading_its_libraries() -> None:
    code = (
        "import sys\n"
        "from cpu_stage.analyzers import BUILT_IN\n"
        "from cpu_stage.loading import AnalyzerSpec, check, libraries\n"
        "specs = [AnalyzerSpec(name, target) for name, target in BUILT_IN.items()]\n"
        "heavy = {'numpy', 'lxml'}.union(*map(libraries, specs))\n"
        "[check(spec) for spec in specs]\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"


def test_libraries_are_imported_without_a_warning() -> None:
    names = {library for name in BUILT_IN for library in libraries(AnalyzerSpec(name, BUILT_IN[name]))}
    code = f"import importlib\nfor name in {sorted(names)}: importlib.import_module(name)"
    assert not subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, check=True).stderr


def test_content_is_the_article_without_what_stands_around_it() -> None:
    values = Content()(page(html=ARTICLE % ""))
    text = values["text"]
    assert isinstance(text, str)
    assert all(paragraph in text for paragraph in PARAGRAPHS)
    assert "Shop" not in text
    assert "rights reserved" not in text
    assert values["method"] == "full"
    assert values["characters"] == len(text)
    assert values["words"] == len(f"The lighthouse {' '.join(PARAGRAPHS)} It is free".split())


@pytest.mark.parametrize("form_of_text", ["text", "markdown"])
def test_the_full_text_is_what_the_library_makes_of_its_own_tree(form_of_text: Literal["text", "markdown"]) -> None:
    """Its parser is told to choose the class of elements in another way."""
    form = "<form><label>Name<input name=a></label><select><option>x</select><textarea>y</textarea></form>"
    source = ARTICLE.replace("<article>", f"<article>{form}<!-- comment --><?pi?>") % ""
    tree = lxml.html.document_fromstring(source)
    expected = trafilatura.extract(
        tree, fast=True, include_comments=False, output_format="txt" if form_of_text == "text" else form_of_text
    )
    assert Content(form_of_text)(page(html=source))["text"] == expected


@pytest.mark.parametrize("method", ["full", "light"])
def test_markdown_keeps_the_structure(method: str) -> None:
    values = Content("markdown", max_nodes=60_000 if method == "full" else 0)(page(html=ARTICLE % ""))
    assert values["method"] == method
    assert "# The lighthouse" in str(values["text"])
    assert "**free**" in str(values["text"])


def test_a_page_with_too_many_nodes_gets_the_light_method_which_no_page_can_slow_down() -> None:
    html = ARTICLE.replace("<footer>", "<div>x</div>" * 100_000 + "<footer>") % ""
    values = Content()(page(html=html))
    assert values["method"] == "light"
    assert PARAGRAPHS[0] in str(values["text"])


def test_attributes_count_as_nodes() -> None:
    html = ARTICLE.replace("<footer>", f"<footer {' '.join(f'a{n}=1' for n in range(100))}>") % ""
    assert Content(max_nodes=200)(page(html=html))["method"] == "full"
    assert Content(max_nodes=100)(page(html=html))["method"] == "light"


def test_a_long_text_is_cut_but_counted_whole() -> None:
    whole, cut = Content()(page(html=ARTICLE % "")), Content(max_characters=20)(page(html=ARTICLE % ""))
    assert cut["text"] == str(whole["text"])[:20]
    assert (cut["words"], cut["characters"]) == (whole["words"], whole["characters"])


@pytest.mark.parametrize(
    ("head", "author", "date"),
    [
        ("", None, None),
        (
            '<meta name="author" content="Jo Doe"><meta property="article:published_time" content="2024-03-05T10:00Z">',
            "Jo Doe",
            "2024-03-05",
        ),
        (
            (
                '<script type="application/ld+json">{"@graph": [{"@type": "WebSite"}, '
                '{"author": [{"name": " Jo Doe "}], "datePublished": "2024-03-05T10:00:00+01:00"}]}</script>'
            ),
            "Jo Doe",
            "2024-03-05",
        ),
        ('<script type="application/ld+json">[[1], {"author": {"x": 1}}, {"author": "Jo"}]</script>', "Jo", None),
        ('<meta property="article:published_time" content="yesterday">', None, None),
    ],
)
def test_title_author_and_date_are_what_the_page_declares(head: str, author: str | None, date: str | None) -> None:
    values = Content()(page(html=ARTICLE % head))
    assert (values["title"], values["author"], values["date"]) == ("The lighthouse", author, date)


def test_metadata_can_be_left_out() -> None:
    assert set(Content(metadata=False)(page(html=ARTICLE % ""))) == {"text", "words", "characters", "method"}


SCRIPT = '<script type="{}">{}</script>'


def test_structured_reads_every_format() -> None:
    html = (
        '<meta property="og:title" content="Lamp"><meta name="dc.creator" content="Jo">'
        + SCRIPT.format("application/ld+json", '{"@type": "Product", "price": 3.5}')
        + '<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Lamp</b>'
        '<p itemprop="offers" itemscope><meta itemprop="price" content="3"></p></div>'
        '<p vocab="https://schema.org/" typeof="Person"><b property="name">Jo</b></p>'
    )
    offer = {"type": None, "id": None, "properties": {"price": ["3"]}}
    assert Structured()(page(html=html)) == {
        "json_ld": [{"@type": "Product", "price": 3.5}],
        "microdata": [
            {"type": "https://schema.org/Product", "id": None, "properties": {"name": ["Lamp"], "offers": [offer]}}
        ],
        "rdfa": [
            {
                "type": ["https://schema.org/Person"],
                "resource": None,
                "properties": {"https://schema.org/name": ["Jo"]},
            }
        ],
        "opengraph": {"og:title": "Lamp"},
        "dublin_core": {"dc.creator": "Jo"},
        "broken": 0,
        "cut": False,
    }


def test_broken_json_ld_is_skipped_and_counted() -> None:
    blocks = [
        SCRIPT.format("application/ld+json", "{broken"),
        SCRIPT.format("application/ld+json", '{"n": NaN}'),
        SCRIPT.format("application/LD+JSON; charset=utf-8", '{"good": true}'),
        SCRIPT.format("text/javascript", "{broken"),
    ]
    values = Structured()(page(html="".join(blocks)))
    assert (values["json_ld"], values["broken"]) == ([{"good": True}], 2)


def test_numbers_beyond_json_become_harmless() -> None:
    block = SCRIPT.format("application/ld+json", '{"huge": 123456789012345678901234567890, "infinite": 1e999}')
    values = Structured()(page(html=block))
    assert values["json_ld"] == [{"huge": "123456789012345678901234567890", "infinite": None}]


@pytest.mark.parametrize(
    "block",
    [
        "[" * 60 + "]" * 60,
        json.dumps(list(range(20_000))),
        json.dumps({"text": "x" * 20_000}),
        json.dumps({"x" * 20_000: 1}),
    ],
)
def test_what_is_too_deep_or_too_much_is_cut(block: str) -> None:
    values = Structured()(page(html=SCRIPT.format("application/ld+json", block)))
    assert values["cut"] is True
    assert len(json.dumps(values)) < 100_000


def test_a_few_references_are_followed() -> None:
    html = '<div itemscope itemref="more"></div><p id="more" itemprop="name">Lamp</p>'
    assert Structured()(page(html=html))["microdata"] == [{"type": None, "id": None, "properties": {"name": ["Lamp"]}}]


def test_references_that_would_multiply_are_not_followed() -> None:
    levels = "".join(
        f'<div id="{side}{n}" itemscope itemprop="p" itemref="a{n + 1} b{n + 1}"></div>'
        for n in range(40)
        for side in "ab"
    )
    html = f'<div itemscope itemref="a0 b0"></div>{levels}'
    values = Structured()(page(html=html))  # 2**40 items otherwise
    assert (values["cut"], values["microdata"]) == (True, [{"type": None, "id": None, "properties": {}}])
