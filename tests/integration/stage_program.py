"""A program with a CPU stage, for tests that end it from outside.

Its arguments are an executor, a folder and titles of pages. It says on stdout what it does, one line each.
"""

import asyncio
import functools
import signal
import sys
from pathlib import Path

from cpu_stage.stage import CpuStage, StageSettings
from cpu_stage.worker import Plan
from tests.contract.executor_suite import page, spec

WIDTH = 2


async def run(executor: str, folder: Path, titles: list[str]) -> None:
    """Process the pages; the analyzers note each page that they begin, and wait for the gate to open."""
    gate = str(folder / "gate")
    plan = Plan((spec("prints"), spec("waits_for", path=gate), spec("misbehave")))
    for sent in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sent, functools.partial(print, sent.name, flush=True))
    print("opening", flush=True)
    async with CpuStage(plan, StageSettings(executor, WIDTH, page_timeout=None)) as stage:
        await stage.warm()
        print("warm", flush=True)
        results = await asyncio.gather(*(stage.submit(page(title)) for title in titles))
        complete = sum(len(r.analysis.values) == 3 for r in results)
        print(f"complete {complete} replaced {stage.counts().replaced}", flush=True)
    # asyncio takes its handlers away before the program ends: a signal that is still on its way would end it badly
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
