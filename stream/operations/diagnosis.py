"""What producers put on the interactions topic: read from its latest records, nothing is changed.

Which formats, codecs, times and partitioners they use, what would become a dead letter and why, what the lifecycles
would never match, and which clocks are off.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import orjson
from aiokafka import TopicPartition

from stream.codec.controls import control_of
from stream.codec.dead_letter_reasons import Rejected
from stream.codec.fields import AHEAD
from stream.codec.interactions import UNKNOWN
from stream.codec.partitioners import home_of, likely_cause_of
from stream.codec.records import SourceRecord
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.matches import Matches, Missing
from stream.errors import UnreadableError
from stream.kafka.batch_headers import BatchHeader
from stream.kafka.log_reader import LogReader
from stream.kafka.permissions import Grant, Operation, require
from stream.kafka.topics import require_partitions
from stream.settings import Settings

PARTITIONERS = ("murmur2", "crc32", "fnv1a", "murmur2_unsigned", "fnv1a_reference")
_LATE = 24 * 3_600_000
"""Milliseconds after which an interaction is called old."""
_MOST_NAMES = 1_000
_LONGEST_NAME = 100
_SAMPLE = 200


@dataclass
class DeadLetters:
    """Records that would be dead letters for one reason."""

    count: int = 0
    detail: str = ""
    """What is wrong with the first one."""
    where: str = ""
    """Its partition and offset."""


@dataclass
class Diagnosis:
    """What was seen."""

    topic: str
    partitions: int
    partitioner: str
    records: int = 0
    ticks: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    codecs: Counter[str] = field(default_factory=Counter)
    """Records by codec of their batch."""
    idempotent: int = 0
    """Records in batches of idempotent producers, transactional ones among them."""
    transactional: int = 0
    batched: int = 0
    """Records whose batches were seen."""
    broker_times: int = 0
    """Records with the broker's time; the others have the producer's."""
    rejected: dict[str, DeadLetters] = field(default_factory=dict)
    flaws: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    unmatched: Counter[str] = field(default_factory=Counter)
    """Event names that no lifecycle has a word for."""
    missing: dict[str, list[Missing]] = field(default_factory=dict)
    """By lifecycle, properties that it reads and that none of the interactions has that its rules are about."""
    keyless: int = 0
    odd_keys: int = 0
    """Records with a key that is not the customer's id."""
    keyed: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    """How many of the records keyed by the customer's id each partitioner would put where they are."""
    misplaced: int = 0
    cause: str | None = None
    """Why interactions are on other partitions than their customers', most likely."""
    ahead: int = 0
    old: int = 0
    """Interactions whose time is more than a day before the broker's."""
    delays: list[int] = field(default_factory=list)
    """Milliseconds from the interaction to its record."""
    unreadable: list[str] = field(default_factory=list)
    """Batches that cannot be read."""

    @property
    def interactions(self) -> int:
        """Records that are one."""
        return self.records - self.ticks - sum(each.count for each in self.rejected.values())

    @property
    def delay(self) -> int | None:
        """The median of milliseconds from an interaction to its record."""
        return round(median(self.delays)) if self.delays else None


class Examiner:
    """Takes records and says what they are; one for each topic."""

    def __init__(self, settings: Settings, lifecycles: Sequence[Lifecycle], topic: str, partitions: int) -> None:
        self.diagnosis = Diagnosis(topic, partitions, settings.partitioner)
        self._decoder = settings.decoder(topic)
        self._words = [each.words.keys() | set(each.words.values()) for each in lifecycles]
        self._matches = [Matches(each) for each in lifecycles]
        self._misplaced: dict[int, list[tuple[bytes | None, bytes]]] = {}
        self._seen: set[tuple[int, int]] = set()

    def batch(self, partition: int, header: BatchHeader) -> None:
        """The header of a batch; the same one again is left out."""
        if (partition, header.offset) in self._seen:
            return
        self._seen.add((partition, header.offset))
        found = self.diagnosis
        found.batched += header.records
        found.codecs[header.codec] += header.records
        found.idempotent += header.records * header.idempotent
        found.transactional += header.records * header.transactional

    def record(self, partition: int, record: SourceRecord) -> None:
        """One record."""
        found = self.diagnosis
        found.records += 1
        found.broker_times += record.timestamp_type == 1
        if record.headers and control_of(record.headers) is not None:
            found.ticks += 1
            return
        read = self._decoder.decode(record.value, record.timestamp, record.headers)
        if isinstance(read, Rejected):
            found.formats[_wrapped(record.value, UNKNOWN)] += 1
            letters = found.rejected.setdefault(read.reason.value, DeadLetters())
            letters.count += 1
            if not letters.where:
                letters.detail, letters.where = read.detail, f"{partition}-{record.offset}"
            return
        found.formats[_wrapped(record.value, self._decoder.format)] += 1
        found.flaws.update(self._decoder.take_flaws())
        self._interaction(partition, record, read)

    def _interaction(self, partition: int, record: SourceRecord, interaction: Interaction) -> None:
        found = self.diagnosis
        if len(found.names) < _MOST_NAMES or interaction.name in found.names:
            name = interaction.name[:_LONGEST_NAME]
            found.names[name] += 1
            if self._words and not any(interaction.name in words for words in self._words):
                found.unmatched[name] += 1
        for matches in self._matches:
            matches.add(interaction)
        delay = record.timestamp - interaction.time
        found.ahead += delay < -AHEAD
        found.old += delay > _LATE
        found.delays.append(delay)
        subject = interaction.subject.encode()
        if record.key is None:
            found.keyless += 1
        elif record.key == subject:
            found.keyed += 1
            found.explained.update(
                name for name in PARTITIONERS if home_of(name, subject, found.partitions) == partition
            )
        else:
            found.odd_keys += 1
        if home_of(found.partitioner, subject, found.partitions) != partition:
            found.misplaced += 1
            sample = self._misplaced.setdefault(partition, [])
            if len(sample) < _SAMPLE:
                sample.append((record.key, subject))

    def finish(self) -> Diagnosis:
        """All that was seen."""
        found = self.diagnosis
        causes = Counter(
            likely_cause_of(sample, partition, found.partitions, found.partitioner)
            for partition, sample in self._misplaced.items()
            for _ in sample
        )
        found.cause = causes.most_common(1)[0][0] if causes else None
        found.missing = {each.lifecycle.id: each.missing for each in self._matches if each.missing}
        return found


async def examine(
    settings: Settings,
    lifecycles: Sequence[Lifecycle],
    topic: str,
    most: int,
    progress: Callable[[int, int], None],
) -> Diagnosis:
    """Read up to `most` of the latest records of a topic of interactions, the same number of each partition.

    `progress` hears how many partitions were read, of how many. Raises TopicError where there is no such topic,
    BrokerError where we may not read it, KafkaError and TimeoutError where the broker does not answer.
    """
    await require(settings, [Grant(Operation.READ, topic)])
    count = (await require_partitions(settings, [topic], "`lifecycle topics` creates it"))[topic]
    examiner = Examiner(settings, lifecycles, topic, count)
    each = max(1, most // count)
    async with LogReader(settings) as log:
        spans = await log.spans([TopicPartition(topic, number) for number in range(count)])
        for done, (tp, (first, end)) in enumerate(spans.items()):
            progress(done, count)
            begin = max(first, end - each)
            while begin < end:
                try:
                    async for records in log.read(tp, begin, end, on_batch=examiner.batch):
                        for record in records:
                            examiner.record(tp.partition, record)
                    break
                except UnreadableError as error:
                    examiner.diagnosis.unreadable.append(str(error))
                    begin = max(error.after, begin + 1)
    return examiner.finish()


def _wrapped(value: bytes | None, name: str) -> str:
    """A format, with what it lies in."""
    if value and value[0] == 0:
        return f"{name}, behind a schema registry's bytes"
    try:
        record: Any = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return name
    if isinstance(record, str):
        return f"{name}, as JSON in a text"
    if isinstance(record, dict) and record.keys() == {"schema", "payload"}:
        return f"{name}, in Kafka Connect's envelope"
    return name
