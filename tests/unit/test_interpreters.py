"""Subinterpreters: what is said where there are none, and that a worker can work in one.

Before Python 3.14 nothing opens them for the stage; 3.13 has them all the same, without their executor.
"""

import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cpu_stage.loading import AnalyzerSpec
from cpu_stage.parcels import Packing, Parcel
from cpu_stage.runtime import python_build
from cpu_stage.slab import Slab
from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.types import Needs, Page, StageError
from cpu_stage.worker import Plan, Processed, RawPage, attach, prepare, run_batch

PAGE = Page("http://example.test/", "text/html", "utf-8", "T", text="some text")
PURE = AnalyzerSpec("length", "tests.sample_analyzers:length")


def parcel(item: Page | RawPage) -> Parcel:
    return Packing.of(Needs.ALL).pack(item, (), Slab().part(1))


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python has subinterpreters")
async def test_an_older_python_is_told_what_to_choose() -> None:
    async with CpuStage(Plan(), StageSettings("interpreters")) as stage:
        with pytest.raises(
            StageError, match=r"needs Python 3\.14; this is CPython 3\.\d+\.\d+, GIL on: choose processes"
        ):
            await stage.submit(PAGE)


def test_the_build_of_python_is_named() -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    assert python_build().startswith(f"CPython {version}")
    assert python_build().endswith((", GIL on", " free-threaded, GIL off"))


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Give what calls a function in one subinterpreter, every time in another thread state, as the executor does."""
    interpreters: Any = pytest.importorskip("_interpreters", reason="subinterpreters with a GIL each: Python 3.13")
    number, result = interpreters.create(), tmp_path / "result"

    def call_there(*task: object) -> Any:
        script = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            "import pickle, pathlib\n"
            "from cpu_stage.executors.interpreters import run_here\n"
            f"result = run_here(*pickle.loads({pickle.dumps(task)!r}))\n"
            f"pathlib.Path({str(result)!r}).write_bytes(pickle.dumps(result))\n"
        )
        failure = interpreters.exec(number, script)
        assert failure is None, failure.formatted
        return pickle.loads(result.read_bytes())

    yield call_there
    interpreters.destroy(number)


def test_a_worker_works_in_a_subinterpreter(call: Callable[..., Any]) -> None:
    call(attach, [0.0, 0.0])
    assert call(prepare, Plan((PURE,), raw=False)) is None
    for number in (1, 2):
        [result] = call(run_batch, number, [parcel(PAGE)]).results
        processed = Processed.received(PAGE.url, result)
        assert processed.analysis.values == {"length": {"characters": 9}}


def test_a_parser_that_refuses_subinterpreters_is_named(call: Callable[..., Any]) -> None:
    call(attach, [0.0, 0.0])
    words = call(prepare, Plan((PURE,)))
    assert words == (
        "ImportError: module can_ada does not support loading in subinterpreters; choose cpu.executor: processes"
    )


def test_a_library_that_refuses_subinterpreters_is_named(call: Callable[..., Any]) -> None:
    call(attach, [0.0, 0.0])
    words = call(prepare, Plan((AnalyzerSpec("content", "cpu_stage.analyzers.content:Content"),), raw=False))
    assert "content: importing trafilatura failed" in words
    assert "does not support loading in subinterpreters" in words
    assert words.endswith("; choose cpu.executor: processes")


def test_a_raw_page_that_comes_nevertheless_says_why_it_cannot_be_parsed(call: Callable[..., Any]) -> None:
    call(attach, [0.0, 0.0])
    call(prepare, Plan((PURE,), raw=False))
    [result] = call(run_batch, 1, [parcel(RawPage("http://example.test/", "text/html", b""))]).results
    processed = Processed.received("http://example.test/", result)
    assert "can_ada" in processed.analysis.errors["parse"].message
