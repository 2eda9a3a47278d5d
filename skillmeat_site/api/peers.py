"""Who is at the other end: the peer's address, and what trusted proxies say about it."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address


def peer(request: HttpRequest) -> Address | None:
    """The address that the connection came from; None when it came through no network."""
    return _address(request.META.get("REMOTE_ADDR", ""))


def is_trusted(address: Address) -> bool:
    """Whether this is one of our own proxies."""
    return any(address in network for network in settings.SKILLMEAT_TRUSTED_PROXIES)


def client(request: HttpRequest) -> Address | None:
    """The nearest address that is no trusted proxy.

    `X-Forwarded-For` is read from the right, where our own proxies have written, and only as far as they
    have: what stands left of that is a stranger's claim.
    """
    nearest = peer(request)
    claims = request.headers.get("X-Forwarded-For", "").split(",")
    while nearest and claims and is_trusted(nearest):
        claim = _address(claims.pop().strip())
        if claim is None:
            break
        nearest = claim
    return nearest


def household(address: Address | None) -> str:
    """What belongs to one customer: an IPv4 address, or the /64 of an IPv6 one, which is free to choose in it."""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address or "unknown")


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
