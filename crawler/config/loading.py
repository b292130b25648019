"""All sources → one checked configuration, and where each of its values came from."""

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from cpu_stage.types import Json
from crawler.config.document import Document, dotted
from crawler.config.messages import describe_error
from crawler.config.models import Config
from crawler.config.settings import Collector, Setting, keys
from crawler.config.sources import from_environment, from_file, from_option, from_set
from crawler.errors import ConfigError

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The effective configuration. ``origins`` has every dotted key: ``default``, ``crawl.yaml:12``, ``--set``..."""

    config: Config
    origins: Mapping[str, str]


def load(
    files: Sequence[pathlib.Path], env: Mapping[str, str], sets: Sequence[str], overrides: Mapping[str, Json]
) -> Loaded:
    """Read every source; what comes later counts more: files in their order, environment, sets, overrides.

    ``overrides`` are the command line's own options, by dotted key.

    Raises:
        ConfigError: everything that is wrong, one line each.
    """
    collector = Collector()
    for document in _documents(files, env, sets, overrides):
        collector.add(document)
    result = _validate(collector.settings)
    problems = collector.problems + (result if isinstance(result, list) else [])
    if problems or isinstance(result, list):
        raise ConfigError("\n".join(problems))
    origins = {dotted(key): DEFAULT for key in keys()}
    return Loaded(result, origins | {key: s.place().origin for key, s in collector.settings.items()})


def _documents(
    files: Sequence[pathlib.Path], env: Mapping[str, str], sets: Sequence[str], overrides: Mapping[str, Json]
) -> list[Document]:
    return [
        *map(from_file, files),
        *from_environment(env, Config.model_fields),
        *map(from_set, sets),
        *(from_option(key, value) for key, value in overrides.items()),
    ]


def _validate(settings: Mapping[str, Setting]) -> Config | list[str]:
    """Return the configuration, or a line for each value that is wrong."""
    try:
        return Config.model_validate(_nested(settings))
    except ValidationError as error:
        return [describe_error(details, settings) for details in error.errors(include_url=False)]


def _nested(settings: Mapping[str, Setting]) -> dict[str, Json]:
    tree: dict[str, Json] = {}
    for setting in settings.values():
        branch = tree
        *sections, name = (str(part) for part in setting.path)
        for each in sections:
            inner = branch.setdefault(each, {})
            assert isinstance(inner, dict)
            branch = inner
        branch[name] = setting.value
    return tree
