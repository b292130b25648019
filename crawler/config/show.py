"""The configuration for people and programs: as YAML that loads again, as a listing, as JSON Schema."""

from collections.abc import Iterator
from typing import Any

import yaml

from crawler.config import scalars
from crawler.config.document import dotted
from crawler.config.loading import Loaded
from crawler.config.models import HIDDEN, Config
from crawler.config.settings import keys

try:
    from yaml import CSafeDumper as _SafeDumper
except ImportError:  # PyYAML built without libyaml: slower, the same text
    from yaml import SafeDumper as _SafeDumper  # type: ignore[assignment]  # the fallback has the same methods

_MASK = "***"
_WIDTH = 2**30  # one line for one value


def dump(config: Config) -> str:
    """Return every key as YAML that :func:`load` reads back as the same configuration, secrets included."""
    return _yaml(config.model_dump(mode="json"), flow=False)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a configuration file, for editors."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return head | Config.model_json_schema(mode="validation")


def describe(loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """List every key with its value in YAML and its origin; the values of headers are masked."""
    values = loaded.config.model_dump(mode="json")
    for path in keys():
        value = values
        for name in path:
            value = value[name]
        if path == HIDDEN:
            value = dict.fromkeys(value, _MASK)
        yield dotted(path), _yaml(value, flow=True), loaded.origins[dotted(path)]


def _yaml(value: Any, *, flow: bool) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    return text.removesuffix("\n...\n").strip() if flow else text


class _Dumper(_SafeDumper):
    """Quotes what YAML 1.1 *or* 1.2 would read as something else than text, so that both agree."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        # PyYAML's own emitter loses a next-line character (U+0085) that it does not escape.
        style = None if scalars.kind(text) == "str" and text.isprintable() else '"'
        return self.represent_scalar(f"{scalars.TAG}str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)
