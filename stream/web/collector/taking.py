"""Take one request: read, split, place and send its items, and answer once Kafka has all of them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from aiohttp import web

from stream.core.times import format_time
from stream.kafka.receipt_producer import Patience, Receipt
from stream.settings import Settings
from stream.web.collector.access import Access
from stream.web.collector.answers import Refused, taken
from stream.web.collector.cloud_events import events_of
from stream.web.collector.completing import Arrival
from stream.web.collector.connection import RETRY_AWAY, Connection
from stream.web.collector.intake import SOURCE, Going, Intake, Placed
from stream.web.collector.metrics import CollectorMetrics
from stream.web.collector.rates import Rates
from stream.web.collector.reading import read_body
from stream.web.collector.room import Hold, Room
from stream.web.collector.sender_address import SenderAddress
from stream.web.collector.splitting import Members, members_of, split_calls, split_interactions

ANSWER_WITHIN: Final = 8.0
"""Seconds for Kafka's acknowledgement: SDKs that wait for 10 s would send again without having heard anything."""
_YIELD_EVERY: Final = 200
"""Items after which others get their turn: a few milliseconds."""
_ITEM_BYTES: Final = 512
"""What an item may take beside its own bytes: key, headers, what is put into it, the reason of a dead letter."""
_LARGE: Final = 256 << 10
"""Bytes of a body that is split beside the event loop: the lenient reader takes a second for some megabytes."""


class Work(NamedTuple):
    """The items of a request, which become records one after the other."""

    items: int
    beside: int
    """Bytes that each gets of its batch."""
    place: Callable[[Intake, Going], Iterator[Placed]]
    holder: Members
    """What may hold a write key."""


class Taker:
    """Takes requests, for as long as the collector runs."""

    def __init__(
        self, settings: Settings, access: Access, connection: Connection, metrics: CollectorMetrics, room: Room
    ) -> None:
        self._limit = settings.collector_max_body
        self._first_topic = settings.topics.sent_to[0]
        self._access, self._connection, self._metrics, self._room = access, connection, metrics, room
        self._rates = Rates()
        self._patience = Patience(ANSWER_WITHIN)
        self._address = SenderAddress(settings.trusted_proxies) if settings.collect_ip else None

    async def calls(self, request: web.Request, call: str) -> web.Response:
        """A call of Segment's, or a batch of them; `call` is the one that the path names. Raises Refused."""

        def split(body: bytes, received: int) -> Work:
            found = split_calls(body)
            arrival = Arrival(call, found.batch, format_time(received), self._sender(request))
            if found.single is not None:
                item, members = found.items[0], found.single
                return Work(1, 0, lambda intake, goes: iter((intake.call(item, members, arrival, goes),)), members)
            return Work(
                len(found.items),
                arrival.context_bytes,
                lambda intake, goes: (intake.call(item, members_of(item), arrival, goes) for item in found.items),
                found.batch,
            )

        return await self._take(request, "segment", split)

    async def interactions(self, request: web.Request) -> web.Response:
        """Interactions of any format that workers read: an object, a list, or lines. Raises Refused."""

        def split(body: bytes, received: int) -> Work:
            items = split_interactions(body)
            arrival = Arrival("", {}, format_time(received), self._sender(request))
            return Work(
                len(items), 0, lambda intake, goes: (intake.interaction(item, arrival, goes) for item in items), {}
            )

        return await self._take(request, "native", split)

    async def events(self, request: web.Request) -> web.Response:
        """CloudEvents. Raises Refused."""

        def split(body: bytes, _received: int) -> Work:
            items, attributes = events_of(request, body)
            beside = sum(len(name) + len(text) for name, text in attributes)
            return Work(
                len(items),
                beside,
                lambda intake, goes: (intake.event(item, attributes, goes) for item in items),
                {},
            )

        return await self._take(request, "cloudevents", split)

    async def _take(self, request: web.Request, kind: str, split: Callable[[bytes, int], Work]) -> web.Response:
        hold = self._room.hold()
        try:
            self._connection.link()
            source = self._access.by_head(request, or_body=kind == "segment")
            if source is not None:
                self._rates.charge(source, 0)
            body = await read_body(request, self._limit, hold)
            self._metrics.read(len(body))
            received = time.time_ns() // 1_000_000
            work = split(body, received) if len(body) < _LARGE else await asyncio.to_thread(split, body, received)
            if source is None:
                source = self._access.by_body(request, work.holder)
            self._rates.charge(source, work.items)
            self._hold_records(hold, work, len(body))
            link = self._connection.link()
        except BaseException:
            hold.release()
            raise
        headers = [(SOURCE, source.name.encode())] if source.name else []
        goes = Going(source.topic or self._first_topic, headers, received)
        begun = time.perf_counter()
        receipt = Receipt(hold.release)
        rejected: dict[str, int] = {}
        try:
            append = link.producer.append
            for number, placed in enumerate(work.place(link.intake, goes), 1):
                if placed.rejected is not None:
                    reason = placed.rejected.reason.value
                    rejected[reason] = rejected.get(reason, 0) + 1
                append(placed.topic, placed.partition, placed.record, receipt)
                if number % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
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
            source.name, kind, work.items - sum(rejected.values()), rejected, time.perf_counter() - begun
        )
        return taken()

    def _hold_records(self, hold: Hold, work: Work, body: int) -> None:
        """Hold what the items will take as records."""
        records = work.items * (_ITEM_BYTES + work.beside)
        if body + records > self._room.size:
            raise Refused(413, "too_large", "these items would take too much memory; send fewer of them in one request")
        hold.add(records)

    def _sender(self, request: web.Request) -> str | None:
        return None if self._address is None else self._address.of(request)
