"""The executor suite, bound to each executor."""

from tests.contract.executor_suite import ExecutorSuite


class TestInline(ExecutorSuite):
    executor = "inline"
    width = 1


class TestThreads(ExecutorSuite):
    executor = "threads"


class TestProcesses(ExecutorSuite):
    executor = "processes"
