"""Write one transaction after another, each with one group offset.

A transaction is three steps, each begun when all of the one before is acknowledged: partitions and group are added to
it; all batches and the group's offset are written, side by side; it is committed. What a broker says that it could not
do yet, and did not begin, is asked again: that the transaction before is being ended still, or that it could not ask
the coordinator whether this one is open. Whatever else is no success is raised, and whoever writes drops this writer
and begins with the next epoch: so an unknown outcome is never asked about twice, and there is no state in between.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, NotCoordinatorForGroupError

from stream.kafka.batch_header import Writer, batch_of
from stream.kafka.exactly_once import answers, requests
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.connections import Connections
from stream.kafka.exactly_once.requests import Batch, GroupOffset, Place
from stream.kafka.exactly_once.step import REQUEST_TIMEOUT, Asked, Sent, limit, send, until_done

_SEQUENCES: Final = 2**31
"""They begin again at 0 behind the last one."""
_LOOK_AGAIN: Final = 0.1
_AWAY: Final = frozenset({answers.COORDINATOR_LOADS, answers.COORDINATOR_AWAY})
_ADD_AGAIN: Final = _AWAY | {answers.CONCURRENT}
_PRODUCE_AGAIN: Final = frozenset({answers.NOT_ENOUGH_REPLICAS})
"""Said before anything is written, and also where the leader could not ask the coordinator about the transaction."""
_OFFSET_AGAIN: Final = _AWAY | {answers.CONCURRENT}
"""As it is said to a leader."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """The records of one batch: the bytes of each, as Kafka's record format 2 has them, with a timestamp delta of 0."""

    place: Place
    records: bytes
    count: int


class TransactionWriter:
    """Writes the transactions of a producer that is started, which itself then writes none.

    After an error it is of no more use.
    """

    def __init__(self, producer: AIOKafkaProducer, transaction_timeout: float) -> None:
        """`transaction_timeout` is in seconds: how long the broker lets a transaction be open."""
        private: Any = producer
        manager = private._txn_manager
        self._id: str = manager.transactional_id
        self._writer = Writer(manager.producer_id, manager.producer_epoch)
        self._timeout = transaction_timeout
        self._connections = Connections(producer)
        self._sequences: dict[Place, int] = {}
        """By partition, the number of the next record, among all that this writer wrote there."""
        self._is_broken = False

    async def write(self, parts: Sequence[Unsent], offset: GroupOffset | None, committing: Callable[[], None]) -> None:
        """Returns once the transaction is committed. There must be a part or an offset.

        `committing` is called just before that is asked for: from then on it may be so, whatever is raised here.
        Raises KafkaError: ProducerFenced where another writer took over.
        """
        if self._is_broken:
            raise KafkaError("a transaction of this producer failed before")
        self._is_broken = True  # also where this is cancelled
        until = time.monotonic() + self._timeout
        places = list(dict.fromkeys(part.place for part in parts))
        async with limit("no broker was found to write a transaction to"):
            leaders = await self._connections.leaders(places)
            group = None if offset is None else await self._connections.group_coordinator(offset.group)
            coordinator = await self._connections.transaction_coordinator(self._id)
        first = list(self._first(coordinator, places, offset))
        sent = send(first)
        writes = self._writes(parts, leaders)  # while the coordinator is at work
        if offset is not None and group is not None:
            writes[0].append(self._offset(group, offset))
        coordinator = await self._begun(first, sent, places, offset, until)
        for step in writes:
            await until_done(step, send(step), until)
        end = [self._end(coordinator)]
        committing()
        await until_done(end, send(end), until)
        self._is_broken = False

    def close(self) -> None:
        """End the connections at once; a transaction that is open is ended by the next owner of its id, or by time."""
        self._is_broken = True
        self._connections.close()

    async def _begun(
        self, first: Sequence[Asked], sent: Sent, places: Sequence[Place], offset: GroupOffset | None, until: float
    ) -> Connection:
        """Wait until the first step is done, where the coordinator moved by asking another; returns the coordinator."""
        while True:
            try:
                await until_done(first, sent, until)
            except NotCoordinatorForGroupError:
                if time.monotonic() > until:
                    raise
            else:
                return first[0].connection
            self._connections.forget_coordinators()
            await asyncio.sleep(_LOOK_AGAIN)
            async with limit("no coordinator of transactions was found"):
                coordinator = await self._connections.transaction_coordinator(self._id)
            first = list(self._first(coordinator, places, offset))
            sent = send(first)

    def _first(self, coordinator: Connection, places: Sequence[Place], offset: GroupOffset | None) -> Iterator[Asked]:
        if places:
            coordinator.version(requests.ADD_PARTITIONS, requests.FIRST_VERSION)
            request = requests.add_partitions(self._id, self._writer, places)
            yield Asked(coordinator, request, partial(_of_places, answers.of_add_partitions, places, _ADD_AGAIN))
        if offset is not None:
            coordinator.version(requests.ADD_OFFSETS, requests.FIRST_VERSION)
            request = requests.add_offsets(self._id, self._writer, offset.group)
            what = f"group {offset.group}"
            yield Asked(coordinator, request, partial(_of_one, answers.of_add_offsets, what, _ADD_AGAIN))

    def _writes(self, parts: Sequence[Unsent], leaders: Mapping[Connection, list[Place]]) -> list[list[Asked]]:
        """All batches, in steps: no partition may get its second one where the first may have to be sent again."""
        steps: list[list[Asked]] = [[]]
        now = time.time_ns() // 1_000_000
        for leader, places in leaders.items():
            version = leader.version(requests.PRODUCE, requests.PRODUCE_VERSIONS)
            own = parts if len(leaders) == 1 else [part for part in parts if part.place in places]
            for number, batches in enumerate(self._rounds(own, now)):
                if number == len(steps):
                    steps.append([])
                request = requests.produce(self._id, batches, round(1_000 * REQUEST_TIMEOUT), version)
                read = partial(answers.of_produce, version=version)
                steps[number].append(Asked(leader, request, partial(_of_places, read, list(batches), _PRODUCE_AGAIN)))
        return steps

    def _rounds(self, parts: Sequence[Unsent], now: int) -> list[dict[Place, Batch]]:
        """Batches by partition, in order; one for each partition at most."""
        rounds: list[dict[Place, Batch]] = []
        for part in parts:
            batch = self._batch(part, now)
            for batches in rounds:
                if part.place not in batches:
                    batches[part.place] = batch
                    break
            else:
                rounds.append({part.place: batch})
        return rounds

    def _batch(self, part: Unsent, now: int) -> Batch:
        sequence = self._sequences.get(part.place, 0)
        self._sequences[part.place] = (sequence + part.count) % _SEQUENCES
        return batch_of(part.records, part.count, self._writer, sequence, now)

    def _offset(self, group: Connection, offset: GroupOffset) -> Asked:
        group.version(requests.COMMIT_OFFSET, requests.FIRST_VERSION)
        request = requests.commit_offset(self._id, self._writer, offset)
        return Asked(group, request, partial(_of_places, answers.of_commit_offset, [offset.place], _OFFSET_AGAIN))

    def _end(self, coordinator: Connection) -> Asked:
        coordinator.version(requests.END, requests.FIRST_VERSION)
        request = requests.commit(self._id, self._writer)
        return Asked(coordinator, request, partial(_of_one, answers.of_end, f"transaction {self._id}", frozenset()))


def _of_places(
    read: Callable[[bytes], answers.Outcomes], places: Collection[Place], again: Collection[int], answer: bytes
) -> int:
    outcomes = read(answer)
    codes = {outcome.code for outcome in outcomes.values()}
    if len(codes) == 1 and not codes.isdisjoint(again):
        return codes.pop()
    answers.require(outcomes, places)
    return answers.DONE


def _of_one(read: Callable[[bytes], int], what: str, again: Collection[int], answer: bytes) -> int:
    code = read(answer)
    if code != answers.DONE and code not in again:
        raise answers.error_of(code, what)
    return code
