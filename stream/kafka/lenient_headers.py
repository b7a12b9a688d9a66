"""Records with a header whose name is no UTF-8, on which aiokafka raises, for their whole block.

Kafka's protocol calls a header's name a text, but no broker looks, and clients in C write what they are given. Such a
record would stop its partition for ever. So a block of records keeps its bytes, and where reading it fails it is read
again, slower, with a replacement character for each byte that is none.

What cannot be read at all is an UnreadableError, which knows where it stands and what its bytes are.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy

from stream.kafka.unreadable import unreadable


class _KeptRecords(MemoryRecords):  # type: ignore[misc, valid-type] # written in C or in Python
    """aiokafka's reader of a block, and the block."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class _AnyNames(bytearray):
    """Bytes of which every slice is read as text, whatever it holds."""

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - an index, or a slice
        found = super().__getitem__(place)
        return _AnyNames(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", _errors: str = "replace") -> str:
        """As text, each byte that is none replaced."""
        return super().decode(encoding, "replace")


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc] # final, yet there is no other way in
    def __iter__(self) -> "_LenientBatch":
        super().__iter__()
        self._buffer = _AnyNames(self._buffer)
        return self


class _LenientRecords(_MemoryRecordsPy):  # type: ignore[misc] # likewise
    """A block's batches, each read leniently; those of a format that knows no headers as ever."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data

    def next_batch(self, *sizes: int) -> Any:  # noqa: ANN401 - a batch of either format
        """The next one."""
        block: Any = self._next_slice
        batch = super().next_batch(*sizes)
        return _LenientBatch(block) if block is not None and block[self.MAGIC_OFFSET] >= 2 else batch


class RereadableRecords(PartitionRecords):
    """What a fetch brought for one partition; can be read again with any names of headers."""

    def __init__(
        self,
        tp: TopicPartition,
        records: _KeptRecords | _LenientRecords,
        aborted_transactions: Sequence[tuple[int, int]] | None,
        *rest: object,
    ) -> None:
        make: Any = super().__init__
        make(tp, records, aborted_transactions, *rest)
        self._given = tp, records, tuple(aborted_transactions or ()), rest

    def _unpack_records(self) -> Iterator[Any]:
        """As aiokafka's, which begins it with the first record that is asked for."""
        private: Any = super()
        try:
            yield from private._unpack_records()
        except UnicodeDecodeError:
            raise
        except Exception as error:
            tp, records, _, _ = self._given
            raise unreadable(tp, self.next_fetch_offset, records.data, error) from error

    @property
    def data(self) -> bytes:
        """The batches as the broker keeps them."""
        kept: bytes = self._given[1].data
        return kept

    def with_any_names(self, offset: int) -> "RereadableRecords":
        """The same records from `offset` on."""
        tp, records, aborted_transactions, (_offset, *rest) = self._given
        lenient: Any = _LenientRecords(records.data)
        return RereadableRecords(tp, lenient, aborted_transactions, offset, *rest)


def install() -> None:
    """Let aiokafka's consumers keep what they read."""
    private: Any = fetcher
    private.MemoryRecords, private.PartitionRecords = _KeptRecords, RereadableRecords
