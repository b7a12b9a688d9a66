"""Headers of stage changes as they are packed: those that aiokafka writes of the same change, byte for byte."""

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import example, given
from hypothesis import strategies as st

from stream.codec.stage_changes import headers, packed_headers
from stream.core.interaction import MAX_TIME, MIN_TIME
from tests.kit.stage_changes import change

_HEADER_OF_A_BATCH = 61
_LENGTHS = [1, 30, 31, 32, 63, 64, 100, 127, 128, 8_150, 8_191, 8_192, 20_000]
"""On both sides of those at which the length, or that of the id, which is longer, takes a byte more."""
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(["x" * n for n in _LENGTHS])


@given(
    lifecycle=texts,
    subject=texts,
    kind=st.sampled_from(["customer", "anonymous"]),
    at=st.integers(MIN_TIME, MAX_TIME),
    sequence=st.integers(1, 2**40),
)
@example(lifecycle="shop", subject="a\x00b", kind="customer", at=MIN_TIME, sequence=1)
def test_as_aiokafka_writes_them(lifecycle: str, subject: str, kind: str, at: int, sequence: int) -> None:
    """Names and values of every length, and control characters."""
    one = change(subject, lifecycle=lifecycle, kind=kind, at=at, sequence=sequence)
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, 0, 1 << 20)
    builder.append(0, 0, b"", b"", headers(one))
    assert bytes(builder.build())[_HEADER_OF_A_BATCH:].endswith(b"\x00\x00" + packed_headers(one))
