"""Connections that wait for the next page of their origin."""

import asyncio

from crawler.fetch.connection import HttpConnection


class IdleConnections:
    """Keeps connections for ``keepalive_s`` seconds, and gives one back only if it is as good as new.

    A connection is kept for the origin that it was vetted for. One on which anything arrived meanwhile, be it that the
    server closed it, is closed instead: the kernel is asked, for the loop may not have looked yet.
    """

    def __init__(self, keepalive_s: float) -> None:
        self._keepalive_s = keepalive_s
        self._loop = asyncio.get_running_loop()
        self._of_origin: dict[str, list[HttpConnection]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def put(self, origin: str, connection: HttpConnection) -> None:
        """Keep a connection whose exchange is over, if it may serve another one."""
        if not (connection.reusable and connection.is_connected()):
            connection.discard()
            return
        connection.idle_since = self._loop.time()
        others = self._of_origin.get(origin)
        if others is not None:
            others.append(connection)
            return
        self._of_origin[origin] = [connection]
        if self._timer is None:
            self._timer = self._loop.call_later(self._keepalive_s, self._sweep)

    def take(self, origin: str) -> HttpConnection | None:
        """Return the connection that was used last; None if there is none."""
        others = self._of_origin.get(origin)
        if others is None:
            return None
        found = None
        while found is None and others:
            found = others.pop()
            if not self._lives(found) or found.has_news():
                found.discard()
                found = None
        if not others:
            del self._of_origin[origin]
        return found

    def close(self) -> None:
        """Let go of all; their connector closes them."""
        self._of_origin.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _lives(self, connection: HttpConnection) -> bool:
        return connection.is_connected() and self._loop.time() - connection.idle_since < self._keepalive_s

    def _sweep(self) -> None:
        for origin, connections in list(self._of_origin.items()):
            kept = [each for each in connections if self._lives(each)]
            for each in set(connections).difference(kept):
                each.discard()
            if kept:
                self._of_origin[origin] = kept
            else:
                del self._of_origin[origin]
        self._timer = self._loop.call_later(self._keepalive_s, self._sweep) if self._of_origin else None
