"""The values that travel through the crawler: frozen, slotted, data only."""

import enum
from collections.abc import Mapping
from dataclasses import field

from cpu_stage.immutable import immutable
from cpu_stage.types import Analysis, Page


@immutable
class CrawlRequest:
    """A URL to fetch.

    ``url`` is canonical and names the record. ``host`` is the politeness key (hostname, with the port where
    it is not the scheme's default) of :attr:`target`. ``redirects`` are the hops already taken: each hop is a
    lease of its own, so that its host is asked politely too. ``attempt`` counts fetches from 1.
    """

    url: str
    host: str
    depth: int = 0
    parent: str | None = None
    priority: int = 0
    attempt: int = 1
    redirects: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The URL to ask for now: the last redirect hop, or the URL itself."""
        return self.redirects[-1] if self.redirects else self.url


class ErrorKind(enum.StrEnum):
    """The closed list of ``error.kind`` in a record."""

    # failed: no usable response
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    DECODE = "decode"
    BODY_TOO_LARGE = "body_too_large"
    ADDRESS_REFUSED = "address_refused"
    REDIRECT_LOOP = "redirect_loop"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    BAD_REDIRECT = "bad_redirect"
    INTERNAL = "internal"
    # http_error: a final status that is not 2xx
    STATUS = "status"
    # skipped: refused by a rule after leaving the frontier
    ROBOTS = "robots"
    ROBOTS_UNAVAILABLE = "robots_unavailable"
    CONTENT_TYPE = "content_type"
    SCOPE = "scope"
    DUPLICATE = "duplicate"
    NOINDEX = "noindex"
    BUDGET = "budget"


class Outcome(enum.StrEnum):
    """What became of a URL that left the frontier."""

    OK = "ok"
    HTTP_ERROR = "http_error"
    FAILED = "failed"
    SKIPPED = "skipped"


@immutable
class BodyRule:
    """What a fetch may read of a body.

    ``types`` are the media types worth a download (None: any); another type ends after its headers with
    ``body=None``. A decoded or wire size above ``max_bytes`` is a failure, or where ``truncate`` is set the
    body is cut there (robots.txt, RFC 9309 section 2.5).
    """

    types: frozenset[str] | None
    max_bytes: int
    truncate: bool = False


@immutable
class Fetched:
    """One HTTP exchange that ended with a response.

    ``headers`` have lower-case names (repeated ones joined by ``, ``). ``body`` is decoded; it is None where it
    was not read: a status other than 2xx, or a type that the rule does not want.
    """

    request: CrawlRequest
    final_url: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None
    ttfb_s: float
    total_s: float
    wire_bytes: int


@immutable
class Failed:
    """One HTTP exchange without a usable response. ``message`` is one line for a person."""

    request: CrawlRequest
    kind: ErrorKind
    message: str
    total_s: float = 0.0


@immutable
class RecordError:
    """The ``error`` of a record."""

    kind: ErrorKind
    message: str


@immutable
class Record:
    """Everything known of one URL at the end: what sinks write. ``at`` is the Unix time of the fetch.

    ``near_duplicate_of`` is an earlier page of the job that says nearly the same. ``sha256`` is the digest of the body,
    where the worker that parsed it has made it; None: the sinks do.
    """

    request: CrawlRequest
    outcome: Outcome
    at: float
    error: RecordError | None = None
    fetched: Fetched | None = None
    page: Page | None = None
    analysis: Analysis | None = None
    near_duplicate_of: str | None = None
    sha256: str | None = None


@immutable
class Done:
    """A request whose record the sinks hold, as the frontier acknowledges it."""

    request: CrawlRequest
    outcome: Outcome


@immutable
class FrontierCounts:
    """A frontier's contents. ``known`` = ``queued`` + ``leased`` + done; ``outcomes`` counts the done ones."""

    known: int
    queued: int
    leased: int
    hosts: int
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
