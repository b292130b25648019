"""Which addresses may be reached, and by whose consent."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import ConfigError
from crawler.guard import Guard, special

NOT_PUBLIC = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.127.255.255": "carrier-grade NAT",
    "169.254.169.254": "link-local",
    "192.0.0.8": "reserved",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4 relay",
    "198.18.0.1": "benchmarking",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::127.0.0.1": "reserved",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:10.1.2.3": "private",
    "::ffff:0:127.0.0.1": "reserved",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "link-local",
    "64:ff9b:1::1": "reserved",
    "100::1": "reserved",
    "2001:0:53aa:64c:0:fbff:ab12:3456": "Teredo",
    "2001:db8::1": "documentation",
    "2001:20::1": "reserved",
    "2002:7f00:1::1": "6to4",
    "2002:808:808::1": "6to4",
    "3fff::1": "documentation",
    "5f00::1": "reserved",
    "fc00::1": "private",
    "fd12:3456::1": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
}
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize(("address", "kind"), NOT_PUBLIC.items())
def test_special_addresses_are_refused_and_named(address: str, kind: str) -> None:
    assert special(ipaddress.ip_address(address)) == kind
    reason = Guard().refusal("example.com", 80, address)
    assert reason is not None
    assert address in reason
    assert kind in reason


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_need_no_consent(address: str) -> None:
    assert Guard().refusal("example.com", 80, address) is None


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "2130706433", "0x7f000001", "127.0.0.1/8", "1.1.1.1:80"])
def test_what_is_not_an_address_is_refused_even_with_consent(address: str) -> None:
    assert Guard(["localhost"], ["localhost"]).refusal("localhost", 80, address) is not None


def test_a_seed_consents_to_its_host_on_its_port_only() -> None:
    guard = Guard(["127.0.0.1:8911"])
    assert guard.refusal("127.0.0.1", 8911, "127.0.0.1") is None
    assert guard.refusal("127.0.0.1", 6379, "127.0.0.1") is not None
    assert guard.refusal("localhost", 8911, "127.0.0.1") is not None


def test_a_seed_without_a_port_consents_to_http_and_https() -> None:
    guard = Guard(["intranet"])
    assert guard.refusal("intranet", 80, "10.0.0.5") is None
    assert guard.refusal("Intranet", 443, "10.0.0.5") is None
    assert guard.refusal("intranet", 8080, "10.0.0.5") is not None
    assert guard.refusal("other", 80, "10.0.0.5") is not None


@pytest.mark.parametrize("host", ["[::1]", "::1"])
def test_a_seed_may_be_an_ipv6_address(host: str) -> None:
    assert Guard(["[::1]:8080"]).refusal(host, 8080, "::1") is None
    assert Guard(["[::1]:8080"]).refusal(host, 80, "::1") is not None
    assert Guard(["[::1]"]).refusal(host, 443, "::1") is None


@pytest.mark.parametrize(
    ("entry", "host", "port", "address", "permitted"),
    [
        ("intranet", "intranet", 8080, "10.0.0.1", True),
        ("Intranet", "intranet", 8080, "10.0.0.1", True),
        ("intranet", "other", 8080, "10.0.0.1", False),
        ("intranet:8080", "intranet", 8080, "10.0.0.1", True),
        ("intranet:8080", "intranet", 80, "10.0.0.1", False),
        ("10.0.0.1", "any", 1234, "10.0.0.1", True),
        ("10.0.0.1", "any", 1234, "10.0.0.2", False),
        ("10.0.0.0/24", "any", 1234, "10.0.0.255", True),
        ("10.0.0.0/24", "any", 1234, "10.0.1.0", False),
        ("10.0.0.1:8080", "10.0.0.1", 8080, "10.0.0.1", True),
        ("10.0.0.1:8080", "10.0.0.1", 80, "10.0.0.1", False),
        ("::1", "any", 80, "::1", True),
        ("[::1]", "any", 80, "::1", True),
        ("[::1]:8080", "::1", 8080, "::1", True),
        ("fd00::/8", "any", 80, "fd12::1", True),
        ("fd00::/8", "any", 80, "10.0.0.1", False),
    ],
)
def test_allow_private(entry: str, host: str, port: int, address: str, permitted: bool) -> None:
    assert (Guard(allow_private=[entry]).refusal(host, port, address) is None) is permitted


@pytest.mark.parametrize("entry", ["", "10.0.0.0/33", "10.0.0.1/8", "a host", "http://intranet/", ":80"])
def test_an_entry_that_names_nothing_is_a_config_error(entry: str) -> None:
    with pytest.raises(ConfigError, match="allow_private"):
        Guard(allow_private=[entry])


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_embedding(address: ipaddress.IPv4Address) -> None:
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        embedded = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(address))
        assert special(embedded) == special(address)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.ip_addresses())
def test_what_the_standard_library_calls_private_is_never_public(address: ipaddress.IPv4Address) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        mapped = getattr(address, "ipv4_mapped", None)
        assert special(address) is not None or (mapped is not None and special(mapped) is None)
