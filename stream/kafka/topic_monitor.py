"""What Kafka says of our topics, asked every few seconds: is it there, and is the source topic the one we know.

In between it gets the smallest request every second, to know whether it answers at all.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    IncompatibleBrokerVersion,
    KafkaError,
    NotCoordinatorForGroupError,
    for_code,
)
from aiokafka.protocol.admin import DescribeGroupsRequest

from stream.kafka.clients import client_options, close_client
from stream.kafka.contact import Contact
from stream.kafka.group_members import members_of
from stream.kafka.topic_metadata import TopicMetadata, look_up
from stream.kafka.worker_versions import Member
from stream.settings import Settings
from stream.topic_names import MachineTopics

_LOOK_EVERY = 5.0
_LOOK_SOON = 1.0
"""Where the last look got no answer."""
_LOOK_TIMEOUT = 5.0
_PROBE_EVERY = 1.0
_PROBE_TIMEOUT = 1.5
_REQUEST_TIMEOUT_MS = 3_000
"""So that one of several brokers that holds its connections and does not answer leaves time to ask another."""
_UNREADY = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)
_INTERNAL = ("__consumer_offsets", "__transaction_state")
"""What transactions and groups need; seen where we may see them."""

Hear = Callable[[list[Member]], None]
"""Gets the members of our group."""


class SourceTopic(NamedTuple):
    """The interactions topic, as positions in it are meant."""

    partitions: int
    id: str | None
    """Kafka's own: another one is another topic of the same name. None where the broker has no ids."""


class TopicMonitor:
    """Looks every five seconds while `run` runs, and at once after `look_again`; `contact` hears every answer."""

    def __init__(
        self,
        settings: Settings,
        contact: Contact | None = None,
        hear: Hear | None = None,
        *,
        topics: MachineTopics | None = None,
    ) -> None:
        """`hear` gets the members of our group at each look, where Kafka reports them; `topics`: else a worker's."""
        topics = topics or settings.topics.machine
        self._settings = settings
        self.contact = contact or Contact()
        self._hear = hear
        self._name = topics.source
        self._sources = topics.sources
        self._needed = (self._name, *self._sources, *topics.beside_source)
        self._topics = (*self._needed, *_INTERNAL)
        self._source: SourceTopic | None = None
        self._seen = asyncio.Event()
        self._wanted = asyncio.Event()
        self.serves = False
        """Kafka answered the last look, what we write to can be written to, and somebody answers for our group.

        Without the last, workers get no partitions, and no transaction ends: the group's offset is part of it.
        """
        self.missing: str | None = None
        """It answered, and this topic of ours was not there, or may not be seen."""

    def look_again(self) -> None:
        """What was seen until now may be old: `source` waits for another look."""
        self._seen.clear()
        self._wanted.set()

    @property
    def partitions(self) -> int | None:
        """How many partitions the interactions topic had when it was last seen; None before."""
        return None if self._source is None else self._source.partitions

    async def source(self) -> SourceTopic:
        """The interactions topic; waits until it was seen."""
        await self._seen.wait()
        assert self._source is not None
        return self._source

    async def run(self) -> None:
        """Look until cancelled."""
        client: AIOKafkaClient | None = None
        try:
            while True:
                self._wanted.clear()
                try:
                    async with asyncio.timeout(_LOOK_TIMEOUT):
                        if client is None:
                            client = AIOKafkaClient(
                                **client_options(self._settings), request_timeout_ms=_REQUEST_TIMEOUT_MS
                            )
                            await client.bootstrap()
                        found = await look_up(client, self._topics)
                        self.contact.heard()
                        self._note(found, coordinated=await _coordinates(client, self._settings.group, self._hear))
                    await self._probe_until_next(client)
                except (KafkaError, OSError, TimeoutError):
                    self.serves, self.missing = False, None
                    if client is not None:
                        await _close(client)
                        client = None
                    await self._pause(_LOOK_SOON)
        finally:
            if client is not None:
                await _close(client)

    def _note(self, found: dict[str, TopicMetadata], *, coordinated: bool) -> None:
        source = found.get(self._name)
        self.missing = next((name for name in self._needed if name not in found), None)
        self.serves = coordinated and all(topic.writable for topic in found.values())
        if source is not None:
            self._source = SourceTopic(source.partitions, source.id)
            self._seen.set()

    async def _probe_until_next(self, client: AIOKafkaClient) -> None:
        """Wait for the time of the next look.

        Raises KafkaError or TimeoutError where Kafka does not answer meanwhile.
        """
        probes = round((_LOOK_EVERY if self.serves else _LOOK_SOON) / _PROBE_EVERY) - 1
        await self._pause(_PROBE_EVERY)
        for _ in range(probes):
            if self._wanted.is_set():
                return
            async with asyncio.timeout(_PROBE_TIMEOUT):
                await look_up(client, ())
            self.contact.heard()
            await self._pause(_PROBE_EVERY)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), seconds)


async def _coordinates(client: AIOKafkaClient, group: str, hear: Hear | None) -> bool:
    """Whether a broker coordinates the group; False while the broker is still loading the group's state."""
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
        answer: Any = await client.send(node, DescribeGroupsRequest([group]))
    except (NotImplementedError, IncompatibleBrokerVersion):  # an old broker: assume so
        return True
    except KafkaError:
        return False
    if hear is not None and (members := members_of(answer.groups)) is not None:
        hear(members)
    return not any(issubclass(for_code(code), _UNREADY) for code, *_ in answer.groups)


async def _close(client: AIOKafkaClient) -> None:
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        await close_client(client, _LOOK_TIMEOUT)
