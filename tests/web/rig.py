"""A worker's parts, put together as in the product, whose Kafka is a few lines of this file."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar

import aiohttp
import orjson
from aiokafka.errors import KafkaConnectionError

from stream.app import Application
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.partitioners import home_of
from stream.core.interaction import Interaction
from stream.engine.dead_letter_share import DeadLetterWatch
from stream.engine.partition_context import PartitionContext
from stream.engine.state_reader import StateReader
from stream.engine.supervisor import Supervisor
from stream.errors import UnreadableError
from stream.kafka.changelog import ChangelogProgress
from stream.kafka.contact import Contact
from stream.kafka.membership import Membership
from stream.kafka.partition_reader import Fetched
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Batch
from stream.settings import Settings
from stream.web.console.routes import add_console
from stream.web.lookup.routes import add_lookup
from stream.web.routes import health_routes
from stream.web.server import serve
from stream.web.tokens import Tokens
from tests.kit.http_contract import hold
from tests.kit.machines import Record, records_of

VISIT = b'{"type":"page","time":1700000000000,"customer_id":"customer-4711"}'
Answer = tuple[int, dict[str, Any]]


class Broker:
    """Two partitions, with one visit in the first; recovery ends when `recovered` is set."""

    def __init__(self) -> None:
        self.recovered = asyncio.Event()
        self.away: set[int] = set()
        self.held_back = {0: 0, 1: 0}
        """Records of a transaction that is open."""
        self.unreadable: set[int] = set()
        self.records = {0: [Record(0, 1_700_000_000_000, b"customer-4711", VISIT)], 1: []}
        self.writes = asyncio.Event()
        """While it is clear, batches that are being written stay so."""
        self.writes.set()
        self.writing = 0
        self.commits = True
        """Batches that are being written were told to commit."""
        self.failing: set[int] = set()

    async def fetch(self, partition: int, position: int, wait: float) -> Fetched:
        if partition in self.unreadable:
            raise UnreadableError("interactions", partition, position, after=position + 1, data=b"", why="…")
        waiting = len(self.records[partition]) > position
        await asyncio.sleep(0 if waiting or not position else min(wait, 0.05))
        records = [each for each in self.records[partition] if each.offset >= position]
        if partition in self.away:
            raise KafkaConnectionError
        end = len(self.records[partition])
        held_back = self.held_back[partition]
        return Fetched(records, end, not held_back, end, end + held_back, time.time_ns() // 1_000_000)

    async def source(self) -> SourceTopic:
        return SourceTopic(partitions=2, id=None)

    def look_again(self) -> None:
        """It never changes."""

    async def first_offset(self, partition: int) -> int:
        return 0

    async def read_changelog(self, partition: int, progress: ChangelogProgress) -> dict[bytes, bytes]:
        progress.end = 4
        progress.position = 1
        await self.recovered.wait()
        progress.position = 4
        return {}

    def delivery(self, partition: int) -> "Delivery":
        return Delivery(self, partition)


class Delivery:
    """Takes every batch."""

    exclusive: ClassVar[bool] = True

    def __init__(self, broker: Broker, partition: int) -> None:
        self._broker, self._partition = broker, partition

    @property
    def is_visible(self) -> bool:
        return self._broker.commits

    async def start(self) -> None:
        if self._partition in self._broker.away:
            raise KafkaConnectionError

    async def write(self, batch: Batch) -> None:
        self._broker.writing += 1
        try:
            await self._broker.writes.wait()
        finally:
            self._broker.writing -= 1
        if self._partition in self._broker.failing:
            raise KafkaConnectionError

    async def discard(self) -> None:
        """Nothing is held."""


def home(customer: str) -> int:
    """The partition of a customer."""
    return home_of("murmur2", customer.encode(), 2)


def placed(interactions: Iterable[Interaction]) -> dict[int, list[Record]]:
    """The records of each partition, where their customers belong."""
    at = {0: list[Interaction](), 1: list[Interaction]()}
    for interaction in interactions:
        at[home(interaction.subject)].append(interaction)
    return {partition: records_of(each) for partition, each in at.items()}


class Rig:
    """A worker's parts, put together as in the product, but for Kafka."""

    def __init__(
        self,
        lifecycle: str = "metrics",
        token: str = "",
        tokens: Tokens | None = None,
        settings: Settings | None = None,
        **changed: Any,
    ) -> None:
        """`settings` name a Kafka where what is asked for is read from topics; `changed` are single settings."""
        self.broker = Broker()
        settings = Settings(clock="stream", **changed) if settings is None else settings
        self.application = Application(settings, load_all([lifecycle]))
        self.now = 0.0
        """What the clock of `contact` says."""
        self.contact = Contact(lambda: self.now)
        self.supervisor = Supervisor(self.contact, membership=Membership(3_600.0))
        self.supervisor.membership.confirmed(time.monotonic())
        self.application._supervisor = self.supervisor
        application, tokens = self.application, Tokens(token) if tokens is None else tokens
        self.routes = health_routes(self.supervisor.status, application.metrics.registry, tokens)
        self.reader = StateReader(self.supervisor, settings, application.model)
        add_lookup(self.routes, self.reader, settings, application.metrics.registry)
        status, about = self.supervisor.status, application._about
        add_console(self.routes, self.reader, settings, tokens, status, application.group, about)
        self.url = self.since = ""

    def connect(self) -> None:
        self.contact.heard()
        context = PartitionContext(
            source=self.broker,
            source_topic=self.broker.source,
            look_again=self.broker.look_again,
            make_machine=self.application._machine,
            make_delivery=self.broker.delivery,
            read_changelog=self.broker.read_changelog,
            observer=self.application.metrics,
            contact=self.contact,
            dead_letters=DeadLetterWatch(0.5),
            fenced_wait=1.0,
        )
        self.supervisor.connect("exactly_once", context)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answers while the block lasts, and owns nothing yet."""
        async with serve(self.routes, "127.0.0.1", 0) as port:
            self.url = self.supervisor.membership.url = f"http://127.0.0.1:{port}"
            yield
            await self.supervisor.stop()

    async def own(self, owners: "dict[int, Rig]") -> None:
        """Begin to own those of both partitions that are this rig's, and to know the others' owners; until they run."""
        self.supervisor.membership.owners = {partition: owner.url for partition, owner in owners.items()}
        self.broker.recovered.set()
        self.connect()
        self.supervisor.assign([partition for partition, owner in owners.items() if owner is self])
        await self.until(lambda body: all(each["lag"] == 0 for each in body["partitions"]))

    async def get(self, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path, headers=headers) as response:
            hold("GET", path, response.status, response.content_type, await response.read())
            return response, await response.text()

    async def ready(self) -> Answer:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as response:
            return response.status, await response.json()

    async def ready_beside_kafka(self) -> tuple[int, dict[str, Any], dict[str, Any]]:
        """Status and body of /readyz without, and then with what it says of Kafka, but for the time since when."""
        status, body = await self.ready()
        kafka = body.pop("kafka")
        self.since = kafka.pop("since")
        return status, body, kafka

    def away_since(self) -> float:
        """As `ready_beside_kafka` last heard it, epoch seconds."""
        return datetime.fromisoformat(self.since).timestamp()

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> Answer:
        """The first answer of /readyz of which `holds`."""
        async with asyncio.timeout(10):
            while not holds((answer := await self.ready())[1]):
                await asyncio.sleep(0.01)
        return answer


async def ask(rig: Rig, path: str, **headers: str) -> tuple[int, Any]:
    """Status and body of what a rig answers."""
    response, body = await rig.get(path, **headers)
    return response.status, orjson.loads(body)
