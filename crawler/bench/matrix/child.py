"""The process of one cell: ``python -m crawler.bench.matrix.child ORDER``.

It warms up, says ``{}``, and then crawls once for every line that it reads, and answers with the outcome. It ends
when its standard input does, or at once when its parent dies.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from crawler.bench.matrix import tree
from crawler.bench.matrix.orders import Order, Outcome
from crawler.bench.matrix.variants import Variant, variant
from crawler.bench.work import Task, Work

_EVERYTHING = 10**9
_PR_SET_PDEATHSIG = 1


def main(order: Order, orders: BinaryIO, answers: BinaryIO) -> None:
    """Warm up, then crawl as often as is asked."""
    chosen = variant(order.variant)
    if order.warm_up:
        run(order, chosen, order.warm_up)
    _say(answers, b"{}")
    while orders.readline():
        _say(answers, run(order, chosen, _EVERYTHING).to_json())


def _say(answers: BinaryIO, line: bytes) -> None:
    answers.write(line + b"\n")
    answers.flush()


def run(order: Order, chosen: Variant, max_pages: int) -> Outcome:
    """Crawl once, in the way of a variant."""
    with _web(order) as hits:
        outcome = _crawl(order, chosen, max_pages)
    return outcome if hits is None else outcome.with_hits(hits)


@contextlib.contextmanager
def _web(order: Order) -> Iterator[Mapping[str, int] | None]:
    """Answer the web within this process, if it is to be."""
    if order.web is None:
        yield None
        return
    from crawler.bench.mocked import answered  # noqa: PLC0415 - aioresponses is an extra
    from crawler.bench.site import SiteSpec  # noqa: PLC0415

    with answered(SiteSpec.from_json(order.web)) as hits:
        yield hits


def _crawl(order: Order, chosen: Variant, max_pages: int) -> Outcome:
    if not chosen.control:
        from crawler.bench.matrix import tandem  # noqa: PLC0415 - controls do without the crawler, in memory too

        return tandem.crawl({**order.settings, "limits.pages": max_pages})
    task = order.task(max_pages)
    if chosen.fetch == "coroutines":
        return _textbook(order, chosen, task)
    from crawler.bench.controls import sequential, threaded  # noqa: PLC0415

    before = tree.use()
    work = sequential(task) if chosen.fetch == "sequential" else threaded(task, order.concurrency)
    return _outcome(work, tree.use().since(before))


def _textbook(order: Order, chosen: Variant, task: Task) -> Outcome:
    import uvloop  # noqa: PLC0415

    from crawler.bench.matrix.tandem import LagLine, metered  # noqa: PLC0415
    from crawler.bench.textbook import textbook  # noqa: PLC0415

    lag, began = LagLine(), []
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if chosen.loop == "uvloop":
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        crawl = textbook(task, order.concurrency, order.workers, lambda: began.append(tree.use()))
        work = runner.run(metered(crawl, lag))
        return _outcome(work, tree.use().since(began[0]), lag.as_json())


def _outcome(work: Work, used: tree.Use, lag_ms: Mapping[str, float] | None = None) -> Outcome:
    memory = tree.memory([os.getpid(), *tree.descendants(os.getpid())])
    return Outcome(work.visited, work.seconds, used.user_s, used.system_s, used.switches, memory, lag_ms)


def _die_with_parent() -> None:
    """Have the kernel end this process with the one that started it (prctl(2), Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what analyzers print must not get among the answers
    main(Order.from_json(sys.argv[1]), sys.stdin.buffer, answers)
