"""The executor suite, bound to each executor."""

from concurrent import futures

import pytest

from tests.contract.executor_suite import ExecutorSuite, ParsingSuite
from tests.interpreter_pool import HAS_SUBINTERPRETERS, InterpreterPoolExecutor


class TestInline(ParsingSuite):
    executor = "inline"
    width = 1


class TestThreads(ParsingSuite):
    executor = "threads"


class TestProcesses(ParsingSuite):
    executor = "processes"


if HAS_SUBINTERPRETERS:

    class TestInterpreters(ExecutorSuite):
        executor = "interpreters"
        raw = False

        @pytest.fixture(autouse=True)
        def pool(self, monkeypatch: pytest.MonkeyPatch) -> None:
            """Give Python 3.13 the executor that comes with 3.14."""
            if not hasattr(futures, "InterpreterPoolExecutor"):
                monkeypatch.setattr(futures, "InterpreterPoolExecutor", InterpreterPoolExecutor, raising=False)
