"""The fetcher for coroutines, on aiohttp."""

import asyncio
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from crawler.codings import DecodeError
from crawler.content import BodyTooLargeError
from crawler.exchange import FetchSettings, Phase, RequestHeaders, one_line
from crawler.fetch.asking import Asking
from crawler.fetch.attempt import Attempt
from crawler.fetch.connector import GuardedConnector
from crawler.fetch.deadlines import Deadlines
from crawler.fetch.dns import Resolver
from crawler.fetch.jar import NarrowCookieJar
from crawler.fetch.reply import Reply
from crawler.guard import Guard
from crawler.types import BodyRule, CrawlRequest, ErrorKind, Failed, Fetched


class AioFetcher:
    """Fetches by aiohttp. Made inside of a running loop; closed by :meth:`aclose` or as a context manager.

    ``resolver`` replaces the system's name look-up.
    """

    def __init__(self, settings: FetchSettings, guard: Guard, *, resolver: AbstractResolver | None = None) -> None:
        self._settings = settings
        self._resolver = resolver or Resolver()
        self._deadlines = Deadlines()
        self._headers = RequestHeaders(settings)
        self._asking = Asking(settings, GuardedConnector(settings, guard, self._resolver), self._headers.everywhere)
        self._cookies = NarrowCookieJar() if settings.cookies else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        self._deadlines.close()
        await self._asking.aclose()
        await self._resolver.close()

    async def fetch(self, request: CrawlRequest, rule: BodyRule) -> Fetched | Failed:
        """GET ``request.target``; whatever goes wrong is a :class:`Failed`."""
        task = asyncio.current_task(self._deadlines.loop)
        assert task is not None, "a coroutine runs in a task"
        attempt = Attempt(self._settings, self._deadlines, task)
        try:
            return await self._exchange(request, rule, attempt)
        except asyncio.CancelledError:
            if not attempt.is_late():
                raise
            return Failed(request, ErrorKind.TIMEOUT, attempt.lateness(), attempt.elapsed())
        except Exception as error:  # noqa: BLE001 - aiohttp's errors are no closed list; none may end the crawl
            kind, message = _failure(error, attempt)
            return Failed(request, kind, message, attempt.elapsed())
        finally:
            attempt.finished()

    async def _exchange(self, request: CrawlRequest, rule: BodyRule, attempt: Attempt) -> Fetched:
        private = self._headers.private(request.target)
        if self._cookies is not None:
            private = _with_cookies(private, self._cookies, request.target)
        reply = Reply(attempt, rule, self._settings)
        try:
            await self._asking.ask(request.target, private, reply)
        except Exception:
            if reply.wanted:
                raise
        finally:
            if self._cookies is not None and reply.fields is not None:
                self._cookies.update_cookies_from_headers(reply.fields.getall("Set-Cookie", ()), URL(request.target))
        return Fetched(
            request,
            request.target,
            reply.status,
            reply.headers,
            reply.body(),
            reply.ttfb_s,
            attempt.elapsed(),
            attempt.came,
        )


def _with_cookies(headers: Mapping[str, str], jar: NarrowCookieJar, url: str) -> Mapping[str, str]:
    """Return the headers with the jar's cookies, after those that the user has given."""
    pairs = [f"{name}={morsel.coded_value}" for name, morsel in jar.filter_cookies(URL(url)).items()]
    own = [headers["Cookie"]] if "Cookie" in headers else []
    return {**headers, "Cookie": "; ".join([*own, *pairs])} if pairs else headers


def _failure(error: Exception, attempt: Attempt) -> tuple[ErrorKind, str]:
    """Return the kind of a failure and one line on it."""
    peer = f"{attempt.host}:{attempt.port}"
    match error:
        case DecodeError():
            return ErrorKind.DECODE, one_line(error)
        case BodyTooLargeError():
            return ErrorKind.BODY_TOO_LARGE, one_line(error)
        case aiohttp.ClientConnectorDNSError():
            return ErrorKind.DNS, f"no address for {attempt.host}: {one_line(error.os_error.strerror)}"
        case aiohttp.ClientConnectorError() if attempt.refusal and not attempt.sockets:
            return ErrorKind.ADDRESS_REFUSED, attempt.refusal
        case aiohttp.ClientSSLError():
            return ErrorKind.TLS, f"TLS with {peer} failed: {one_line(error.os_error)}"
        case aiohttp.ClientConnectorError():
            return ErrorKind.CONNECT, f"cannot connect to {peer}: {_reason(error.os_error)}"
        case aiohttp.ClientPayloadError() | aiohttp.ClientConnectionError():
            missing = "the end of the body" if attempt.phase is Phase.BODY else "the response"
            return ErrorKind.RESET, f"the connection was lost before {missing}"
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return ErrorKind.PROTOCOL, f"not a valid HTTP response: {one_line(error.message)}"
        case aiohttp.InvalidURL():
            return ErrorKind.INTERNAL, f"not a URL to ask for: {one_line(error)}"
        case _:
            return ErrorKind.INTERNAL, one_line(f"{type(error).__name__}: {error}")


def _reason(error: OSError) -> str:
    """Return what the system says of an error, without the addresses that loops mix into it."""
    return os.strerror(error.errno).lower() if error.errno else one_line(error)
