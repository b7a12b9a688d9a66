"""What a fetch brought, kept as bytes beside aiokafka's own reader of it.

Our readers take blocks of records from the bytes (`PartitionReader`). Whoever asks aiokafka for records reads them by
aiokafka. Either way, what cannot be read is an UnreadableError, which knows where it stands and what its bytes are.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords

from stream.codec.records import SourceRecords
from stream.kafka.block_reader import BlockReader
from stream.kafka.unreadable import unreadable


class _KeptRecords(MemoryRecords):  # type: ignore[misc, valid-type] # written in C or in Python
    """aiokafka's reader of batches, and the batches."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class KeptBatches(PartitionRecords):
    """What a fetch brought for one partition."""

    def __init__(
        self,
        tp: TopicPartition,
        records: _KeptRecords,
        aborted_transactions: Sequence[tuple[int, int]] | None,
        fetch_offset: int,
        *rest: object,
    ) -> None:
        make: Any = super().__init__
        make(tp, records, aborted_transactions, fetch_offset, *rest)
        private: Any = self
        self.data: bytes = records.data
        """The batches as the broker keeps them."""
        aborted = (aborted_transactions or ()) if private._isolation_level == READ_COMMITTED else None
        self._blocks = BlockReader(records.data, fetch_offset, aborted)

    def _unpack_records(self) -> Iterator[Any]:
        """As aiokafka's, which begins it with the first record that is asked for."""
        private: Any = super()
        try:
            yield from private._unpack_records()
        except Exception as error:
            raise self._unreadable(error) from error

    def take(self, most: int) -> SourceRecords:
        """The next records, at most so many; moves `next_fetch_offset` behind them, and behind what is no record.

        Raises UnreadableError where what stands exactly there cannot be read. Not to be mixed with iteration.
        """
        try:
            return self._blocks.read(most)
        except Exception as error:
            raise self._unreadable(error) from error
        finally:
            self.next_fetch_offset = self._blocks.next_offset

    @property
    def is_taken(self) -> bool:
        """All that can be read was taken."""
        return self._blocks.is_done

    def _unreadable(self, error: Exception) -> Exception:
        return unreadable(self._tp, self.next_fetch_offset, self.data, error)


def install() -> None:
    """Let aiokafka's consumers keep what they fetch."""
    private: Any = fetcher
    private.MemoryRecords, private.PartitionRecords = _KeptRecords, KeptBatches
