"""The configuration: frozen models, read from YAML, the environment and the command line."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from crawler.errors import ConfigError

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SECONDS = {"": 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def _size(value: object) -> object:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)", value.strip())
        if not match or match[2].upper() not in _UNITS:
            raise ValueError("a size such as 8MiB is expected")
        return int(float(match[1]) * _UNITS[match[2].upper()])
    return value


def _duration(value: object) -> object:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.strip())
        if not match or match[2] not in _SECONDS:
            raise ValueError("a duration such as 10s, 500ms or 2m is expected")
        return float(match[1]) * _SECONDS[match[2]]
    return value


Size = Annotated[int, BeforeValidator(_size), Field(ge=0)]
Duration = Annotated[float, BeforeValidator(_duration), Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scope(_Section):
    """Which links belong to the crawl."""

    mode: Literal["seed_hosts", "seed_domains", "list", "any"] = "seed_hosts"
    hosts: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_url_length: int = Field(2000, ge=1)
    max_repeated_segments: int = Field(3, ge=1)
    sort_query: bool = False
    strip_tracking: bool = True
    follow_nofollow: bool = False


class Limits(_Section):
    """Where the crawl stops; null is no limit."""

    pages: int | None = Field(None, ge=1)
    depth: int | None = Field(None, ge=0)
    seconds: Duration | None = None
    bytes: Size | None = None
    memory: Size = 256 * 2**20


class Frontier(_Section):
    """The queue of URLs."""

    backend: Literal["sqlite", "memory"] = "sqlite"
    commit_interval: Duration = 0.25
    commit_pages: int = Field(500, ge=1)


class Timeout(_Section):
    """Seconds for each part of a fetch."""

    connect: Duration = 10.0
    first_byte: Duration = 20.0
    total: Duration = 60.0


class Fetch(_Section):
    """How pages are fetched."""

    mode: Literal["coroutines"] = "coroutines"
    concurrency: int = Field(64, ge=1)
    per_host: int = Field(2, ge=1)
    timeout: Timeout = Timeout()
    retries: int = Field(3, ge=0)
    backoff: Duration = 1.0
    backoff_max: Duration = 60.0
    max_body: Size = 8 * 2**20
    max_redirects: int = Field(10, ge=0)
    user_agent: str = Field("tandem-crawler", pattern=r"^[A-Za-z_-]+$")
    contact: str | None = None
    allow_private: tuple[str, ...] = ()
    uvloop: bool = True


class Politeness(_Section):
    """What a site may expect of us."""

    obey_robots: bool = True
    delay: Duration = 0.25
    max_crawl_delay: Duration = 30.0
    robots_retries: int = Field(4, ge=1)
    retry_after_max: Duration = 300.0
    sitemaps: bool = False


class Parse(_Section):
    """Where and what is parsed."""

    where: Literal["auto", "loop", "worker"] = "auto"
    auto_max: Size = 64 * 2**10
    types: tuple[str, ...] = ("text/html", "application/xhtml+xml")
    max_links: int = Field(100_000, ge=1)


class Cpu(_Section):
    """The CPU stage."""

    executor: Literal["inline", "threads", "processes"] = "processes"
    workers: Literal["auto"] | int = "auto"
    batch: int = Field(16, ge=1)
    page_timeout: Duration | None = 30.0

    @property
    def resolved_workers(self) -> int:
        """The number of workers; ``auto`` is one for each core that this process may use."""
        return len(os.sched_getaffinity(0)) if self.workers == "auto" else self.workers


class Analyzer(_Section):
    """An analyzer: ``package.module:attr`` with options."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class Observe(_Section):
    """What is shown and logged."""

    progress: Literal["auto", "plain", "none"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    stats_interval: Annotated[float, BeforeValidator(_duration), Field(gt=0)] = 1.0


def _analyzer(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Config(_Section):
    """The whole configuration."""

    seeds: tuple[str, ...] = ()
    scope: Scope = Scope()
    limits: Limits = Limits()
    frontier: Frontier = Frontier()
    fetch: Fetch = Fetch()
    politeness: Politeness = Politeness()
    parse: Parse = Parse()
    cpu: Cpu = Cpu()
    analyzers: tuple[Annotated[Analyzer, BeforeValidator(_analyzer)], ...] = (
        Analyzer(name="content"),
        Analyzer(name="language"),
    )
    sinks: tuple[Literal["jsonl"], ...] = ("jsonl",)
    observe: Observe = Observe()


@dataclass(frozen=True, slots=True)
class Loaded:
    """The effective configuration, and where each key that is not a default came from."""

    config: Config
    origins: Mapping[str, str]


def load(files: Sequence[Path], env: Mapping[str, str], sets: Sequence[str], overrides: Mapping[str, Any]) -> Loaded:
    """Read all layers, the later over the earlier; command line over environment over files.

    Raises:
        ConfigError: one line for each problem: where, which key, what would be accepted.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    layers = [item for path in files for item in _file(path)]
    layers += [item for name, text in sorted(env.items()) for item in _variable(name, text)]
    layers += [_setting(text) for text in sets]
    layers += [(key, value, "command line") for key, value in overrides.items()]
    for key, value, origin in layers:
        _put(values, key, value, origin)
        origins[key] = origin
    try:
        return Loaded(Config.model_validate(values), origins)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(problem, origins) for problem in error.errors())) from None


def _file(path: Path) -> Iterator[tuple[str, Any, str]]:
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"{where}: not valid YAML: {getattr(error, 'problem', error)}") from error
    if root is not None:
        yield from _leaves(root, "", path)


def _leaves(node: yaml.Node, prefix: str, path: Path) -> Iterator[tuple[str, Any, str]]:
    """Walk the mappings down to the values, which keep their line."""
    if isinstance(node, yaml.MappingNode) and prefix.count(".") < 2 and (not prefix or node.value):
        for key, value in node.value:
            name = f"{prefix}.{key.value}" if prefix else str(key.value)
            yield from _leaves(value, name, path)
        return
    where = f"{path}:{node.start_mark.line + 1}"
    if not prefix:
        raise ConfigError(f"{where}: a mapping of sections is expected ({', '.join(Config.model_fields)})")
    loader = yaml.SafeLoader("")
    try:
        yield prefix, loader.construct_document(node), where
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{where}: {prefix}: {getattr(error, 'problem', None) or error}") from error
    finally:
        loader.dispose()


def _variable(name: str, text: str) -> Iterator[tuple[str, Any, str]]:
    section = name.removeprefix("CRAWLER_").lower().split("__")[0]
    if name.startswith("CRAWLER_") and section in Config.model_fields:
        yield (
            name.removeprefix("CRAWLER_").lower().replace("__", "."),
            _yaml(text, name),
            f"environment {name}",
        )


def _setting(text: str) -> tuple[str, Any, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {text}: key.path=value is expected")
    return key.strip(), _yaml(value, f"--set {key}"), "--set"


def _yaml(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{where}: not a YAML value: {text!r}") from error


def _put(values: dict[str, Any], key: str, value: Any, origin: str) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{origin}: {key}: {parent} is a value, not a section")
    values[last] = value


def _explain(problem: Any, origins: Mapping[str, str]) -> str:
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    known = [name for name in origins if key == name or key.startswith(f"{name}.") or name.startswith(f"{key}.")]
    where = origins[max(known, key=len)] if known else "configuration"
    if problem["type"] != "extra_forbidden":
        message = problem["msg"].removeprefix("Value error, ")
        return f"{where}: {key}: {message} (not {problem['input']!r})"
    model: Any = Config
    for part in location[:-1]:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        model = field.annotation if field else None
    names = list(getattr(model, "model_fields", {}))
    near = difflib.get_close_matches(location[-1], names, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{where}: {key}: unknown key{hint} (accepted: {', '.join(names)})"


def dump(config: Config) -> str:
    """Return the configuration as YAML that :func:`load` reads back."""
    return str(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))


def schema() -> dict[str, Any]:
    """Return the JSON Schema."""
    return Config.model_json_schema()


def describe(loaded: Loaded) -> Iterator[tuple[str, Any, str]]:
    """Yield every key with its effective value and its origin."""
    yield from _walk(loaded.config.model_dump(mode="json"), "", loaded.origins)


def _walk(value: Any, prefix: str, origins: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    if isinstance(value, dict) and prefix != "analyzers":
        for key, each in value.items():
            yield from _walk(each, f"{prefix}.{key}" if prefix else key, origins)
    else:
        yield prefix, value, origins.get(prefix, "default")
