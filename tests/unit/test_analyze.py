import enum
import json
import math
import pickle
import sys
from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpu_stage.analyze import run
from cpu_stage.loading import LoadedAnalyzer
from cpu_stage.types import Analysis, AnalysisError, AnalysisErrorKind, Needs, Page

PAGE = Page("http://127.0.0.1/", "text/html", "utf-8", "Title", text="Some text")


def analyse(*calls: Callable[[Page], object]) -> Analysis:
    analyzers = [LoadedAnalyzer(f"a{n}", call, Needs.ALL) for n, call in enumerate(calls)]
    return run(analyzers, PAGE, "worker 7")


def returned(value: object) -> Analysis:
    return analyse(lambda page: {"key": value})


def error(analysis: Analysis) -> AnalysisError:
    assert not analysis.values
    return analysis.errors["a0"]


def raising(raised: BaseException) -> Callable[[Page], object]:
    def call(page: Page) -> object:
        raise raised

    return call


def test_values_of_every_analyzer_are_kept_under_its_name() -> None:
    analysis = analyse(lambda page: {"length": len(page.text)}, lambda page: {"title": page.title})
    assert analysis.values == {"a0": {"length": 9}, "a1": {"title": "Title"}}
    assert (analysis.url, analysis.errors, analysis.worker) == (PAGE.url, {}, "worker 7")


def test_begin_is_told_of_every_analyzer_before_it_runs() -> None:
    events: list[object] = []
    analyzer = LoadedAnalyzer("a", lambda page: events.append("runs"), Needs.ALL)
    run([analyzer, analyzer], PAGE, "", lambda n, values: events.append(n))
    assert events == [0, "runs", 1, "runs"]


def test_cpu_time_is_counted() -> None:
    assert analyse(lambda page: {"sum": sum(range(1_000_000))}).cpu_s > 0


def recurse(page: Page) -> object:
    return recurse(page)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (raising(ValueError("bad\n  page")), AnalysisErrorKind.EXCEPTION, "ValueError: bad page"),
        (raising(MemoryError()), AnalysisErrorKind.MEMORY, "MemoryError:"),
        (lambda page: sys.exit(3), AnalysisErrorKind.EXCEPTION, "SystemExit: 3"),
        (recurse, AnalysisErrorKind.EXCEPTION, "RecursionError: maximum recursion depth exceeded"),
        (raising(GeneratorExit("odd")), AnalysisErrorKind.EXCEPTION, "GeneratorExit: odd"),
    ],
)
def test_whatever_is_raised_costs_the_analyzer_its_own_values(
    call: Callable[[Page], object], kind: AnalysisErrorKind, message: str
) -> None:
    analysis = analyse(call, lambda page: {"ok": True})
    assert analysis.values == {"a1": {"ok": True}}
    assert analysis.errors["a0"].kind == kind
    assert analysis.errors["a0"].message.startswith(message)


def test_ctrl_c_passes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        analyse(raising(KeyboardInterrupt()))


def test_a_message_is_short_and_can_be_written() -> None:
    message = error(analyse(raising(ValueError("x" * 1000 + "\ud800")))).message
    assert len(message) <= 300
    assert error(analyse(raising(ValueError("\ud800")))).message == "ValueError: ?"


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_exception_that_cannot_describe_itself_is_named() -> None:
    assert error(analyse(raising(MuteError()))).message == "MuteError:"


class Color(str, enum.Enum):  # noqa: UP042 - users write the older form, whose str() is not its value
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, 2), [1, 2]),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Color.RED, "red"),
        (Level.HIGH, 3),
        (np.float64(0.5), 0.5),
        ("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ({"\udfff": 1}, {"?": 1}),
    ],
)
def test_what_stands_for_json_becomes_json(value: object, plain: object) -> None:
    analysis = returned(value)
    assert analysis.values["a0"]["key"] == plain
    assert type(analysis.values["a0"]["key"]) is type(plain)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({1, 2}, "key: set"),
        (b"bytes", "key: bytes"),
        (np.float32(0.5), "key: float32"),
        (np.int64(3), "key: int64"),
        (np.bool_(True), "key: bool"),
        ([{"inner": [0, object()]}], "key[0].inner[1]: object"),
        (math.nan, "key: nan"),
        ([math.inf], "key[0]: inf"),
        (2**63, "key: an integer beyond 64 bits"),
        ({"a": {2: 3}}, "key 2 in key.a"),
    ],
)
def test_what_is_not_json_is_an_error_that_names_the_key(value: object, where: str) -> None:
    found = error(returned(value))
    assert found.kind == AnalysisErrorKind.EXCEPTION
    assert where in found.message


def test_endless_nesting_is_an_error() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert "nested deeper" in error(returned(endless)).message


@pytest.mark.parametrize("value", [None, "text", [("a", 1)], 3])
def test_a_mapping_is_expected(value: object) -> None:
    assert f"returned {type(value).__name__}; a dict is expected" in error(analyse(lambda page: value)).message


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_json_comes_back_as_it_is(value: dict[str, object]) -> None:
    analysis = pickle.loads(pickle.dumps(analyse(lambda page: value)))
    assert json.dumps(analysis.values["a0"]) == json.dumps(value)
