"""Which addresses may be reached: the public internet, and private hosts only by consent.

A page can name any host, and a name can lead anywhere: a crawler that follows links is a way into the network
that it runs in (server-side request forgery). So the question is asked of the *address*, at the moment of
connecting, for every socket: a name that resolves to a public address now and to a private one later gains
nothing. Pure: no I/O, no state.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from crawler.errors import ConfigError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_WEB_PORTS = (80, 443)

# IANA IPv4 Special-Purpose Address Registry (RFC 6890), written out: `ipaddress.is_global` differs between
# versions of Python and calls multicast global.
_SPECIAL_IPV4 = {
    "0.0.0.0/8": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "carrier-grade NAT",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "6to4 relay",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}

# Nothing outside of 2000::/3 is global unicast (RFC 4291); these are the special blocks inside and, for the
# message, the usual ones outside (IANA IPv6 Special-Purpose Address Registry).
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_IPV6 = {
    "::/128": "unspecified",
    "::1/128": "loopback",
    "2001::/32": "Teredo",
    "2001::/23": "reserved",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4",
    "3fff::/20": "documentation",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

_SPECIAL: list[tuple[Network, str]] = [
    (ipaddress.ip_network(block), name) for block, name in (_SPECIAL_IPV4 | _SPECIAL_IPV6).items()
]


def special(address: Address) -> str | None:
    """Return what kind of non-public address this is ("loopback", "private"...); None: public.

    IPv4 addresses inside IPv6 ones, mapped (RFC 4291) or NAT64 (RFC 6052: the only way to IPv4 in networks
    without it), are judged by the IPv4 address. Teredo and 6to4 are refused as such.
    """
    if isinstance(address, ipaddress.IPv6Address) and (address in _MAPPED or address in _NAT64):
        address = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    for network, name in _SPECIAL:
        if address.version == network.version and address in network:
            return name
    if address.version == 6 and address not in _GLOBAL_IPV6:
        return "reserved"
    return None


@dataclass(frozen=True, slots=True)
class _Rule:
    """One permission: a host (any port where ``port`` is None) or, where ``host`` is empty, a network."""

    host: str = ""
    port: int | None = None
    network: Network | None = None

    def permits(self, host: str, port: int, address: Address) -> bool:
        if self.network is not None:
            return address.version == self.network.version and address in self.network
        return host == self.host and self.port in {None, port}


class Guard:
    """Says which addresses a host may be reached at; public ones always.

    ``consented_hosts`` are the host keys of the seeds (hostname, with the port where it is not the scheme's
    default): naming a host as a seed is consent to reach it, on that port, wherever its name leads.
    ``allow_private`` adds hosts (``intranet``: any port, ``intranet:8080``), addresses and networks
    (``10.1.0.0/16``).
    """

    def __init__(self, consented_hosts: Iterable[str] = (), allow_private: Iterable[str] = ()) -> None:
        self._rules = frozenset(
            [rule for key in consented_hosts for rule in _consent(key)]
            + [_permission(entry) for entry in allow_private]
        )

    def refusal(self, host: str, port: int, address: str) -> str | None:
        """Return why ``address`` may not be connected to for ``host`` and ``port``; None: it may.

        ``host`` is the hostname of the URL, an IPv6 address with or without its brackets. An ``address`` that
        is not an IP address is refused: connecting to it would resolve a name again, unseen.
        """
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return f"{address!r} is not an IP address"
        kind = special(found)
        if kind is None:
            return None
        host = host.lower().strip("[]")
        if any(rule.permits(host, port, found) for rule in self._rules):
            return None
        return f"{address} is a {kind} address, which neither a seed nor fetch.allow_private permits"


def _consent(host_key: str) -> list[_Rule]:
    """Return the rules of a seed's host key; without a port it names the ports of http and https."""
    host, port = _split_port(host_key)
    return [_Rule(host, known) for known in (_WEB_PORTS if port is None else (port,))]


def _permission(entry: str) -> _Rule:
    """Return the rule of one ``allow_private`` entry."""
    try:
        return _Rule(network=ipaddress.ip_network(entry.strip("[]")))
    except ValueError:
        pass
    host, port = _split_port(entry)
    if not host or "/" in host or " " in host:
        raise ConfigError(
            f"fetch.allow_private: {entry!r} is no host, host:port, address or network (such as 10.0.0.0/8)"
        )
    return _Rule(host, port)


def _split_port(host_key: str) -> tuple[str, int | None]:
    """Split ``host[:port]``; IPv6 addresses carry brackets where a port follows."""
    host, colon, port = host_key.lower().rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.endswith("]")):
        return host.strip("[]"), int(port)
    return host_key.lower().strip("[]"), None
