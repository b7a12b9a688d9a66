"""Questions to other workers: to the owner of a partition, or to all owners.

A question that was forwarded once is not forwarded again: where the group has just moved a partition, the asker is told
to ask again. The asker's token goes along, one of a cookie as the header `Authorization`, so that all workers have the
same tokens; cookies do not.
"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Final, NamedTuple

import aiohttp
from aiohttp import hdrs, web

from stream.web.authentication import authorization_of

FORWARDED: Final = "Lifecycle-Forwarded"
TIMEOUT: Final = 5.0
"""Seconds for an answer of another worker."""
_CONNECT: Final = 1.0
STREAMED: Final = aiohttp.ClientTimeout(total=None, connect=_CONNECT, sock_read=TIMEOUT)
"""For an answer that is read as it comes."""
_IN_ONE: Final = aiohttp.ClientTimeout(total=TIMEOUT, connect=_CONNECT)
_PASSED_ON: Final = ("Retry-After", "Cache-Control")


class Answer(NamedTuple):
    """What another worker said."""

    status: int
    body: bytes
    content_type: str
    headers: dict[str, str]


class Forwarder:
    """Asks other workers over connections that stay open."""

    def __init__(self, certfile: str = "") -> None:
        """`certfile`: PEM file of what vouches for the others beside the system's authorities; empty: nothing."""
        self._certfile = certfile
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(
        self, request: web.Request, url: str, within: aiohttp.ClientTimeout = _IN_ONE, target: str | None = None
    ) -> Answer | None:
        """What the worker at `url` answers to this question, or for the asker to another one: `target`, path and query.

        None where it does not answer in time.
        """
        try:
            async with self.open(request, url, within, target) as response:
                headers = {name: response.headers[name] for name in _PASSED_ON if name in response.headers}
                return Answer(response.status, await response.read(), response.content_type, headers)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def ask_each(
        self,
        request: web.Request,
        urls: Iterable[str],
        within: aiohttp.ClientTimeout = _IN_ONE,
        target: str | None = None,
    ) -> list[Answer | None]:
        """What each of the workers at `urls` answers, see `ask`; None for one that does not in time."""
        return await asyncio.gather(*(self.ask(request, url, within, target) for url in urls))

    async def ask_all(self, request: web.Request, urls: Iterable[str], target: str | None = None) -> list[bytes | None]:
        """The bodies of the workers at `urls`, see `ask`; None for each that does not answer with 200 in time."""
        answers = await self.ask_each(request, urls, target=target)
        return [each.body if each is not None and each.status == 200 else None for each in answers]

    def open(
        self, request: web.Request, url: str, timeout: aiohttp.ClientTimeout = _IN_ONE, target: str | None = None
    ) -> "aiohttp.client._RequestContextManager":
        """The same question, or `target`, to the worker at `url`, its answer to be read as it comes."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=_context(self._certfile)),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        headers = {FORWARDED: "1"}
        authorization, accept = authorization_of(request), request.headers.get(hdrs.ACCEPT)
        if authorization is not None:
            headers[hdrs.AUTHORIZATION] = authorization
        if accept is not None:
            headers[hdrs.ACCEPT] = accept
        return self._session.get(
            f"{url.rstrip('/')}{target or request.raw_path}", headers=headers, allow_redirects=False, timeout=timeout
        )


def was_forwarded(request: web.Request) -> bool:
    """Whether another worker passed this question on."""
    return FORWARDED in request.headers


def passed_on(answer: Answer) -> web.Response:
    """The answer of another worker as ours."""
    return web.Response(
        status=answer.status, body=answer.body, content_type=answer.content_type, headers=answer.headers
    )


def _context(certfile: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if certfile:
        context.load_verify_locations(certfile)
    return context
