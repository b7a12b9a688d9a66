"""One transaction: what is asked of which broker, and what is asked again.

It is three steps, each begun when all of the one before is acknowledged: partitions and group are added to it; all
batches and the group's offset are written, side by side; it is committed. Asked again is

- what a broker says that it could not do yet, or not there: the transaction before is being ended still, or somebody
  else leads the partition now. A batch goes out again with the number that it had, by which the brokers know it.
- the first step, once, where a connection was lost in it: nothing is written yet, and to add again changes nothing.
  Brokers end connections that were idle for long, and nobody is told before.

Whatever else is no success is raised. So what became of a batch, or of the commit, is never asked about twice: who
writes drops the writer, and begins with the next epoch.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from aiokafka.errors import KafkaConnectionError

from stream.kafka.batch_header import Writer
from stream.kafka.exactly_once import answers, requests
from stream.kafka.exactly_once.answers import Hindered, What
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.connections import Connections
from stream.kafka.exactly_once.requests import Batch, GroupOffset, Place, Request
from stream.kafka.exactly_once.step import REQUEST_TIMEOUT, Asked, Sent, in_time, send, until_done

_TO_ANOTHER: Final = frozenset({answers.COORDINATOR_AWAY, answers.NOT_COORDINATOR})
_OF_ANOTHER: Final = frozenset({answers.UNKNOWN_PARTITION, answers.NO_LEADER, answers.NOT_LEADER})
_ELSEWHERE: Final = _TO_ANOTHER | _OF_ANOTHER
_COORDINATE_AGAIN: Final = _TO_ANOTHER | {answers.COORDINATOR_LOADS, answers.CONCURRENT}
_ADD_AGAIN: Final = _COORDINATE_AGAIN | {answers.UNKNOWN_PARTITION}
_PRODUCE_AGAIN: Final = _OF_ANOTHER | {answers.NOT_ENOUGH_REPLICAS}
"""The latter is said before anything is written, and also where the leader could not ask about the transaction."""


class Way(NamedTuple):
    """To those brokers that a transaction needs."""

    coordinator: Connection
    leaders: Mapping[Connection, list[Place]]
    group: Connection | None
    """Whoever keeps the group's offset, where there is one to write."""


class Transaction:
    """Found, begun, written and committed, in that order; after an error nothing more may be asked."""

    def __init__(
        self,
        connections: Connections,
        transactional_id: str,
        writer: Writer,
        places: Sequence[Place],
        offset: GroupOffset | None,
        until: float,
    ) -> None:
        """Of these partitions and this offset, one of which there must be; `until`, by time.monotonic(), it asks."""
        self._connections = connections
        self._id, self._writer, self._until = transactional_id, writer, until
        self._places, self._offset = places, offset
        self._added: set[What] = {*places, *(() if offset is None else (_of_group(offset),))}
        self._way: Way
        self._first: Sequence[Asked] = ()
        self._sent: Sent = ()

    async def find(self) -> None:
        """Find the brokers, and connect to them; raises RequestTimedOutError where that takes too long."""
        self._connections.renew()
        await in_time("no broker was found to write a transaction to", self._look())

    def begin(self) -> None:
        """Send the first step."""
        self._first = self._add(self._added)
        self._sent = send(self._first)

    async def begun(self) -> None:
        """Wait for it."""
        try:
            await until_done(self._first, self._sent, partial(self._again, self._add), self._until)
        except KafkaConnectionError:
            self._connections.end()  # all of them: others were idle for as long
            await self.find()
            self.begin()
            await until_done(self._first, self._sent, partial(self._again, self._add), self._until)

    async def write(self, batches: Mapping[Place, Batch], *, with_offset: bool) -> None:
        """One batch for each partition at most: a second one only when the first cannot have to be sent again."""
        offset = self._offset if with_offset else None
        ask = partial(self._write, batches, offset)
        asked = ask({*batches, *(() if offset is None else (_of_group(offset),))})
        await until_done(asked, send(asked), partial(self._again, ask), self._until)

    async def commit(self, committing: Callable[[], None]) -> None:
        """Calls `committing` just before; from then on it may be committed, whatever is raised here."""
        coordinator, name = self._way.coordinator, f"transaction {self._id}"
        coordinator.version(requests.END, requests.FIRST_VERSION)
        read = partial(answers.of_end, what=name)
        asked = [_asked(coordinator, requests.commit(self._id, self._writer), read, [name], frozenset())]
        committing()
        await until_done(asked, send(asked), partial(self._again, lambda _: asked), self._until)

    async def _look(self) -> None:
        coordinator = await self._connections.transaction_coordinator(self._id)
        leaders = await self._connections.leaders(self._places)
        group = None if self._offset is None else await self._connections.group_coordinator(self._offset.group)
        self._way = Way(coordinator, leaders, group)

    async def _look_again(self) -> None:
        await self._connections.look_again()
        await self._look()

    async def _again(self, ask: Callable[[Collection[What]], Sequence[Asked]], hindered: Hindered) -> Sequence[Asked]:
        if not _ELSEWHERE.isdisjoint(hindered.values()):
            await in_time("no broker was found to go on with a transaction", self._look_again())
        return ask(hindered)

    def _add(self, what: Collection[What]) -> Sequence[Asked]:
        coordinator, asked = self._way.coordinator, []
        if places := [place for place in self._places if place in what]:
            coordinator.version(requests.ADD_PARTITIONS, requests.FIRST_VERSION)
            request = requests.add_partitions(self._id, self._writer, places)
            asked.append(_asked(coordinator, request, answers.of_add_partitions, places, _ADD_AGAIN))
        if self._offset is not None and (group := _of_group(self._offset)) in what:
            coordinator.version(requests.ADD_OFFSETS, requests.FIRST_VERSION)
            request = requests.add_offsets(self._id, self._writer, self._offset.group)
            read = partial(answers.of_add_offsets, what=group)
            asked.append(_asked(coordinator, request, read, [group], _COORDINATE_AGAIN))
        return asked

    def _write(
        self, batches: Mapping[Place, Batch], offset: GroupOffset | None, what: Collection[What]
    ) -> Sequence[Asked]:
        asked = []
        for leader, led in self._way.leaders.items():
            own = {place: batches[place] for place in led if place in batches and place in what}
            if own:
                version = leader.version(requests.PRODUCE, requests.PRODUCE_VERSIONS)
                request = requests.produce(self._id, own, round(1_000 * REQUEST_TIMEOUT), version)
                read = partial(answers.of_produce, version=version)
                asked.append(_asked(leader, request, read, own, _PRODUCE_AGAIN))
        if offset is not None and (name := _of_group(offset)) in what and (group := self._way.group) is not None:
            group.version(requests.COMMIT_OFFSET, requests.FIRST_VERSION)
            request = requests.commit_offset(self._id, self._writer, offset)
            read = partial(answers.of_commit_offset, place=offset.place, what=name)
            asked.append(_asked(group, request, read, [name], _COORDINATE_AGAIN))
        return asked


def _asked(
    connection: Connection,
    request: Request,
    read: Callable[[bytes], answers.Outcomes],
    what: Collection[What],
    again: Collection[int],
) -> Asked:
    return Asked(connection, request, lambda answer: answers.hindered(read(answer), what, again))


def _of_group(offset: GroupOffset) -> str:
    return f"group {offset.group}"
