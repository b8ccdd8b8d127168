"""A client is known by its address, or by what a trusted proxy says of it."""

import pytest
from starlette.requests import Request

from tuntas_chassis.http.client_address import ClientAddresses, networks

PROXIES = networks("10.0.0.0/8, fd00::/8")


def a_request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "client": (peer, 1234) if peer else None, "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),
        ("10.1.2.3", (), "10.1.2.3"),
        ("10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("1.1.1.1, 198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("1.1.1.1", "198.51.100.1, 10.9.9.9"), "198.51.100.1"),
        ("10.1.2.3", ("1.1.1.1, rubbish, 10.9.9.9",), "10.9.9.9"),
        ("10.1.2.3", ("",), "10.1.2.3"),
        ("fd00::1", ("2001:db8:1:2:3:4:5:6",), "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", ("::ffff:198.51.100.1",), "198.51.100.1"),
        (None, ("198.51.100.1",), "unknown"),
        ("testclient", (), "unknown"),
    ],
)
def test_the_nearest_address_that_no_trusted_proxy_has_counts(peer: str | None, forwarded: tuple[str, ...], source: str) -> None:
    assert ClientAddresses(PROXIES).source_of(a_request(peer, *forwarded)) == source


def test_without_trusted_proxies_the_header_is_never_believed() -> None:
    assert ClientAddresses(()).source_of(a_request("10.1.2.3", "198.51.100.1")) == "10.1.2.3"


def test_addresses_of_one_ipv6_customer_are_one_source() -> None:
    clients = ClientAddresses(())
    assert clients.source_of(a_request("2001:db8::1")) == clients.source_of(a_request("2001:db8::ffff:1"))


@pytest.mark.parametrize("text", ["10.0.0.1/8", "rubbish", "10.0.0.0/40"])
def test_an_invalid_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|host bits|netmask|address"):
        networks(text)
