"""When to ask again, and how long to leave a host alone: a policy without clock, sleep or I/O."""

import email.utils
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC

from crawler.types import ErrorKind, Failed, Fetched

# 520-524: a proxy in front of the site could not reach it. 501, 505 and 511 would say the same again.
RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 525)})
RETRYABLE_KINDS = frozenset(
    {
        ErrorKind.DNS,
        ErrorKind.CONNECT,
        ErrorKind.TIMEOUT,
        ErrorKind.RESET,
        ErrorKind.PROTOCOL,
        ErrorKind.DECODE,
    }
)

# A wrong name or a damaged body is rarely a passing trouble: worth one more try, not all of them.
_ONE_RETRY = frozenset({ErrorKind.DNS, ErrorKind.DECODE})

# What says something of the whole host, not of one page.
_HOST_STATUSES = frozenset({429, 503})
_HOST_KINDS = frozenset({ErrorKind.DNS, ErrorKind.CONNECT})

_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Retry:
    """Ask for this URL again after ``after_s`` seconds; ask its host for nothing before ``pause_host_s``."""

    after_s: float
    pause_host_s: float


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Retries with exponential back-off and full jitter; ``Retry-After`` pauses the host.

    ``retries`` counts fetches after the first. The wait before retry n is drawn from 0 to
    ``backoff_s * 2**(n - 1)``, at most ``backoff_max_s``: jitter keeps pages that failed together from coming
    back together. A server's ``Retry-After`` (RFC 9110 section 10.2.3) is obeyed up to ``retry_after_max_s``.
    """

    retries: int = 2
    backoff_s: float = 1.0
    backoff_max_s: float = 60.0
    retry_after_max_s: float = 600.0

    def decide(
        self, result: Fetched | Failed, attempt: int, now_wall: float, random: Callable[[], float]
    ) -> Retry | None:
        """Return how to ask again, or None: the result is final. ``attempt`` counts from 1.

        ``now_wall`` is the Unix time; ``random`` draws from [0, 1). A final result may still be a reason to
        leave the host alone: see :meth:`pause`.
        """
        if attempt > self._retries(result):
            return None
        backoff = self._backoff(attempt, random)
        pause = self._pause(result, backoff, now_wall)
        return Retry(after_s=max(backoff, pause), pause_host_s=pause)

    def pause(self, result: Fetched | Failed, attempt: int, now_wall: float, random: Callable[[], float]) -> float:
        """Return the seconds for which the host wants no request, also where the URL itself is given up."""
        return self._pause(result, self._backoff(attempt, random), now_wall)

    def _retries(self, result: Fetched | Failed) -> int:
        """Return how many retries this result is worth."""
        if isinstance(result, Fetched):
            return self.retries if result.status in RETRYABLE_STATUSES else 0
        if result.kind in _ONE_RETRY:
            return min(self.retries, 1)
        return self.retries if result.kind in RETRYABLE_KINDS else 0

    def _backoff(self, attempt: int, random: Callable[[], float]) -> float:
        # Beyond 2**32 every ceiling is reached; an unbounded exponent would overflow.
        return random() * min(self.backoff_max_s, self.backoff_s * 2.0 ** min(attempt - 1, 32))

    def _pause(self, result: Fetched | Failed, backoff: float, now_wall: float) -> float:
        if isinstance(result, Failed):
            return backoff if result.kind in _HOST_KINDS else 0.0
        if result.status not in RETRYABLE_STATUSES:
            return 0.0
        asked = retry_after(result.headers, now_wall)
        if asked is not None:
            return max(backoff, min(asked, self.retry_after_max_s))
        return backoff if result.status in _HOST_STATUSES else 0.0


def retry_after(headers: Mapping[str, str], now_wall: float) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, never negative; None: missing or not readable.

    A date is measured against the response's own ``Date`` where there is one: both are by the server's clock,
    so that a wrong clock does no harm.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = _http_date(value)
    if until is None:
        return None
    now = _http_date(headers.get("date", ""))
    return max(0.0, until - (now_wall if now is None else now))


def _http_date(value: str) -> float | None:
    """Return an HTTP date (RFC 9110 section 5.6.7) as Unix time; None where it is none."""
    try:
        date = email.utils.parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
