"""Which addresses are not of the public internet, and why: nothing is sent there unless somebody said so.

IPv6 has one range for public hosts, 2000::/3, so that whatever lies outside is refused without a list. Addresses that
embed one of IPv4 are judged by that one where its place is certain, and refused where it is not.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

_IPV4: Final = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an address of this host"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "an address of a provider's own network"),
        ("127.0.0.0/8", "a loopback address"),
        ("168.63.129.16/32", "a cloud platform's own address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "an address reserved for protocols"),
        ("192.0.2.0/24", "an address for documentation"),
        ("192.88.99.0/24", "an address of a relay to IPv6"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "an address for measurements"),
        ("198.51.100.0/24", "an address for documentation"),
        ("203.0.113.0/24", "an address for documentation"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "a broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
_IPV6: Final = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "an address of this host"),
        ("::1/128", "a loopback address"),
        ("::/96", "an IPv6 address that embeds one of IPv4"),
        ("64:ff9b:1::/48", "an address of a network's own translation to IPv4"),
        ("100::/64", "an address that discards"),
        ("2001::/32", "a Teredo address, which embeds one of IPv4"),
        ("2001:db8::/32", "an address for documentation"),
        ("2001::/23", "an address reserved for protocols"),
        ("2002::/16", "a 6to4 address, which embeds one of IPv4"),
        ("3fff::/20", "an address for documentation"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)
_PUBLIC: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""The third quarter of an address whose last one is an address of IPv4."""


def plain(text: str) -> Address:
    """An address; one of IPv4 that IPv6 only maps is that of IPv4. Raises ValueError for a name."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def special(address: Address) -> str | None:
    """What an address is that no host of the public internet has, such as `a loopback address`; None where it is one.

    It is enough that the address of IPv4 which it embeds is special.
    """
    return _special4(address) if isinstance(address, IPv4Address) else _special6(address)


def _special4(address: IPv4Address) -> str | None:
    for network, kind in _IPV4:
        if address in network:
            return kind
    return None if address.is_global else "a special address"


def _special6(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return "an address of one network link"
    if address.ipv4_mapped is not None:
        return _embedded(int(address))
    if address in _NAT64:
        return _embedded(int(address))
    for network, kind in _IPV6:
        if address in network:
            return kind
    if address not in _PUBLIC or not address.is_global:
        return "a special address"
    return _embedded(int(address)) if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP else None


def _embedded(address: int) -> str | None:
    inner = IPv4Address(address & 0xFFFF_FFFF)
    kind = _special4(inner)
    return kind and f"an address that embeds {inner}, {kind}"
