"""Serving a web: sockets for its hosts, within a running event loop or as the work of a whole process."""

import asyncio
import contextlib
import errno
import functools
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence

import uvloop

from crawler.bench.site.answers import Answers
from crawler.bench.site.audit import Audit, AuditReport
from crawler.bench.site.connection import AUDIT, Connection, Web
from crawler.bench.site.spec import SiteSpec
from crawler.bench.site.truth import Truth

_BACKLOG = 4096
_PORT_TRIES = 50


class Site:
    """A web that is being served by this process."""

    def __init__(self, spec: SiteSpec, base_urls: Sequence[str]) -> None:
        self.spec = spec
        self.base_urls = tuple(base_urls)
        """``http://address:port`` of each host, without a slash at the end."""
        self.truth = Truth(spec, base_urls)
        answers, audit = Answers(self.truth.plan, self.base_urls), Audit(self.truth.plan)
        answers.prepare()
        self.web = Web(answers, audit, lambda: self.audit().to_json())

    @property
    def seeds(self) -> tuple[str, ...]:
        """The home page of each host; the first leads to all the others."""
        return self.truth.seeds

    def audit(self) -> AuditReport:
        """What the server saw so far."""
        return self.web.audit.report(self.base_urls)

    def reset(self) -> None:
        """Start the audit anew, and with it every URL that answers differently the first time."""
        self.web.audit.reset()


def bind(spec: SiteSpec, host: str, port: int) -> list[socket.socket]:
    """Open a listening socket for each host.

    With ``addresses="ports"`` host i is ``host:port + i``, or any free port where ``port`` is 0; with
    ``addresses="loopback"`` it is 127.0.0.(2+i), all on ``port`` or on one that is free on all of them.

    Raises:
        OSError: a port is taken.
    """
    if spec.addresses == "loopback":
        return _bind_loopback(spec.hosts, port)
    return _bind_all([(host, port + i if port else 0) for i in range(spec.hosts)])


def _bind_loopback(hosts: int, port: int) -> list[socket.socket]:
    addresses = [f"127.0.0.{2 + i}" for i in range(hosts)]
    for _ in range(_PORT_TRIES):
        first = _listen(addresses[0], port)
        found: int = first.getsockname()[1]
        try:
            return [first, *_bind_all([(address, found) for address in addresses[1:]])]
        except OSError as error:
            first.close()
            if port or error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no port is free on all loopback addresses")


def _bind_all(endpoints: Sequence[tuple[str, int]]) -> list[socket.socket]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(_listen(*endpoint)) for endpoint in endpoints]
        stack.pop_all()
    return sockets


def _listen(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


@contextlib.asynccontextmanager
async def serve(spec: SiteSpec, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Site]:
    """Serve a web on the running event loop, whichever that is; on exit every connection is closed."""
    loop = asyncio.get_running_loop()
    sockets = bind(spec, host, port)
    site = Site(spec, [_base_url(sock) for sock in sockets])
    servers = [
        await loop.create_server(functools.partial(Connection, site.web, i), sock=sock, backlog=_BACKLOG)
        for i, sock in enumerate(sockets)
    ]
    try:
        yield site
    finally:
        for server in servers:
            server.close()
        for connection in [*site.web.open]:
            connection.abort()
        while site.web.open:  # noqa: ASYNC110 - each leaves in the loop's next rounds, nothing is waited for
            await asyncio.sleep(0)
        for server in servers:
            await server.wait_closed()


def _base_url(sock: socket.socket) -> str:
    address, port = sock.getsockname()
    return f"http://{address}:{port}"


def run_forever(spec: SiteSpec, host: str = "127.0.0.1", port: int = 0, say: Callable[[str], None] = print) -> None:
    """Serve a web on uvloop until Ctrl-C or SIGTERM; says the seeds and where the audit is.

    Raises:
        OSError: a port is taken.
    """

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with serve(spec, host=host, port=port) as site:
            for seed in site.seeds:
                say(seed)
            say(f"audit: {site.base_urls[0]}{AUDIT}")
            await stop.wait()

    allow_many_sockets()
    uvloop.run(main())


def allow_many_sockets() -> None:
    """Raise the limit of open files to what this process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
