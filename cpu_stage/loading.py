"""From the name of an analyzer to something that can be called.

An analyzer is any callable ``page -> dict``: a function, a function that also takes its options as keyword
arguments, or a class whose constructor takes the options and whose instances are called. Three attributes of the
function or class, all optional, say more:

- ``needs`` (:class:`~cpu_stage.types.Needs`) narrows what is sent to it; without it everything is.
- ``libraries`` names modules that take long to import. A worker imports them before its first page, a fork server
  before it forks workers (:func:`libraries`), so that they share the memory; the crawler itself never does.
- the options are what its signature says; a class is made once per worker.

A user's module must be importable where it is loaded: adding the current directory to ``sys.path``, in the crawler
and in its workers, is the caller's business.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, cast

from cpu_stage.analyzers import BUILT_IN
from cpu_stage.types import Json, Needs, Page


class AnalyzerError(ValueError):
    """An analyzer cannot be loaded: one line that says which, why, and what would be accepted."""


@dataclass(frozen=True, slots=True)
class AnalyzerSpec:
    """An analyzer as configured: its name in records, ``package.module:attr``, its options. Can be pickled."""

    name: str
    target: str
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedAnalyzer:
    """An analyzer, ready to be called."""

    name: str
    call: Callable[[Page], Any]
    needs: Needs


def check(spec: AnalyzerSpec) -> Needs:
    """Check an analyzer where it will not run, importing its module and nothing else; return what it needs.

    A user's class is not made here, since its constructor may load a model; ours only look at their options.

    Raises:
        AnalyzerError: the module, the attribute or an option does not exist, or it cannot be called.
    """
    found = _resolve(spec)
    _check_call(spec, found)
    if spec.target in BUILT_IN.values():
        _make(spec, found)
    needs = getattr(found, "needs", Needs.ALL)
    if not isinstance(needs, Needs):
        raise AnalyzerError(f"{spec.name}: its needs are {needs!r}; a cpu_stage.types.Needs is expected")
    return needs


def libraries(spec: AnalyzerSpec) -> tuple[str, ...]:
    """Name the modules that a fork server may import ahead for this analyzer."""
    return tuple(getattr(_resolve(spec), "libraries", ()))


def load(spec: AnalyzerSpec) -> LoadedAnalyzer:
    """Prepare an analyzer in the worker that runs it: import its libraries, bind its options.

    Raises:
        AnalyzerError: as :func:`check`, or a library cannot be imported, or the class cannot be made.
    """
    needs = check(spec)
    for library in libraries(spec):
        _import(spec, library)
    return LoadedAnalyzer(spec.name, _make(spec, _resolve(spec)), needs)


def _resolve(spec: AnalyzerSpec) -> Any:
    module_name, _, attribute = spec.target.partition(":")
    if not module_name or not attribute:
        raise AnalyzerError(
            f"{spec.name}: {spec.target!r} is neither a built-in analyzer nor of the form package.module:attr"
            f"{_suggestion(spec.target, BUILT_IN)}; built-in are {', '.join(BUILT_IN)}"
        )
    module = _import(spec, module_name)
    try:
        return getattr(module, attribute)
    except AttributeError:
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        hint = _suggestion(attribute, names) or f"; it has {', '.join(names[:10]) or 'nothing that can be called'}"
        raise AnalyzerError(f"{spec.name}: module {module_name} has no {attribute!r}{hint}") from None


def _import(spec: AnalyzerSpec, name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise AnalyzerError(
                f"{spec.name}: there is no module {error.name!r} in the current directory or among the installed "
                "packages (a module is named package.module, not by its path)"
            ) from None
        raise AnalyzerError(f"{spec.name}: importing {name} failed: {_one_line(error)}") from error
    except (Exception, SystemExit) as error:  # a user's module may do anything when imported, even sys.exit()
        raise AnalyzerError(f"{spec.name}: importing {name} failed: {_one_line(error)}") from error


def _check_call(spec: AnalyzerSpec, found: Any) -> None:
    """Check that it can be called with a page and takes these options, as far as its signature tells."""
    is_class = inspect.isclass(found)
    if not callable(found) or (is_class and not any("__call__" in vars(base) for base in found.__mro__)):
        raise AnalyzerError(f"{spec.name}: {spec.target} cannot be called; a function of one page is expected")
    if inspect.iscoroutinefunction(found) or (is_class and inspect.iscoroutinefunction(found.__call__)):
        raise AnalyzerError(f"{spec.name}: {spec.target} is async; analyzers run in workers: a plain def is expected")
    try:
        signature = _signature(found)
    except ValueError:  # a callable of an extension module may have none
        return
    page = () if is_class else (None,)
    _check_options(spec, list(signature.parameters.values())[len(page) :])
    try:
        signature.bind(*page, **spec.options)
    except TypeError as error:
        raise AnalyzerError(
            f"{spec.name}: {spec.target}{signature} cannot be called as {_wanted(spec, is_class)}: {error}"
        ) from None


def _signature(found: Any) -> inspect.Signature:
    """Return what it takes. Where a class has no constructor, inspect would spend milliseconds on object's own."""
    plain = inspect.isclass(found) and found.__init__ is object.__init__ and found.__new__ is object.__new__
    return inspect.Signature() if plain else inspect.signature(found)


def _check_options(spec: AnalyzerSpec, parameters: list[inspect.Parameter]) -> None:
    kinds = {parameter.kind for parameter in parameters}
    by_keyword = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    accepted = [parameter.name for parameter in parameters if parameter.kind in by_keyword]
    unknown = next((name for name in spec.options if name not in accepted), None)
    if unknown is not None and inspect.Parameter.VAR_KEYWORD not in kinds:
        raise AnalyzerError(
            f"{spec.name}: there is no option {unknown!r}{_suggestion(unknown, accepted)}"
            f"; it takes {', '.join(accepted) or 'no options'}"
        )


def _wanted(spec: AnalyzerSpec, is_class: bool) -> str:
    arguments = [*([] if is_class else ["page"]), *(f"{name}=..." for name in spec.options)]
    return f"{spec.target.partition(':')[2]}({', '.join(arguments)})"


def _make(spec: AnalyzerSpec, found: Any) -> Callable[[Page], Any]:
    if inspect.isclass(found):
        try:
            made: Any = found(**spec.options)
        except (Exception, SystemExit) as error:
            raise AnalyzerError(f"{spec.name}: {_one_line(error)}") from error
        else:
            return cast("Callable[[Page], Any]", made)
    return functools.partial(found, **spec.options) if spec.options else found


def _one_line(error: BaseException) -> str:
    kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
    return " ".join(f"{kind}{error}".split())


def _suggestion(name: str, among: Iterable[str]) -> str:
    close = get_close_matches(name, among, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
