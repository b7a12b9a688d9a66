"""What a partition asks of tracing, where that is on: a span for each batch. `stream.tracing` makes spans."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from stream.codec.records import SourceRecords
from stream.machine.batch import Batch


class BatchSpan(Protocol):
    """The span of one batch, entered as long as the batch lasts; an error that leaves it is noted.

    One in which `ran` was not called, and that no error leaves, was no batch: there was nothing to do.
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None: ...

    def ran(self, batch: Batch) -> None:
        """The machine made this batch, which is to be written: put the contexts of its causes into its changes."""

    def transaction(self) -> AbstractContextManager[object]:
        """The span of writing the batch, which `ran` was told of."""


class BatchTracing(Protocol):
    """Makes the spans of all partitions of a process."""

    def batch(self, partition: int, records: SourceRecords) -> BatchSpan:
        """The span of a batch that is to be made of these records, or of a part of them."""
