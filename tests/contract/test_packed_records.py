"""Records as they are packed: the bytes that aiokafka writes of the same records, and what is read back from them."""

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import example, given
from hypothesis import strategies as st

from stream.codec.packed_records import MAX_PART, PackedRecord, PackedRecords, by_key, pack_headers
from stream.codec.records import Outgoing
from stream.kafka.partitioner import partition_of

HEADER_OF_A_BATCH = 61
LENGTHS = st.sampled_from([0, 1, 62, 63, 64, 65, 127, 128, 8_190, 8_191, 8_192, 16_384]) | st.integers(0, 300)
BYTES = LENGTHS.map(bytes) | st.binary(max_size=20)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)
RECORDS = st.lists(
    st.builds(
        Outgoing,
        st.none() | BYTES,
        st.none() | BYTES,
        st.lists(st.tuples(NAMES, BYTES), max_size=4) | st.integers(60, 70).map(lambda count: [("", b"")] * count),
    ),
    max_size=150,
)


def as_aiokafka_packs(records: list[Outgoing]) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, 0, 1 << 30)
    for offset, record in enumerate(records):
        assert builder.append(offset, 0, record.key, record.value, list(record.headers)) is not None
    return bytes(builder.build())[HEADER_OF_A_BATCH:]


@given(RECORDS)
@example([Outgoing(b"k", b"v")] * 8_200)
def test_the_bytes_are_those_that_aiokafka_writes(records: list[Outgoing]) -> None:
    """Lengths and offsets of every size, and what is not there."""
    packed = PackedRecords(records)
    written = b"".join(as_aiokafka_packs(part) for part in _by_part(packed, records))
    assert b"".join(part.records for part in packed.parts) == written
    assert len(packed) == len(records)


def _by_part(packed: PackedRecords, records: list[Outgoing]) -> list[list[Outgoing]]:
    left = iter(records)
    return [[next(left) for _ in range(part.count)] for part in packed.parts]


@given(RECORDS)
def test_what_was_packed_can_be_read_back(records: list[Outgoing]) -> None:
    packed = PackedRecords(records)
    assert [*packed] == [Outgoing(each.key, each.value, list(each.headers)) for each in records]
    assert [packed[number] for number in range(len(records))] == [*packed]


@given(RECORDS)
def test_headers_that_are_packed_already_are_the_same(records: list[Outgoing]) -> None:
    """As stage changes have them, of which two topics get the same ones."""
    packed = PackedRecords()
    for record in records:
        packed.add(record.key, record.value, pack_headers(record.headers))
    assert [*packed] == [*PackedRecords(records)]


@given(st.lists(st.integers(0, 2 * MAX_PART) | st.sampled_from([MAX_PART - 20, MAX_PART, MAX_PART + 1]), max_size=8))
@example([MAX_PART - 8])
@example([100] * 5 + [MAX_PART] + [100] * 5)
def test_no_part_is_larger_than_a_batch_may_be_unless_one_record_is(sizes: list[int]) -> None:
    """And no part is left with room for the first record of the next one."""
    records = [Outgoing(b"", bytes(size)) for size in sizes]
    packed = PackedRecords(records)
    parts = packed.parts
    assert all(part.count == 1 or len(part.records) <= MAX_PART for part in parts)
    for part, behind in zip(parts, _by_part(packed, records)[1:], strict=False):
        longest = len(as_aiokafka_packs(behind[:1])) + 1  # its offset may take a byte more there
        assert len(part.records) + longest > MAX_PART
    assert [len(each.value or b"") for each in packed] == sizes
    assert all(part.records == as_aiokafka_packs(of) for part, of in zip(parts, _by_part(packed, records), strict=True))


def test_asking_for_parts_leaves_the_last_one_open() -> None:
    packed = PackedRecords([Outgoing(b"a", b"1")])
    before = packed.parts
    packed.append(Outgoing(b"b", None))
    assert [part.count for part in (*before, *packed.parts)] == [1, 2]
    assert packed.parts[0].records.startswith(before[0].records)
    assert PackedRecords().parts == []


@given(st.lists(st.tuples(st.binary(max_size=40), st.none() | st.binary(max_size=9)), max_size=60), st.integers(1, 200))
def test_each_key_goes_where_the_default_partitioner_puts_it(given_: list[tuple[bytes, bytes | None]], count: int):
    """In the order in which they were given; a partition that gets nothing is not there."""
    headers = pack_headers([("a", b"1")])
    found = by_key([PackedRecord(key, value, headers) for key, value in given_], count)
    expected: dict[int, list[Outgoing]] = {}
    for key, value in given_:
        expected.setdefault(partition_of(key, count), []).append(Outgoing(key, value, [("a", b"1")]))
    assert {number: [*records] for number, records in found.items()} == expected
