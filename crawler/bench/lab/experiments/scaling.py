"""The same work on one, two, four ... workers: threads, processes, subinterpreters; bytecode and C code.

Nothing but the standard library is imported at the top, so that another interpreter of the machine (a free-threaded
build, one with subinterpreters) can run this file too.
"""

import hashlib
import importlib.util
import json
import multiprocessing
import re
import sys
import sysconfig
import threading
import time
import zlib
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Any

from crawler.bench.lab.experiments.burn import START_S, burn
from crawler.bench.lab.experiments.probe import CoreClock, Stretch, at_once

_TEXT = b" ".join(b"The %d-th word of a text that compresses a little." % n for n in range(4_000))
_HTML = "<html><body>" + "<p>A paragraph with <a href='/x'>a link</a> in it.</p>" * 1_000 + "</body></html>"
_RECORDS = [{"url": f"/page/{n}", "words": list(range(20))} for n in range(400)]
_LINK = re.compile(r"<a [^>]*href='([^']*)'")


def _lxml() -> None:
    from lxml import html  # noqa: PLC0415 - not every interpreter that runs this has it

    html.document_fromstring(_HTML)


WORK: dict[str, Callable[[], object]] = {
    "python": lambda: burn(100),
    "json": lambda: json.dumps(_RECORDS),
    "regex": lambda: _LINK.findall(_HTML),
    "sha256": lambda: hashlib.sha256(_TEXT),
    "zlib": lambda: zlib.compress(_TEXT),
    "lxml": _lxml,
}
"""One call of each kind of work: the first three hold the GIL by their nature, the others' libraries may let it go."""


def build() -> dict[str, Any]:
    """Describe the interpreter that runs this: its version and GIL, and what it has of what is measured."""
    check = getattr(sys, "_is_gil_enabled", None)
    return {
        "version": ".".join(map(str, sys.version_info[:3])),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil": bool(check()) if check else True,
        "interpreters": _interpreters() is not None,
        "lxml": importlib.util.find_spec("lxml") is not None,
    }


def calls_in(work: str, seconds: float) -> int:
    """Measure how many calls of a work take so many seconds of CPU (the fastest of three tries)."""
    call, best = WORK[work], 0.0
    call()
    for _ in range(3):
        calls, start = 0, time.thread_time()
        while (spent := time.thread_time() - start) < seconds / 5:
            call()
            calls += 1
        best = max(best, calls / spent)
    return max(1, round(best * seconds))


def run(kind: str, work: str, workers: int, calls: int) -> dict[str, float]:
    """Let every worker make ``calls`` calls, all at once.

    Workers are started, have imported what they need and made a first call before the clock starts.

    Returns:
        What :func:`at_once` says of them; ``seconds`` are until the last is done.
    """
    seconds, stretches = {"threads": _threads, "processes": _processes, "interpreters": _in_interpreters}[kind](
        work, workers, calls
    )
    return at_once(stretches, seconds)


Race = tuple[float, list[Stretch]]


def _loop(work: str, calls: int) -> None:
    call = WORK[work]
    for _ in range(calls):
        call()


def _clocked(go: Callable[[], None]) -> Stretch:
    with CoreClock() as clock:
        return clock.measure(go)


def _threads(work: str, workers: int, calls: int) -> Race:
    return _race(workers, lambda _: _loop(work, 1), lambda _: _loop(work, calls))


def _race(workers: int, prepare: Callable[[int], None], go: Callable[[int], None]) -> Race:
    ready, stretches = threading.Barrier(workers + 1, timeout=START_S), list[Stretch]()

    def one(number: int) -> None:
        prepare(number)
        ready.wait()
        stretches.append(_clocked(lambda: go(number)))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start, stretches


def _processes(work: str, workers: int, calls: int) -> Race:
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(workers + 1, timeout=START_S), context.SimpleQueue()
    processes = [
        context.Process(target=_process, args=(work, calls, ready, answers), daemon=True) for _ in range(workers)
    ]
    for process in processes:
        process.start()
    ready.wait()
    start = time.perf_counter()
    stretches: list[Stretch] = [answers.get() for _ in processes]
    seconds = time.perf_counter() - start
    for process in processes:
        process.join()
    return seconds, stretches


def _process(work: str, calls: int, ready: Barrier, answers: Any) -> None:
    _loop(work, 1)
    ready.wait()
    answers.put(_clocked(lambda: _loop(work, calls)))


def _in_interpreters(work: str, workers: int, calls: int) -> Race:
    create = _interpreters()
    assert create is not None
    made: dict[int, Callable[[str], None]] = {}

    def prepare(number: int) -> None:
        made[number] = create()
        made[number](f"from {__name__} import _loop; _loop({work!r}, 1)")

    return _race(workers, prepare, lambda number: made[number](f"_loop({work!r}, {calls})"))


def _interpreters() -> Callable[[], Callable[[str], None]] | None:
    """Return what makes a subinterpreter with a GIL of its own: public since 3.14, without an API in 3.13."""
    if sys.version_info >= (3, 14):
        from concurrent import interpreters  # noqa: PLC0415

        return lambda: interpreters.create().exec
    if sys.version_info >= (3, 13):
        import _interpreters as private  # noqa: PLC0415

        def create() -> Callable[[str], None]:
            number = private.create()

            def execute(code: str) -> None:
                if failure := private.exec(number, code):
                    raise RuntimeError(failure.formatted)

            return execute

        return create
    return None
