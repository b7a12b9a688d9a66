"""One partition of stage changes as a sequential machine: changes and what became of attempts in, what waits out.

Deterministic and without I/O, run by the same engine as a worker's machine (`stream.machine.batch.Machine`). What is to
be sent is taken from it only once it is committed as waiting, and an attempt's result comes back as an input: so every
change is delivered at least once, with the same id, whatever happens in between.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Final

from stream.codec import deliveries as records_of
from stream.codec.deliveries import DeliveryCommand, EndpointState, GivenUp, WaitingDelivery, subject_of
from stream.codec.records import Outgoing, SourceRecord
from stream.codec.stage_change_reader import SubscribedChange, read_whole_change
from stream.codec.state import positions
from stream.codec.state.positions import Position, decode_position, encode_position
from stream.errors import StateError
from stream.machine.batch import Batch, RecordFailed
from stream.machine.budget import MAX_BYTES
from stream.machine.source_partition import SourcePartition
from stream.webhooks.attempt_log import AttemptRecord, encode_attempt
from stream.webhooks.deliveries.counts import DeliveryCounts
from stream.webhooks.deliveries.news import Attempted, Commanded, Configured, GivenBack
from stream.webhooks.deliveries.schedule import FAILING_FOR, next_due
from stream.webhooks.deliveries.waiting import Delivery, Waiting
from stream.webhooks.endpoint import MOST_WAITING_OF_ONE, Endpoint
from stream.webhooks.exchange import Verdict

YIELD_EVERY: Final = 100
LONGEST_REASON: Final = 200
"""Characters."""
_PER_RECORD: Final = 200
"""Bytes of a record beside its value, about."""


class DeliveryMachine:
    """The state of one partition and what its inputs do to it; see `stream.machine.batch.Machine` for the contract."""

    def __init__(self, endpoints: Mapping[str, Endpoint], source: SourcePartition, commands: str) -> None:
        """`commands` is the name of the topic of commands."""
        self.next_offset: int | None = None
        self.next_command = 0
        """Where to read the topic of commands on."""
        self.waiting: dict[str, Waiting] = {}
        """By endpoint, also of those that the file does not name any more."""
        self.edited: Mapping[str, str | None] = {}
        self.to_reconsider = 0
        self.gathered: Mapping[str, int] = {}
        self.clock: int | None = None
        self._endpoints = endpoints
        self._source, self._commands = source, commands
        self._started = False
        self._news: list[object] = []
        self._isolated: set[int] = set()
        self._changed: dict[bytes, Delivery | EndpointState | None] = {}
        self._batch = Batch()
        self._bytes = 0
        self._counts = DeliveryCounts()

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Those that changes are kept for."""
        return self._endpoints

    def take_counts(self) -> DeliveryCounts:
        """What batches did since this was last called; between two batches."""
        counts, self._counts = self._counts, DeliveryCounts()
        return counts

    def touches(self, key: bytes) -> bool:
        """See `Machine`; nobody asks."""
        return key in self._changed

    def restore(self, changelog: dict[bytes, bytes]) -> Generator[None, None, None]:
        """See `Machine`."""
        position = changelog.get(positions.KEY)
        if position is not None:
            self._resume(decode_position(position))
        for number, (key, value) in enumerate(changelog.items()):
            if number % YIELD_EVERY == 0:
                yield
            kind = key[:1]
            if kind == records_of.DELIVERY:
                endpoint, event_id = records_of.split_delivery_key(key)
                self._of(endpoint).restore(subject_of(event_id), _delivery(event_id, value))
            elif kind == records_of.ENDPOINT:
                self._of(key[1:].decode()).state = records_of.decode_endpoint(value)
        for waiting in self.waiting.values():
            waiting.restored()

    def _resume(self, position: Position) -> None:
        self._started = True
        if position.partitions != self._source.partitions:
            raise StateError(
                f"topic {self._source.topic} has {self._source.partitions} partitions, what waits for webhooks was "
                f"written with {position.partitions}: give the topic its old number, or let new topics begin with "
                "another `topic_prefix`"
            )
        known, topic_id = position.topic_ids.get(self._source.topic), self._source.topic_id
        self.next_offset = position.offsets[self._source.topic]
        if None not in (known, topic_id) and known != topic_id:
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
        return min(
            (due for name, each in self.waiting.items() if name in self._endpoints and (due := each.next_due())),
            default=None,
        )

    def hear(self, news: Sequence[object]) -> None:
        """See `Machine`; each is of `stream.webhooks.deliveries.news`."""
        self._news += news

    def take(self, endpoint: str, most: int, now: int) -> list[tuple[str, Delivery]]:
        """Deliveries of an endpoint that may be sent now, with their subjects; between two batches."""
        waiting = self.waiting.get(endpoint)
        return [] if waiting is None or endpoint not in self._endpoints else waiting.take(most, now)

    def awaits(self, result: Attempted) -> bool:
        """Whether the delivery was taken, and what became of it is not known yet; between two batches."""
        waiting = self.waiting.get(result.endpoint)
        head = None if waiting is None else waiting.head(result.subject)
        if waiting is None or head is None or head.event_id != result.event_id:
            return False
        return waiting.is_under_way(result.subject)

    def run(
        self, records: Sequence[SourceRecord], next_offset: int, *, wall: int, caught_up: bool
    ) -> Generator[None, None, Batch]:
        """See `Machine`."""
        del caught_up
        start = self.next_offset if self.next_offset is not None else next_offset
        if records and self.next_offset is None:
            start = records[0].offset
        self._batch = batch = Batch(next_offset=start)
        self._changed, self._bytes = {}, 0
        if not self._started:
            self._started, batch.inputs = True, 1
        news, self._news = self._news, []
        for number, each in enumerate(news, 1):
            batch.inputs += self._hear(each, wall)
            if number % YIELD_EVERY == 0:
                yield
        for number, record in enumerate(records, 1):
            if self._bytes > MAX_BYTES:
                batch.more = True
                break
            self._read(record, wall)
            batch.next_offset = record.offset + 1
            batch.inputs += 1
            if number % YIELD_EVERY == 0:
                yield
        if not batch.more:
            batch.next_offset = next_offset
        for waiting in self.waiting.values():
            waiting.wake(wall)
        batch.state = self._encoded()
        self.next_offset = batch.next_offset
        batch.state.append(Outgoing(positions.KEY, encode_position(self._position(batch.next_offset))))
        return batch

    def _hear(self, news: object, wall: int) -> int:
        """How many inputs it was."""
        if isinstance(news, Attempted):
            return self._attempted(news)
        if isinstance(news, GivenBack):
            waiting = self._of(news.endpoint)
            head = waiting.head(news.subject)
            if head is not None and head.event_id == news.event_id:
                waiting.give_back(news.subject)
            return 0
        if isinstance(news, Configured):
            self._endpoints = news.endpoints
            return 0
        assert isinstance(news, Commanded)
        return self._commanded(news, wall)

    def _read(self, record: SourceRecord, wall: int) -> None:
        change = read_whole_change(record.value, self._source.partition, record.offset)
        if change is None:
            self._counts.skipped += 1
            return
        if record.offset in self._isolated:
            self._give_up("", change.event_id, change.value, "unprocessable", "our code failed on it", 0, wall)
            return
        try:
            wanted = [each for each in self._endpoints.values() if each.enabled and each.wants(change)]
        except Exception as error:
            raise RecordFailed(record.offset, error) from error
        for endpoint in wanted:
            self._enqueue(endpoint, change, wall)

    def _enqueue(self, endpoint: Endpoint, change: SubscribedChange, wall: int) -> None:
        waiting, event_id = self._of(endpoint.name), change.event_id
        subject = subject_of(event_id)
        if waiting.holds(subject, event_id):
            return
        self._counts.came[endpoint.name] += 1
        if endpoint.only_latest:
            while (dropped := waiting.drop_oldest(subject)) is not None:
                self._superseded(endpoint.name, dropped)
        self._add(waiting, subject, Delivery(event_id, change.value, change.offset, wall, due=wall))
        if waiting.count > endpoint.most_waiting and (oldest := waiting.drop_oldest_of_all()) is not None:
            self._overflow(endpoint.name, oldest[1], f"more than {endpoint.most_waiting} waited", wall)

    def _add(self, waiting: Waiting, subject: str, delivery: Delivery) -> None:
        waiting.add(subject, delivery)
        self._changed[records_of.delivery_key(waiting.endpoint, delivery.event_id)] = delivery
        self._bytes += len(delivery.value) + _PER_RECORD
        if waiting.length(subject) > MOST_WAITING_OF_ONE and (dropped := waiting.drop_oldest(subject)) is not None:
            why = f"more than {MOST_WAITING_OF_ONE} of this customer waited"
            self._overflow(waiting.endpoint, dropped, why, delivery.came)

    def _overflow(self, endpoint: str, dropped: Delivery, why: str, wall: int) -> None:
        self._forget(endpoint, dropped)
        self._give_up(endpoint, dropped.event_id, dropped.value, "overflow", why, dropped.attempts, wall)

    def _superseded(self, endpoint: str, dropped: Delivery) -> None:
        self._forget(endpoint, dropped)
        self._counts.superseded[endpoint] += 1

    def _attempted(self, news: Attempted) -> int:
        """What became of an attempt; one that is not awaited any more changes nothing."""
        waiting = self._of(news.endpoint)
        head = waiting.head(news.subject)
        if head is None or head.event_id != news.event_id:
            return 0
        outcome, verdict = news.outcome, news.outcome.verdict
        self._counts.attempts[news.endpoint, verdict.value] += 1
        self._judge(waiting, news, failed=verdict in (Verdict.AGAIN, Verdict.GONE))
        if outcome.wait is not None:
            waiting.not_before = max(waiting.not_before, news.at + round(outcome.wait * 1000))
        if verdict is Verdict.DELIVERED:
            self._done(waiting, news, head, None)
            self._counts.delivered.append((news.endpoint, news.at - head.came))
        elif verdict is Verdict.REFUSED:
            self._lost(waiting, news, head, "refused")
        else:
            self._failed(waiting, news, head)
        return 1

    def _failed(self, waiting: Waiting, news: Attempted, head: Delivery) -> None:
        endpoint = self._endpoints.get(waiting.endpoint)
        ended = news.at + round(news.seconds * 1000)
        due = next_due(head.event_id, waiting.endpoint, head.attempts + 1, ended)
        if endpoint is not None and endpoint.only_latest and waiting.length(news.subject) > 1:
            self._done(waiting, news, head, None)
            self._counts.superseded[waiting.endpoint] += 1
        elif due is None and news.outcome.verdict is not Verdict.GONE:
            self._lost(waiting, news, head, "exhausted")
        else:
            due = max(due or ended, waiting.not_before)
            waiting.again(news.subject, due)
            self._changed[records_of.delivery_key(waiting.endpoint, head.event_id)] = head
            self._bytes += _PER_RECORD
            self._log_attempt(waiting, news, head, due)

    def _judge(self, waiting: Waiting, news: Attempted, *, failed: bool) -> None:
        """Keep since when every attempt failed, and disable an endpoint that is gone or failed for days."""
        state = waiting.state
        if not failed:
            if state.failing_since is not None:
                self._set_state(waiting, failing_since=None)
            return
        since = state.failing_since if state.failing_since is not None else news.at
        if news.outcome.verdict is Verdict.GONE:
            self._disable(waiting, news.at, news.outcome.reason)
        elif news.at - since >= FAILING_FOR:
            self._disable(waiting, news.at, "every attempt of five days failed")
        elif state.failing_since is None:
            self._set_state(waiting, failing_since=news.at)

    def _disable(self, waiting: Waiting, at: int, reason: str) -> None:
        if waiting.state.disabled_at is None:
            self._set_state(waiting, disabled_at=at, disabled_reason=reason)
            self._counts.disabled[waiting.endpoint] = reason

    def _set_state(self, waiting: Waiting, **changes: int | str | None) -> None:
        old = waiting.state
        now = {name: changes.get(name, getattr(old, name)) for name in old.__struct_fields__}
        waiting.state = EndpointState(**now)
        self._changed[records_of.endpoint_key(waiting.endpoint)] = waiting.state

    def _done(self, waiting: Waiting, news: Attempted, head: Delivery, due: int | None) -> None:
        waiting.settle(news.subject)
        self._forget(waiting.endpoint, head)
        self._log_attempt(waiting, news, head, due)

    def _lost(self, waiting: Waiting, news: Attempted, head: Delivery, reason: GivenUp) -> None:
        self._done(waiting, news, head, None)
        why, attempts = news.outcome.reason, head.attempts + 1
        self._give_up(waiting.endpoint, head.event_id, head.value, reason, why, attempts, news.at)

    def _commanded(self, news: Commanded, wall: int) -> int:
        for record in news.records:
            command = records_of.decode_command(record.value)
            if record.offset >= self.next_command and command is not None:
                self._obey(command, record.offset, wall)
        self.next_command = max(self.next_command, news.next_offset)
        return len(news.records)

    def _obey(self, command: DeliveryCommand, offset: int, wall: int) -> None:
        waiting = self._of(command.endpoint)
        if command.command == "pause":
            self._set_state(waiting, paused_at=command.at)
        elif command.command == "resume":
            waiting.not_before = 0
            self._set_state(waiting, paused_at=None, disabled_at=None, disabled_reason="", failing_since=None)
        elif command.command == "disable":
            if waiting.state.disabled_at is None:
                self._set_state(waiting, disabled_at=command.at, disabled_reason=command.reason)
        else:
            subject, value = subject_of(command.id), bytes(command.change)
            if not waiting.holds(subject, command.id):
                # Behind what waits: its order was lost when it was given up.
                self._counts.came[command.endpoint] += 1
                last = max((each.order for each in waiting.of(subject)), default=offset)
                self._add(waiting, subject, Delivery(command.id, value, last, wall, due=wall))

    def _of(self, endpoint: str) -> Waiting:
        waiting = self.waiting.get(endpoint)
        if waiting is None:
            waiting = self.waiting[endpoint] = Waiting(endpoint)
        return waiting

    def _forget(self, endpoint: str, delivery: Delivery) -> None:
        self._changed[records_of.delivery_key(endpoint, delivery.event_id)] = None

    def _give_up(
        self, endpoint: str, event_id: str, value: bytes, reason: GivenUp, detail: str, attempts: int, at: int
    ) -> None:
        self._counts.given_up[endpoint, reason] += 1
        self._batch.dead_letters.append(records_of.given_up(endpoint, event_id, value, reason, detail, attempts, at))
        self._bytes += len(value) + _PER_RECORD

    def _log_attempt(self, waiting: Waiting, news: Attempted, delivery: Delivery, due: int | None) -> None:
        """Tell on the topic of attempts what was sent when and answered with what."""
        kind, _, subject = news.subject.partition(":")
        record = AttemptRecord(
            id=delivery.event_id,
            endpoint=waiting.endpoint,
            lifecycle=delivery.event_id.partition(":")[0],
            customer_id=subject if kind == "customer" else None,
            anonymous_id=subject if kind == "anonymous" else None,
            attempt=delivery.attempts if due is not None else delivery.attempts + 1,
            at=news.at,
            verdict=news.outcome.verdict,
            status=news.status,
            seconds=round(news.seconds, 6),
            reason=news.outcome.reason[:LONGEST_REASON],
            next=due,
        )
        self._batch.events.append(Outgoing(subject.encode(), encode_attempt(record)))

    def _encoded(self) -> list[Outgoing]:
        found: list[Outgoing] = []
        for key, changed in self._changed.items():
            if changed is None:
                found.append(Outgoing(key, None))
            elif isinstance(changed, EndpointState):
                found.append(Outgoing(key, records_of.encode(changed)))
            else:
                found.append(Outgoing(key, records_of.encode(_record(changed))))
        return found

    def _position(self, next_offset: int) -> Position:
        source = self._source
        return Position(
            offsets={source.topic: next_offset, self._commands: self.next_command},
            partitions=source.partitions,
            topic_ids=source.topic_ids,
        )


def _record(delivery: Delivery) -> WaitingDelivery:
    return WaitingDelivery(
        records_of.FORMAT, delivery.order, delivery.came, delivery.attempts, delivery.due, delivery.value
    )


def _delivery(event_id: str, value: bytes) -> Delivery:
    written = records_of.decode_waiting(value)
    return Delivery(event_id, written.value, written.order, written.came, attempts=written.attempts, due=written.due)
