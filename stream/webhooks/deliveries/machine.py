"""One partition of stage changes as a sequential machine: changes and what became of attempts in, what waits out.

Deterministic and without I/O, run by the same engine as a worker's machine (`stream.machine.batch.Machine`). What is to
be sent is taken from it only once it is committed as waiting, and an attempt's result comes back as an input: so every
change is delivered at least once, with the same id, whatever happens in between.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Final

from stream.codec import deliveries as records_of
from stream.codec.deliveries import DeliveryCommand
from stream.codec.packed_changes import PackedChange
from stream.codec.record_block import first_of
from stream.codec.records import Outgoing, SourceRecord, SourceRecords
from stream.codec.stage_change_reader import SubscribedChange, read_whole_change
from stream.codec.state import positions
from stream.codec.state.positions import Position, decode_position, encode_position
from stream.codec.trace_context import context_in
from stream.errors import StateError
from stream.machine.batch import Batch, RecordFailed
from stream.machine.source_partition import SourcePartition
from stream.webhooks.deliveries.counts import DeliveryCounts
from stream.webhooks.deliveries.deliveries import Deliveries
from stream.webhooks.deliveries.news import Attempted, Commanded, Configured, GivenBack, Taken
from stream.webhooks.deliveries.waiting import Waiting
from stream.webhooks.endpoint import Endpoint

YIELD_EVERY: Final = 100


class DeliveryMachine:
    """The state of one partition and what its inputs do to it; see `stream.machine.batch.Machine` for the contract."""

    def __init__(
        self, endpoints: Mapping[str, Endpoint], source: SourcePartition, commands: str, *, traced: bool = False
    ) -> None:
        """`commands` is the name of the topic of commands; `traced`: deliveries keep the traces of their changes."""
        self.next_offset: int | None = None
        self.next_command = 0
        """Where to read the topic of commands on."""
        self.edited: Mapping[str, str | None] = {}
        self.to_reconsider = 0
        self.gathered: Mapping[str, int] = {}
        self.clock: int | None = None
        self._deliveries = Deliveries(endpoints)
        self._source, self._commands, self._traced = source, commands, traced
        self._started = False
        self._news: list[object] = []
        self._isolated: set[int] = set()
        self._wall = 0
        """Of the last run."""

    @property
    def waiting(self) -> Mapping[str, Waiting]:
        """By endpoint, also of those that the file does not name any more."""
        return self._deliveries.waiting

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Those that changes are kept for."""
        return self._deliveries.endpoints

    def take_counts(self) -> DeliveryCounts:
        """What batches did since this was last called; between two batches."""
        return self._deliveries.take_counts()

    def commit(self) -> None:
        """See `Machine`; nobody asks about single customers here."""

    def touches(self, key: bytes) -> bool:
        """See `Machine`; nobody asks."""
        return self._deliveries.outbox.touches(key)

    def restore(self, changelog: dict[bytes, bytes]) -> Generator[None, None, None]:
        """See `Machine`; takes what it has read out of `changelog`, so that it is not in memory twice."""
        position = changelog.pop(positions.KEY, None)
        if position is not None:
            self._resume(decode_position(position))
        while changelog:  # the last one first: so memory goes back to the system
            key, value = changelog.popitem()
            self._deliveries.restore(key, value)
            if len(changelog) % YIELD_EVERY == 0:
                yield
        yield from self._deliveries.restored()

    def _resume(self, position: Position) -> None:
        self._started = True
        topic, topic_id = self._source.topic, self._source.topic_id
        if position.partitions != self._source.partitions:
            raise StateError(
                f"topic {topic} has {self._source.partitions} partitions, what waits for webhooks was written with "
                f"{position.partitions}: give the topic its old number, or let new topics begin with another "
                "`topic_prefix`"
            )
        if topic not in position.offsets:
            raise StateError(
                f"what waits for webhooks was made from topic {', '.join(sorted(position.offsets))}, and now {topic} "
                "is to be read: give the topic its old name, or let new topics begin with another `topic_prefix`"
            )
        self.next_offset = position.offsets[topic]
        if None not in (known := position.topic_ids.get(topic), topic_id) and known != topic_id:
            self.next_offset = 0  # another topic of that name: all that it holds is new
        self.next_command = position.offsets.get(self._commands, 0)

    def isolate(self, *, offsets: Iterable[int] = (), keys: Iterable[bytes] = ()) -> None:
        """See `Machine`."""
        del keys
        self._isolated.update(offsets)

    def look_closely(self, until: int) -> None:
        """See `Machine`; each input stands alone here."""

    def next_due(self) -> int | None:
        """See `Machine`."""
        return self._deliveries.next_due(self._wall)

    def hear(self, news: Sequence[object]) -> None:
        """See `Machine`; each is of `stream.webhooks.deliveries.news`."""
        self._news += news

    def take(self, endpoint: str, most: int, now: int) -> list[Taken]:
        """Deliveries of an endpoint that may be sent now, at most so many; between two batches."""
        return self._deliveries.take(endpoint, most, now)

    def awaits(self, taken: Taken) -> bool:
        """Whether what became of this delivery, which was taken, is not known yet; between two batches."""
        return self._deliveries.awaits(taken)

    def run(
        self,
        records: SourceRecords,
        next_offset: int,
        *,
        wall: int,
        caught_up: bool,  # noqa: ARG002
    ) -> Generator[None, None, Batch]:
        """See `Machine`."""
        start = self.next_offset
        if start is None:
            start = first_of(records).offset if records else next_offset
        self._wall = wall
        batch = Batch(next_offset=start)
        outbox = self._deliveries.begin()
        if not self._started:
            self._started, batch.inputs = True, 1
        news, self._news = self._news, []
        for number, each in enumerate(news, 1):
            batch.inputs += self._hear(each, wall)
            if number % YIELD_EVERY == 0:
                yield
        for number, record in enumerate(records, 1):
            if outbox.is_full:
                batch.more = True
                break
            self._read(record, wall)
            batch.next_offset = record.offset + 1
            batch.inputs += 1
            if number % YIELD_EVERY == 0:
                yield
        if not batch.more:
            batch.next_offset = next_offset
        self.next_offset = batch.next_offset
        batch.events.extend(outbox.events)
        batch.dead_letters.extend(outbox.dead_letters)
        batch.state.extend(outbox.state())
        batch.state.append(Outgoing(positions.KEY, encode_position(self._position(batch.next_offset))))
        return batch

    def _hear(self, news: object, wall: int) -> int:
        """How many inputs it was."""
        if isinstance(news, Attempted):
            return self._deliveries.attempted(news)
        if isinstance(news, GivenBack):
            self._deliveries.give_back(news.taken)
            return 0
        if isinstance(news, Configured):
            self._deliveries.endpoints = news.endpoints
            return 0
        assert isinstance(news, Commanded)
        return self._commanded(news, wall)

    def _read(self, record: SourceRecord, wall: int) -> None:
        change = read_whole_change(record.value, self._source.partition, record.offset)
        if change is None:
            self._deliveries.counts.skipped += 1
            return
        event_id = change.event_id
        kept: bytes | PackedChange | None = None
        for endpoint in self.endpoints.values():
            if endpoint.enabled and self._wants(endpoint, change, event_id, wall):
                kept = kept or self._deliveries.kept(change.lifecycle, change.value)  # once for all of them
                context = context_in(record.headers) if self._traced else None
                self._deliveries.enqueue(endpoint.name, event_id, change.value, kept, wall, context)

    def _wants(self, endpoint: Endpoint, change: SubscribedChange, event_id: str, wall: int) -> bool:
        try:
            return endpoint.wants(change)
        except Exception as error:
            if change.offset not in self._isolated:
                raise RecordFailed(change.offset, error) from error
        why = "our code failed on the endpoint's condition"
        self._deliveries.outbox.give_up(endpoint.name, event_id, change.value, "unprocessable", why, 0, wall)
        return False

    def _commanded(self, news: Commanded, wall: int) -> int:
        if news.anew:
            self.next_command = 0
        for record in news.records:
            command = records_of.decode_command(record.value)
            if record.offset >= self.next_command and command is not None:
                self._obey(command, wall)
        self.next_command = max(self.next_command, news.next_offset)
        return len(news.records)

    def _obey(self, command: DeliveryCommand, wall: int) -> None:
        deliveries, endpoint = self._deliveries, command.endpoint
        if command.command == "pause":
            deliveries.set_state(endpoint, paused_at=command.at)
        elif command.command == "resume":
            deliveries.resume(endpoint)
        elif command.command == "disable":
            if deliveries.of(endpoint).state.disabled_at is None:
                deliveries.set_state(endpoint, disabled_at=command.at, disabled_reason=command.reason)
        elif (change := read_whole_change(bytes(command.change), self._source.partition, -1)) is not None:
            # Behind what waits: its place was lost when it was given up.
            deliveries.enqueue(
                endpoint, change.event_id, change.value, deliveries.kept(change.lifecycle, change.value), wall
            )
        else:
            deliveries.counts.skipped += 1

    def _position(self, next_offset: int) -> Position:
        source = self._source
        return Position(
            offsets={source.topic: next_offset, self._commands: self.next_command},
            partitions=source.partitions,
            topic_ids=source.topic_ids,
        )
