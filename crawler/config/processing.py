"""The sections that say what is done with a page: parsing, and the CPU stage."""

import os
from typing import Literal

from pydantic import Field

from crawler.config.base import Section
from crawler.config.units import PositiveDuration, Size
from crawler.config.values import Count, MediaType, Workers


class ParseConfig(Section):
    """Bytes to pages."""

    where: Literal["auto", "loop", "worker"] = Field(
        "auto",
        description="Parse on the event loop, in the CPU workers, or where there is room. auto, because small pages "
        "cost less to parse than to send, unless the loop is busy and a worker is not, and large ones would stall the "
        "loop; with interpreters, which load no parser, all are parsed on the loop.",
    )
    parser: Literal["turbohtml", "selectolax"] = Field(
        "turbohtml",
        description="The HTML parser. turbohtml, because its time grows linearly with a page's size, "
        "hostile pages included. selectolax is not safe on the event loop: with auto, workers run it.",
    )
    auto_max: Size = Field(
        64 * 2**10,
        description="With auto, larger pages are parsed in a worker. 64 KiB, because that takes under a millisecond.",
    )
    types: tuple[MediaType, ...] = Field(
        ("text/html", "application/xhtml+xml"),
        description="Media types that are downloaded and parsed. HTML, because nothing else holds links and text in "
        "this form.",
    )
    max_links: Count = Field(
        100_000,
        description="Links taken from one page. 100 000: more than any honest page has, and a bound for the others.",
    )


class CpuConfig(Section):
    """The CPU stage: analyzers, and the pages that are parsed there."""

    executor: Literal["inline", "threads", "processes", "interpreters"] = Field(
        "processes",
        description="Where analyzers run. Processes, because threads share one GIL, and a process that hangs or "
        "crashes can be replaced. interpreters needs Python 3.14 and analyzers in pure Python.",
    )
    workers: Workers = Field(
        "auto",
        description="How many. auto: one for each core that this process may use, so that none idles; one less where "
        "there are no analyzers, and workers only help a busy loop to parse.",
    )
    batch: Count = Field(
        64,
        le=1_000,
        description="Most pages in one batch; one that takes long holds fewer, some milliseconds of work. 64, because "
        "the cost of sending is spread thin by then, and a lost batch is small.",
    )
    page_timeout: PositiveDuration | None = Field(
        30.0,
        description="Time for one page; above, its worker is replaced and the page's record says so. 30 s: hardly any "
        "page needs one of them. null waits for ever, as threads and inline always do.",
    )
    page_memory: Size | None = Field(
        2**30,
        description="Memory that a worker may take for one page; above, it is replaced and the page's record says so. "
        "1 GiB: no honest page needs that, and a small machine survives it. Of processes alone.",
    )
    recycle_pages: Count | None = Field(
        None,
        description="Pages after which a worker makes way for a fresh one. null, because most analyzers do not leak.",
    )
    recycle_memory: Size | None = Field(
        768 * 2**20,
        description="Memory of a worker between two pages above which it makes way for a fresh one. 768 MiB: the "
        "built-in analyzers stay below a third, so whoever is above leaks.",
    )

    @property
    def resolved_workers(self) -> int:
        """The number of workers; ``auto`` is the number of usable cores."""
        return self.workers if isinstance(self.workers, int) else usable_cores()


def usable_cores() -> int:
    """Count the cores that this process may run on, which containers and ``taskset`` make fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
