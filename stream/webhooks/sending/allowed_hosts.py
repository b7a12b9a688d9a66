"""The setting `webhook_allowed_hosts`: hosts that are not of the public internet, and may be sent to all the same."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from yarl import URL

from stream.errors import SettingsError
from stream.webhooks.sending.addresses import Address, plain

SETTING: Final = "webhook_allowed_hosts"
_Port = int | None
"""None: any."""


class AllowedHosts:
    """Host names, addresses and networks, each but a network with a port where only that one is meant."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """Such as `crm.internal`, `crm.internal:8080`, `10.0.0.7`, `[fd00::7]:8080`, `10.0.0.0/8`.

        Raises SettingsError.
        """
        self._names: set[tuple[str, _Port]] = set()
        self._networks: list[tuple[IPv4Network | IPv6Network, _Port]] = []
        for entry in entries:
            self._add(entry)

    def allow(self, host: str, port: int, address: Address) -> bool:
        """Whether a connection to `address` may be made for a URL with this host and port."""
        name = host.lower().removesuffix(".")
        if (name, None) in self._names or (name, port) in self._names:
            return True
        return any(only in (None, port) and address in network for network, only in self._networks)

    def _add(self, entry: str) -> None:
        try:
            self._networks.append((ip_network(entry), None))
        except ValueError:
            pass
        else:
            return
        host, port = _parts(entry)
        try:
            self._networks.append((ip_network(plain(host)), port))
        except ValueError:
            self._names.add((host, port))


def _parts(entry: str) -> tuple[str, _Port]:
    """The host as a URL has it, in lower case, and its port. Raises SettingsError."""
    try:
        url = URL(f"http://{entry}") if entry.isprintable() and " " not in entry else URL()
        host, port = url.raw_host, url.explicit_port
    except ValueError:
        host, port, url = None, None, URL()
    if not host or url.raw_authority.rpartition("@")[0] or url.raw_path_qs != "/" or url.fragment or "*" in host:
        raise SettingsError(
            f"{SETTING}: {entry!r} is none; it is a list of host names, addresses and networks such as "
            "crm.internal, crm.internal:8080, 10.0.0.7, [fd00::7]:8080, 10.0.0.0/8"
        )
    return host.lower().removesuffix("."), port
