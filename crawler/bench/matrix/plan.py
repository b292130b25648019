"""The plan of a comparison, as YAML: which workloads, which variants, how often."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

import crawler
from cpu_stage.types import Json
from crawler.bench.matrix.variants import variant
from crawler.bench.site import Kind, SiteSpec
from crawler.bench.site.options import spec_with
from crawler.config import load
from crawler.config.base import Section
from crawler.config.document import Document, problem
from crawler.config.sources import from_file
from crawler.config.units import PositiveDuration
from crawler.config.values import Count, Number, Workers
from crawler.errors import ConfigError

_ASKED_ONCE = frozenset({Kind.PAGE, Kind.NOT_FOUND, Kind.DUPLICATE, Kind.ASSET})


def _known(name: str) -> str:
    try:
        return variant(name).name
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _site(value: object) -> SiteSpec:
    """Make the web. Every variant must ask for each of its URLs once, so there is none that invites a second try."""
    if not isinstance(value, Mapping):
        raise ValueError("expected a mapping such as {pages: 100, latency: constant:0.1}")  # noqa: TRY004 - pydantic's
    try:
        spec = spec_with(SiteSpec(), value)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    wrong = [kind for kind in Kind if kind not in _ASKED_ONCE and spec.count(kind)]
    if wrong:
        raise ValueError(f"{wrong[0]} is not for benchmarks: not every variant asks for such a URL once")
    return spec


def _settings(value: Mapping[str, Json]) -> Mapping[str, Json]:
    try:
        load([], {}, [], value)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return value


_Name = Annotated[str, AfterValidator(_known)]
_Site = Annotated[SiteSpec, BeforeValidator(_site)]
_Settings = Annotated[dict[str, Any], AfterValidator(_settings)]


class Workload(Section):
    """One web, and what is to be done with it."""

    about: str = Field(description="One sentence for people: what makes this workload what it is.")
    site: _Site = Field(description="The synthetic web: fields of crawler.bench.site.SiteSpec.")
    settings: _Settings = Field(default_factory=dict, description="Keys of the crawler's configuration, dotted.")
    concurrency: Count = Field(64, le=10_000, description="Requests in flight.")
    workers: Workers = Field("auto", description="Workers of the CPU stage; auto: one for each core.")
    variants: tuple[_Name, ...] = Field((), description="Those to compare here; empty: the plan's.")


class Sweep(Section):
    """A workload once more, with one quantity at several values."""

    workload: str = Field(description="One of the plan's workloads.")
    over: Literal["concurrency", "workers"] = Field(description="The quantity.")
    values: tuple[Count, ...] = Field(min_length=2, description="Its values, growing.")
    variants: tuple[_Name, ...] = Field(min_length=1, description="Those to compare.")


class Plan(Section):
    """The whole comparison."""

    repeats: Count = Field(5, le=100, description="Runs of each cell that count.")
    warm_up: Number = Field(40, description="Pages of the crawl before the first run.")
    cell_seconds: PositiveDuration = Field(
        10.0, description="A cell whose runs have taken this long together is not repeated further."
    )
    patience: PositiveDuration = Field(120.0, description="A run that takes longer has failed.")
    seed: Number = Field(1, description="Orders the cells of each round.")
    variants: tuple[_Name, ...] = Field(min_length=1, description="What is compared, unless a workload says else.")
    workloads: dict[str, Workload] = Field(min_length=1, description="By name.")
    sweeps: tuple[Sweep, ...] = ()

    @field_validator("sweeps")
    @classmethod
    def _of_workloads(cls, value: tuple[Sweep, ...], info: ValidationInfo) -> tuple[Sweep, ...]:
        known: Mapping[str, Workload] = info.data.get("workloads", {})
        for sweep in value if known else ():
            if sweep.workload not in known:
                raise ValueError(f"workload {sweep.workload!r} is unknown; there are {', '.join(known)}")
        return value

    def only(self, names: tuple[str, ...]) -> "Plan":
        """Return the plan with these workloads alone; none named: all.

        Raises:
            ConfigError: there is no such workload.
        """
        for name in names:
            if name not in self.workloads:
                raise ConfigError(f"workload {name!r} is unknown; the plan has {', '.join(self.workloads)}")
        chosen = {name: work for name, work in self.workloads.items() if not names or name in names}
        sweeps = tuple(sweep for sweep in self.sweeps if sweep.workload in chosen)
        return self.model_copy(update={"workloads": chosen, "sweeps": sweeps})


def plan_file(chosen: Path | None) -> Path:
    """Return the file of the plan: the chosen one, or the quick one that comes with the crawler."""
    if chosen is not None:
        return chosen
    package = Path(crawler.__file__).parent
    installed, checkout = package / "bench" / "plans", package.parent / "config" / "bench"
    return (installed if installed.is_dir() else checkout) / "quick.yaml"


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        ConfigError: everything that is wrong with it, one line each, with its place in the file.
    """
    document = from_file(path)
    if document.problems:
        raise ConfigError("\n".join(document.problems))
    try:
        return Plan.model_validate(document.value)
    except ValidationError as error:
        raise ConfigError("\n".join(_lines(document, error))) from error


def _lines(document: Document, error: ValidationError) -> list[str]:
    found = error.errors(include_url=False)
    return [problem(document.place(each["loc"]), each["loc"], _message(each)) for each in found]


def _message(error: ErrorDetails) -> str:
    if error["type"] != "extra_forbidden":
        return error["msg"].removeprefix("Value error, ")
    path = error["loc"]
    inner: Mapping[str, type[Section]] = {"workloads": Workload, "sweeps": Sweep}
    model = Plan if len(path) == 1 else inner[str(path[0])]
    return f"unknown key (accepted: {', '.join(model.model_fields)})"
