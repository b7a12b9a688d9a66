"""Replay dead letters: put them on the interactions topic again, each of them once.

The interactions and the receipts for their dead letters are one transaction, so that a replay that breaks off leaves
both or neither. Its producer has one transactional id for all replays of an application: a second one stops the
first before it reads which receipts there are. Workers read what is committed, and process that exactly once.

While a transaction is open workers cannot read on behind it; so it is short, and one that was left behind by `kill
-9` ends after 15 s, or when a replay is begun again. Without transactions (the embedded broker) interactions are
acknowledged first, then the receipts: what is interrupted in between may be replayed again.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced, TransactionalIdAuthorizationFailed

from stream.codec.controls import control_of, tick_time
from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import NEVER_ON_A_TOPIC, DeadLetter, SourceAddress, receipt, replayed
from stream.codec.interactions import InteractionDecoder
from stream.codec.partitioners import home_of
from stream.codec.records import Outgoing
from stream.errors import BrokerError
from stream.kafka.batch_sender import Part, send_batches
from stream.kafka.clients import client_options
from stream.kafka.permissions import Grant, Operation, remedy
from stream.kafka.topic_plan import DEFAULT_MAX_MESSAGE, FoundTopic
from stream.kafka.transactions import BATCH_BYTES, TRANSACTION_TIMEOUT_MS
from stream.operations.dead_letter_log import Ledger, ReadingProgress, read_dead_letters, refresh
from stream.settings import Settings

AT_ONCE: Final = 500
"""Dead letters in one transaction at most: some tens of milliseconds."""
_BYTES_AT_ONCE: Final = 1 << 20
_OVERHEAD: Final = 256
"""What a batch of one record needs besides key, value and headers, at most, in bytes; a header's lengths too."""
_START_TIMEOUT = 30.0
_END_TIMEOUT = 5.0

Chosen = Callable[[DeadLetter], bool]


class Refusal(NamedTuple):
    """Why a dead letter is not replayed, and what about this one in particular."""

    why: str
    detail: str = ""


@dataclass(slots=True)
class Done:
    """How many dead letters were replayed."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """The interactions topic as it is now."""

    settings: Settings
    topic: FoundTopic
    decoder: InteractionDecoder

    @property
    def largest(self) -> int:
        """The largest message that it accepts, in bytes."""
        return int(self.topic.configs.get("max.message.bytes", DEFAULT_MAX_MESSAGE))

    def time_of(self, dead_letter: DeadLetter) -> int:
        """The time with which a replay is sent, epoch ms: that of the source record, where the topic keeps it long.

        Retention goes by it where the topic keeps producers' times: what is sent as old may be gone before a worker
        reads it, so that it gets the present time.
        """
        then, now = dead_letter.source.timestamp, time.time_ns() // 1_000_000
        retention = int(self.topic.configs.get("retention.ms", -1))
        return then if then >= 0 and (retention < 0 or now - then < retention // 2) else now

    def placed(self, dead_letter: DeadLetter) -> tuple[int, DeadLetter]:
        """Where a dead letter is replayed to: the partition of its source record.

        What a collector refused was on no partition before, and nobody knew whose it was: it goes to its customer's,
        with the key of that.
        """
        partition = dead_letter.source.partition
        if partition != NEVER_ON_A_TOPIC:
            return partition, dead_letter
        read = self.decoder.decode(dead_letter.value, self.time_of(dead_letter), dead_letter.headers)
        assert not isinstance(read, Rejected)  # else it was refused
        key = read.subject.encode()
        home = home_of(self.settings.partitioner, key, self.topic.partitions)
        return int(home), replace(dead_letter, key=key)

    def refusal(self, dead_letter: DeadLetter) -> Refusal | None:
        """Why a dead letter cannot be replayed, or need not be; None: it can.

        What the decoder still rejects, with the blocked ids of the settings, would only be dead-lettered again.
        """
        name, source = self.settings.topics.interactions, dead_letter.source
        if dead_letter.reason == Reason.UNREADABLE:
            return Refusal("it is a whole batch that could not be read, so the sender has to send that again")
        if dead_letter.truncated:
            return Refusal("its value was cut off, so the sender has to send it again")
        if source.topic != name:
            return Refusal(
                f"it comes from another topic than {name}; name that by the setting interactions", source.topic
            )
        if source.partition >= self.topic.partitions:
            return Refusal(f"{name} has its partition no more, so the sender has to send it again", str(source))
        if _size(replayed(dead_letter)) > self.largest:
            return Refusal(f"it is larger than the {self.largest} bytes that {name} takes; raise its max.message.bytes")
        rejected = _rejected(dead_letter, self.time_of(dead_letter), self.decoder)
        return (
            None if rejected is None else Refusal(f"it would be rejected again as {rejected.reason}", rejected.detail)
        )


async def replay(
    target: Target, ledger: Ledger, chosen: Chosen, *, exactly_once: bool, progress: ReadingProgress, done: Done
) -> None:
    """Replay what is chosen of the dead letters that the ledger covers, and was not replayed yet.

    `progress` follows the reading; `done` counts what is replayed, also where this raises: BrokerError where another
    replay was begun meanwhile, where the broker fails, and as `records_of`. To run it again completes it.
    """
    settings = target.settings
    async with _Writer(target, exactly_once=exactly_once) as writer:
        await refresh(settings, ledger)  # an earlier replay can write no more receipts now
        seen: set[SourceAddress] = set()
        batch: list[DeadLetter] = []
        size = 0
        async for dead_letter in read_dead_letters(settings, ledger, progress):
            if dead_letter.source in ledger.replayed or dead_letter.source in seen:
                continue
            if not chosen(dead_letter) or target.refusal(dead_letter) is not None:
                continue
            seen.add(dead_letter.source)
            batch.append(dead_letter)
            size += _size(replayed(dead_letter))
            if len(batch) == AT_ONCE or size >= _BYTES_AT_ONCE:
                await writer.write(batch)
                done.count += len(batch)
                batch, size = [], 0
        if batch:
            await writer.write(batch)
            done.count += len(batch)


def transactional_id(settings: Settings) -> str:
    """That of all replays of an application; no worker's, so that who may use it cannot stop workers with it."""
    return f"{settings.app}-{settings.topics.dead_letters}"


class _Writer:
    """Writes interactions and receipts."""

    def __init__(self, target: Target, *, exactly_once: bool) -> None:
        settings = target.settings
        self._target = target
        self._topics = settings.topics
        self._exactly_once = exactly_once
        transactional: dict[str, Any] = {
            "transactional_id": transactional_id(settings),
            "transaction_timeout_ms": TRANSACTION_TIMEOUT_MS,
        }
        self._producer = AIOKafkaProducer(
            **client_options(settings),
            acks="all",
            max_batch_size=min(BATCH_BYTES, target.largest),
            **(transactional if exactly_once else {}),
        )

    async def __aenter__(self) -> Self:
        try:
            await asyncio.wait_for(self._producer.start(), _START_TIMEOUT)
        except TransactionalIdAuthorizationFailed as error:
            await self._producer.stop()
            settings = self._target.settings
            raise BrokerError(
                f"Kafka at {settings.bootstrap} does not let us write the transactions of a replay; "
                + remedy(settings, [Grant(Operation.WRITE, transactional_id(settings), "transactional-id")])
            ) from error
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with contextlib.suppress(KafkaError, OSError, TimeoutError, AssertionError):
            async with asyncio.timeout(_END_TIMEOUT):
                if kind is not None and self._exactly_once:
                    with contextlib.suppress(KafkaError, AssertionError):  # none may be open
                        await self._producer.abort_transaction()
                await self._producer.stop()

    async def write(self, batch: Sequence[DeadLetter]) -> None:
        """All of them with their receipts, or none; without transactions, at least all of them."""
        try:
            if self._exactly_once:
                await self._producer.begin_transaction()
            await send_batches(self._producer, self._interactions(batch))
            await send_batches(self._producer, self._receipts(batch))
            if self._exactly_once:
                await self._producer.commit_transaction()
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise BrokerError("another replay of this application was begun, and goes on in place of this") from error
        except (KafkaError, TimeoutError, AssertionError) as error:  # also aiokafka's own checks, once its sender died
            raise BrokerError(f"the replay broke off: {error!r}; run it again, nothing is replayed twice") from error

    def _interactions(self, batch: Sequence[DeadLetter]) -> Iterator[Part]:
        """The interactions again, each in its partition."""
        by_partition: dict[int, list[DeadLetter]] = {}
        for each in batch:
            partition, placed = self._target.placed(each)
            by_partition.setdefault(partition, []).append(placed)
        for partition, dead_letters in by_partition.items():
            times = [self._target.time_of(each) for each in dead_letters]
            yield Part(self._topics.interactions, partition, map(replayed, dead_letters), times)

    def _receipts(self, batch: Sequence[DeadLetter]) -> Iterator[Part]:
        """Their receipts, each in the partition of its dead letter."""
        receipts: dict[int, list[Outgoing]] = {}
        for each in batch:
            receipts.setdefault(each.address.partition, []).append(receipt(each.source))
        for partition, records in receipts.items():
            yield Part(self._topics.dead_letters, partition, records)


def _rejected(dead_letter: DeadLetter, received: int, decoder: InteractionDecoder) -> Rejected | None:
    """What a worker would say of it."""
    control = control_of(dead_letter.headers)
    read = (
        decoder.decode(dead_letter.value, received, dead_letter.headers)
        if control is None
        else tick_time(control, dead_letter.value)
    )
    return read if isinstance(read, Rejected) else None


def _size(record: Outgoing) -> int:
    headers = sum(len(name) + len(value or b"") + 10 for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers + _OVERHEAD
