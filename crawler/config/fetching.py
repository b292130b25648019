"""The sections that say how pages are fetched, and what their sites are owed."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from crawler import __version__
from crawler.config.base import Section, conflict
from crawler.config.units import Duration, PositiveDuration, Size, format_duration
from crawler.config.values import Concurrency, Contact, Count, Flag, Headers, Number, PrivateHost, Product

USUAL_CONCURRENCY = 64


class TimeoutConfig(Section):
    """How long one request may take."""

    total: PositiveDuration = Field(
        60.0,
        description="For the whole exchange, body included. 60 s, because a server that trickles must not hold a "
        "slot for ever.",
    )
    connect: PositiveDuration = Field(
        10.0,
        validate_default=True,
        description="For name, connection and TLS; at most total. 10 s: enough for two lost SYN packets.",
    )
    first_byte: PositiveDuration = Field(
        20.0,
        validate_default=True,
        description="From the request to the response's first byte; at most total. 20 s: busy sites need "
        "some to make a page.",
    )

    @field_validator("connect", "first_byte")
    @classmethod
    def _within_total(cls, value: float, info: ValidationInfo) -> float:
        total = info.data.get("total")
        if total is not None and value > total:
            limit = format_duration(total)
            conflict(f"{format_duration(value)} is longer than total; expected at most {limit}", "total")
        return value


class FetchConfig(Section):
    """Getting pages."""

    mode: Literal["coroutines", "threads"] = Field(
        "coroutines",
        description="How requests overlap: in coroutines (aiohttp), or each in a thread of its own (urllib3). "
        "Coroutines, because a waiting one costs a few kilobytes and half the CPU; threads are here to compare.",
    )
    concurrency: Concurrency = Field(
        USUAL_CONCURRENCY,
        description="Requests in flight over all hosts. 64, because it fills an ordinary line and stays below the "
        "usual limit of open files. auto finds the number that brings the most pages, while the crawl runs: for many "
        "hosts, or hosts of your own.",
    )
    per_host: Count = Field(
        2,
        le=100_000,
        description="Requests in flight to one host. 2: a visitor's browser opens 6, and a crawler should weigh less "
        "than a visitor.",
    )
    timeout: TimeoutConfig = TimeoutConfig()
    retries: Number = Field(
        3,
        le=100,
        description="Further tries after a failure that may pass. 3, because with the growing pauses between them "
        "most outages of a few seconds are over.",
    )
    backoff: Duration = Field(
        1.0,
        description="Base of the pause before a retry: drawn from 0 to this, doubled each time. 1 s, because less is "
        "no relief for a busy server.",
    )
    backoff_max: Duration = Field(
        60.0,
        validate_default=True,
        description="Longest such pause; at least backoff. 60 s, because a crawl should not wait longer on a guess.",
    )
    max_body: Size = Field(
        8 * 2**20,
        description="Largest decoded body; a larger one is a failure. 8 MiB, because real HTML stays far below and "
        "compressed bombs do not.",
    )
    max_wire: Size = Field(
        8 * 2**20,
        description="Largest body as it comes over the wire. 8 MiB, as max_body: compression should "
        "make no page larger.",
    )
    max_ratio: Number = Field(
        500,
        le=1_000_000,
        description="How many times its size a body above 1 MiB may grow when it is decoded; 0: any. 500, because a "
        "page of one repeated row reaches 200, and a bomb of brotli a million.",
    )
    min_rate: Size = Field(
        256,
        description="Fewest bytes a second that a body must bring, over each 10 s of it. 256, because no honest line "
        "is so slow, and a server that sends a byte now and then shall not hold a slot until timeout.total. 0: any.",
    )
    max_redirects: Number = Field(
        10, le=100, description="Redirects followed for one URL. 10: longer chains lead in circles or to a login."
    )
    cookies: Flag = Field(
        False,
        description="Keep cookies. Off, because sessions change what a page says, and pages should not depend on the "
        "order of the crawl.",
    )
    user_agent: Product = Field(
        "tandem-crawler",
        description="Product token: what robots.txt rules are matched against, and the User-Agent together with the "
        "version and the contact. The project's own name, because a crawler should say what it is.",
    )
    contact: Contact | None = Field(
        None,
        description="A URL or e-mail address for the people who run the sites; goes into the User-Agent. None, "
        "because only you know it: set it before a large crawl.",
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Extra request headers; config show masks their values. Accept, Accept-Language, DNT, From and "
        "User-Agent go everywhere, all others to the seeds' own origins alone, as they may be secret. None, because "
        "the crawler sends what it needs.",
    )
    allow_private: tuple[PrivateHost, ...] = Field(
        (),
        description="Hosts, host:port, addresses or networks that may be reached though private; a seed's own host "
        "always may. Empty, because a link must not lead a crawler into your network.",
    )
    dns_ttl: Duration = Field(
        300.0, description="How long an address is remembered. 300 s: few lookups, and a moved site is found again."
    )
    uvloop: Flag = Field(
        True, description="Run on uvloop. On, because it leaves more of the core for pages; off, to debug asyncio."
    )
    verify_tls: Flag = Field(
        True, description="Check certificates. On, because without it anyone on the way can change the pages."
    )

    @field_validator("backoff_max")
    @classmethod
    def _at_least_backoff(cls, value: float, info: ValidationInfo) -> float:
        backoff = info.data.get("backoff")
        if backoff is not None and value < backoff:
            least = format_duration(backoff)
            conflict(f"{format_duration(value)} is less than backoff; expected at least {least}", "backoff")
        return value

    @property
    def fixed_concurrency(self) -> int:
        """The number; for ``auto`` the usual one, for those who compare fixed numbers."""
        return self.concurrency if isinstance(self.concurrency, int) else USUAL_CONCURRENCY

    @property
    def user_agent_header(self) -> str:
        """The ``User-Agent``: product, version and, where there is one, the contact (RFC 9110 section 10.1.5)."""
        contact = f" (+{self.contact})" if self.contact else ""
        return f"{self.user_agent}/{__version__}{contact}"


class PolitenessConfig(Section):
    """What the sites are owed."""

    obey_robots: Flag = Field(
        True,
        description="Obey robots.txt (RFC 9309). On, because it is the web's rule for crawlers; off only for "
        "sites of your own.",
    )
    delay: Duration = Field(
        0.25,
        description="Seconds between two requests to one host. 0.25 s: at most four requests a second, which "
        "any site bears.",
    )
    max_crawl_delay: Duration = Field(
        30.0,
        description="Most seconds that a Crawl-delay of robots.txt may ask for. 30 s, because some files ask for days.",
    )
    robots_retries: Count = Field(
        4,
        le=100,
        description="Tries to get a robots.txt that cannot be had, before the host's pages are skipped. 4, because "
        "without rules nothing may be fetched (RFC 9309 section 2.3.1.4), and an outage may pass.",
    )
    retry_after_max: Duration = Field(
        300.0,
        description="Most seconds that a Retry-After may pause a host. 300 s, because servers also send dates of next "
        "year.",
    )
    sitemaps: Flag = Field(
        False,
        description="Also start from the sitemaps that robots.txt names. Off, because they can turn a small crawl "
        "into that of a whole site.",
    )
