"""The child of :class:`SiteProcess`: ``python -m crawler.bench.site SPEC HOST PORT``."""

import asyncio
import os
import signal
import sys

import orjson
import uvloop

from crawler.bench.site.server import allow_many_sockets, serve
from crawler.bench.site.spec import SiteSpec

_STDIN = 0


async def main(spec: SiteSpec, host: str, port: int) -> None:
    """Serve until the standard input ends; Ctrl-C in the parent's terminal is the parent's business."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGINT, lambda: None)

    def readable() -> None:
        if not os.read(_STDIN, 1024):
            loop.remove_reader(_STDIN)
            stop.set()

    async with serve(spec, host=host, port=port) as site:
        loop.add_reader(_STDIN, readable)
        sys.stdout.buffer.write(orjson.dumps(site.base_urls) + b"\n")
        sys.stdout.buffer.flush()
        await stop.wait()


if __name__ == "__main__":
    allow_many_sockets()
    uvloop.run(main(SiteSpec.from_json(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
