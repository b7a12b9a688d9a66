"""Blocks hold the records that aiokafka reads of the same bytes, and nobody needs to ask twice for any of them."""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import aiokafka.codec
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, Fetcher, PartitionRecords
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import example, given
from hypothesis import strategies as st

from stream.codec.record_block import compact, cursor_of, first_of, from_offset, joined
from stream.codec.records import Headers, SourceRecord, SourceRecords
from stream.errors import UnreadableError
from stream.kafka.block_reader import BlockReader
from stream.kafka.kept_batches import KeptBatches, _KeptRecords
from stream.kafka.unreadable import CODECS
from tests.kit.record_batches import ABORT, COMMIT, TRANSACTIONAL, Given, batch, marker, sealed

TP = TopicPartition("interactions", 0)
THEIRS: Any = next(each for each in PartitionRecords.__mro__ if each.__module__ == Fetcher.__module__)
LARGEST = 2**63 - 1
TIMES = st.sampled_from([0, -1, 1_764_000_000_000, LARGEST, -LARGEST - 1]) | st.integers(-LARGEST - 1, LARGEST)
SIZES = st.sampled_from([0, 1, 62, 63, 64, 65, 8_191, 8_192])
BYTES = st.none() | st.binary(max_size=80) | SIZES.map(bytes)
HEADERS = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=70)), max_size=20)


class Read(NamedTuple):
    """A record as it was read."""

    offset: int
    timestamp: int
    timestamp_type: int | None
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def read(record: SourceRecord) -> Read:
    """What it says."""
    return Read(record.offset, record.timestamp, record.timestamp_type, record.key, record.value, list(record.headers))


def by_cursor(records: SourceRecords) -> list[Read]:
    """The records that a cursor stands at."""
    cursor, found = cursor_of(records), []
    while cursor.advance():
        assert cursor.has_headers == bool(cursor.headers)
        found.append(read(cursor))
    assert not cursor.advance()
    return found


class Fetch(NamedTuple):
    """Bytes as they come from a broker, and what it says of them."""

    data: bytes
    position: int
    aborted: list[tuple[int, int]]
    committed: bool


@st.composite
def fetches(draw: st.DrawFn) -> Fetch:
    """Several batches: compressed or not, with gaps, of transactions or not, the last one perhaps cut off."""
    data, aborted = b"", []
    offset = first = draw(st.integers(0, 2**40))
    behind = 0
    """The offset behind the first batch: no broker begins before the batch that is asked for."""
    under_way: dict[int, int] = {}
    """By producer the first offset of its transaction."""
    for _ in range(draw(st.integers(1, 6))):
        offset += draw(st.integers(0, 2))
        producer = draw(st.sampled_from([-1, -1, 5, 6]))
        kind = draw(st.integers(0, 3))
        if kind == 0 and producer > 0:
            end = draw(st.sampled_from([ABORT, COMMIT]))
            if producer in under_way and end == ABORT:
                aborted.append((producer, under_way[producer]))
            under_way.pop(producer, None)
            data += marker(offset, producer, end)
            offset += 1
            behind = behind or offset
            continue
        deltas = sorted(draw(st.sets(st.integers(0, 40), max_size=6)))
        last = max(deltas, default=0) + draw(st.integers(0, 2))
        in_transaction = producer > 0
        if in_transaction:
            under_way.setdefault(producer, offset)
        data += batch(
            [Given(delta, draw(TIMES), draw(BYTES), draw(BYTES), draw(HEADERS)) for delta in deltas],
            first=offset,
            codec=draw(st.integers(0, 4)) if deltas else 0,
            attributes=TRANSACTIONAL if in_transaction else 0,
            producer=producer,
            last=last,
            broker_time=draw(st.none() | TIMES),
        )
        offset += last + 1
        behind = behind or offset
    for producer, began in under_way.items():
        if draw(st.booleans()):
            aborted.append((producer, began))
    cut = draw(st.integers(0, 80)) if draw(st.booleans()) else 0
    position = draw(st.just(first) | st.integers(first, behind - 1))
    return Fetch(data[: len(data) - cut], position, aborted, draw(st.booleans()))


def by_aiokafka(fetch: Fetch) -> tuple[list[Read], int]:
    """What aiokafka's own reader finds, and where it would read on."""
    isolation = READ_COMMITTED if fetch.committed else READ_UNCOMMITTED
    made = THEIRS(TP, MemoryRecords(fetch.data), list(fetch.aborted), fetch.position, None, None, True, isolation)
    made._consumer_record = lambda _tp, record: record
    return [read(record) for record in made], made.next_fetch_offset


@given(fetches(), st.sampled_from([1, 2, 3, 7, 1_000]))
def test_the_records_are_those_that_aiokafka_finds(fetch: Fetch, most: int) -> None:
    """However many are taken at once, by iteration and by a cursor; also where to read on."""
    reader = BlockReader(fetch.data, fetch.position, fetch.aborted if fetch.committed else None)
    found: list[Read] = []
    while not reader.is_done:
        before = reader.next_offset
        records = reader.read(most)
        assert len(records) <= most
        taken = [read(record) for record in records]
        assert by_cursor(records) == taken
        assert len(taken) == len(records)
        assert bool(records) == bool(taken)
        if taken:
            assert read(first_of(records)) == taken[0]
            assert before <= taken[0].offset <= taken[-1].offset < reader.next_offset
        found += taken
    wanted, position = by_aiokafka(fetch)
    assert found == wanted
    assert reader.next_offset == max(position, fetch.position)


@given(fetches(), st.integers(1, 5), st.data())
def test_a_block_is_cut_and_joined_as_a_list_is(fetch: Fetch, most: int, data: st.DataObject) -> None:
    reader = BlockReader(fetch.data, fetch.position, None)
    whole: SourceRecords = ()
    while not reader.is_done:
        whole = joined(whole, reader.read(most))
    records = by_cursor(whole)
    assert records == [read(each) for each in BlockReader(fetch.data, fetch.position, None).read(10_000)]
    end = fetch.position + 300
    for offset in sorted(data.draw(st.lists(st.integers(fetch.position, end), max_size=4))):
        whole = from_offset(whole, offset)
        records = [each for each in records if each.offset >= offset]
        assert by_cursor(whole) == records
        assert len(whole) == len(records)


@given(fetches(), st.data())
@example(Fetch(batch([Given(0), Given(1)]), 0, [], committed=True), None)
def test_damaged_bytes_are_records_or_unreadable_and_nothing_else(fetch: Fetch, data: st.DataObject | None) -> None:
    """Also where the checksum was made of what is damaged: nothing is read outside of a batch, and reading ends."""
    damaged = bytearray(fetch.data)
    for _ in range(data.draw(st.integers(1, 3)) if data and damaged else 0):
        at = data.draw(st.integers(0, len(damaged) - 1)) if data else 0
        damaged[at] = data.draw(st.integers(0, 255)) if data else 0
    whole = resealed(bytes(damaged))
    kept = kept_batches(whole, fetch.position, fetch.aborted)
    last = fetch.position - 1
    for _ in range(len(whole) + 1):
        before = kept.next_fetch_offset
        try:
            records = kept.take(3)
        except UnreadableError:
            assert kept.is_taken
            break
        for record in by_cursor(records):
            assert record.offset > last
            last = record.offset
            assert len(record.value or b"") <= 1 << 20
        assert kept.next_fetch_offset >= before
        if kept.is_taken:
            break
    else:
        pytest.fail("it never ends")


def resealed(data: bytes) -> bytes:
    """The same batches with checksums of what they hold, as far as their lengths lead from one to the next."""
    whole, at = bytearray(data), 0
    while at + 61 <= len(whole):
        end = at + 12 + struct.unpack_from(">i", whole, at + 8)[0]
        if end < at + 61 or end > len(whole):
            break
        whole[at:end] = sealed(whole[at:end])
        at = end
    return bytes(whole)


def kept_batches(data: bytes, position: int, aborted: Sequence[tuple[int, int]] = ()) -> KeptBatches:
    """As the fetcher makes them."""
    return KeptBatches(TP, _KeptRecords(data), aborted, position, None, None, True, READ_COMMITTED)


GOOD, NEXT = batch([Given(0), Given(1, value=b"second")], first=10), batch([Given(0)], first=12)


def spoilt(data: bytes, at: int, byte: int) -> bytes:
    """With another byte, and the checksum of that."""
    whole = bytearray(data)
    whole[at] = byte
    return sealed(whole)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (NEXT[:-1] + b"?", "its checksum is wrong"),
        (spoilt(NEXT, 22, 7), "codec 7"),
        (spoilt(NEXT, 22, 2), "its bytes are no records"),
        (spoilt(NEXT, 61, 0x7F), "its bytes are no records (MalformedError)"),
        (spoilt(NEXT, 65, 0x40), "its bytes are no records (MalformedError)"),
        (NEXT[:8] + struct.pack(">i", 20) + NEXT[12:], "its bytes are no records (MalformedError)"),
    ],
    ids=["checksum", "codec", "compressed", "length", "key", "short"],
)
def test_what_is_readable_comes_before_the_error_that_says_what_is_not(bad: bytes, why: str) -> None:
    kept = kept_batches(GOOD + bad, 10)
    assert [record.offset for record in kept.take(100)] == [10, 11]
    assert kept.next_fetch_offset == 12
    assert kept.is_taken  # so that it is fetched again
    with pytest.raises(UnreadableError) as raised:
        kept_batches(bad, 12).take(100)
    assert raised.value.offset == 12
    assert why in str(raised.value)


def test_records_of_a_batch_before_one_that_is_none_are_readable() -> None:
    bad = spoilt(GOOD, len(GOOD) - len(b"second") - 2, 0x7E)  # the length of the second value
    kept = kept_batches(bad, 10)
    assert [record.offset for record in kept.take(100)] == [10]
    with pytest.raises(UnreadableError) as raised:
        kept_batches(bad, 11).take(100)
    assert (raised.value.offset, raised.value.after) == (11, 12)


def test_offsets_that_do_not_grow_are_passed_over() -> None:
    """As aiokafka does; no broker writes them."""
    same = batch([Given(1, value=b"a"), Given(1, value=b"b"), Given(0, value=b"c"), Given(2, value=b"d")], first=5)
    records = BlockReader(same, 5, None).read(100)
    assert [(each.offset, each.value) for each in records] == [(6, b"a"), (7, b"d")]
    assert len(records) == 2
    assert by_aiokafka(Fetch(same, 5, [], committed=True))[0] == by_cursor(records)


@pytest.mark.parametrize("codec", range(5))
def test_a_header_whose_name_is_no_utf8_keeps_its_record_readable(codec: int) -> None:
    """Each byte that is none is a replacement character."""
    named: Headers = [("\x11\x12", b"v"), ("ok", b"w"), ("", None)]  # type: ignore[list-item]
    data = batch([Given(0, headers=named, value=b"a"), Given(1, value=b"b")])
    bad = sealed(data.replace(b"\x11\x12", b"\xff\xfe"))
    assert bad != data
    if codec:
        packed = getattr(aiokafka.codec, f"{CODECS[codec - 1]}_encode")(bad[61:])
        head = bytearray(bad[:61])
        struct.pack_into(">i", head, 8, 49 + len(packed))
        head[22] |= codec
        bad = sealed(bytes(head) + packed)
    first, second = by_cursor(BlockReader(bad, 0, None).read(100))
    assert first.headers == [("��", b"v"), ("ok", b"w"), ("", None)]
    assert (first.value, second.value) == (b"a", b"b")


@pytest.mark.parametrize(("said", "there"), [(1, [10]), (3, [10, 11])])
def test_as_many_records_are_readable_as_there_are_and_a_batch_says(said: int, there: list[int]) -> None:
    """Where these are two numbers, the rest of it is an error."""
    bad = spoilt(GOOD, 60, said)
    assert [record.offset for record in kept_batches(bad, 10).take(100)] == there
    with pytest.raises(UnreadableError):
        kept_batches(bad, there[-1] + 1).take(100)


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("codec", [0, 1])
@pytest.mark.parametrize("most", [1, 2, 100])
def test_batches_of_old_formats_are_read_between_new_ones(magic: int, codec: int, most: int) -> None:
    old = LegacyRecordBatchBuilder(magic=magic, compression_type=codec, batch_size=10_000)
    for number in range(3):
        old.append(number, timestamp=7_000, key=b"k", value=b"v%d" % number)
    data = bytes(old.build())
    if codec:  # the outer offset is that of the last record within
        data = struct.pack(">q", 2) + data[8:]
    whole = data + batch([Given(0), Given(1)], first=3) + data.replace(data[:8], struct.pack(">q", 9), 1)[:20]
    reader = BlockReader(whole, 1, ())
    found: list[Read] = []
    while not reader.is_done:
        found += by_cursor(reader.read(most))
    assert [each.offset for each in found] == [1, 2, 3, 4]
    assert [each.timestamp for each in found[:2]] == [7_000 if magic else -1] * 2
    assert [each.value for each in found[:2]] == [b"v1", b"v2"]
    assert reader.next_offset == 5


@given(fetches(), st.sampled_from([1, 1_000]))
def test_what_is_compacted_is_the_latest_value_of_each_key(fetch: Fetch, most: int) -> None:
    reader = BlockReader(fetch.data, fetch.position, None)
    latest: dict[bytes, bytes] = {}
    wanted: dict[bytes, bytes | None] = {}
    while not reader.is_done:
        records = reader.read(most)
        compact(records, latest)
        wanted |= {each.key: each.value for each in records if each.key is not None}
    assert latest == {key: value for key, value in wanted.items() if value is not None}
