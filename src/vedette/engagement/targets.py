"""Which network address the proxy may call for an endpoint: decided when the lab sets it.

Rules:
- A literal address, or `localhost`, is what the lab says it is: that address (loopback) alone.
- A name is resolved when it is set; from then on its addresses stay of the kind they had: a public
  name never leads to a private network or to this machine later, whoever answers for its DNS.
- Link-local, multicast, unspecified and reserved addresses, and those where clouds hand out
  credentials, are reached by no name; only a literal address, set on purpose, leads there.
- An IPv4 address inside an IPv6 one (mapped, 6to4, NAT64) counts as that IPv4 address.

Sources: RFC 6890 (special-purpose addresses), RFC 6052 (NAT64), RFC 3056 (6to4).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import StrEnum

from vedette.kernel.errors import BadInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254")
)
NAT64 = ipaddress.ip_network("64:ff9b::/96")
SHARED = ipaddress.ip_network("100.64.0.0/10")


class Reach(StrEnum):
    """What an endpoint's address may be when it is called."""

    LITERAL = "literal"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"


class Kind(StrEnum):
    """What sort of address one is."""

    LOOPBACK = "loopback"
    NEVER = "never"
    PRIVATE = "private"
    PUBLIC = "public"


def reach_of(host: str, addresses: Iterable[str]) -> Reach:
    """Decide, when an endpoint is set, what its host may lead to.

    Args:
        host: a name, or a literal address.
        addresses: what the name resolves to now; none where it does not.

    Raises BadInput where the name leads to an address that no name may lead to.
    """
    if literal(host) is not None:
        return Reach.LITERAL
    if host.rstrip(".").lower() == "localhost":
        return Reach.LOOPBACK
    kinds = {kind_of(text) for text in addresses}
    if Kind.NEVER in kinds or (Kind.LOOPBACK in kinds and len(kinds) > 1):
        raise BadInput(
            f"base_url: {host[:100]} leads to an address that the proxy does not call by name",
            next_step="give the address itself if it is meant",
        )
    if Kind.LOOPBACK in kinds:
        return Reach.LOOPBACK
    return Reach.PRIVATE if Kind.PRIVATE in kinds else Reach.PUBLIC


def acceptable(reach: Reach, host: str, address: str) -> bool:
    """Whether `address`, which `host` resolved to just now, may be called."""
    if reach == Reach.LITERAL:
        return literal(host) is not None and literal(host) == literal(address)
    accepted = {
        Reach.LOOPBACK: (Kind.LOOPBACK,),
        Reach.PRIVATE: (Kind.PRIVATE, Kind.PUBLIC),
        Reach.PUBLIC: (Kind.PUBLIC,),
    }
    return kind_of(address) in accepted[reach]


def kind_of(text: str) -> Kind:
    """The kind of a literal address; what is none may never be called."""
    address = literal(text)
    if address is None:
        return Kind.NEVER
    address = _inner(address)
    if address in METADATA or address.is_link_local or address.is_multicast:
        return Kind.NEVER
    if address.is_loopback:
        return Kind.LOOPBACK
    if address.is_unspecified or address.is_reserved:
        return Kind.NEVER
    if address.is_private or (address.version == 4 and address in SHARED):
        return Kind.PRIVATE
    return Kind.PUBLIC if address.is_global else Kind.NEVER


def literal(host: str) -> Address | None:
    """The address that `host` is, None where it is a name; a zone (`%eth0`) is left out."""
    try:
        return ipaddress.ip_address(host.strip("[]").split("%")[0])
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address
