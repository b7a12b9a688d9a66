"""The collector's connection to Kafka: begun, watched, and begun again after an error, for as long as it runs.

While there is none, and while Kafka does not answer, nothing is taken: senders are told to come back.
"""

import asyncio
import contextlib
import logging
from typing import Final, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from stream.events import Event, report
from stream.kafka.admin import admin_client
from stream.kafka.clients import client_options, close_client
from stream.kafka.contact import Contact, ContactLog
from stream.kafka.log_throttle import Throttle
from stream.kafka.permissions import of_collector, require
from stream.kafka.producer_start import started_producer
from stream.kafka.receipt_producer import ReceiptProducer
from stream.kafka.refusals import describe_error
from stream.kafka.topic_metadata import TopicMetadata, look_up
from stream.kafka.topic_plan import DEFAULT_MAX_MESSAGE, FoundTopic
from stream.kafka.topics import ensure_topics, find_topics
from stream.settings import Settings
from stream.web.collector.answers import Refused
from stream.web.collector.intake import Intake

log = logging.getLogger(__name__)

SLOW_AFTER: Final = 2.0
"""Seconds without an acknowledgement for what waits longest, after which nothing more is taken."""
RETRY_SLOW: Final = 2.0
RETRY_AWAY: Final = 5.0
"""Seconds after which a sender should come back."""
_BATCH_BYTES: Final = 512 << 10
_LOOK_EVERY: Final = 1.0
_LOOK_TIMEOUT: Final = 1.5
_TOPICS_EVERY: Final = 5
"""At each so manieth look our topics are looked at, too."""
_REQUEST_TIMEOUT_MS: Final = 3_000
_PAUSE: Final = 1.0
_CLOSE_TIMEOUT: Final = 2.0
_AWAY_ERRORS: Final = (KafkaError, OSError, TimeoutError)


class Link(NamedTuple):
    """What is there while there is a connection."""

    intake: Intake
    producer: ReceiptProducer


class Connection:
    """Holds a `Link` while Kafka is there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.contact = Contact()
        self._contact_log = ContactLog(self.contact, settings.bootstrap)
        self._throttle = Throttle()
        self._topics = (*settings.topics.sent_to, settings.topics.dead_letters)
        self._link: Link | None = None

    @property
    def ready(self) -> bool:
        """Whether something would be taken now."""
        return self._link is not None and not self.contact.away and self._link.producer.failure is None

    def link(self) -> Link:
        """What takes something now. Raises Refused: 503 while Kafka is away, 429 while it is slow."""
        link = self._link
        if link is None or link.producer.failure is not None or self.contact.away:
            raise away()
        if link.producer.oldest > SLOW_AFTER:
            raise Refused(
                429, "slow", "Kafka takes long to acknowledge what is sent; try again", retry_after=RETRY_SLOW
            )
        return link

    async def run(self) -> None:
        """Keep the connection until cancelled; then what is under way is acknowledged or given up within seconds.

        Raises LifecycleError for what waiting cannot cure: a permission, a topic that does not fit.
        """
        looking = asyncio.create_task(self._say_when_away())
        try:
            while True:
                try:
                    await self._keep(await self._begin())
                except _AWAY_ERRORS as error:
                    self._say_waiting(error)
                await asyncio.sleep(_PAUSE)
        finally:
            looking.cancel()

    async def _begin(self) -> Link:
        settings = self._settings
        async with admin_client(settings, request_timeout_ms=5_000):
            self.contact.heard()
        await require(settings, of_collector(settings))
        found = await find_topics(settings, self._topics)
        if len(found) < len(self._topics):
            for finding in await ensure_topics(settings):
                report(
                    log.warning,
                    Event.TOPIC_WARNED,
                    "topic {topic}: {problem}; {remedy}",
                    topic=finding.topic,
                    problem=finding.problem,
                    remedy=finding.remedy,
                )
            found = await find_topics(settings, self._topics)
        if len(found) < len(self._topics):
            raise TimeoutError("the topics were created a moment ago")
        batch_bytes = min(_BATCH_BYTES, *map(_largest, found.values()))
        producer = await started_producer(settings, batch_bytes)
        return Link(Intake(settings, found), ReceiptProducer(producer, batch_bytes, self.contact.heard))

    async def _keep(self, link: Link) -> None:
        """Return or raise where this connection must be begun again."""
        self._link = link
        failing = asyncio.create_task(link.producer.failed.wait())
        watching = asyncio.create_task(self._watch())
        try:
            await asyncio.wait([failing, watching], return_when=asyncio.FIRST_COMPLETED)
            if failing.done():
                self._say_failed(link.producer.failure)
        finally:
            self._link = None
            for task in (failing, watching):
                task.cancel()
            await asyncio.shield(_ended(link.producer, watching))

    async def _watch(self) -> None:
        """Ask Kafka every second; return where one of our topics is another one than it was."""
        known: dict[str, tuple[str | None, int]] = {}
        client: AIOKafkaClient | None = None
        number = 0
        try:
            while True:
                try:
                    if client is None:
                        client = AIOKafkaClient(
                            **client_options(self._settings), request_timeout_ms=_REQUEST_TIMEOUT_MS
                        )
                        await _bootstrap(client)
                    async with asyncio.timeout(_LOOK_TIMEOUT):
                        found = await look_up(client, self._topics if number % _TOPICS_EVERY == 0 else ())
                    self.contact.heard()
                    if self._has_changed(known, found):
                        return
                    number += 1
                except _AWAY_ERRORS:
                    if client is not None:
                        await _close(client)
                        client = None
                await asyncio.sleep(_LOOK_EVERY)
        finally:
            if client is not None:
                await _close(client)

    @staticmethod
    def _has_changed(known: dict[str, tuple[str | None, int]], found: dict[str, TopicMetadata]) -> bool:
        """Whether a topic was created again, or has more partitions; what was not known before is noted."""
        for name, each in found.items():
            if known.setdefault(name, (each.id, each.partitions)) != (each.id, each.partitions):
                return True
        return False

    async def _say_when_away(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            if self._link is not None:
                self._contact_log.look(0, [])

    def _say_waiting(self, error: BaseException) -> None:
        kept = self._throttle.passes("away")
        if kept is not None:
            report(
                log.warning,
                Event.KAFKA_AWAY,
                "waiting for Kafka at {bootstrap}: {reason}",
                bootstrap=self._settings.bootstrap,
                reason=describe_error(error),
                kept_back=kept,
            )

    def _say_failed(self, failure: BaseException | None) -> None:
        kept = self._throttle.passes("failed")
        if kept is not None and failure is not None:
            report(
                log.warning,
                Event.SENDING_FAILED,
                "Kafka refused what was sent, and its senders were told to repeat it: {error}",
                error=repr(failure) if isinstance(failure, KafkaError) else type(failure).__name__,
                kept_back=kept,
            )


def away() -> Refused:
    """The answer while nothing can be written."""
    return Refused(503, "kafka_away", "Kafka does not answer, so nothing is taken; try again", retry_after=RETRY_AWAY)


def _largest(topic: FoundTopic) -> int:
    return int(topic.configs.get("max.message.bytes", DEFAULT_MAX_MESSAGE))


async def _ended(producer: ReceiptProducer, watching: "asyncio.Task[None]") -> None:
    """Return once nothing of a connection is open; both end within seconds, whatever Kafka does."""
    await producer.stop()
    await asyncio.wait([watching])


async def _bootstrap(client: AIOKafkaClient) -> None:
    """Let a client find the brokers; where this is cancelled it ends first, else it would leave a connection open."""
    running = asyncio.ensure_future(client.bootstrap())
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running], timeout=_CLOSE_TIMEOUT)
        raise


async def _close(client: AIOKafkaClient) -> None:
    with contextlib.suppress(*_AWAY_ERRORS):
        await close_client(client, _CLOSE_TIMEOUT)
