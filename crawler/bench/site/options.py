"""A synthetic web from what people write: some fields over a base."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from crawler.bench.site.spec import SiteSpec
from crawler.errors import ConfigError

_NAMES = tuple(field.name for field in dataclasses.fields(SiteSpec))


def spec_of(base: SiteSpec, pairs: Sequence[str]) -> SiteSpec:
    """Return the base with some fields replaced, as ``NAME=VALUE``; values are YAML, as everywhere on the command line.

    Raises:
        ConfigError: a field is unknown, or its value is not one that it can have.
    """
    return spec_with(base, dict(_pair(pair) for pair in pairs))


def spec_with(base: SiteSpec, changes: Mapping[str, Any]) -> SiteSpec:
    """Return the base with some fields replaced.

    Raises:
        ConfigError: as :func:`spec_of`.
    """
    unknown = next((name for name in changes if name not in _NAMES), None)
    if unknown is not None:
        raise ConfigError(f"synthetic web: {unknown!r} is unknown; names: {', '.join(_NAMES)}")
    values = {**dataclasses.asdict(base), **changes}
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
