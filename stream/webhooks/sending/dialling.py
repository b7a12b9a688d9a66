"""Connections for webhooks: each address is judged when it is dialled, so that no name can resolve anew in between."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Final

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from stream.webhooks.sending.addresses import plain, special
from stream.webhooks.sending.allowed_hosts import SETTING, AllowedHosts

_LOOKUPS: Final = 64
"""Host names that are looked up at once: one whose name server hangs takes a thread until the system gives up."""
_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Target:
    """Whom a request is for. Addresses that were refused for it are noted here."""

    __slots__ = ("host", "port", "refused")

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.refused: list[str] = []
        """What was refused, in a sentence each."""


target: Final[ContextVar[Target]] = ContextVar("target")
"""Of the request that the running task makes; tasks that dial for it inherit it."""


class AddressRefused(OSError):
    """An address may not be dialled; the message says why, and which setting would allow it."""


class Guard:
    """Makes the sockets of a connector, for addresses that may be dialled alone."""

    def __init__(self, allowed: AllowedHosts) -> None:
        self._allowed = allowed

    def socket(self, info: AddrInfoType) -> socket.socket:
        """A socket for an address that is about to be dialled. Raises AddressRefused."""
        family, kind, protocol, _, place = info
        why = self._why_not(str(place[0]), place[3] if len(place) > 3 else 0)
        if why is not None:
            raise AddressRefused(why)
        return socket.socket(family, kind, protocol)

    def _why_not(self, text: str, scope: object) -> str | None:
        try:
            address, shown = plain(text), ip_address(text)
        except ValueError:
            return f"{text!r} is no address"
        wanted = target.get(None)
        kind = "an address of one network link" if scope else special(address)
        if kind is None:
            return None
        if wanted is not None and self._allowed.allow(wanted.host, wanted.port, address):
            return None
        names = f"{shown}" if wanted is None or wanted.host == text else f"{wanted.host} or {shown}"
        leads = "" if wanted is None or wanted.host == text else f"{wanted.host} leads to "
        why = f"{leads}{shown}, {kind}; if that is meant, add {names} to the setting {SETTING}"
        if wanted is not None:
            wanted.refused.append(why)
        return why


class Resolver(AbstractResolver):
    """Looks host names up as the system does, in threads of its own: whoever else uses threads does not wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, "webhook-lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a host. Raises socket.gaierror."""
        loop = asyncio.get_running_loop()
        flags = socket.AI_ADDRCONFIG
        found = await loop.run_in_executor(
            self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, flags
        )
        return [
            ResolveResult(hostname=host, host=_text(place), port=port, family=kind, proto=protocol, flags=_NUMERIC)
            for kind, _, protocol, _, place in found
        ]

    async def close(self) -> None:
        """Wait for no lookup."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _text(place: Sequence[object]) -> str:
    return f"{place[0]}%{place[3]}" if len(place) > 3 and place[3] else str(place[0])
