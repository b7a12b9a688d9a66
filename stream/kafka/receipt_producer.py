"""Write records of many senders, each of whom is told once all of its own are acknowledged.

Records of one partition go into one batch until the batch before it is acknowledged: where nothing is under way a
record is sent at once, and the more come at the same time, the larger batches are. Nothing is awaited for a record.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from stream.codec.records import Outgoing
from stream.kafka.batch_sender import abandon, append

_STOP_TIMEOUT = 5.0


class Receipt:
    """Tells one sender that all it appended is safe in Kafka, or that it may not be."""

    __slots__ = ("_outstanding", "_settled", "error", "future")

    def __init__(self, settled: Callable[[], None]) -> None:
        """`settled` is called once, when nothing of it is under way any more, also where nobody waits by then."""
        self.future: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        """What went wrong first, None where nothing did; set when nothing of it is under way any more."""
        self.error: BaseException | None = None
        self._outstanding = 1
        self._settled = settled

    def expect(self) -> None:
        """One batch more has records of this sender."""
        self._outstanding += 1

    def close(self) -> None:
        """All is appended."""
        self.settle(None)

    def settle(self, error: BaseException | None) -> None:
        """One of its batches is acknowledged, or failed."""
        if error is not None and self.error is None:
            self.error = error
        self._outstanding -= 1
        if self._outstanding == 0:
            if not self.future.done():
                self.future.set_result(self.error)
            self._settled()


class _Batch:
    __slots__ = ("begun", "builder", "receipts")

    def __init__(self, builder: BatchBuilder) -> None:
        self.builder = builder
        self.receipts: list[Receipt] = []
        self.begun = time.monotonic()


class _Lane:
    """What goes to one partition."""

    __slots__ = ("batches", "filled", "partition", "task", "topic", "underway")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic, self.partition = topic, partition
        self.batches: deque[_Batch] = deque()
        self.underway: _Batch | None = None
        self.filled = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class ReceiptProducer:
    """Appends records to batches and sends these; ends with the first error, after which `failure` is set."""

    def __init__(self, producer: AIOKafkaProducer, heard: Callable[[], None]) -> None:
        """`heard` is called whenever Kafka acknowledges something."""
        self._producer = producer
        self._heard = heard
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self.failed = asyncio.Event()
        self.failure: BaseException | None = None
        """Why nothing can be sent by this producer any more."""

    def append(self, topic: str, partition: int, record: Outgoing, receipt: Receipt) -> None:
        """Let a record be sent; `receipt` expects it. One that is alone in its batch may be larger than that."""
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._begin_lane(topic, partition)
        if self.failure is not None:
            receipt.expect()
            receipt.settle(self.failure)
            return
        batches = lane.batches
        if not batches or not append(batches[-1].builder, record):
            batches.append(_Batch(self._producer.create_batch()))
            append(batches[-1].builder, record)
            lane.filled.set()
        receipts = batches[-1].receipts
        if not receipts or receipts[-1] is not receipt:
            receipts.append(receipt)
            receipt.expect()

    @property
    def oldest(self) -> float:
        """For how many seconds the batch that has waited longest has waited for its acknowledgement; 0: none does."""
        begun = [
            each.begun
            for lane in self._lanes.values()
            for each in (lane.underway or (lane.batches[0] if lane.batches else None),)
            if each is not None
        ]
        return time.monotonic() - min(begun) if begun else 0.0

    async def stop(self) -> None:
        """Let go within seconds: what is not acknowledged by then is abandoned, and its senders are told."""
        deadline = time.monotonic() + _STOP_TIMEOUT
        while self.failure is None and self._is_busy and time.monotonic() < deadline:  # noqa: ASYNC110 many lanes
            await asyncio.sleep(0.01)
        clean = self.failure is None and not self._is_busy
        self._fail(KafkaError("the producer was stopped"))
        for lane in self._lanes.values():
            if lane.task is not None:
                lane.task.cancel()
        try:
            if clean:
                await asyncio.wait_for(self._producer.stop(), _STOP_TIMEOUT)
            else:
                await abandon(self._producer)
        except (KafkaError, OSError, TimeoutError):
            return

    @property
    def _is_busy(self) -> bool:
        return any(lane.batches or lane.underway for lane in self._lanes.values())

    def _begin_lane(self, topic: str, partition: int) -> _Lane:
        lane = self._lanes[topic, partition] = _Lane(topic, partition)
        lane.task = asyncio.create_task(self._send(lane))
        return lane

    async def _send(self, lane: _Lane) -> None:
        """Send what comes, one batch after the other."""
        while True:
            await lane.filled.wait()
            if not lane.batches:
                lane.filled.clear()
                continue
            batch = lane.underway = lane.batches.popleft()
            try:
                await self._acknowledged(lane, batch.builder)
            except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
                self._fail(error)
                return
            lane.underway = None
            self._heard()
            for receipt in batch.receipts:
                receipt.settle(None)

    async def _acknowledged(self, lane: _Lane, builder: BatchBuilder) -> None:
        while True:
            try:
                future: asyncio.Future[Any] = await self._producer.send_batch(
                    builder, lane.topic, partition=lane.partition
                )
                break
            except KafkaTimeoutError:  # it was not accepted
                continue
        await future

    def _fail(self, error: BaseException) -> None:
        """Tell everybody who waits."""
        if self.failure is None:
            self.failure = error
            self.failed.set()
        for lane in self._lanes.values():
            waiting = [*([lane.underway] if lane.underway else []), *lane.batches]
            lane.underway = None
            lane.batches.clear()
            for batch in waiting:
                for receipt in batch.receipts:
                    receipt.settle(error)
