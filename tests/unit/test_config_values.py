"""The forms of single values, and the items of analyzers and sinks."""

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crawler import __version__
from crawler.config import Config, load
from crawler.config.units import format_duration, format_size, parse_duration, parse_size
from crawler.errors import ConfigError


def config(**sections: Any) -> Config:
    return Config.model_validate(sections)


def refusal(key: str, value: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load([], {}, [], {key: value})
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("8MiB", 8 << 20),
        ("512KiB", 512 << 10),
        ("1GB", 10**9),
        ("1.5 KiB", 1536),
        ("7B", 7),
        ("12", 12),
        (12, 12),
        (2.0, 2),
    ],
)
def test_sizes(text: object, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["8M", "8mib", "-1", "MiB", "", "1e30", "9" * 5000, 1.5, -1, True, None, float("inf")])
def test_what_is_no_size(text: object) -> None:
    with pytest.raises(ValueError, match="a size such as 8MiB, 512KiB, 1GB or a number of bytes"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("10s", 10.0), ("5m", 300.0), ("2h", 7200.0), ("0.25", 0.25), (3, 3.0), (0.5, 0.5), ("1 s", 1.0)],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["1d", "1:30", "-1s", "s", "", "1e300s", "1H", True, None, -0.5, float("nan"), float("inf")]
)
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="a duration such as 500ms, 10s, 5m, 2h or a number of seconds"):
        parse_duration(text)


@given(st.integers(0, 2**53))
@settings(derandomize=True, deadline=None)
def test_a_size_survives_its_text(count: int) -> None:
    assert parse_size(format_size(count)) == count


@given(st.floats(0, 1e9))
@settings(derandomize=True, deadline=None)
def test_a_duration_survives_its_text(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


GOOD: dict[str, list[Any]] = {
    "seeds": ["http://h", "https://h.example:8443/a?b#c", "http://[::1]:8080/", "HTTP://H/", "http://bücher.example/ä"],
    "scope.include": [r"^https://h/[a-z]+$", ""],
    "scope.hosts": ["example.org", "example.org:8080", ".example.org", "[::1]:80", "xn--bcher-kva.example"],
    "fetch.allow_private": [
        "intranet",
        "intranet:8080",
        "10.1.2.3",
        "10.0.0.0/8",
        "::1",
        "[::1]",
        "[::1]:8080",
        "fc00::/7",
    ],
    "parse.types": ["text/html", "Application/XHTML+xml"],
}
BAD: dict[str, list[Any]] = {
    "seeds": [
        "example.org",
        "ftp://h/",
        "http://",
        "http:///x",
        "http://h:99999/",
        "http://[::1/",
        "javascript:x",
        "",
        3,
        None,
    ],
    "scope.include": ["(", "a{99999999999}", "[[a]", "(?P<n>", 3],
    "scope.hosts": ["https://h/", "a b", "", ":80", "h:0", "h:65536", "bücher.example", "*.example.org", "h/x"],
    "fetch.allow_private": ["http://intranet/", "10.0.0.1/8", ".intranet", "a b", "h:x", "[::1", "10.0.0.0/33", ""],
    "parse.types": ["html", "text/*", "text/", "/html", "text/html; charset=utf-8", ""],
}


@pytest.mark.parametrize("key", GOOD)
def test_accepted_items(key: str) -> None:
    section, _, name = key.partition(".")
    loaded = load([], {}, [], {key: GOOD[key]}).config
    value = getattr(getattr(loaded, section), name) if name else getattr(loaded, section)
    assert [text.lower() for text in value] == [text.lower() for text in GOOD[key]]


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in BAD.items() for value in values])
def test_refused_items_are_named(key: str, value: object) -> None:
    line = refusal(key, [value])
    assert f"{key}[0]: expected " in line
    assert line.endswith(f", got {'null' if value is None else repr(value)}")


def test_media_types_are_lower_case() -> None:
    assert config(parse={"types": ["Text/HTML"]}).parse.types == ("text/html",)


@pytest.mark.parametrize("contact", ["https://example.org/bot", "http://h/", "crawl@example.org"])
def test_the_contact_goes_into_the_user_agent(contact: str) -> None:
    fetch = config(fetch={"contact": contact, "user_agent": "My-Bot"}).fetch
    assert fetch.user_agent_header == f"My-Bot/{__version__} (+{contact})"


def test_the_default_user_agent_says_what_it_is() -> None:
    assert Config().fetch.user_agent_header == f"tandem-crawler/{__version__}"


@pytest.mark.parametrize(
    "contact", ["me", "https://", "https://h/ x", "a@b)", "a@b\n", "a@b@c", "ftp://h/", "", "ü@h\u2028"]
)
def test_what_is_no_contact(contact: str) -> None:
    assert "expected a URL or an e-mail address" in refusal("fetch.contact", contact)


@pytest.mark.parametrize("product", ["", "my bot", "bot/1.0", "bot2", "böt"])
def test_what_is_no_product_token(product: str) -> None:
    assert "expected a product token" in refusal("fetch.user_agent", product)


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "x"},
        {"host": "x"},
        {"Accept-Encoding": "x"},
        {"A b": "x"},
        {"": "x"},
        {"X": "secret\r\nY: z"},
        {"X": "sécret"},
        {"X": "secret", "x": "secret"},
        {"X": 7},
    ],
)
def test_refused_headers_do_not_show_their_values(headers: dict[str, Any]) -> None:
    line = refusal("fetch.headers", headers)
    assert "expected" in line
    assert "secret" not in line
    assert "sécret" not in line


def test_concurrency_is_auto_or_a_number() -> None:
    assert config(fetch={"concurrency": "auto"}).fetch.concurrency == "auto"
    assert config(fetch={"concurrency": "auto"}).fetch.fixed_concurrency == Config().fetch.fixed_concurrency == 64
    assert config(fetch={"concurrency": 3}).fetch.fixed_concurrency == 3
    for value in ("many", 0, -1, 1.5, True, 100_001, None):
        assert "expected auto or a whole number from 1 to 100000" in refusal("fetch.concurrency", value)


def test_workers_are_auto_or_a_number() -> None:
    assert config(cpu={"workers": 3}).cpu.resolved_workers == 3
    assert Config().cpu.resolved_workers == len(os.sched_getaffinity(0))
    for value in (0, 2000, "many", "2", True, 1.0, None):
        assert "expected auto or a whole number from 1 to 1024" in refusal("cpu.workers", value)


# Entries


def test_an_analyzer_is_a_name_or_a_mapping() -> None:
    entries = config(
        analyzers=[
            "content",
            "my.module:analyze",
            {"name": "keywords", "options": {"top": 5}},
            {"name": "m:A", "as": "mine"},
        ]
    ).analyzers
    assert [(entry.name, entry.target, dict(entry.options)) for entry in entries] == [
        ("content", "content", {}),
        ("my.module:analyze", "my.module:analyze", {}),
        ("keywords", "keywords", {"top": 5}),
        ("mine", "m:A", {}),
    ]


def test_an_unknown_analyzer_lists_the_built_in_ones() -> None:
    line = refusal("analyzers", ["keyword"])
    assert (
        "analyzers[0].name: unknown analyzer; did you mean keywords? (accepted: content, language, keywords, " in line
    )
    assert "or package.module:attr" in line or "package.module:attr)" in line


@pytest.mark.parametrize("target", ["", ":", "a:", ":b", "a b:c", "a:b:c", "a.:b", "a:b.c", "a:b-c", "1a:b"])
def test_what_is_no_analyzer(target: str) -> None:
    assert "analyzers[0].name: unknown analyzer" in refusal("analyzers", [target])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (3, "analyzers[0]: expected a name, or a mapping such as {name: ..., options: {...}}, got 3"),
        ({}, "analyzers[0].name: is missing; expected a value"),
        (
            {"name": "content", "option": {}},
            "unknown key; did you mean analyzers[0].options? (accepted: name, as, options)",
        ),
        ({"name": "content", "options": [1]}, "analyzers[0].options: expected a mapping such as {key: value}, got [1]"),
        ({"name": "content", "as": " "}, "analyzers[0].as: expected a name of 1 to 200 characters"),
    ],
)
def test_what_is_no_entry(entry: object, message: str) -> None:
    assert message in refusal("analyzers", [entry])


def test_two_analyzers_have_two_names() -> None:
    assert "content stands here twice; give one of them another name by 'as:'" in refusal("analyzers", ["content"] * 2)
    entries = config(analyzers=["content", {"name": "content", "as": "again"}]).analyzers
    assert [entry.name for entry in entries] == ["content", "again"]


def test_a_sink_is_a_name_or_a_mapping() -> None:
    (plain,) = config(sinks=["jsonl"]).sinks
    (named,) = config(sinks=[{"name": "jsonl", "options": {"path": "out/p.jsonl"}}]).sinks
    assert (plain.name, plain.options.path, named.options.path) == ("jsonl", "pages.jsonl", "out/p.jsonl")
    assert config(sinks=[]).sinks == ()


@pytest.mark.parametrize(
    ("sinks", "message"),
    [
        (["parquet"], "sinks[0].name: expected 'jsonl', got 'parquet'"),
        (["jsonl", "jsonl"], "jsonl stands here twice"),
        ([{"name": "jsonl", "options": {"pth": "x"}}], "did you mean sinks[0].options.path? (accepted: path)"),
        ([{"name": "jsonl", "options": {"path": ""}}], "sinks[0].options.path: expected the path of a file"),
    ],
)
def test_what_is_no_sink(sinks: list[Any], message: str) -> None:
    assert message in refusal("sinks", sinks)


def test_the_models_are_frozen_and_closed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().cpu.batch = 3  # type: ignore[misc]  # what is tested
    with pytest.raises(ValidationError, match="extra"):
        config(cpu={"bach": 3})
