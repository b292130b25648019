"""The cookies of the fetcher for coroutines: aiohttp's, less those that one site would set for another."""

import re
from collections.abc import Sequence

import aiohttp
from yarl import URL

from crawler.exchange import is_too_wide

_DOMAIN = re.compile(r';[ \t]*domain[ \t]*=[ \t]*"?([^;"]*)', re.IGNORECASE)


class NarrowCookieJar(aiohttp.CookieJar):
    """aiohttp's jar, without cookies that are too wide."""

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Take the cookies that a response sets: those none of whose ``Domain`` attributes is too wide."""
        host = response_url.raw_host or ""
        narrow = [h for h in headers if not any(is_too_wide(domain.strip(), host) for domain in _DOMAIN.findall(h))]
        super().update_cookies_from_headers(narrow, response_url)
