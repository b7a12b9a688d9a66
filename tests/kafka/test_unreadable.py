"""Which batch it is that cannot be read, found in its block also where its header is damaged; and who says so."""

import struct

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from stream.engine.error_policy import ErrorPolicy
from stream.errors import UnreadableError
from stream.kafka.unreadable import CODECS, time_of, unreadable

TP = TopicPartition("interactions", 3)
CRC = CorruptRecordException("Invalid CRC - interactions-3")


def batch(first: int, count: int, *, attributes: int = 0, time: int = 1_000) -> bytes:
    """Records of one byte, from offset `first` on."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=10_000,
    )  # fmt: skip
    for number in range(count):
        builder.append(number, timestamp=time, key=None, value=b"x", headers=[])
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, first)
    data[22] |= attributes
    return bytes(data)


def last_delta(data: bytes, delta: int) -> bytes:
    """The batch with another delta of its last offset."""
    spoilt = bytearray(data)
    struct.pack_into(">i", spoilt, 23, delta)
    return bytes(spoilt)


@pytest.mark.parametrize(
    ("offset", "first", "after"),
    [(10, 10, 15), (12, 12, 15), (15, 15, 18), (18, 18, 20), (19, 19, 20)],
    ids=["first", "within the first", "second", "last", "within the last"],
)
def test_the_batch_is_the_one_that_holds_the_offset(offset: int, first: int, after: int) -> None:
    batches = {10: batch(10, 5), 15: batch(15, 3), 18: batch(18, 2)}
    error = unreadable(TP, offset, b"".join(batches.values()), CRC)
    assert (error.topic, error.partition, error.offset, error.after) == ("interactions", 3, first, after)
    assert error.data == max((start, data) for start, data in batches.items() if start <= offset)[1]
    assert "its checksum is wrong" in str(error)


@pytest.mark.parametrize("delta", [-7, 0, 2**31 - 1])
def test_a_batch_ends_where_the_next_one_begins_whatever_its_header_says(delta: int) -> None:
    """Also where of the next one only the beginning came."""
    spoilt = last_delta(batch(10, 5), delta)
    assert unreadable(TP, 10, spoilt + batch(15, 3), CRC).after == 15
    assert unreadable(TP, 10, spoilt + batch(15, 3)[:20], CRC).after == 15


@pytest.mark.parametrize("block", [b"", b"\x00" * 5, b"\xff" * 200, b"\x00" * 200], ids=repr)
def test_bytes_that_are_no_batch_at_all_are_one_offset(block: bytes) -> None:
    error = unreadable(TP, 7, block, ValueError())
    assert (error.offset, error.after, error.data) == (7, 8, b"")
    assert str(error) == (
        "topic interactions, partition 3, offset 7: the batch cannot be read, its bytes are no records (ValueError)"
    )


@pytest.mark.parametrize("number", range(1, 8))
def test_a_codec_is_named_with_what_to_install_or_as_unknown(number: int) -> None:
    error = unreadable(TP, 0, batch(0, 1, attributes=number), UnsupportedCodecError("…"))
    if number <= len(CODECS):
        assert f"with {CODECS[number - 1]}, for which a library is missing here: pip install 'cramjam" in str(error)
    else:
        assert f"(codec {number})" in str(error)


def test_the_words_quote_no_record() -> None:
    """What Python says of bytes that it cannot read may hold some of them."""
    error = unreadable(TP, 0, batch(0, 1), ValueError("customer-4711"))
    assert "4711" not in str(error)


def test_a_time_is_only_one_that_can_be() -> None:
    assert time_of(batch(0, 1, time=1_767_225_600_000)) == 1_767_225_600_000
    assert time_of(b"") is None
    spoilt = bytearray(batch(0, 1))
    struct.pack_into(">q", spoilt, 35, -5)
    assert time_of(bytes(spoilt)) is None


def test_where_it_is_a_state_that_cannot_be_read_the_worker_ends_at_once() -> None:
    """It would be the same the next time; interactions do not come to this judgement."""
    error = UnreadableError("lifecycle-customers", 0, 5, after=6, data=b"", why="…")
    assert ErrorPolicy().judge(error, None, 1.0).fatal
