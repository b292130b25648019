"""YAML as the configuration reads it: YAML 1.2, no surprises, never an exception of another kind."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.config import Loaded, load
from crawler.config.yaml_text import read_yaml
from crawler.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("FALSE", False),
        ("1:30", "1:30"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("-7", -7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("2020-01-01", "2020-01-01"),
        ("=", "="),
        ("null", None),
        ("~", None),
        ("''", ""),
        ("'12'", "12"),
        ("! 12", "12"),
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ("[a, 1]", ["a", 1]),
        ("{1: a, null: b, <<: c}", {"1": "a", "null": "b", "<<": "c"}),
        ("&anchor a", "a"),
    ],
)
def test_plain_values(text: str, value: object) -> None:
    document = read_yaml(text, "test")
    assert (document.value, document.problems) == (value, ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2\n", "c.yaml:2:1: a: written twice, first in line 1; expected once"),
        ("a:\n  - b: 1\n    b: 2\n", "c.yaml:3:5: a[0].b: written twice, first in line 2; expected once"),
        ("a: 'x", "c.yaml:1:6: is not YAML: while scanning a quoted scalar, found unexpected end of stream"),
        ("a: [1\nb: 2\n", "c.yaml:2:2: is not YAML: "),
        ("a: \x07", "c.yaml: is not YAML: unacceptable character"),
        ("--- a\n--- b\n", "c.yaml:2:1: a second document begins; expected one"),
        ("a: &x [1]\nb: *x\n", "c.yaml:2:4: b: aliases are not accepted; write the value out"),
        ("a: &x [*x]\n", "c.yaml:1:8: a[0]: aliases are not accepted; write the value out"),
        ("? [a]\n: b\n", "c.yaml:1:3: expected text as a key"),
        ("a: !!python/object:os.system x", "c.yaml:1:4: a: unknown type "),
        ("a: !mine {}", "c.yaml:1:4: a: type '!mine' is not accepted; leave it out"),
        ("a: !!set {}", "c.yaml:1:4: a: type 'tag:yaml.org,2002:set' is not accepted; leave it out"),
        ("a: !!int x", "c.yaml:1:4: a: expected a value of type int"),
        (f"a: {'9' * 5000}", "c.yaml:1:4: a: expected a number of at most 100 digits"),
        ("[" * 100_000, "c.yaml:1:42: [0][0]: nested more than 40 levels deep"),
        ("{a: " * 100_000, "c.yaml:1:165: a.a: nested more than 40 levels deep"),
    ],
)
def test_what_is_refused(text: str, problem: str) -> None:
    (line,) = read_yaml(text, "c.yaml").problems
    assert line.startswith(problem)


def test_every_duplicate_is_reported() -> None:
    assert len(read_yaml("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n", "c.yaml").problems) == 3


def test_places_are_those_of_keys_and_items() -> None:
    document = read_yaml("a:\n  b: [1,\n    2]\n", "c.yaml")
    assert str(document.place(("a", "b"))) == "c.yaml:2:3"
    assert str(document.place(("a", "b", 1))) == "c.yaml:3:5"
    assert str(document.place(("a", "b", 1, "deeper"))) == "c.yaml:3:5"
    assert str(document.place(("other",))) == "c.yaml"


def try_load(**sources: Any) -> Loaded | None:
    """Load; None where the configuration was refused, by lines that a terminal can show."""
    given_sources = {"files": [], "env": {}, "sets": [], "overrides": {}} | sources
    try:
        return load(**given_sources)
    except ConfigError as error:
        lines = str(error).split("\n")
    assert all(line and line.isprintable() for line in lines)
    return None


# Text that looks like a configuration more often than chance would have it.
_WORDS = """
    seeds scope limits fetch timeout total headers analyzers sinks cpu name as options path mode list include workers
    batch auto content jsonl null true no 1 -1 1.5 .nan 8MiB 10s 1:30 http://h/ ( [[ a:b X-Y < ~ ! !!int & * ? | > % @
"""
_KEYS = """
    seeds scope scope.mode scope.hosts scope.include limits limits.bytes limits.seconds fetch.headers fetch.contact
    fetch.timeout fetch.timeout.total fetch.allow_private fetch.max_body parse.types cpu.workers cpu analyzers sinks
    observe.progress nope fetch.headers.x
"""
_words = st.sampled_from(_WORDS.split())
_keys = st.sampled_from(_KEYS.split())
_marks = st.sampled_from(
    [": ", ":", "\n", "\n  ", "\n    ", "\n- ", "- ", "[", "]", "{", "}", ", ", "'", '"', "#", " ", "\t"]
)
_yamlish = st.lists(st.one_of(_words, _marks), max_size=40).map("".join)


@given(text=st.one_of(_yamlish, st.text(max_size=200)))
@settings(derandomize=True, deadline=None, max_examples=600)
def test_any_file_loads_or_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    file.write_text(text, encoding="utf-8")
    loaded = try_load(files=[file])
    assert loaded is None or isinstance(loaded, Loaded)


@given(data=st.binary(max_size=100))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_any_bytes_load_or_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.bin"
    file.write_bytes(data)
    loaded = try_load(files=[file])
    assert loaded is None or loaded.origins


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | _words, inner, max_size=3),
    max_leaves=8,
)


@given(overrides=st.dictionaries(_keys, _json, max_size=4))
@settings(derandomize=True, deadline=None, max_examples=600)
def test_any_value_of_any_key_loads_or_is_refused(overrides: dict[str, Any]) -> None:
    loaded = try_load(overrides=overrides)
    assert loaded is None or all(loaded.origins[key] != "default" for key in overrides if key in loaded.origins)


@given(key=_keys, text=_yamlish | st.text(st.characters(), max_size=30))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_any_set_and_variable_load_or_are_refused(key: str, text: str) -> None:
    name = f"CRAWLER_{key.upper().replace('.', '__')}"
    by_set, by_variable = try_load(sets=[f"{key}={text}"]), try_load(env={name: text})
    if key != "nope":  # a variable of no section is somebody else's
        assert repr(by_set and by_set.config) == repr(by_variable and by_variable.config)
