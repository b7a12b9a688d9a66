"""Reads the batches of one fetch into blocks of records: checked, unpacked, and without what was never committed.

Batches of the formats before Kafka 0.11, which know neither headers nor transactions, are read by aiokafka.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, cast

import aiokafka.codec
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from stream.codec.record_batch import MalformedError, RecordBatch, end_of_batch, is_old
from stream.codec.record_block import BlockBuilder
from stream.codec.record_cursor import BlockCursor, Span
from stream.codec.records import SourceRecord, SourceRecords
from stream.kafka.unreadable import CODECS

_CHECKSUM_IS_WRONG: Final = "Invalid CRC"


_checksum_of: Callable[[memoryview], int] = cast("Any", calc_crc32c)


class BlockReader:
    """Batches of one partition, as a broker handed them out."""

    def __init__(self, data: bytes, next_offset: int, aborted: Iterable[tuple[int, int]] | None) -> None:
        """Records from `next_offset` on. `aborted`: producers of aborted transactions and their first offsets.

        None: what is not committed is read, too.
        """
        self.next_offset = next_offset
        """Where to read on: behind the last record, and behind what is none but stands there."""
        self._data = data
        self._view = memoryview(data)
        self._at = 0
        self._committed = aborted is not None
        self._aborted = sorted(aborted or (), key=_first_offset, reverse=True)
        self._aborting: set[int] = set()
        """Producers whose transaction at this place was aborted."""
        self._rest: Span | None = None
        """Of the batch before `_at`."""
        self._after = 0
        """The offset behind that batch."""
        self._failed = False

    @property
    def is_done(self) -> bool:
        """There is nothing more to read here: no whole batch is left, or what is left must be fetched again."""
        return self._failed or (self._rest is None and self._end() == -1)

    def read(self, most: int) -> SourceRecords:
        """The next records, at most so many. Raises whatever is wrong with what stands exactly at `next_offset`."""
        before = self.next_offset
        records: list[SourceRecord] = []
        builder = BlockBuilder(before, most)
        try:
            if self._is_old():
                self._read_old(records, most)
            else:
                self._fill(builder)
        except Exception:
            self._failed = True
            if self.next_offset == before == builder.next_offset:
                raise
        finally:
            self.next_offset = max(self.next_offset, builder.next_offset)
        return records or (builder.block() if builder.count else ())

    def _end(self) -> int:
        """Where the next batch ends; -1 where none is there as a whole. A batch that is none is there."""
        try:
            return end_of_batch(self._data, self._at)
        except MalformedError:
            return self._at

    def _is_old(self) -> bool:
        return self._rest is None and self._end() > self._at and is_old(self._data, self._at)

    def _fill(self, builder: BlockBuilder) -> None:
        """Take batches until the block is full, or they end, or old ones begin."""
        while not builder.is_full:
            if self._rest is None:
                end = end_of_batch(self._data, self._at)
                if end < 0 or is_old(self._data, self._at):
                    return
                self._rest = self._records_of(RecordBatch(self._data, self._at, end))
                self._at = end
            if self._rest is not None:
                self._rest = builder.take(self._rest)
            if self._rest is None:
                builder.next_offset = max(builder.next_offset, self._after)

    def _records_of(self, batch: RecordBatch) -> Span | None:
        """What is to be read of a batch; None where that is nothing."""
        self._after = batch.next_offset
        start, end = batch.records_from, batch.end
        if batch.checksum != _checksum_of(self._view[batch.checked_from : end]):
            raise CorruptRecordException(_CHECKSUM_IS_WRONG)
        if (self._committed and self._is_aborted(batch)) or batch.is_control or not batch.count:
            return None
        if not batch.codec:
            return Span(batch, self._data, start, end, batch.count)
        unpacked = _unpacked(batch.codec, self._view[start:end])
        return Span(batch, unpacked, 0, len(unpacked), batch.count)

    def _is_aborted(self, batch: RecordBatch) -> bool:
        while self._aborted and self._aborted[-1][1] <= batch.first_offset:
            self._aborting.add(self._aborted.pop()[0])
        if batch.is_control and batch.producer in self._aborting and _is_abort(batch, self._data):
            self._aborting.remove(batch.producer)
        return batch.is_transactional and batch.producer in self._aborting

    def _read_old(self, records: list[SourceRecord], most: int) -> None:
        while self._is_old() and len(records) < most:
            end = self._end()
            batch: Any = MemoryRecords(self._data[self._at : end]).next_batch()
            if not batch.validate_crc():
                raise CorruptRecordException(_CHECKSUM_IS_WRONG)
            for record in self._behind(batch):
                if len(records) == most:
                    return  # the next reading begins with this batch again
                records.append(record)
                self.next_offset = record.offset + 1
            self.next_offset = max(self.next_offset, batch.next_offset)
            self._at = end

    def _behind(self, batch: Iterable[SourceRecord]) -> Iterator[SourceRecord]:
        return (record for record in batch if record.offset >= self.next_offset)


def _first_offset(aborted: tuple[int, int]) -> int:
    return aborted[1]


def _is_abort(batch: RecordBatch, data: bytes) -> bool:
    """Whether a control batch ends a transaction that was aborted."""
    marker = BlockCursor([Span(batch, data, batch.records_from, batch.end, batch.count)], 0)
    return marker.advance() and bool(ControlRecord.parse(marker.key or b"") == ABORT_MARKER)


def _unpacked(codec: int, data: memoryview) -> bytes:
    """What a batch compressed. Raises UnsupportedCodecError, or what the codec's library raises."""
    if codec > len(CODECS):
        raise UnsupportedCodecError(f"codec {codec} is unknown")
    name = CODECS[codec - 1]
    is_there: Callable[[], bool] = getattr(aiokafka.codec, f"has_{name}")
    if not is_there():
        raise UnsupportedCodecError(f"there is no library for {name}")
    unpack: Callable[[bytes], bytes] = getattr(aiokafka.codec, f"{name}_decode")
    return unpack(data.tobytes())
