"""The cookies of the fetcher for threads: the standard library's, less those that one site would set for another."""

from http.cookiejar import Cookie, DefaultCookiePolicy
from urllib.request import Request

from crawler.exchange import is_too_wide


class NarrowCookiePolicy(DefaultCookiePolicy):
    """The standard library's policy, without cookies that are too wide, nor those of a host for the hosts below it."""

    def __init__(self) -> None:
        super().__init__(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)

    def set_ok_domain(self, cookie: Cookie, request: Request) -> bool:
        """Whether a response may set this cookie."""
        too_wide = cookie.domain_specified and is_too_wide(cookie.domain, request.host.partition(":")[0])
        return not too_wide and bool(super().set_ok_domain(cookie, request))
