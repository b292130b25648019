"""One crawl in this process, in the way of any variant."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from crawler.bench.matrix import tree
from crawler.bench.matrix.orders import Order, Outcome
from crawler.bench.matrix.variants import Variant, variant
from crawler.bench.work import Task, Work

EVERYTHING = 10**9
_Look = tuple[tree.Use, int | None]


def crawl(order: Order, max_pages: int = EVERYTHING) -> Outcome:
    """Crawl once. Each variant imports what it needs and nothing else, so that its memory is its own."""
    with _web(order) as hits:
        outcome = _crawl(order, variant(order.variant), max_pages)
    return outcome if hits is None else replace(outcome, hits=dict(hits))


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
        from crawler.bench.matrix import tandem  # noqa: PLC0415

        return tandem.crawl(order.settings, max_pages)
    task = order.task(max_pages)
    if chosen.fetch == "coroutines":
        return _textbook(order, chosen, task)
    from crawler.bench.controls import sequential, threaded  # noqa: PLC0415

    before = _look()
    work = sequential(task) if chosen.fetch == "sequential" else threaded(task, order.concurrency)
    return _outcome(work, before, _look())


def _textbook(order: Order, chosen: Variant, task: Task) -> Outcome:
    import uvloop  # noqa: PLC0415

    from crawler.bench.matrix.lag import LagLine, metered  # noqa: PLC0415
    from crawler.bench.textbook import textbook  # noqa: PLC0415

    lag, looks = LagLine(), list[_Look]()
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if chosen.loop == "uvloop":
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        whole = textbook(task, order.concurrency, order.workers, lambda: looks.append(_look()))
        work = runner.run(metered(whole, lag))
    return _outcome(work, looks[0], looks[1], lag.as_json())


def _look() -> _Look:
    return tree.use(), tree.memory([os.getpid(), *tree.descendants(os.getpid())])


def _outcome(work: Work, before: _Look, after: _Look, lag_ms: Mapping[str, float] | None = None) -> Outcome:
    used = after[0].since(before[0])
    return Outcome(work.visited, work.seconds, used.user_s, used.system_s, used.switches, after[1], lag_ms)
