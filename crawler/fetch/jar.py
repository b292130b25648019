"""The cookies of the fetcher for coroutines: aiohttp's, less those that one site would set for another."""

from collections.abc import Mapping
from http.cookies import Morsel
from typing import Any

import aiohttp
from yarl import URL

from crawler.exchange import is_too_wide


class NarrowCookieJar(aiohttp.CookieJar):
    """aiohttp's jar, without cookies that are too wide."""

    def update_cookies(self, cookies: Any, response_url: URL = URL()) -> None:  # noqa: B008 - as in aiohttp
        """Take cookies that a response sets."""
        host = response_url.raw_host or ""
        pairs = cookies.items() if isinstance(cookies, Mapping) else cookies
        narrow = [
            (name, cookie)
            for name, cookie in pairs
            if not (isinstance(cookie, Morsel) and is_too_wide(cookie["domain"], host))
        ]
        super().update_cookies(narrow, response_url)
