"""The header of a batch, held against the one that aiokafka's builder writes."""

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from stream.kafka.batch_header import HEADER_BYTES, NOBODY, Writer, batch_of

INT_16, INT_32, INT_64 = (st.integers(-1, 2**bits - 1) for bits in (15, 31, 63))
RECORDS = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=80),
        st.none() | st.binary(max_size=300),
        st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=9)), max_size=3),
    ),
    min_size=1,
    max_size=20,
)


def built(
    records: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]],
    writer: Writer,
    sequence: int,
    timestamp: int,
    *,
    transactional: bool,
) -> bytes:
    """The batch that aiokafka makes."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=int(transactional),
        producer_id=writer.producer_id,
        producer_epoch=writer.epoch,
        base_sequence=sequence,
        batch_size=1 << 20,
    )
    for offset, (key, value, headers) in enumerate(records):
        builder.append(offset, timestamp=timestamp, key=key, value=value, headers=headers)
    return bytes(builder.build())


@given(RECORDS, INT_64, INT_16, INT_32, st.integers(0, 2**62), st.booleans())
def test_a_batch_is_the_one_that_aiokafka_makes(records, producer_id, epoch, sequence, timestamp, transactional):
    writer = Writer(producer_id, epoch)
    theirs = built(records, writer, sequence, timestamp, transactional=transactional)
    ours = batch_of(theirs[HEADER_BYTES:], len(records), writer, sequence, timestamp, transactional=transactional)
    assert bytes(ours) == theirs


def test_a_batch_can_be_read_back_and_its_checksum_holds() -> None:
    records = built([(b"a", b"1", []), (b"b", None, [])], NOBODY, -1, 5, transactional=False)[HEADER_BYTES:]
    batch = DefaultRecordBatch(bytes(batch_of(records, 2, Writer(7, 3), 9, 1_764_000_000_000)))
    assert batch.validate_crc()
    assert batch.is_transactional
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (7, 3, 9)
    assert [(record.offset, record.timestamp, record.key) for record in batch] == [
        (0, 1_764_000_000_000, b"a"),
        (1, 1_764_000_000_000, b"b"),
    ]
