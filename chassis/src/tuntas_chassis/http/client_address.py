"""Where a request comes from, behind proxies that are trusted to say so."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Final

from pydantic import AfterValidator
from starlette.requests import Request

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
UNKNOWN: Final = "unknown"
_IPV6_SUBNET_BITS: Final = 64  # what one customer is given: an address more costs nothing there
_MAX_HOPS: Final = 20


def networks(text: str) -> tuple[Network, ...]:
    """Networks as settings name them, separated by commas: `10.0.0.0/8, fd00::/8`. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _checked(text: str) -> str:
    try:
        networks(text)
    except ValueError as error:
        raise ValueError(f"{error}; write networks as 10.0.0.0/8, several separated by commas") from error
    return text


Networks = Annotated[str, AfterValidator(_checked)]
"""Networks in CIDR notation, separated by commas."""


class ClientAddresses:
    """Distinguishes clients. `X-Forwarded-For` counts only as far as trusted proxies wrote it: anybody can send that header."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted

    def source_of(self, request: Request) -> str:
        """The client's address, of IPv6 its /64 network; `unknown` where there is none."""
        peer = _address(request.client.host if request.client else "")
        if peer is None:
            return UNKNOWN
        if self._trusted and self._is_trusted(peer):
            hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")[-_MAX_HOPS:]
            for hop in reversed(hops):
                address = _address(hop.strip())
                if address is None:
                    break
                peer = address
                if not self._is_trusted(address):
                    break
        return _source(peer)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _source(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _IPV6_SUBNET_BITS), strict=False))
    return str(address)
