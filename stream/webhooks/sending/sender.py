"""One attempt to deliver, over HTTP: requests are signed, sent one after the other, and judged by their answers."""

import asyncio
import math
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from typing import Final, NamedTuple, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict
from yarl import URL

from stream.webhooks.attempt_tracing import AttemptTrace
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.exchange import Answer, HttpRequest, Outcome, Verdict
from stream.webhooks.sending.allowed_hosts import AllowedHosts
from stream.webhooks.sending.answers import LONGEST_BODY, LONGEST_TEXT, SHORTEST_SECRET, excerpt, read_body, without
from stream.webhooks.sending.dialling import Guard, Resolver, Target, target
from stream.webhooks.sending.failures import sentence
from stream.webhooks.sending.signature import signature_headers

_KEEP: Final = 4.0
"""Seconds that an unused connection is kept: servers of Node close theirs after 5, others later."""
_URLS: Final = 1_024
_NOTHING: Final = Outcome(Verdict.DELIVERED, "there was nothing to send")


class AttemptResult(NamedTuple):
    """What came of one attempt."""

    outcome: Outcome
    status: int | None
    """Of the last answer; None where there was none, not even its beginning."""
    at: int
    """When the first request was sent, epoch milliseconds."""
    seconds: float
    """From then until all was done."""
    excerpt: str
    """Of the last answer, for people: at most 200 characters, printable, without the endpoint's credentials."""


class Sender:
    """Sends to all endpoints of one process.

    async with Sender(AllowedHosts(), version="0.1.0") as sender:
        result = await sender.attempt(endpoint, requests, event_id, now)

    No more requests of one endpoint are under way than its `concurrency`; those beyond wait, and those of other
    endpoints do not. No cookies, proxies or redirects; certificates are verified.
    """

    def __init__(
        self,
        allowed: AllowedHosts,
        *,
        version: str,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`version` is told in `User-Agent`; `resolver` and `tls` take the place of the system's own."""
        self._guard = Guard(allowed)
        self._headers = {
            "User-Agent": f"customer-lifecycle/{version.replace(' ', '-')}",
            # Answers are short; one that is compressed all the same is unpacked.
            "Accept-Encoding": "identity",
        }
        self._resolver, self._tls = resolver, tls
        self._session: aiohttp.ClientSession | None = None
        self._slots: dict[str, tuple[int, asyncio.Semaphore]] = {}
        """By endpoint; what one that is gone leaves here is small."""

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            # Each endpoint has its own bound.
            limit=0,
            keepalive_timeout=_KEEP,
            resolver=self._resolver or Resolver(),
            socket_factory=self._guard.socket,
            ssl=self._tls or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            # Some servers send long headers with every answer, such as policies for browsers.
            max_line_size=LONGEST_BODY,
            max_field_size=LONGEST_BODY,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections; attempts are to be over."""
        if self._session is not None:
            await self._session.close()

    async def attempt(
        self,
        endpoint: Endpoint,
        requests: Sequence[HttpRequest],
        event_id: str,
        now: Callable[[], int],
        trace: AttemptTrace | None = None,
    ) -> AttemptResult:
        """Send them until one is not delivered, each with a span of `trace`, and its headers, where there is one.

        `now` tells the time in epoch milliseconds. Raises nothing.
        """
        async with self._slot(endpoint):
            time = asyncio.get_running_loop().time
            at, began = now(), time()
            outcome, status, said = _NOTHING, None, ""
            for request in requests:
                if trace is None:
                    outcome, status, said = await self._exchange(endpoint, request, event_id, now)
                else:
                    outcome, status, said = await self._traced(endpoint, request, event_id, now, trace)
                if outcome.verdict is not Verdict.DELIVERED:
                    break
            return AttemptResult(outcome, status, at, time() - began, said)

    def _slot(self, endpoint: Endpoint) -> asyncio.Semaphore:
        found = self._slots.get(endpoint.name)
        if found is None or found[0] != endpoint.concurrency:
            found = (endpoint.concurrency, asyncio.Semaphore(endpoint.concurrency))
            self._slots[endpoint.name] = found
        return found[1]

    async def _traced(
        self, endpoint: Endpoint, request: HttpRequest, event_id: str, now: Callable[[], int], trace: AttemptTrace
    ) -> tuple[Outcome, int | None, str]:
        """As `_exchange`, within a span."""
        try:
            _, host, port = _place(request.url)
        except aiohttp.InvalidURL:  # which `_exchange` tells of
            host, port = "", 0
        with trace.request(request.method, host, port) as span:
            request = request._replace(headers=(*request.headers, *span.headers))
            outcome, status, said = await self._exchange(endpoint, request, event_id, now)
            span.ended(status, outcome.verdict)
        return outcome, status, said

    async def _exchange(
        self, endpoint: Endpoint, request: HttpRequest, event_id: str, now: Callable[[], int]
    ) -> tuple[Outcome, int | None, str]:
        """What one answer means, its status, and an excerpt."""
        status, said, place = None, "", None
        try:
            url, host, port = _place(request.url)
            place = Target(host, port)
            before = target.set(place)
            try:
                async with self._request(endpoint, request, url, event_id, now) as response:
                    status = response.status
                    body = await read_body(response)
            finally:
                target.reset(before)
            said = excerpt(body)
            if 300 <= status < 400:
                outcome = Outcome(Verdict.AGAIN, f"{status}: redirects are not followed; give the final URL")
            else:
                outcome = endpoint.template.outcome(Answer(status, response.headers, body))
        except Exception as error:  # noqa: BLE001 - whatever happens to one request must end no other
            outcome = Outcome(Verdict.AGAIN, sentence(error, place or Target("", 0), endpoint.timeout))
        if outcome.verdict is Verdict.DELIVERED and len(said) < SHORTEST_SECRET:
            return outcome, status, said
        secrets = (*_secrets(endpoint, request),)
        reason = without(secrets, outcome.reason)[:LONGEST_TEXT]
        return outcome._replace(reason=reason), status, without(secrets, said)

    def _request(
        self, endpoint: Endpoint, request: HttpRequest, url: URL, event_id: str, now: Callable[[], int]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        assert self._session is not None, "used outside its `async with`"
        headers = CIMultiDict(request.headers)
        headers.update(endpoint.headers)
        if endpoint.secrets:
            headers.update(signature_headers(endpoint.secrets, event_id, request.body, now()))
        return self._session.request(
            request.method,
            url,
            data=request.body or None,
            headers=headers,
            allow_redirects=False,
            timeout=_within(endpoint.timeout),
            middlewares=() if request.method == "POST" else _ONCE,
        )


class _CutOff(aiohttp.ClientConnectionError):
    """The connection went before there was an answer."""


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send it: aiohttp would send any but a POST again by itself where the connection was cut."""
    try:
        return await send(request)
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        if isinstance(error, aiohttp.ClientConnectorError):
            raise
        raise _CutOff from error


_ONCE: Final = (_once,)


@lru_cache(_URLS)
def _place(text: str) -> tuple[URL, str, int]:
    """A URL as it is to be sent, its host and port. Raises aiohttp.InvalidURL."""
    try:
        url = URL(text, encoded=text.isascii() and text.isprintable() and " " not in text)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise aiohttp.InvalidURL(text) from error
    if not host or port is None or url.scheme not in ("http", "https"):
        raise aiohttp.InvalidURL(text)
    return url, host, port


@lru_cache(_URLS)
def _within(seconds: float) -> aiohttp.ClientTimeout:
    # To the millisecond; a connection has a little less, so that it is known that none was made.
    return aiohttp.ClientTimeout(total=seconds, connect=seconds * 0.99, ceil_threshold=math.inf)


def _secrets(endpoint: Endpoint, request: HttpRequest) -> Iterator[str]:
    """What an answer may quote, and nobody is to read in a list of deliveries; longer texts before their parts."""
    for text in endpoint.hidden:
        yield text
        if "://" in text:
            yield _path(text)
    for name, value in request.headers:
        if name.lower() == "authorization":
            yield value.rpartition(" ")[2]


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]
