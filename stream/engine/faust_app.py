"""What Faust's own classes need so that the interactions topic is read by our engine.

Faust keeps the application, group membership and its assignor, subscription, agents, tables and timers
on every other topic. Only the interactions topic goes past its path of one record at a time.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.auth import SASLCredentials, SSLCredentials
from faust.exceptions import ConsumerNotStarted
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.assignor import HostToPartitionMap
from faust.types.auth import CredentialsT

from stream.engine.assignor import EngineAssignor
from stream.engine.role import Role
from stream.engine.supervisor import Supervisor
from stream.kafka.clients import ssl_context
from stream.kafka.group_leave import leave_now
from stream.kafka.membership import watch
from stream.kafka.partition_reader import Fetched, PartitionReader, let_stop, tune
from stream.kafka.worker_versions import WorkerVersions
from stream.settings import Settings

T = TypeVar("T")

_log = logging.getLogger("faust.engine")
"""Among Faust's own: what these classes say by themselves is of no more interest than the rest of it."""

METADATA_MAX_AGE_MS = 5_000
"""How soon partitions are noticed that were added, or that a broker which had just started did not know yet: the
member of the group that assigns them sees only then that there is something to assign."""
_FETCH_WAIT_MS = 100
"""How long a poll for records may last: one slow long poll delays every other partition."""
_REQUEST_TIMEOUT = 30.0
_MAX_POLL_INTERVAL = 3_600.0
"""Recovery of a large state reads nothing from the group's topics for a while."""


class EngineThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, which also reads the partitions of the interactions topic for the engine."""

    logger = _log
    app: "EngineApp"

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        tune(consumer, fetch_wait_ms=_FETCH_WAIT_MS)
        self.readers: dict[int, PartitionReader] = {}
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        watch(self._ensure_consumer(), self.app.partition_supervisor.membership)

    async def on_thread_stop(self) -> None:
        consumer = self._ensure_consumer()
        leaving = asyncio.create_task(leave_now(consumer))
        try:
            await let_stop(super().on_thread_stop(), consumer)
        finally:
            leaving.cancel()

    def _reader(self, partition: int) -> PartitionReader:
        reader = self.readers.get(partition)
        if reader is None:
            tp = TopicPartition(self.app.interactions_topic, partition)
            reader = self.readers[partition] = PartitionReader(self._ensure_consumer(), tp)
        return reader

    async def fetch_interactions(self, partition: int, position: int, max_records: int, wait: float) -> Fetched | None:
        """As `PartitionReader.fetch`, in this thread's loop."""
        return await self._reader(partition).fetch(position, max_records=max_records, wait=wait)

    async def begin_interactions(self, partition: int, at: Literal["beginning", "end"]) -> int:
        """The earliest offset that the partition still holds, or the one that its next record will have."""
        reader = self._reader(partition)
        return await (reader.first_offset() if at == "beginning" else reader.end_offset())

    async def commit_interactions(self, tp: TopicPartition, offset: int) -> None:
        """Write the group offset, for tools that show lag."""
        await self._ensure_consumer().commit({tp: offset})

    async def seek_others_to_committed(self) -> Mapping[TP, int]:
        """As Faust's seek_to_committed, for every topic but the interactions."""
        consumer = self._ensure_consumer()
        others = [tp for tp in consumer.assignment() if tp.topic != self.app.interactions_topic]
        return await consumer.seek_to_committed(*others) if others else {}


class EngineConsumer(driver.Consumer):
    """Faust's consumer, whose record path leaves out the interactions topic, which the engine reads."""

    logger = _log

    app: "EngineApp"
    _thread: EngineThread

    def _new_consumer_thread(self) -> EngineThread:
        return EngineThread(self, loop=self.loop, beacon=self.beacon)

    def _is_interactions(self, tp: TP) -> bool:
        return bool(tp.topic == self.app.interactions_topic)

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109 Faust's own signature
    ) -> RecordMap:
        others = {tp for tp in active_partitions or () if not self._is_interactions(tp)}
        if not others:
            await self.wait_first(self.suspend_flow.wait(), timeout=timeout)
            return {}
        return await super()._getmany(others, timeout)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        offsets: Mapping[TP, int] = await self._thread.call_thread(self._thread.seek_others_to_committed)
        return offsets

    def verify_event_path(self, now: float, tp: TP) -> None:
        if not self._is_interactions(tp):  # Faust would complain that no stream processes it
            super().verify_event_path(now, tp)

    def close(self) -> None:
        """Faust closes the consumer here where a rebalance begins while the worker ends: we do not.

        It would do so in an event loop that is not the consumer's, and then nothing would leave the group. The
        consumer is about to be stopped anyway, by its own thread.
        """

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await self.app.partition_supervisor.pause()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        await super().on_partitions_assigned(assigned, generation_id)
        if generation_id == self.app.consumer_generation_id and not self.app.should_stop:
            self.app.partition_supervisor.membership.owners = self.app.owners()
            self.app.partition_supervisor.assign(tp.partition for tp in assigned if self._is_interactions(tp))

    @property
    def thread(self) -> EngineThread:
        """The thread that owns the Kafka consumer."""
        return self._thread


class EngineTransport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = EngineConsumer


class EngineApp(faust.App):
    """The Faust application of a worker."""

    logger = _log

    interactions_topic: str
    partition_supervisor: Supervisor
    """Beside Faust's own `supervisor`, which restarts its services."""
    versions: WorkerVersions | None

    def owners(self) -> dict[int, str]:
        """By partition of the interactions topic: where its owner is reached, as Faust's assignor told all members."""
        assigned: HostToPartitionMap = self.router.external_topics_metadata()
        return {number: url for url, topics in assigned.items() for number in topics.get(self.interactions_topic, ())}

    def _new_transport(self) -> EngineTransport:
        return EngineTransport(self.conf.broker_consumer, self)

    async def on_start(self) -> None:
        await super().on_start()
        interactions = self.topic(self.interactions_topic, key_type=bytes, value_type=bytes)
        self.topics.add(interactions)  # before the first subscription: later costs 45 s

    async def on_stop(self) -> None:
        await self.partition_supervisor.stop()  # before the consumer leaves the group
        await super().on_stop()


class FaustSource:
    """The interactions topic as the engine reads it: through Faust's consumer."""

    def __init__(
        self, app: EngineApp, max_records: int, *, begins_at: Literal["beginning", "end"] = "beginning"
    ) -> None:
        self._app, self._max_records, self._begins_at = app, max_records, begins_at

    async def fetch(self, partition: int, position: int, wait: float) -> Fetched | None:
        """As `PartitionReader.fetch`."""
        try:
            return await self._in_thread(self._thread.fetch_interactions(partition, position, self._max_records, wait))
        except ConsumerNotStarted:
            return None

    async def first_offset(self, partition: int) -> int:
        """Where a partition that was never read is read from."""
        return await self._in_thread(self._thread.begin_interactions(partition, self._begins_at))

    async def commit(self, tp: TopicPartition, offset: int) -> None:
        """Write the group offset."""
        await self._in_thread(self._thread.commit_interactions(tp, offset))

    @property
    def _thread(self) -> EngineThread:
        return cast("EngineConsumer", self._app.consumer).thread

    async def _in_thread(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in the consumer's thread; not by Faust's method queue, which has two workers only."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._thread.thread_loop))


def rebalance_timeout(settings: Settings) -> float:
    """How long, in seconds, the group waits for all its members in a rebalance: a pause lasts half of it at most."""
    return max(10.0, settings.session_timeout / 1000)


def make_app(role: Role, supervisor: Supervisor, data: Path, versions: WorkerVersions | None = None) -> EngineApp:
    """The Faust application for `role`, with its web server, leader topic and logging left out.

    Needs a running event loop. `data` is a directory that Faust may write to; nothing of ours is kept there.
    `versions` is what other workers of the group may know of this one.
    """
    settings = role.settings
    session = settings.session_timeout / 1000
    app = EngineApp(
        settings.group,
        broker_credentials=_credentials(settings),
        broker=[f"kafka://{server.strip()}" for server in settings.bootstrap.split(",")],
        autodiscover=False,
        broker_session_timeout=session,
        broker_heartbeat_interval=session / 4,
        broker_rebalance_timeout=rebalance_timeout(settings),
        broker_request_timeout=max(_REQUEST_TIMEOUT, session),
        broker_max_poll_interval=_MAX_POLL_INTERVAL,
        consumer_max_fetch_size=1 << 20,
        consumer_metadata_max_age_ms=METADATA_MAX_AGE_MS,
        datadir=str(data),
        PartitionAssignor=EngineAssignor,
        key_serializer="raw",
        canonical_url=supervisor.membership.url or None,
        value_serializer="raw",
        reply_create_topic=False,
        stream_wait_empty=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    app.interactions_topic, app.partition_supervisor = role.topics.source, supervisor
    app.versions = versions
    return app


def _credentials(settings: Settings) -> CredentialsT | None:
    """As `client_options` says it, for Faust; None where Kafka lets everybody in."""
    context = ssl_context(settings) if settings.uses_tls else None
    if settings.uses_sasl:
        return SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password,
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None
