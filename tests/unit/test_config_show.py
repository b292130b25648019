"""Showing a configuration: as YAML that loads again, as a listing, as JSON Schema."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.config import Config, describe, dump, load, schema
from crawler.config.settings import keys


def reload(config: Config) -> Config:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.yaml"
        file.write_text(dump(config), encoding="utf-8")
        return load([file], {}, [], {}).config


def test_a_dump_loads_again() -> None:
    config = load(
        [],
        {},
        [
            "seeds=[http://h/]",
            "fetch.headers={Authorization: Bearer x}",
            "fetch.max_body=1000",
            "limits.seconds=90ms",
            "analyzers=[content, {name: 'm:a', as: 'no', options: {x: [1, {y: null}]}}]",
            "sinks=[{name: jsonl, options: {path: '1e3'}}]",
        ],
        {},
    ).config
    assert reload(config) == config
    assert reload(Config()) == Config()


def test_a_dump_has_every_key() -> None:
    values = yaml.safe_load(dump(Config()))
    for path in keys():
        value = values
        for name in path:
            assert name in value
            value = value[name]


_text = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "no",
            "1:30",
            "0o17",
            "1e3",
            "010",
            "~",
            "<<",
            "=",
            "null",
            "0x1F",
            "1_0",
            ".5",
            "a: b",
            "- a",
            "\x85",
            "\ufeff",
        ]
    ),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=10,
)


@given(options=st.dictionaries(_text, _json, max_size=4), size=st.integers(1, 2**53), seconds=st.floats(0.001, 1e9))
@settings(derandomize=True, deadline=None, max_examples=400)
def test_any_options_survive(options: dict[str, Any], size: int, seconds: float) -> None:
    config = Config.model_validate(
        {
            "analyzers": [{"name": "m:a", "options": options}],
            "limits": {"bytes": size, "seconds": seconds},
        }
    )
    assert reload(config) == config


def test_the_listing_has_every_key_its_value_and_origin(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("seeds:\n  - http://h/\nfetch: {max_body: 1024KiB}\n", encoding="utf-8")
    loaded = load([file], {}, ["limits.pages=3"], {})
    listing = {key: (value, origin) for key, value, origin in describe(loaded)}
    assert list(listing) == list(loaded.origins)
    assert listing["seeds"] == ("['http://h/']", f"{file}:1")
    assert listing["fetch.max_body"] == ("1MiB", f"{file}:3")
    assert listing["limits.pages"] == ("3", "--set")
    assert listing["analyzers"] == ("[content, language, keywords, fingerprint]", "default")
    assert listing["fetch.contact"] == ("null", "default")


def test_the_listing_masks_headers_and_the_dump_keeps_them() -> None:
    loaded = load([], {}, ["fetch.headers={Authorization: Bearer x}"], {})
    values = {key: value for key, value, _ in describe(loaded)}
    assert values["fetch.headers"] == "{Authorization: '***'}"
    assert "Bearer x" in dump(loaded.config)


def _properties(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield from node.get("properties", {}).items()
        for child in node.values():
            yield from _properties(child)
    elif isinstance(node, list):
        for child in node:
            yield from _properties(child)


def test_the_schema_describes_every_key() -> None:
    found = schema()
    assert found["additionalProperties"] is False
    assert set(found["properties"]) == set(Config.model_fields)
    properties = list(_properties(found))
    assert {path[-1] for path in keys()} <= {name for name, _ in properties}
    sections = {name for name in Config.model_fields if name not in {path[0] for path in keys() if len(path) == 1}}
    for name, value in properties:
        assert value.get("description") or name in sections | {"timeout"}, name


def test_the_schema_knows_the_forms_of_values() -> None:
    definitions = schema()["$defs"]
    assert definitions["FetchConfig"]["properties"]["max_body"]["anyOf"][1]["pattern"].endswith("KiB)?$")
    assert definitions["FetchConfig"]["properties"]["max_body"]["default"] == 8 * 2**20
    assert {"type": "string"} in schema()["properties"]["analyzers"]["items"]["anyOf"]
    assert schema()["properties"]["analyzers"]["default"] == ["content", "language", "keywords", "fingerprint"]
