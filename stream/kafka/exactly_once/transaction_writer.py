"""Write one transaction after another, each with one group offset.

A transaction is three steps, each begun when all of the one before is acknowledged: partitions and group are added to
it; all batches and the group's offset are written, side by side; it is committed. A broker that still ends the
transaction before says so at the first step, which is then tried again. So is that step where the coordinator has
moved, as long as nothing of the transaction was acknowledged. Whatever else is no success is raised, and whoever writes
drops this writer and begins with the next epoch: so there is nothing to retry, and no state in between to get wrong.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced, RequestTimedOutError

from stream.kafka.batch_header import Writer, batch_of
from stream.kafka.exactly_once import answers, requests
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.connections import Connections
from stream.kafka.exactly_once.requests import Batch, GroupOffset, Place, Request

_FIRST_WAIT: Final = 0.002
_LONGEST_WAIT: Final = 0.1
_REQUEST_TIMEOUT: Final = 10.0
_SEQUENCES: Final = 2**31
"""They begin again at 0 behind the last one."""
_TO_ASK_AGAIN: Final = frozenset(
    {answers.CONCURRENT, answers.COORDINATOR_LOADS, answers.COORDINATOR_AWAY, answers.NOT_COORDINATOR}
)


@dataclass(frozen=True, slots=True)
class Unsent:
    """The records of one batch: the bytes of each, as Kafka's record format 2 has them, with a timestamp delta of 0."""

    place: Place
    records: bytes
    count: int


class _Asked(NamedTuple):
    """A request, and what its answer means."""

    connection: Connection
    request: Request
    hindrance: Callable[[bytes], int]
    """NO_ERROR, or why it must be asked again; raises KafkaError for whatever else is no success."""


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
        places = list(dict.fromkeys(part.place for part in parts))
        async with _limit("no broker was found to write a transaction to"):
            leaders = await self._connections.leaders(places)
            group = None if offset is None else await self._connections.group_coordinator(offset.group)
            coordinator = await self._connections.transaction_coordinator(self._id)
        first = list(self._first(coordinator, places, offset))
        sent = _send(first)
        writes = list(self._writes(parts, leaders))  # while the coordinator is at work
        if offset is not None and group is not None:
            writes.append(self._offset(group, offset))
        coordinator = await self._begun(coordinator, first, sent)
        await _done(writes)
        committing()
        await _done([self._end(coordinator)])
        self._is_broken = False

    def close(self) -> None:
        """End the connections at once; a transaction that is open is ended by the next owner of its id, or by time."""
        self._is_broken = True
        self._connections.close()

    def _first(self, coordinator: Connection, places: Sequence[Place], offset: GroupOffset | None) -> Iterator[_Asked]:
        if places:
            coordinator.version(requests.ADD_PARTITIONS, requests.FIRST_VERSION)
            request = requests.add_partitions(self._id, self._writer, places)
            yield _Asked(coordinator, request, partial(_of_places, answers.of_add_partitions, places))
        if offset is not None:
            coordinator.version(requests.ADD_OFFSETS, requests.FIRST_VERSION)
            request = requests.add_offsets(self._id, self._writer, offset.group)
            yield _Asked(coordinator, request, partial(_of_one, answers.of_add_offsets, f"group {offset.group}"))

    async def _begun(
        self, coordinator: Connection, first: Sequence[_Asked], sent: "Sequence[asyncio.Future[bytes]]"
    ) -> Connection:
        """Wait until the first step is done, and ask again where that must be; returns the coordinator."""
        until, wait, asked = time.monotonic() + self._timeout, _FIRST_WAIT, first
        while True:
            found = [each.hindrance(answer) for each, answer in zip(asked, await _answered(sent), strict=True)]
            asked = [each for each, code in zip(asked, found, strict=True) if code != answers.NO_ERROR]
            if not asked:
                return coordinator
            hindrance = min(code for code in found if code != answers.NO_ERROR)
            has_moved = hindrance != answers.CONCURRENT
            if time.monotonic() > until or (has_moved and len(asked) < len(first)):
                raise answers.error_of(hindrance, f"transaction {self._id}")
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
            if has_moved:
                self._connections.forget_coordinators()
                async with _limit("no coordinator of transactions was found"):
                    coordinator = await self._connections.transaction_coordinator(self._id)
                asked = [each._replace(connection=coordinator) for each in asked]
            sent = _send(asked)

    def _writes(self, parts: Sequence[Unsent], leaders: Mapping[Connection, list[Place]]) -> Iterator[_Asked]:
        now = time.time_ns() // 1_000_000
        for leader, places in leaders.items():
            version = leader.version(requests.PRODUCE, requests.PRODUCE_VERSIONS)
            own = parts if len(leaders) == 1 else [part for part in parts if part.place in places]
            for batches in self._rounds(own, now):
                request = requests.produce(self._id, batches, round(1_000 * _REQUEST_TIMEOUT), version)
                yield _Asked(leader, request, partial(_of_produce, version, list(batches)))

    def _rounds(self, parts: Sequence[Unsent], now: int) -> list[dict[Place, Batch]]:
        """Batches by partition, in order: a request has one for each partition at most."""
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

    def _offset(self, group: Connection, offset: GroupOffset) -> _Asked:
        group.version(requests.COMMIT_OFFSET, requests.FIRST_VERSION)
        request = requests.commit_offset(self._id, self._writer, offset)
        return _Asked(group, request, partial(_of_places, answers.of_commit_offset, [offset.place]))

    def _end(self, coordinator: Connection) -> _Asked:
        coordinator.version(requests.END, requests.FIRST_VERSION)
        request = requests.commit(self._id, self._writer)
        return _Asked(coordinator, request, partial(_of_one, answers.of_end, f"transaction {self._id}"))


def _of_places(read: Callable[[bytes], dict[Place, int]], places: Collection[Place], answer: bytes) -> int:
    codes = read(answer)
    found = set(codes.values())
    if len(found) == 1:
        [code] = found
        if code in _TO_ASK_AGAIN:
            return code
    answers.require(codes, places)
    return answers.NO_ERROR


def _of_one(read: Callable[[bytes], int], what: str, answer: bytes) -> int:
    code = read(answer)
    if code == answers.NO_ERROR or code in _TO_ASK_AGAIN:
        return code
    raise answers.error_of(code, what)


def _of_produce(version: int, places: Collection[Place], answer: bytes) -> int:
    codes, words = answers.of_produce(answer, version)
    answers.require(codes, places, words)
    return answers.NO_ERROR


def _send(asked: Sequence[_Asked]) -> "list[asyncio.Future[bytes]]":
    return [each.connection.send(each.request) for each in asked]


async def _answered(sent: "Sequence[asyncio.Future[bytes]]") -> Sequence[bytes]:
    async with _limit("a broker did not answer"):
        return await asyncio.gather(*sent) if len(sent) > 1 else [await sent[0]]


async def _done(asked: Sequence[_Asked]) -> None:
    """Ask for all of it at once, and wait until it is done; nothing is asked again. A rival explains all that fails."""
    failed: KafkaError | None = None
    for each, answer in zip(asked, await _answered(_send(asked)), strict=True):
        try:
            code = each.hindrance(answer)
            if code != answers.NO_ERROR:
                raise answers.error_of(code, "a transaction")
        except KafkaError as error:
            if failed is None or isinstance(error, ProducerFenced):
                failed = error
    if failed is not None:
        raise failed


@asynccontextmanager
async def _limit(what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_REQUEST_TIMEOUT):
            yield
    except TimeoutError:
        raise RequestTimedOutError(f"{what} within {_REQUEST_TIMEOUT:g} s") from None
