"""From records to the bytes of batches, by aiokafka's builder."""

from collections.abc import Iterator
from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder

from stream.kafka.batch_header import HEADER_BYTES
from stream.kafka.batch_sender import Part, append
from stream.kafka.exactly_once.transaction_writer import Unsent
from stream.kafka.transactions import BATCH_BYTES


def packed(part: Part) -> Iterator[Unsent]:
    """The batches of a part; each at most as large as a broker takes one, unless a single record is larger."""
    builder = BatchBuilder(BATCH_BYTES, 0)
    for record in part.records:
        if not append(builder, record, 0):
            yield _unsent(part, builder)
            builder = BatchBuilder(BATCH_BYTES, 0)
            append(builder, record, 0)
    yield _unsent(part, builder)


def _unsent(part: Part, builder: BatchBuilder) -> Unsent:
    private: Any = builder
    built = private._builder.build()
    return Unsent((part.topic, part.partition), bytes(built[HEADER_BYTES:]), builder.record_count())
