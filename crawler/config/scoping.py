"""The sections that say what is crawled: scope, limits, and the queue between them."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from crawler.config.base import Section, conflict
from crawler.config.units import PositiveDuration, Size
from crawler.config.values import Count, Flag, Number, Pattern, ScopeHost


class ScopeConfig(Section):
    """Which URLs belong to the crawl."""

    mode: Literal["seed_hosts", "seed_domains", "list", "any"] = Field(
        "seed_hosts",
        description="Which hosts belong to the crawl: the very hosts of the seeds, all hosts of their registrable "
        "domains, those of scope.hosts, or any. The seeds' hosts, because a crawl should not leave the site it was "
        "sent to unless told so.",
    )
    hosts: tuple[ScopeHost, ...] = Field(
        (),
        validate_default=True,
        description="For the mode list: example.org, example.org:8080, or .example.org for a domain and all below "
        "it. Empty, because the other modes need none.",
    )
    include: tuple[Pattern, ...] = Field(
        (),
        description="Regular expressions, searched in the URL; where there are any, one must match. Seeds need not "
        "match. Empty: the hosts alone decide.",
    )
    exclude: tuple[Pattern, ...] = Field(
        (),
        description="Regular expressions, searched in the URL; none may match. Empty: nothing is known of the site "
        "yet.",
    )
    max_url_length: Count = Field(
        2000,
        description="Characters; longer URLs are dropped. 2000, because real pages stay below and URLs that grow by "
        "themselves do not.",
    )
    max_repeated_segments: Count = Field(
        3,
        description="How often one path segment may occur in a URL. 3, because /a/b/a/b/a/b/a/b is a spider trap and "
        "hardly ever a page.",
    )
    repetitive_after: Count | None = Field(
        256,
        le=4096,
        description="Pages of a host, or of a section of it (/calendar), after which no further link into it is "
        "followed if nearly all of them look alike: a calendar without end, session ids, one page under every name. "
        "256, because honest sections that long have pages of many sizes. null never stops.",
    )
    sort_query: Flag = Field(
        False,
        description="Sort the parameters of a query, so that their order makes no new page. Off, because some sites "
        "do care about the order.",
    )
    strip_tracking: Flag = Field(
        True,
        description="Drop parameters such as utm_source, which say where a visitor came from. On, because they "
        "multiply one page into many.",
    )
    follow_nofollow: Flag = Field(
        False,
        description="Follow links that a page marks with rel=nofollow or a robots meta. Off, because the site asks "
        "crawlers not to.",
    )

    @field_validator("hosts")
    @classmethod
    def _needed_by_list(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("mode") == "list" and not value:
            conflict("is empty, but scope.mode is list; expected at least one host", "mode")
        return value


class LimitsConfig(Section):
    """Where the crawl stops; a reached limit is a normal end."""

    pages: Count | None = Field(
        None, description="Records. No limit, because the scope ends most crawls; -n sets one for a first try."
    )
    host_pages: Count | None = Field(
        None,
        description="Pages asked of one host; the others in its queue are skipped. No limit, because few hosts are "
        "traps, and the others should be crawled whole: set it for a list of unknown ones.",
    )
    depth: Number | None = Field(
        None,
        description="Links between a seed and a page; 0 fetches the seeds alone. No limit, because traps are caught "
        "by the scope's own rules.",
    )
    seconds: PositiveDuration | None = Field(
        None, description="Run time. No limit, because an interrupted job goes on where it stopped."
    )
    bytes: Size | None = Field(
        None, description="Downloaded bytes, as they came over the wire. No limit, because few networks are metered."
    )
    memory: Size = Field(
        256 * 2**20,
        description="Bytes of bodies between fetch and sinks; fetching pauses above. 256 MiB, because it fits beside "
        "the workers on a small machine.",
    )


class FrontierConfig(Section):
    """The queue of URLs."""

    backend: Literal["sqlite", "memory"] = Field(
        "sqlite",
        description="Where the queue lives: in the job's job.db, or in memory alone. sqlite, because a crawl that "
        "is killed should go on, not start over.",
    )
    commit_interval: PositiveDuration = Field(
        0.25,
        description="Seconds between commits. 0.25 s, because that is the most work a kill can cost, and four "
        "transactions a second cost next to nothing.",
    )
    commit_pages: Count = Field(
        500,
        description="Records that are committed at once, at the latest. 500, so that a fast crawl bounds its memory.",
    )
    active_hosts: Count = Field(
        4096,
        description="Hosts whose URLs are kept ready in memory. 4096, because that many keep any concurrency busy; "
        "the others wait on disk.",
    )
