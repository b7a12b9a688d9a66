"""The IP address of who sent a request, as far as it can be believed."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import web

_Address = IPv4Address | IPv6Address


class SenderAddress:
    """Reads it of requests."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """`trusted` are addresses and networks of proxies, whose `X-Forwarded-For` is believed."""
        self._trusted = [ip_network(each) for each in trusted]

    def of(self, request: web.Request) -> str | None:
        """The peer's, or, where that is a trusted proxy, the last in `X-Forwarded-For` that is none; None: not known.

        What stands before that one, its sender may have written as it liked.
        """
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        address = None if not peer else _read(str(peer[0]))
        if address is None:
            return None
        if not self._trusts(address):
            return str(address)
        for each in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
            before = _read(each)
            if before is None:
                break
            address = before
            if not self._trusts(address):
                break
        return str(address)

    def trusts_peer_of(self, request: web.Request) -> bool:
        """Whether a trusted proxy passed the request on."""
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        address = None if not peer else _read(str(peer[0]))
        return address is not None and self._trusts(address)

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted if network.version == address.version)


def _read(text: str) -> _Address | None:
    """Some proxies write a port behind an address, then in brackets where it is of IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
