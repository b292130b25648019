"""A response as it comes: its header, and as much of its body as the crawl has a use for."""

from multidict import CIMultiDictProxy

from crawler.content import Body
from crawler.exchange import DRAIN_BYTES, FetchSettings, is_drainable, lower_headers, new_body, wants_body
from crawler.fetch.attempt import Attempt
from crawler.types import BodyRule


class Reply:
    """What an attempt brings.

    ``fields`` are the header as it came, ``headers`` by lower-case names; ``status`` is 0 before they are here.
    ``wanted`` tells whether the body is. One that is not is read all the same where it is small, so that its connection
    can serve the next page; what goes wrong there spoils no result.
    """

    __slots__ = ("_body", "_rule", "_settings", "attempt", "fields", "headers", "status", "ttfb_s", "wanted")

    def __init__(self, attempt: Attempt, rule: BodyRule, settings: FetchSettings) -> None:
        self.attempt = attempt
        self.status = 0
        self.fields: CIMultiDictProxy[str] | None = None
        self.headers: dict[str, str] = {}
        self.wanted = True
        self.ttfb_s = 0.0
        self._body: Body | None = None
        self._rule = rule
        self._settings = settings

    def head(self, status: int, fields: "CIMultiDictProxy[str]") -> bool:
        """Take the header; return whether the body is to be read.

        Raises:
            BodyTooLargeError: the announced length is above a limit already.
            DecodeError: the content coding is unknown.
        """
        self.ttfb_s = self.attempt.answered()
        self.status, self.fields = status, fields
        self.headers = headers = lower_headers(fields.items())
        self.wanted = wants_body(status, headers, self._rule)
        if self.wanted:
            self._body = new_body(headers, self._rule, self._settings)
            return True
        if is_drainable(status, headers):
            self.attempt.drains()
            return True
        return False

    def feed(self, data: bytes) -> bool:
        """Take some of the body; return whether more is to be read.

        Raises:
            BodyTooLargeError: above a limit.
            DecodeError: damaged.
        """
        self.attempt.came += len(data)
        return self._body.feed(data) if self._body is not None else self.attempt.came <= DRAIN_BYTES

    def body(self) -> bytes | None:
        """Return the body, decoded, once all of it is here; None if it was not wanted.

        Raises:
            DecodeError: it ended early.
        """
        return self._body.finish() if self._body is not None else None
