"""Write records of many senders, each of whom is told once all of its own are acknowledged.

Records of one partition go into one batch until that is really sent: where nothing is under way a record is sent at
once, and the more come meanwhile, the larger the next batch is. Nothing is awaited for a record.

This module reads private parts of aiokafka 0.14; `tests/kafka/test_aiokafka_contract.py` names them.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from stream.codec.records import Outgoing
from stream.kafka.batch_sender import abandon, append

_STOP_TIMEOUT: Final = 5.0
_UNCOMPRESSED: Final = 0


class Receipt:
    """Tells one sender that all it appended is safe in Kafka, or that it may not be."""

    __slots__ = ("_error", "_future", "_outstanding", "_settled")

    def __init__(self, settled: Callable[[], None]) -> None:
        """`settled` is called once, when nothing of it is under way any more, also where nobody waits by then."""
        self._future: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        self._error: BaseException | None = None
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
        if error is not None and self._error is None:
            self._error = error
        self._outstanding -= 1
        if self._outstanding == 0:
            self._answer(self._error)
            self._settled()

    async def outcome(self) -> BaseException | None:
        """What went wrong first, None where nothing did."""
        return await self._future

    def give_up(self) -> None:
        """Whoever waits is told TimeoutError; that `settled` is called is still to come."""
        self._answer(TimeoutError())

    def _answer(self, error: BaseException | None) -> None:
        if not self._future.done():
            self._future.set_result(error)


class Patience:
    """Waits for receipts, for each so many seconds at most; with one timer, since one for each costs more than they."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[Receipt, float] = {}
        """When each is given up, from the first to the last."""
        self._timer: asyncio.TimerHandle | None = None

    async def outcome(self, receipt: Receipt) -> BaseException | None:
        """As the receipt's; TimeoutError where that is not known in time."""
        loop = asyncio.get_running_loop()
        self._until[receipt] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)
        try:
            return await receipt.outcome()
        finally:
            del self._until[receipt]

    def _look(self) -> None:
        """Give up those whose time is over, and come again when that of the next one is."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = None
        for receipt, until in self._until.items():
            if until > now:
                self._timer = loop.call_at(until, self._look)
                return
            receipt.give_up()


class _Batch(BatchBuilder):
    """A batch that takes records until it is sent, also while it waits for its turn in aiokafka.

    aiokafka gives it its number when it takes it to be sent. From then on it must not grow: the number of the next one
    is made of how many records it has.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size, _UNCOMPRESSED)  # type: ignore[no-untyped-call]
        self.receipts: list[Receipt] = []
        self.begun = time.monotonic()

    def _set_producer_state(self, *numbers: int) -> None:
        super()._set_producer_state(*numbers)  # type: ignore[no-untyped-call]  # all of it is untyped
        self.close()  # type: ignore[no-untyped-call]


class _Lane:
    """What goes to one partition."""

    __slots__ = ("batches", "filled", "partition", "task", "topic", "youngest")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic, self.partition = topic, partition
        self.batches: deque[_Batch] = deque()
        """Those that are not handed over to aiokafka yet."""
        self.youngest: _Batch | None = None
        """The one that takes records, handed over or not."""
        self.filled = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class ReceiptProducer:
    """Appends records to batches and sends these; ends with the first error, after which `failure` is set."""

    def __init__(self, producer: AIOKafkaProducer, batch_bytes: int, heard: Callable[[], None]) -> None:
        """`producer` is started, and from now on ours; `heard` is called whenever Kafka acknowledges something."""
        self._producer = producer
        self._batch_bytes = batch_bytes
        self._heard = heard
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._waiting: dict[_Batch, None] = {}
        """Not acknowledged yet, from the oldest on."""
        self.failed = asyncio.Event()
        self.failure: BaseException | None = None
        """Why nothing can be sent by this producer any more."""

    def append(self, topic: str, partition: int, record: Outgoing, receipt: Receipt) -> None:
        """Let a record be sent; `receipt` expects it. One that is alone in its batch may be larger than that."""
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._begin_lane(topic, partition)
        batch = lane.youngest
        if batch is None or not append(batch, record):
            if self.failure is not None:
                receipt.expect()
                receipt.settle(self.failure)
                return
            batch = lane.youngest = _Batch(self._batch_bytes)
            append(batch, record)
            self._waiting[batch] = None
            lane.batches.append(batch)
            lane.filled.set()
        receipts = batch.receipts
        if not receipts or receipts[-1] is not receipt:
            receipts.append(receipt)
            receipt.expect()

    @property
    def oldest(self) -> float:
        """For how many seconds the batch that has waited longest has waited for its acknowledgement; 0: none does."""
        for batch in self._waiting:
            return time.monotonic() - batch.begun
        return 0.0

    async def stop(self) -> None:
        """Let go within seconds: what is not acknowledged by then is abandoned, and its senders are told."""
        deadline = time.monotonic() + _STOP_TIMEOUT
        while self.failure is None and self._waiting and time.monotonic() < deadline:  # noqa: ASYNC110 many futures
            await asyncio.sleep(0.01)
        clean = self.failure is None and not self._waiting
        self._fail(KafkaError("the producer was stopped"))
        for lane in self._lanes.values():
            if lane.task is not None:
                lane.task.cancel()
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            if clean:
                with contextlib.suppress(KafkaError, OSError, TimeoutError):
                    await asyncio.wait_for(self._producer.stop(), _STOP_TIMEOUT)
                    return
            await abandon(self._producer)

    def _begin_lane(self, topic: str, partition: int) -> _Lane:
        lane = self._lanes[topic, partition] = _Lane(topic, partition)
        lane.task = asyncio.create_task(self._hand_over_all(lane))
        return lane

    async def _hand_over_all(self, lane: _Lane) -> None:
        """Give aiokafka one batch after the other, as it takes them."""
        try:
            while True:
                await lane.filled.wait()
                lane.filled.clear()
                while lane.batches:
                    batch = lane.batches.popleft()
                    future = await self._accepted(lane, batch)
                    future.add_done_callback(partial(self._done, batch))
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            self._fail(error)

    async def _accepted(self, lane: _Lane, batch: _Batch) -> "asyncio.Future[Any]":
        """The future of a batch, once aiokafka has it; until then the one before it is not gone."""
        while True:
            try:
                future: asyncio.Future[Any] = await self._producer.send_batch(
                    batch, lane.topic, partition=lane.partition
                )
            except KafkaTimeoutError:
                continue
            return future

    def _done(self, batch: _Batch, future: "asyncio.Future[Any]") -> None:
        if future.cancelled():
            self._fail(KafkaError("the producer was stopped"))
            return
        error = future.exception()
        if error is not None:
            self._fail(error)
            return
        if batch not in self._waiting:  # its senders were told otherwise already
            return
        del self._waiting[batch]
        self._heard()
        for receipt in batch.receipts:
            receipt.settle(None)

    def _fail(self, error: BaseException) -> None:
        """Tell everybody who waits."""
        if self.failure is None:
            self.failure = error
            self.failed.set()
        waiting, self._waiting = self._waiting, {}
        for lane in self._lanes.values():
            lane.youngest = None
            lane.batches.clear()
        for batch in waiting:
            batch.close()  # type: ignore[no-untyped-call]
            for receipt in batch.receipts:
                receipt.settle(error)
