"""The executor that the event loop talks to itself: answers, large messages, and workers that end in every way."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

import pytest

from cpu_stage.executors.processes import open_executor
from cpu_stage.worker import Plan
from tests.processes import alive, wait_until

PATIENCE_S = 20.0


class Unreadable:
    """What only the worker can make."""

    def __reduce__(self) -> tuple[Any, ...]:
        return refuse, (os.getpid(),)


def refuse(maker: int) -> None:
    if os.getpid() != maker:
        raise ValueError("made elsewhere")


def unreadable() -> Unreadable:
    return Unreadable()


def fail() -> None:
    raise LookupError("nothing there")


def leave() -> None:
    sys.exit(3)


@pytest.fixture
def executor() -> Iterator[Executor]:
    opened = open_executor(Plan(raw=False))
    yield opened.executor
    opened.executor.shutdown()


async def answer(executor: Executor, *call: Any) -> Any:
    return await asyncio.wait_for(asyncio.wrap_future(executor.submit(*call)), PATIENCE_S)


async def test_calls_are_answered_in_their_order(executor: Executor) -> None:
    calls = [executor.submit(divmod, number, 7) for number in range(100)]
    done: list[int] = []
    for number, call in enumerate(calls):
        call.add_done_callback(lambda _, number=number: done.append(number))  # type: ignore[misc]
    assert await asyncio.gather(*map(asyncio.wrap_future, calls)) == [divmod(number, 7) for number in range(100)]
    assert done == list(range(100))


@pytest.mark.parametrize(("call", "error"), [(fail, LookupError), (leave, SystemExit)])
async def test_what_a_call_raises_is_raised_here_and_the_worker_lives(
    executor: Executor, call: Any, error: type[BaseException]
) -> None:
    ended = executor.submit(call)
    worker = await answer(executor, os.getpid)
    assert isinstance(ended.exception(), error)
    assert worker == await answer(executor, os.getpid)


async def test_the_loop_goes_on_while_a_large_call_waits_for_a_worker_that_is_busy(executor: Executor) -> None:
    worker = await answer(executor, os.getpid)
    os.kill(worker, signal.SIGSTOP)
    size = 30_000_000
    call = executor.submit(bytes.upper, b"x" * size)  # it would wait here until somebody reads
    os.kill(worker, signal.SIGCONT)
    returned = await asyncio.wait_for(asyncio.wrap_future(call), PATIENCE_S)
    assert returned == b"X" * size


async def test_a_call_that_was_given_up_does_not_disturb_the_next(executor: Executor) -> None:
    given_up = executor.submit(time.sleep, 0.01)
    assert given_up.cancel()
    assert await answer(executor, divmod, 22, 7) == (3, 1)


async def test_all_calls_of_a_worker_that_dies_end_and_there_are_no_more(executor: Executor) -> None:
    worker = await answer(executor, os.getpid)
    calls = [executor.submit(time.sleep, 60) for _ in range(3)]
    os.kill(worker, signal.SIGKILL)
    for call in calls:
        with pytest.raises(BrokenExecutor, match="the worker has died"):
            await asyncio.wait_for(asyncio.wrap_future(call), PATIENCE_S)
    with pytest.raises(BrokenExecutor, match="the worker is gone"):
        executor.submit(os.getpid)


async def test_what_was_answered_before_a_worker_died_counts(executor: Executor) -> None:
    worker = await answer(executor, os.getpid)
    good, bad = executor.submit(divmod, 22, 7), executor.submit(os._exit, 1)
    wait_until(lambda: not alive([worker]))  # the loop does not look at the answer before
    assert await asyncio.wait_for(asyncio.wrap_future(good), PATIENCE_S) == (3, 1)
    with pytest.raises(BrokenExecutor):
        await asyncio.wait_for(asyncio.wrap_future(bad), PATIENCE_S)


async def test_an_answer_that_cannot_be_read_ends_the_worker(executor: Executor) -> None:
    calls: list[Future[Any]] = [executor.submit(unreadable), executor.submit(os.getpid)]
    for call in calls:
        with pytest.raises(BrokenExecutor, match="cannot be read: ValueError"):
            await asyncio.wait_for(asyncio.wrap_future(call), PATIENCE_S)


async def test_a_worker_that_is_let_go_finishes_and_ends() -> None:
    opened = open_executor(Plan(raw=False))
    assert opened.pid is not None
    call = opened.executor.submit(time.sleep, 0.05)
    opened.executor.shutdown()
    assert not alive([opened.pid])
    assert call.cancelled()


PROGRAM = """
import asyncio, os
from cpu_stage.executors.processes import open_executor
from cpu_stage.worker import Plan

async def main():
    opened = open_executor(Plan(raw=False))
    print(await asyncio.wrap_future(opened.executor.submit(os.getpid)))

asyncio.run(main())
"""


def test_a_program_that_forgets_its_worker_ends_all_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    wait_until(lambda: not alive([int(done.stdout)]))


ENVIRONMENT = """
import asyncio, os, sys
from cpu_stage.executors.processes import open_executor
from cpu_stage.worker import Plan

changes = []
sys.addaudithook(lambda event, args: changes.append(args) if event in ("os.putenv", "os.unsetenv") else None)

async def main():
    executor = open_executor(Plan(raw=False)).executor
    print(await asyncio.wrap_future(executor.submit(os.getenv, "OMP_NUM_THREADS")), changes)
    executor.shutdown()

asyncio.run(main())
"""


def test_a_worker_has_variables_that_this_process_never_set() -> None:
    """While a thread sets one, a C library that reads one in another thread may crash (names, TLS, SQLite)."""
    done = subprocess.run(
        [sys.executable, "-c", ENVIRONMENT],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
        env={name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"},
    )
    assert done.stdout == "1 []\n"
