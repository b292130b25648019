"""No site can set a cookie for another one: by the public suffix list, in the jars of both clients."""

from collections.abc import Callable
from email.message import Message
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import cast
from urllib.request import Request

import pytest
from yarl import URL

from crawler.fetch.cookies import NarrowCookiePolicy
from crawler.fetch.jar import NarrowCookieJar

Sent = Callable[[str, str, str], bool]


class _Answer:
    def __init__(self, cookie: str) -> None:
        self._fields = Message()
        self._fields["Set-Cookie"] = cookie

    def info(self) -> Message:
        return self._fields


def by_threads(setter: str, cookie: str, asked: str) -> bool:
    jar = CookieJar(NarrowCookiePolicy())
    jar.extract_cookies(cast("HTTPResponse", _Answer(cookie)), Request(setter))
    asking = Request(asked)
    jar.add_cookie_header(asking)
    return asking.has_header("Cookie")


async def by_coroutines(setter: str, cookie: str, asked: str) -> bool:
    jar = NarrowCookieJar()
    jar.update_cookies_from_headers([cookie], URL(setter))  # as aiohttp's client does
    return bool(jar.filter_cookies(URL(asked)))


CASES = [
    ("http://a.example.co.uk/", "id=1; Domain=example.co.uk", "http://b.example.co.uk/", True),
    ("http://a.example.co.uk/", "id=1; Domain=co.uk", "http://victim.co.uk/", False),
    ("http://a.example.co.uk/", "id=1; Domain=.co.uk", "http://a.example.co.uk/", False),
    ("http://evil.github.io/", "id=1; Domain=github.io", "http://victim.github.io/", False),
    ("http://evil.com/", 'id=1; path=/;dOmAiN = "com"', "http://victim.com/", False),
    ("http://evil.com/", "id=1; Domain=evil.com; Domain=com; Secure", "http://victim.com/", False),
    ("http://evil.com/", "id=1; Domain=com", "http://victim.com/", False),
    ("http://evil.com/", "id=1; Domain=victim.com", "http://victim.com/", False),
    ("http://example.com/", "id=1", "http://example.com/page", True),
    ("http://example.com/", "id=1", "http://a.example.com/", False),
    ("https://example.com/", "id=1; Secure", "http://example.com/", False),
    ("https://example.com/", "id=1; Secure", "https://example.com/", True),
]


@pytest.mark.parametrize(("setter", "cookie", "asked", "sent"), CASES)
async def test_who_gets_a_cookie(setter: str, cookie: str, asked: str, *, sent: bool) -> None:
    assert await by_coroutines(setter, cookie, asked) is sent
    assert by_threads(setter, cookie, asked) is sent
