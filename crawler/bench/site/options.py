"""A synthetic web from the command line: ``NAME=VALUE`` pairs over a base."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from crawler.bench.site.spec import SiteSpec
from crawler.errors import ConfigError

_NAMES = tuple(field.name for field in dataclasses.fields(SiteSpec))


def spec_of(base: SiteSpec, pairs: Sequence[str]) -> SiteSpec:
    """Return the base with some fields replaced; values are YAML, as everywhere on the command line.

    Raises:
        ConfigError: a field is unknown, or its value is not one that it can have.
    """
    values = dataclasses.asdict(base) | dict(_pair(pair) for pair in pairs)
    try:
        spec: SiteSpec = TypeAdapter(SiteSpec).validate_python(values)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ConfigError(f"synthetic web: {wrong['loc'][0]}: {wrong['msg']}, got {wrong['input']!r}") from error
    return spec


def _pair(pair: str) -> tuple[str, Any]:
    name, equals, text = pair.partition("=")
    if not equals or name not in _NAMES:
        raise ConfigError(f"synthetic web: {pair!r}: NAME=VALUE is expected; names: {', '.join(_NAMES)}")
    try:
        return name, yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"synthetic web: {name}: {text!r} is not a YAML value") from error
