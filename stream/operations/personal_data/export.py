"""Read every topic for what it holds of one person."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition

from stream.codec.explanations import customer_data
from stream.codec.records import SourceRecord
from stream.codec.state import positions
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import LAYOUT
from stream.codec.state.positions import decode_position
from stream.core.explain import explain
from stream.core.model import Model
from stream.core.remembered import remembered
from stream.kafka.log_reader import LogReader
from stream.kafka.permissions import of_export, require
from stream.kafka.topic_plan import FoundTopic
from stream.kafka.topics import find_topics
from stream.operations.personal_data.person import Found, Look, Person
from stream.settings import Settings

ReportProgress = Callable[[str, float], None]
"""Called with the topic that is read, and the share of all that is read."""
INTERACTIONS: Final = "interactions"


class Part(NamedTuple):
    """What one topic may hold of somebody."""

    section: str
    """Of the document."""
    topic: str
    look: Look
    compacted: bool = False
    """Only the latest record of a key counts."""


class Export:
    """Of one person; `run` makes the document."""

    def __init__(
        self, settings: Settings, model: Model, person: Person, progress: ReportProgress, *, interactions: bool
    ) -> None:
        """`interactions`: those of the person are looked for, too."""
        self._settings, self._model, self._person, self._progress = settings, model, person, progress
        self._parts = [each for each in self._all() if interactions or each.section != INTERACTIONS]

    def _all(self) -> Iterator[Part]:
        settings, person = self._settings, self._person
        topics, webhooks = settings.topics, settings.webhook_topics
        yield Part("current_stages", topics.current_stages, person.current_stage, compacted=True)
        yield Part("stage_changes", topics.stage_changes, person.change)
        for topic in dict.fromkeys([*topics.sent_to, topics.interactions]):
            whole = topic == topics.interactions and bool(topics.sources)
            decoder = settings.decoder(None if whole else topic)
            yield Part(INTERACTIONS, topic, person.interaction(decoder))
        yield Part("dead_letters", topics.dead_letters, person.dead_letter)
        yield Part("webhooks_waiting", webhooks.state, person.waiting_delivery, compacted=True)
        yield Part("webhook_attempts", webhooks.events, person.attempt)
        yield Part("webhooks_given_up", webhooks.dead_letters, person.given_up)
        if webhooks.commands is not None:
            yield Part("webhooks_sent_again", webhooks.commands, person.command)

    async def run(self, now: int) -> dict[str, Any]:
        """The document; `now` is its time, epoch milliseconds.

        Raises BrokerError where Kafka does not let us read, StateError where a record cannot be read.
        """
        customers = self._settings.topics.customers
        names = [customers, *(each.topic for each in self._parts)]
        await require(self._settings, of_export(names))
        found = await find_topics(self._settings, names)
        document: dict[str, Any] = {self._person.field: self._person.subject, "at": now, "state": []}
        document |= {each.section: [] for each in self._parts}
        async with LogReader(self._settings) as log:
            if customers in found:
                self._progress(customers, 0.0)
                document["state"] = await self._state(log, customers, found[customers].partitions)
            there = [each for each in self._parts if each.topic in found]
            for place, part in enumerate(there):
                self._progress(part.topic, (place + 1) / (len(there) + 1))
                document[part.section] += await self._read(log, part, found[part.topic].partitions)
        document["topics"] = [
            {"topic": name, "section": section, **kept(found.get(name))}
            for section, name in [("state", customers), *((each.section, each.topic) for each in self._parts)]
        ]
        return document

    async def _read(self, log: LogReader, part: Part, partitions: int) -> list[Found]:
        found: list[Found] = []
        for number in range(partitions):
            latest: dict[object, Found] = {}
            async for records in log.read(TopicPartition(part.topic, number)):
                for record in records:
                    said = part.look(record, number)
                    place: object = record.key if part.compacted else record.offset
                    if said is not None:
                        latest[place] = said | _where(part.topic, number, record)
                    elif part.compacted:
                        latest.pop(place, None)
            found += latest.values()
        return found

    async def _state(self, log: LogReader, topic: str, partitions: int) -> list[Found]:
        """What workers keep: of each partition that has a record of the person, which should be one."""
        found: list[Found] = []
        for number in range(partitions):
            codec, record, position = CustomerCodec(self._model), None, None
            async for records in log.read(TopicPartition(topic, number)):
                for each in records:
                    key, value = each.key or b"", each.value
                    if key == self._person.key:
                        record = None if value is None else each
                    elif key == positions.KEY:
                        position = value
                    elif key[:1] == LAYOUT and value is not None:
                        codec.learn(value)
            if record is not None:
                said = self._decoded(codec, record, number, position)
                found.append(said | {"record": _where(topic, number, record)})
        return found

    def _decoded(self, codec: CustomerCodec, record: SourceRecord, number: int, position: bytes | None) -> Found:
        customer = codec.decode(self._person.key, record.value or b"")
        at = None if position is None else decode_position(position)
        clock = 0 if at is None or at.clock is None else at.clock
        offset = 0 if at is None else at.offsets.get(self._settings.topics.interactions, 0)
        lives = customer.lives
        present = max([clock, *(life.clock for life in lives.values())])
        said = customer_data(
            customer,
            explain(self._model, customer, clock),
            partition=number,
            offset=offset - 1,
            clock=clock,
            at=present,
        )
        memory = {each.id: remembered(each, lives[each.id]) for each in self._model.lifecycles if each.id in lives}
        said["remembered"] = {
            "interaction_ids": len(customer.id_times),
            "imports": [{"time": row.time, "row": row.number} for row in customer.rows or ()],
            "lifecycles": memory,
        }
        return said


def is_empty(document: Mapping[str, Any]) -> bool:
    """Whether nothing at all is held of the person."""
    return not any(value for name, value in document.items() if isinstance(value, list) and name != "topics")


def kept(topic: FoundTopic | None) -> dict[str, object]:
    """For how long a topic keeps what it has, as the broker says; times are milliseconds."""
    if topic is None:
        return {"exists": False}
    names = {"cleanup.policy": "cleanup", "retention.ms": "kept_for", "max.compaction.lag.ms": "compacted_after"}
    found: dict[str, object] = {"exists": True}
    for name, ours in names.items():
        if name in topic.configs:
            text = topic.configs[name]
            found[ours] = int(text) if text.lstrip("-").isdigit() else text
    return found


def _where(topic: str, number: int, record: SourceRecord) -> Found:
    return {"topic": topic, "partition": number, "offset": record.offset, "time": record.timestamp}
