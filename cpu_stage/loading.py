"""From the name of an analyzer to something that can be called."""

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cpu_stage.types import Json, Needs, Page


class AnalyzerError(ValueError):
    """An analyzer cannot be loaded: one line that says which, why, and what would be accepted."""


@dataclass(frozen=True, slots=True)
class AnalyzerSpec:
    """An analyzer as configured: its name in records, ``package.module:attr``, its options."""

    name: str
    target: str
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedAnalyzer:
    """An analyzer, ready to be called."""

    name: str
    call: Callable[[Page], Any]
    needs: Needs


def load(spec: AnalyzerSpec) -> LoadedAnalyzer:
    """Import and prepare an analyzer: a class is made once with the options, a function gets them bound.

    Raises:
        AnalyzerError: the module, the attribute or an option does not exist, or it cannot be called.
    """
    found = _resolve(spec)
    needs = getattr(found, "needs", Needs.ALL)
    try:
        call = found(**spec.options) if inspect.isclass(found) else _bind(found, spec.options)
    except TypeError as error:
        raise AnalyzerError(f"{spec.name}: {spec.target} does not take these options: {error}") from error
    if not callable(call):
        raise AnalyzerError(f"{spec.name}: {spec.target} is not callable; a function of one page is expected")
    return LoadedAnalyzer(spec.name, call, getattr(call, "needs", needs))


def _resolve(spec: AnalyzerSpec) -> Any:
    module_name, _, attribute = spec.target.partition(":")
    if not module_name or not attribute:
        raise AnalyzerError(f"{spec.name}: {spec.target!r} is not of the form package.module:attr")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise AnalyzerError(f"{spec.name}: module {module_name} cannot be imported: {error}") from error
    try:
        return getattr(module, attribute)
    except AttributeError:
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise AnalyzerError(f"{spec.name}: {module_name} has no {attribute}; it has {', '.join(names)}") from None


def _bind(function: Any, options: Mapping[str, Json]) -> Any:
    if not callable(function):
        return function
    inspect.signature(function).bind(None, **options)
    return functools.partial(function, **options) if options else function
