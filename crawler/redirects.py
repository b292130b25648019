"""What a 3xx response means: the next hop, a failure, or a final status. Pure.

Each hop is a request of its own: its host is asked politely, its robots.txt is obeyed, its address is vetted.
So this module only names the next URL.
"""

from crawler.types import ErrorKind, Failed, Fetched
from crawler.urls import join

# The redirects of RFC 9110 section 15.4. Final are 300 (a choice), 304 (the answer to a condition that we
# never set), 305 and 306 (history).
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


def next_hop(fetched: Fetched, max_redirects: int) -> str | Failed | None:
    """Return the URL to ask for next, a failure, or None where the response is no redirect.

    ``Location`` is joined to the URL that answered as browsers do (WHATWG URL standard), less its fragment.
    A hop from https to http is followed: the user's secrets stay at their origins, so none is lost there.
    """
    if fetched.status not in REDIRECT_STATUSES:
        return None
    location = fetched.headers.get("location", "").strip()
    if not location:
        return None
    request = fetched.request
    target = join(fetched.final_url, location)
    if target is None:
        return _failed(fetched, ErrorKind.BAD_REDIRECT, f"redirect to {_short(location)}, which is no http URL")
    url = target.partition("#")[0]
    if url == request.url or url in request.redirects:
        return _failed(fetched, ErrorKind.REDIRECT_LOOP, f"redirected back to {_short(url)}")
    if len(request.redirects) >= max_redirects:
        return _failed(fetched, ErrorKind.TOO_MANY_REDIRECTS, f"more than {max_redirects} redirects")
    return url


def _failed(fetched: Fetched, kind: ErrorKind, message: str) -> Failed:
    return Failed(fetched.request, kind, message, fetched.total_s)


def _short(text: str) -> str:
    """Return text of a server, fit for one line of a message."""
    return repr(text if len(text) <= 120 else text[:120] + "...")
