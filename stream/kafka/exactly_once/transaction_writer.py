"""Write one transaction after another, each with one group offset."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from stream.kafka.batch_header import Writer, batch_of
from stream.kafka.exactly_once.connections import Connections
from stream.kafka.exactly_once.requests import Batch, GroupOffset, Place
from stream.kafka.exactly_once.transaction import Transaction

_SEQUENCES: Final = 2**31
"""They begin again at 0 behind the last one."""


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
        transaction = Transaction(self._connections, self._id, self._writer, places, offset, until)
        await transaction.find()
        transaction.begin()
        first, *more = self._rounds(parts) or [{}]  # while the coordinator is at work
        await transaction.begun()
        await transaction.write(first, with_offset=True)
        for batches in more:
            await transaction.write(batches, with_offset=False)
        await transaction.commit(committing)
        self._is_broken = False

    def close(self) -> None:
        """End the connections at once; a transaction that is open is ended by the next owner of its id, or by time."""
        self._is_broken = True
        self._connections.close()

    def _rounds(self, parts: Sequence[Unsent]) -> list[dict[Place, Batch]]:
        """Batches by partition, in order; one for each partition at most."""
        rounds: list[dict[Place, Batch]] = []
        now = time.time_ns() // 1_000_000
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
