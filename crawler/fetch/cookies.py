"""Cookies that no site can set for another one: what each client's jar leaves out is the public suffix list."""

from collections.abc import Mapping
from http.cookiejar import Cookie, DefaultCookiePolicy
from http.cookies import Morsel
from typing import Any
from urllib.request import Request

import aiohttp
from yarl import URL

from crawler.urls import is_public_suffix


def is_too_wide(domain: str, host: str) -> bool:
    """Whether a cookie's ``Domain`` belongs to many parties: ``co.uk``, ``github.io`` (RFC 6265 section 5.3, step 5).

    A host that is a public suffix itself may set cookies for itself.
    """
    domain = domain.lstrip(".").lower()
    return bool(domain) and domain != host and is_public_suffix(domain)


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


class NarrowCookiePolicy(DefaultCookiePolicy):
    """The standard library's policy, without cookies that are too wide, nor those of a host for the hosts below it."""

    def __init__(self) -> None:
        super().__init__(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)

    def set_ok_domain(self, cookie: Cookie, request: Request) -> bool:
        """Whether a response may set this cookie."""
        too_wide = cookie.domain_specified and is_too_wide(cookie.domain, request.host.partition(":")[0])
        return not too_wide and bool(super().set_ok_domain(cookie, request))
