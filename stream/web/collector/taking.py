"""Take one request: read, split, place and send its items, and answer once Kafka has all of them."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web

from stream.codec.records import Headers
from stream.kafka.receipt_producer import Patience, Receipt
from stream.settings import Settings
from stream.web.collector.access import Access
from stream.web.collector.answers import Refused, taken
from stream.web.collector.cloud_events import events_of
from stream.web.collector.connection import RETRY_AWAY, Connection
from stream.web.collector.intake import SOURCE, Going
from stream.web.collector.items import CloudEvents, Items, calls_in, interactions_in
from stream.web.collector.metrics import CollectorMetrics
from stream.web.collector.rates import Rates
from stream.web.collector.reading import read_body
from stream.web.collector.request_tracing import RequestTracing
from stream.web.collector.room import Hold, Room
from stream.web.collector.sender_address import SenderAddress

ANSWER_WITHIN: Final = 8.0
"""Seconds for Kafka's acknowledgement: SDKs that wait for 10 s would send again without having heard anything."""
_YIELD_EVERY: Final = 200
"""Items after which others get their turn: a few milliseconds."""
_ITEM_BYTES: Final = 512
"""What an item may take beside its own bytes: key, headers, what is put into it, the reason of a dead letter."""
_LARGE: Final = 256 << 10
"""Bytes of a body that is split beside the event loop: the lenient reader takes a second for some megabytes."""


class Taker:
    """Takes requests, for as long as the collector runs."""

    def __init__(
        self,
        settings: Settings,
        access: Access,
        connection: Connection,
        metrics: CollectorMetrics,
        room: Room,
        tracing: RequestTracing | None = None,
    ) -> None:
        """`tracing` says which trace the records of a request carry on; None: none."""
        self._limit = settings.collector_max_body
        self._first_topic = settings.topics.sent_to[0]
        self._access, self._connection, self._metrics, self._room = access, connection, metrics, room
        self._tracing = tracing
        self._rates = Rates()
        self._patience = Patience(ANSWER_WITHIN)
        self._address = SenderAddress(settings.trusted_proxies) if settings.collect_ip else None

    async def calls(self, request: web.Request, call: str) -> web.Response:
        """A call of Segment's, or a batch of them; `call` is the one that the path names. Raises Refused."""

        def split(body: bytes, received: int) -> Items:
            return calls_in(body, call, received, self._sender(request))

        return await self._take(request, "segment", split)

    async def interactions(self, request: web.Request) -> web.Response:
        """Interactions of any format that workers read: an object, a list, or lines. Raises Refused."""

        def split(body: bytes, received: int) -> Items:
            return interactions_in(body, received, self._sender(request))

        return await self._take(request, "native", split)

    async def events(self, request: web.Request) -> web.Response:
        """CloudEvents. Raises Refused."""

        def split(body: bytes, _received: int) -> Items:
            return CloudEvents(*events_of(request, body))

        return await self._take(request, "cloudevents", split)

    async def _take(self, request: web.Request, kind: str, split: Callable[[bytes, int], Items]) -> web.Response:
        hold = self._room.hold()
        try:
            self._connection.link()
            source = self._access.by_head(request, or_body=kind == "segment")
            if source is not None:
                self._rates.charge(source, 0)
            body = await read_body(request, self._limit, hold)
            self._metrics.read(len(body))
            received = time.time_ns() // 1_000_000
            items = split(body, received) if len(body) < _LARGE else await asyncio.to_thread(split, body, received)
            if source is None:
                source = self._access.by_body(request, items.holder)
            self._rates.charge(source, items.count)
            trace = () if self._tracing is None else self._tracing.headers()
            self._hold_records(hold, items, len(body), trace)
            link = self._connection.link()
        except BaseException:
            hold.release()
            raise
        headers = [(SOURCE, source.name.encode()), *trace] if source.name else [*trace]
        goes = Going(source.topic or self._first_topic, headers, received)
        begun = time.perf_counter()
        receipt = Receipt(hold.release)
        rejected: dict[str, int] = {}
        try:
            append = link.producer.append
            for start in range(0, items.count, _YIELD_EVERY):
                if start:
                    await asyncio.sleep(0)
                for placed in items.place(link.intake, goes, start, start + _YIELD_EVERY):
                    if placed.rejected is not None:
                        reason = placed.rejected.reason.value
                        rejected[reason] = rejected.get(reason, 0) + 1
                    append(placed.topic, placed.partition, placed.record, receipt)
        finally:
            receipt.close()
        if await self._patience.outcome(receipt) is not None:
            raise Refused(
                503,
                "not_acknowledged",
                "Kafka has not acknowledged this; send it again, with the same ids",
                retry_after=RETRY_AWAY,
            )
        self._metrics.taken(
            source.name, kind, items.count - sum(rejected.values()), rejected, time.perf_counter() - begun
        )
        return taken()

    def _hold_records(self, hold: Hold, items: Items, body: int, trace: Headers) -> None:
        """Hold what the items will take as records, each with the headers of the trace."""
        records = items.count * (_ITEM_BYTES + items.beside + sum(len(name) + len(value) for name, value in trace))
        if body + records > self._room.size:
            raise Refused(413, "too_large", "these items would take too much memory; send fewer of them in one request")
        hold.add(records)

    def _sender(self, request: web.Request) -> str | None:
        return None if self._address is None else self._address.of(request)
