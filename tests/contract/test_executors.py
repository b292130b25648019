"""The executor suite, bound to each executor."""

import sys

from tests.contract.executor_suite import ExecutorSuite, ParsingSuite


class TestInline(ParsingSuite):
    executor = "inline"
    width = 1


class TestThreads(ParsingSuite):
    executor = "threads"


class TestProcesses(ParsingSuite):
    executor = "processes"


if sys.version_info >= (3, 14):

    class TestInterpreters(ExecutorSuite):
        executor = "interpreters"
        raw = False
