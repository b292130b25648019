"""The process of one cell: ``python -m crawler.bench.matrix.child``.

It reads its order, one line, warms up, says ``{}``, and then crawls once for every further line that it reads, and
answers with the outcome. It ends when its standard input does, or at once when its parent dies; with
:data:`UNAVAILABLE` where subinterpreters refuse the analyzers.
"""

import ctypes
import os
import signal
import sys
from typing import BinaryIO

from cpu_stage.types import StageError
from crawler.bench.matrix.crawls import crawl
from crawler.bench.matrix.orders import Order
from crawler.bench.matrix.variants import variant

UNAVAILABLE = 69
"""An exit code: ``EX_UNAVAILABLE`` of sysexits.h."""

_PR_SET_PDEATHSIG = 1


def main(order: Order, asked: BinaryIO, answers: BinaryIO) -> None:
    """Warm up, then crawl as often as is asked."""
    if order.warm_up:
        crawl(order, order.warm_up)
    _say(answers, b"{}")
    while asked.readline():
        _say(answers, crawl(order).to_json())


def _say(answers: BinaryIO, line: bytes) -> None:
    answers.write(line + b"\n")
    answers.flush()


def _die_with_parent() -> None:
    """Have the kernel end this process with the one that started it (prctl(2), Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    own_output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what analyzers print must not get among the answers
    told = Order.from_json(sys.stdin.buffer.readline())
    try:
        main(told, sys.stdin.buffer, own_output)
    except StageError as refusal:
        if variant(told.variant).cpu != "interpreters":
            raise
        print(refusal, file=sys.stderr)
        sys.exit(UNAVAILABLE)
